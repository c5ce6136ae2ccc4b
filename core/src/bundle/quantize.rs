//! Smaller weights: blocks of values that share a scale, in 8 or 4 bits a value.

use crate::bundle::weights;
use crate::bundle::weights::{WeightsError, flat};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::quantization::{
    QuantMode, QuantScheme, QuantStore, QuantValue, ScaleDtype, scale_to_dtype,
};
use burn::tensor::{Bytes, DType, Shape, Tensor, TensorData, f16};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// How weights are quantised. Only tensors of two or more dimensions and at least
/// [`SMALLEST`] values are: never biases, layer norms, or the CRF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// 8 bits a value.
    Q8,
    /// 4 bits a value.
    Q4,
    /// 4 bits for the table of subwords, which is only looked up, and the projector of the vision networks, 8 for all else.
    Mixed,
}

/// Tensors of fewer values stay in f32.
pub const SMALLEST: usize = 1024;

/// How the names of the projector's weights begin in the file of the vision networks.
const PROJECTOR: &str = "projector.";

/// Most values that share a scale.
const BLOCK: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bits {
    Eight,
    Four,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Q8 => "q8",
            Self::Q4 => "q4",
            Self::Mixed => "mixed",
        })
    }
}

impl Scheme {
    fn bits(self, name: &str) -> Bits {
        match self {
            Self::Q8 => Bits::Eight,
            Self::Q4 => Bits::Four,
            Self::Mixed if name.ends_with(weights::SUBWORD_TABLE) => Bits::Four,
            Self::Mixed => Bits::Eight,
        }
    }
}

/// Quantises the f32 tensors of a burnpack file that gain from it. `summed_first` names the
/// matrices whose first axis is summed over: their blocks lie along it, so that a product can be
/// summed within a block before it is scaled. All other blocks lie along the rows.
///
/// # Errors
/// If the file cannot be read.
pub fn quantize(
    pack: Vec<u8>,
    scheme: Scheme,
    summed_first: &BTreeSet<String>,
) -> Result<Vec<u8>, WeightsError> {
    quantize_by(pack, summed_first, |name| scheme.bits(name))
}

/// As [`quantize`], for the vision networks: convolutions see less with fewer than 8 bits, the projector behind them bears 4.
///
/// # Errors
/// If the file cannot be read.
pub fn quantize_vision(pack: Vec<u8>, scheme: Scheme) -> Result<Vec<u8>, WeightsError> {
    quantize_by(pack, &BTreeSet::new(), |name| match scheme {
        Scheme::Mixed | Scheme::Q4 if name.starts_with(PROJECTOR) => Bits::Four,
        _ => Bits::Eight,
    })
}

fn quantize_by(
    pack: Vec<u8>,
    summed_first: &BTreeSet<String>,
    bits: impl Fn(&str) -> Bits,
) -> Result<Vec<u8>, WeightsError> {
    let tensors = weights::read(Bytes::from_bytes_vec(pack))?
        .into_iter()
        .map(|tensor| {
            let [rows, columns] = flat(&tensor.shape);
            let block = block(&tensor.shape, summed_first.contains(&tensor.name));
            let (DType::F32, Some(block)) = (tensor.dtype, block) else {
                return Ok(tensor);
            };
            let (name, _, _, id, bytes) = tensor.into_parts()?;
            let values: Vec<f32> = bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            let bits = bits(&name);
            Ok(burn_pack::Tensor::new(
                name,
                DType::QFloat(bits.scheme(block)),
                Shape::new([rows, columns]),
                id,
                Bytes::from_bytes_vec(bits.encode(&values, columns, block)),
            ))
        })
        .collect::<Result<_, WeightsError>>()?;
    weights::write(tensors)
}

/// The weights of a module's linear layers, `[in, out]`: their first axis is summed over.
pub fn linear_weights<M: Module>(module: &M) -> BTreeSet<String> {
    #[derive(Default)]
    struct Linears {
        walk: Walk,
        names: BTreeSet<String>,
    }
    impl ModuleVisitor for Linears {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.walk.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.walk.exit();
        }
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            if self.walk.is_summed_first() {
                self.names.insert(self.walk.name());
            }
        }
    }
    let mut linears = Linears::default();
    module.visit(&mut linears);
    linears.names
}

/// A module of f32 whose weights are what is read back once they are quantised. Parameters keep their ids, and learn if they did.
#[must_use]
pub fn rounded<M: Module>(module: M, scheme: Scheme) -> M {
    struct Rounding {
        walk: Walk,
        scheme: Scheme,
    }
    impl ModuleMapper for Rounding {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.walk.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.walk.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let shape = param.val().shape();
            let Some(block) = block(&shape, self.walk.is_summed_first()) else {
                return param;
            };
            let bits = self.scheme.bits(&self.walk.name());
            param.map(|tensor| {
                let (device, learns) = (tensor.device(), tensor.is_require_grad());
                let mut values: Vec<f32> = tensor.into_data().iter().collect();
                bits.round(&mut values, flat(&shape)[1], block);
                let rounded = Tensor::from_data(TensorData::new(values, shape), &device);
                rounded.set_require_grad(learns)
            })
        }
    }
    module.map(&mut Rounding {
        walk: Walk::default(),
        scheme,
    })
}

/// Where a walk through a module is.
#[derive(Default)]
struct Walk(Vec<(String, bool)>);

impl Walk {
    fn enter(&mut self, name: &str, container: &str) {
        let weight = container == weights::LINEAR && name == "weight";
        self.0.push((name.to_owned(), weight));
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    /// Whether it is at the weights of a linear layer.
    fn is_summed_first(&self) -> bool {
        self.0.last().is_some_and(|(_, weight)| *weight)
    }

    fn name(&self) -> String {
        let path: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        path.join(".")
    }
}

/// How many inputs share a scale in a convolution's weights, `[outputs, inputs, ..]`, when they are quantised; none where they stay in
/// f32.
pub fn block_along_inputs(shape: &Shape) -> Option<usize> {
    block(shape, false).map(|[_, inputs]| inputs)
}

/// The blocks of a tensor's values, as rows of its first axis; `None` if it does not gain from being quantised.
fn block(shape: &Shape, summed_first: bool) -> Option<[usize; 2]> {
    let [rows, columns] = flat(shape);
    let block = match summed_first {
        true => [common_divisor(rows, BLOCK), 1],
        false => [1, common_divisor(columns, BLOCK)],
    };
    // A PackedU32 word holds eight 4-bit values of a row.
    let gains = shape.num_dims() >= 2
        && rows * columns >= SMALLEST
        && block[0] * block[1] >= 8
        && columns.is_multiple_of(8);
    gains.then_some(block)
}

impl Bits {
    fn scheme(self, block: [usize; 2]) -> QuantScheme {
        QuantScheme::default()
            .with_value(match self {
                Self::Eight => QuantValue::Q8S,
                Self::Four => QuantValue::Q4S,
            })
            .with_mode(QuantMode::Symmetric)
            .with_store(QuantStore::PackedU32(0))
            // At most BLOCK, which is below 256.
            .per_block(block.map(|extent| extent as u8), ScaleDtype::F16)
    }

    /// The largest quantised value.
    fn most(self) -> f32 {
        match self {
            Self::Eight => 127.0,
            Self::Four => 7.0,
        }
    }

    /// Packed values row by row, then the scales of the blocks row by row.
    fn encode(self, values: &[f32], columns: usize, block: [usize; 2]) -> Vec<u8> {
        let mut codes = values.to_vec();
        let scales = self.replace(&mut codes, columns, block, |code, _| code);
        let codes: Vec<u8> = codes.into_iter().map(|code| code as i8 as u8).collect();
        let mut packed = match self {
            Self::Eight => codes,
            Self::Four => codes
                .chunks_exact(2)
                .map(|pair| pair[0] & 15 | pair[1] << 4)
                .collect(),
        };
        packed.extend(
            scales
                .iter()
                .flat_map(|&scale| f16::from_f32(scale).to_le_bytes()),
        );
        packed
    }

    /// Makes values what is read back of them once they are encoded.
    fn round(self, values: &mut [f32], columns: usize, block: [usize; 2]) {
        self.replace(values, columns, block, |code, scale| code * scale);
    }

    /// Puts in the place of each value what `by` makes of its code and the scale of its block. Returns the scales, blocks row by row.
    fn replace(
        self,
        values: &mut [f32],
        columns: usize,
        block: [usize; 2],
        by: impl Fn(f32, f32) -> f32,
    ) -> Vec<f32> {
        let mut of_block = [0.0; BLOCK];
        let of_block = &mut of_block[..block[0] * block[1]];
        let mut scales = Vec::with_capacity(values.len() / of_block.len());
        for places in places_of_blocks(values.len(), columns, block) {
            for (value, i) in of_block.iter_mut().zip(places.clone()) {
                *value = values[i];
            }
            let scale = self.scale(of_block);
            for (i, &value) in places.zip(&*of_block) {
                values[i] = by(self.code(value, scale), scale);
            }
            scales.push(scale);
        }
        scales
    }

    /// A whole number, rounded half to even, which compilers do for several values at once.
    #[inline(always)]
    fn code(self, value: f32, scale: f32) -> f32 {
        // Adding this to a value up to 2^22 leaves the nearest whole number in the low bits.
        const ROUND: f32 = 12_582_912.0;
        if scale == 0.0 {
            return 0.0;
        }
        let within = (value / scale).clamp(-self.most(), self.most());
        within + ROUND - ROUND
    }

    /// The scale with the least squared error. Eight bits cover the largest value; with four,
    /// clipping it often costs less than coarser steps for all others.
    fn scale(self, values: &[f32]) -> f32 {
        let largest = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        let covering = scale_to_dtype(largest / self.most(), ScaleDtype::F16);
        if self == Self::Eight {
            return covering;
        }
        let square = |value: f32, scale: f32| {
            let off = value - self.code(value, scale) * scale;
            off * off
        };
        // Eight sums side by side; a block is a multiple of eight.
        let error = |scale: f32| -> f32 {
            let mut sums = [0.0_f32; 8];
            for values in values.as_chunks::<8>().0 {
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += square(value, scale);
                }
            }
            sums.iter().sum()
        };
        (0..10)
            .map(|step| scale_to_dtype(covering * (1.0 - 0.05 * step as f32), ScaleDtype::F16))
            .map(|scale| (error(scale), scale))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .map_or(covering, |(_, scale)| scale)
    }
}

/// The places of every block's values, block by block row by row, where values stand in rows of `columns`.
fn places_of_blocks(
    values: usize,
    columns: usize,
    [down, across]: [usize; 2],
) -> impl Iterator<Item = impl Iterator<Item = usize> + Clone> {
    let rows = values / columns;
    let corners = (0..rows)
        .step_by(down)
        .flat_map(move |row| (0..columns).step_by(across).map(move |c| row * columns + c));
    corners.map(move |corner| {
        (0..down).flat_map(move |row| (0..across).map(move |c| corner + row * columns + c))
    })
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;
    use burn::tensor::quantization::{BlockLayout, QuantizedBytes, quantized_data_len};

    /// Values as weights have them, with an outlier now and then.
    fn values(count: usize) -> Vec<f32> {
        let mut random = SplitMix64(3);
        (0..count)
            .map(|i| {
                let v = random.below(1000) as f32 / 1000.0 - 0.5;
                if i % 37 == 0 { 4.0 * v } else { v }
            })
            .collect()
    }

    /// Root mean square of what quantisation changes, by the loader's own reading.
    fn error(bits: Bits, values: &[f32], columns: usize, block: [usize; 2]) -> f32 {
        let scheme = bits.scheme(block);
        let shape = Shape::new([values.len() / columns, columns]);
        let bytes = bits.encode(values, columns, block);
        assert_eq!(bytes.len(), quantized_data_len(&scheme, &shape));
        let read = weights::dequantize(scheme, shape, Bytes::from_bytes_vec(bytes)).unwrap();
        let squares: f32 = values.iter().zip(read).map(|(a, b)| (a - b).powi(2)).sum();
        (squares / values.len() as f32).sqrt()
    }

    #[test]
    fn blocks_are_read_back() {
        let values = values(64 * 32);
        for (bits, most) in [(Bits::Eight, 0.003), (Bits::Four, 0.05)] {
            for block in [[1, 8], [1, 32], [32, 1], [16, 1]] {
                let error = error(bits, &values, 32, block);
                assert!(error < most && error > 0.0, "{error}");
            }
        }
        assert_eq!(error(Bits::Four, &[0.0; 32], 32, [1, 32]), 0.0);
    }

    /// burn itself reads what we write.
    #[test]
    fn burn_agrees() {
        let values = values(64 * 32);
        for (bits, block) in [(Bits::Eight, [32, 1]), (Bits::Four, [1, 32])] {
            let scheme = bits.scheme(block);
            let shape = Shape::new([64, 32]);
            let bytes = Bytes::from_bytes_vec(bits.encode(&values, 32, block));
            let ours = weights::dequantize(scheme, shape.clone(), bytes.clone()).unwrap();
            let layout = BlockLayout::new(&shape, &scheme.block_size().unwrap());
            let packed = QuantizedBytes {
                bytes,
                scheme,
                shape,
            };
            let (codes, scales) = packed.into_vec_i8();
            for (i, (code, ours)) in codes.iter().zip(ours).enumerate() {
                assert_eq!(f32::from(*code) * scales.block[layout.block_of(i)], ours);
            }
        }
    }

    #[test]
    fn rounding_is_what_is_read_back() {
        let values = values(64 * 32);
        for bits in [Bits::Eight, Bits::Four] {
            for block in [[1, 8], [1, 32], [32, 1], [16, 1]] {
                let bytes = Bytes::from_bytes_vec(bits.encode(&values, 32, block));
                let shape = Shape::new([64, 32]);
                let read = weights::dequantize(bits.scheme(block), shape, bytes).unwrap();
                let mut rounded = values.clone();
                bits.round(&mut rounded, 32, block);
                assert_eq!(rounded, read);
            }
        }
    }

    #[test]
    fn smaller_steps_can_beat_covering_the_largest() {
        let mut values = [0.1_f32; 32];
        values[0] = 0.16;
        let scale = Bits::Four.scale(&values);
        assert!(scale < 0.16 / 7.0, "{scale}");
    }

    #[test]
    fn blocks_divide_rows() {
        let blocks = [384, 80, 24, 27, 9].map(|columns| common_divisor(columns, BLOCK));
        assert_eq!(blocks, [32, 16, 8, 1, 1]);
    }
}
