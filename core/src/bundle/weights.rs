//! Weights in a file: burnpack, every tensor in f32 or quantised by blocks.
//!
//! A quantised tensor is what burn calls a symmetric `Q8S` or `Q4S` tensor stored as `PackedU32`,
//! one f16 scale per block of values. It becomes f32 again on the host, tensor by
//! tensor, while a module is loaded: every device computes with the same numbers, and no more than
//! the file and the module are in memory. A convolution's kernel is packed as `[out, rest]`.

use crate::bundle::Compute;
use crate::nn::host::{MOST_IN_BLOCK, STEP};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::quantization::{
    QuantMode, QuantScheme, QuantStore, QuantValue, QuantizedBytes, quantized_data_len,
};
use burn::tensor::{AllocationProperty, Bytes, DType, Device, Int, Shape, Tensor, TensorData};
use burn_pack::{Reader, Writer};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is no burnpack, or a device gave its weights away.
    #[error("{0}")]
    Pack(String),
    /// A parameter is not in the file.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A tensor of the file belongs to no parameter.
    #[error("`{0}` belongs to no parameter of this model")]
    Unknown(String),
    /// A tensor has another shape than its parameter.
    #[error("`{name}` has the shape {found:?} where {expected:?} is needed")]
    Shape {
        /// The parameter.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape of the parameter.
        expected: Vec<usize>,
    },
    /// A tensor is stored in a way this program does not read.
    #[error("`{name}` is stored as {found}, which this program does not read")]
    Storage {
        /// The parameter.
        name: String,
        /// Its data type in the file.
        found: String,
    },
}

impl From<burn_pack::Error> for WeightsError {
    fn from(error: burn_pack::Error) -> Self {
        Self::Pack(error.to_string())
    }
}

/// The weights of `module` in f32. Equal weights give equal bytes.
///
/// # Errors
/// [`WeightsError::Pack`] if the weights cannot be read from their device.
pub fn pack<M: Module>(module: M) -> Result<Vec<u8>, WeightsError> {
    let record = module.into_record().into_bytes();
    let mut tensors = read(record.map_err(|e| WeightsError::Pack(e.to_string()))?)?;
    for tensor in &mut tensors {
        // burn's identities of parameters, for optimisers: random, and of no use here.
        tensor.param_id = None;
    }
    write(tensors)
}

/// The tensors of a burnpack file, in its order.
pub(crate) fn read(bytes: Bytes) -> Result<Vec<burn_pack::Tensor>, WeightsError> {
    Ok(Reader::from_bytes(bytes)?.into_tensors()?)
}

/// A burnpack file of these tensors.
pub(crate) fn write(tensors: Vec<burn_pack::Tensor>) -> Result<Vec<u8>, WeightsError> {
    Ok(Writer::new(tensors).into_bytes()?.to_vec())
}

/// The values of an f32 tensor's bytes.
pub(crate) fn f32_values(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks();
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

/// Gives `module` the weights of a file. Parameters and tensors must match one to one.
///
/// # Errors
/// [`WeightsError`] for the first that does not match.
pub fn load<M: Module>(module: M, bytes: Vec<u8>) -> Result<M, WeightsError> {
    load_all_but(None, module, by_name(bytes)?, Compute::Device)
}

/// What burn calls a linear layer when it visits one's parameters.
pub(super) const LINEAR: &str = "Struct:Linear";

/// The end of the name of the table of subwords, `[vocab, D]`.
pub(crate) const SUBWORD_TABLE: &str = "encoder.words.weight";

/// Tensors by their names.
pub(crate) type Tensors = BTreeMap<String, burn_pack::Tensor>;

/// The tensors of a burnpack file, each in memory of its own: what is made of one has the room of those before it, where views would keep
/// the whole file until the last of them is taken. The file is given up from its end on, so no more than it and its largest tensor is in
/// memory.
pub(crate) fn by_name(file: Vec<u8>) -> Result<Tensors, WeightsError> {
    let file = bytes::Bytes::from(file);
    let views = read(Bytes::from_shared(file.clone(), AllocationProperty::Native))?;
    let begin = file.as_ptr().addr();
    let places = views.into_iter().map(|view| {
        let (name, dtype, shape, id, view) = view.into_parts()?;
        let start = match view.is_empty() {
            true => 0,
            false => view.as_ptr().addr() - begin,
        };
        Ok((start..start + view.len(), name, dtype, shape, id))
    });
    let mut places = places.collect::<Result<Vec<_>, WeightsError>>()?;
    places.sort_by_key(|(place, ..)| Reverse(place.start));
    // Nobody else has it any more, so it is not copied.
    let mut file = Vec::from(file);
    let mut tensors = Tensors::new();
    for (place, name, dtype, shape, id) in places {
        let Some(values) = file.get(place.clone()) else {
            let problem = format!("`{name}` has bytes that are another tensor's");
            return Err(WeightsError::Pack(problem));
        };
        let values = in_place(values.to_vec());
        file.truncate(place.start);
        file.shrink_to_fit();
        let tensor = burn_pack::Tensor::new(name.clone(), dtype, shape, id, values);
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// Bytes where they lie, aligned enough for words of 4 bytes, the widest that are read. `Bytes::from_bytes_vec` copies
/// them to a multiple of 16, at which no large allocation of WebAssembly's lies.
fn in_place(bytes: Vec<u8>) -> Bytes {
    match bytes.as_ptr().cast::<u32>().is_aligned() {
        true => Bytes::from_elems(bytes),
        false => Bytes::from_bytes_vec(bytes),
    }
}

/// As [`load`], where the parameters whose names start with `without` are left as they are, and
/// linear layers are given their weights in blocks if `compute` is the host.
pub(super) fn load_all_but<M: Module>(
    without: Option<&str>,
    module: M,
    tensors: Tensors,
    compute: Compute,
) -> Result<M, WeightsError> {
    Loader {
        without,
        compute,
        ..Loader::new(tensors)
    }
    .fill(module)
}

/// As [`load`], but linear layers are given their weights in blocks, along inputs or outputs, and kernels of convolutions get their
/// values when they are first asked for: what takes them one after the other needs no room for all of them in f32.
pub(super) fn load_kernels_later<M: Module>(
    module: M,
    tensors: Tensors,
) -> Result<M, WeightsError> {
    Loader {
        compute: Compute::Host,
        kernels_later: true,
        ..Loader::new(tensors)
    }
    .fill(module)
}

/// Walks a module and replaces its parameters.
struct Loader<'a> {
    path: Vec<String>,
    without: Option<&'a str>,
    compute: Compute,
    /// Whether kernels get their values when they are first asked for.
    kernels_later: bool,
    /// Whether the next parameter is a linear layer's.
    in_linear: bool,
    tensors: Tensors,
    error: Option<WeightsError>,
}

impl Loader<'_> {
    /// Replaces all parameters, in f32.
    fn new(tensors: Tensors) -> Self {
        Self {
            path: Vec::new(),
            without: None,
            compute: Compute::Device,
            kernels_later: false,
            in_linear: false,
            tensors,
            error: None,
        }
    }

    fn fill<M: Module>(mut self, module: M) -> Result<M, WeightsError> {
        let module = module.map(&mut self);
        match (self.error, self.tensors.into_keys().next()) {
            (Some(error), _) => Err(error),
            (None, Some(name)) => Err(WeightsError::Unknown(name)),
            (None, None) => Ok(module),
        }
    }
}

/// The number of axes of a convolution's kernel.
const KERNEL: usize = 4;

/// Takes a tensor out and gives its bytes, how they are stored, and the shape they are stored in.
pub(super) fn take(
    tensors: &mut Tensors,
    name: &str,
    expected: &Shape,
) -> Result<(DType, Shape, Bytes), WeightsError> {
    let tensor = tensors
        .remove(name)
        .ok_or_else(|| WeightsError::Missing(name.to_owned()))?;
    let (_, dtype, found, _, bytes) = tensor.into_parts()?;
    if found != *expected && found.as_slice() != flat(expected) {
        return Err(WeightsError::Shape {
            name: name.to_owned(),
            found: found.to_vec(),
            expected: expected.to_vec(),
        });
    }
    Ok((dtype, found, bytes))
}

/// Takes a tensor out as f32.
pub(super) fn take_f32(
    tensors: &mut Tensors,
    name: &str,
    expected: &Shape,
) -> Result<TensorData, WeightsError> {
    let (dtype, found, bytes) = take_readable(tensors, name, expected)?;
    Ok(in_f32(dtype, found, bytes, expected.clone()))
}

/// Takes a tensor out that [`in_f32`] can read, as [`take`] gives it.
fn take_readable(
    tensors: &mut Tensors,
    name: &str,
    expected: &Shape,
) -> Result<(DType, Shape, Bytes), WeightsError> {
    let (dtype, found, bytes) = take(tensors, name, expected)?;
    let readable = match dtype {
        DType::F32 => true,
        DType::QFloat(scheme) => blocks(&scheme, &found, bytes.len()).is_some(),
        _ => false,
    };
    match readable {
        true => Ok((dtype, found, bytes)),
        false => Err(storage(name, dtype)),
    }
}

/// The values of a tensor that [`take_readable`] gave, in f32.
fn in_f32(dtype: DType, found: Shape, bytes: Bytes, shape: Shape) -> TensorData {
    match dtype {
        DType::QFloat(scheme) => {
            let values = dequantize(scheme, found, bytes);
            TensorData::new(values.expect("blocks that were looked at"), shape)
        }
        _ => TensorData::from_bytes(bytes, shape, dtype),
    }
}

/// Takes a linear layer's tensor out, as it is if it is in blocks along the inputs, or if `rows` along the outputs, else as f32.
fn take_blocks(
    tensors: &mut Tensors,
    name: &str,
    expected: &Shape,
    rows: bool,
) -> Result<TensorData, WeightsError> {
    let stays = |dtype| is_in_blocks(dtype) || rows && is_in_rows(dtype);
    if !tensors.get(name).is_some_and(|t| stays(&t.dtype)) {
        return take_f32(tensors, name, expected);
    }
    let packed = take_packed(tensors, name, expected)?;
    let dtype = DType::QFloat(packed.scheme);
    Ok(TensorData::from_bytes(packed.bytes, packed.shape, dtype))
}

/// Takes a tensor out that is in blocks, as it is.
pub(super) fn take_packed(
    tensors: &mut Tensors,
    name: &str,
    expected: &Shape,
) -> Result<QuantizedBytes, WeightsError> {
    let (dtype, shape, bytes) = take(tensors, name, expected)?;
    match dtype {
        DType::QFloat(scheme) if blocks(&scheme, &shape, bytes.len()).is_some() => {
            Ok(QuantizedBytes {
                bytes,
                scheme,
                shape,
            })
        }
        other => Err(storage(name, other)),
    }
}

/// Whether values along the first axis share scales, as many as [`BlockLinear`](crate::nn::host::BlockLinear) takes: a linear
/// layer's inputs.
pub(super) fn is_in_blocks(dtype: &DType) -> bool {
    extents_of(dtype).is_some_and(|[along, across]| {
        along.is_multiple_of(STEP) && along <= MOST_IN_BLOCK && across == 1
    })
}

/// Whether values along the last axis share scales: a linear layer's outputs.
fn is_in_rows(dtype: &DType) -> bool {
    extents_of(dtype).is_some_and(|[along, _]| along == 1)
}

/// [`extents`] of a tensor's scheme; `None` if it is not quantised either.
fn extents_of(dtype: &DType) -> Option<[usize; 2]> {
    match dtype {
        DType::QFloat(scheme) => extents(scheme),
        _ => None,
    }
}

/// The rows and columns of a scheme's blocks; `None` if it has no blocks.
fn extents(scheme: &QuantScheme) -> Option<[usize; 2]> {
    let block = scheme.block_size()?.to_dim_vec(2);
    Some([block[0], block[1]].map(usize::from))
}

/// The error for a tensor stored as `found`.
pub(super) fn storage(name: &str, found: DType) -> WeightsError {
    WeightsError::Storage {
        name: name.to_owned(),
        found: format!("{found:?}"),
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.in_linear = container_type == LINEAR;
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let left_out = self.without.is_some_and(|prefix| name.starts_with(prefix));
        if left_out || self.error.is_some() {
            return param;
        }
        let (id, device, shape) = (param.id, param.lazy_device(), param.lazy_shape());
        if self.kernels_later && D == KERNEL {
            return match take_readable(&mut self.tensors, &name, &shape) {
                Ok((dtype, found, bytes)) => {
                    let made = shape.clone();
                    let init = move |device: &Device, gradient| {
                        let data = in_f32(dtype, found, bytes, made);
                        Tensor::from_data(data, device).set_require_grad(gradient)
                    };
                    Param::uninitialized(id, init, device, true, shape)
                }
                Err(error) => {
                    self.error = Some(error);
                    param
                }
            };
        }
        let data = match self.in_linear && self.compute == Compute::Host {
            true => take_blocks(&mut self.tensors, &name, &shape, self.kernels_later),
            false => take_f32(&mut self.tensors, &name, &shape),
        };
        match data {
            Ok(data) => param.transform_for_load(Tensor::from_data(data, &device), id),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.error
            .get_or_insert(WeightsError::Missing(self.path.join(".")));
        param
    }
}

/// The shape a tensor of `shape` is quantised in: `[first, rest]`.
pub(super) fn flat(shape: &Shape) -> [usize; 2] {
    match shape.as_slice() {
        [] => [1, 1],
        [first, rest @ ..] => [*first, rest.iter().product()],
    }
}

/// The extents of a quantised tensor's blocks; `None` for a scheme or a length not our own.
pub(super) fn blocks(scheme: &QuantScheme, shape: &Shape, length: usize) -> Option<[usize; 2]> {
    let known = matches!(scheme.value, QuantValue::Q8S | QuantValue::Q4S)
        && scheme.store == QuantStore::PackedU32(0)
        && scheme.mode == QuantMode::Symmetric
        && scheme.num_levels() == 1;
    let [rows, columns] = shape[..].try_into().ok()?;
    let [high, wide] = extents(scheme)?;
    let fits = known
        && high > 0
        && wide > 0
        && rows.is_multiple_of(high)
        && columns.is_multiple_of(wide)
        && columns.is_multiple_of(8)
        && length == quantized_data_len(scheme, shape);
    fits.then_some([high, wide])
}

/// The values of a quantised tensor, in its order; `None` for a scheme or a length not our own.
pub(super) fn dequantize(scheme: QuantScheme, shape: Shape, bytes: Bytes) -> Option<Vec<f32>> {
    let [high, wide] = blocks(&scheme, &shape, bytes.len())?;
    let columns = shape[1];
    let packed = QuantizedBytes {
        bytes,
        scheme,
        shape,
    };
    let (codes, scales) = packed.into_vec_i8();
    let mut values = Vec::with_capacity(codes.len());
    for (row, codes) in codes.chunks_exact(columns).enumerate() {
        let across = columns / wide;
        let scales = &scales.block[row / high * across..][..across];
        for (codes, scale) in codes.chunks_exact(wide).zip(scales) {
            values.extend(codes.iter().map(|&code| f32::from(code) * scale));
        }
    }
    Some(values)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::nn::conv::{Conv2d, Conv2dConfig};

    #[derive(Module, Debug)]
    struct Network {
        conv: Conv2d,
    }

    fn network(channels: usize) -> Network {
        Network {
            conv: Conv2dConfig::new([channels, 2], [3, 3]).init(&Device::flex()),
        }
    }

    #[test]
    fn kernels_have_their_values_when_they_are_asked_for() {
        let file = pack(network(3)).unwrap();
        let now = load(network(3), file.clone()).unwrap();
        let later = load_kernels_later(network(3), by_name(file.clone()).unwrap()).unwrap();
        assert!(now.conv.weight.is_initialized() && !later.conv.weight.is_initialized());
        assert_eq!(pack(now).unwrap(), file);
        assert_eq!(pack(later).unwrap(), file);
    }

    #[test]
    fn tensors_have_memory_of_their_own() {
        let values = |name: &str, values: &[f32]| {
            let bytes = Bytes::from_elems(values.to_vec());
            burn_pack::Tensor::new(name.into(), DType::F32, [values.len()], None, bytes)
        };
        let long: Vec<f32> = (0..1000).map(|i| i as f32).collect();
        let file = write(vec![
            values("a", &[1.0, 2.0]),
            values("b", &long),
            values("c", &[3.0]),
        ]);
        let tensors = by_name(file.unwrap()).unwrap();
        let read = |name: &str| -> Vec<f32> {
            let (_, _, _, _, bytes) = tensors[name].clone().into_parts().unwrap();
            let values = bytes.chunks_exact(4);
            values
                .map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]]))
                .collect()
        };
        assert_eq!(read("a"), [1.0, 2.0]);
        assert_eq!(read("b"), long);
        assert_eq!(read("c"), [3.0]);
    }

    #[test]
    fn tensors_that_share_bytes_are_refused() {
        let tensor = |name: &str| {
            let bytes = Bytes::from_elems(vec![0.0_f32; 2]);
            burn_pack::Tensor::new(name.into(), DType::F32, [2], None, bytes)
        };
        let mut file = write(vec![tensor("a"), tensor("b")]).unwrap();
        // The second lies at the next multiple of 256: CBOR's 256 to 264, made 0 to 8 of the same length.
        let offsets = [0x82, 0x19, 1, 0, 0x19, 1, 8];
        let at = file.windows(7).position(|bytes| bytes == offsets).unwrap();
        file[at..at + 7].copy_from_slice(&[0x82, 0x19, 0, 0, 0x19, 0, 8]);
        let error = by_name(file).unwrap_err();
        assert!(error.to_string().contains("another tensor"), "{error}");
    }

    #[test]
    fn kernels_that_do_not_fit_are_found_at_once() {
        let file = pack(network(3)).unwrap();
        let tensors = || by_name(file.clone()).unwrap();
        let wrong = load_kernels_later(network(4), tensors());
        assert!(matches!(wrong, Err(WeightsError::Shape { name, .. }) if name == "conv.weight"));
        let mut fewer = tensors();
        fewer.remove("conv.weight");
        let missing = load_kernels_later(network(3), fewer);
        assert!(matches!(missing, Err(WeightsError::Missing(name)) if name == "conv.weight"));
    }
}
