//! Smaller weights: blocks of values that share a scale, in 8 or 4 bits a value.

use crate::bundle::bits::{BLOCK, Bits};
use crate::bundle::compensated::{self, SecondMoments};
use crate::bundle::weights;
use crate::bundle::weights::{WeightsError, flat};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bytes, DType, Shape, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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

/// How the name of a MobileNet's classifier's weights ends there. Rows of its 1,000 classes would make blocks of 8: they lie along its
/// inputs.
const CLASSIFIER: &str = ".classifier.weight";

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

/// What linear layers are given, by the names of their weights.
pub type LinearInputs = BTreeMap<String, SecondMoments>;

/// Quantises the f32 tensors of a burnpack file that gain from it. `summed_first` names the
/// matrices whose first axis is summed over: their blocks lie along it, so that a product can be
/// summed within a block before it is scaled. All other blocks lie along the rows. Of these matrices those of `inputs` are rounded
/// so that their products change least, all else so that the values do. Tensors of values that were rounded so before, as a frozen
/// encoder's are where a quantised bundle learnt on, stay as they are.
///
/// # Errors
/// If the file cannot be read.
pub fn quantize(
    pack: Vec<u8>,
    scheme: Scheme,
    summed_first: &BTreeSet<String>,
    inputs: &LinearInputs,
) -> Result<Vec<u8>, WeightsError> {
    let summed_first = |name: &str| summed_first.contains(name);
    quantize_by(pack, summed_first, inputs, |name| scheme.bits(name))
}

/// As [`quantize`], for the vision networks: convolutions see less with fewer than 8 bits, the projector and the classifier behind
/// them bear 4.
///
/// # Errors
/// If the file cannot be read.
pub fn quantize_vision(pack: Vec<u8>, scheme: Scheme) -> Result<Vec<u8>, WeightsError> {
    let classifier = |name: &str| name.ends_with(CLASSIFIER);
    quantize_by(pack, classifier, &LinearInputs::new(), |name| {
        let behind = name.starts_with(PROJECTOR) || classifier(name);
        match scheme {
            Scheme::Mixed | Scheme::Q4 if behind => Bits::Four,
            _ => Bits::Eight,
        }
    })
}

fn quantize_by(
    pack: Vec<u8>,
    summed_first: impl Fn(&str) -> bool,
    inputs: &LinearInputs,
    bits: impl Fn(&str) -> Bits,
) -> Result<Vec<u8>, WeightsError> {
    let tensors = weights::read(Bytes::from_bytes_vec(pack))?
        .into_iter()
        .map(|tensor| {
            let [rows, columns] = flat(&tensor.shape);
            let block = block(&tensor.shape, summed_first(&tensor.name));
            let (DType::F32, Some(block)) = (tensor.dtype, block) else {
                return Ok(tensor);
            };
            let (name, _, _, id, bytes) = tensor.into_parts()?;
            let values = weights::f32_values(&bytes);
            let bits = bits(&name);
            let rounded = bits.encode_rounded(&values, columns, block);
            let bytes = rounded.unwrap_or_else(|| match inputs.get(&name) {
                Some(moments) if summed_first(&name) => {
                    let (codes, scales) = compensated::rounded(bits, &values, moments, block[0]);
                    bits.pack(codes, &scales)
                }
                _ => bits.encode(&values, columns, block),
            });
            Ok(burn_pack::Tensor::new(
                name,
                DType::QFloat(bits.scheme(block)),
                Shape::new([rows, columns]),
                id,
                Bytes::from_bytes_vec(bytes),
            ))
        })
        .collect::<Result<_, WeightsError>>()?;
    weights::write(tensors)
}

/// The weights of a module's linear layers, `[in, out]`: their first axis is summed over.
pub fn linear_weights<M: Module>(module: &M) -> BTreeSet<String> {
    let parameters = Parameters::of(module).into_iter();
    parameters
        .filter_map(|(_, name, summed_first)| summed_first.then_some(name))
        .collect()
}

/// The names of a module's parameters by their ids.
pub fn names<M: Module>(module: &M) -> BTreeMap<ParamId, String> {
    let parameters = Parameters::of(module).into_iter();
    parameters.map(|(id, name, _)| (id, name)).collect()
}

/// The parameters of a module: id, name, and whether it is a linear layer's weights.
#[derive(Default)]
struct Parameters {
    walk: Walk,
    found: Vec<(ParamId, String, bool)>,
}

impl Parameters {
    fn of<M: Module>(module: &M) -> Vec<(ParamId, String, bool)> {
        let mut parameters = Self::default();
        module.visit(&mut parameters);
        parameters.found
    }
}

impl ModuleVisitor for Parameters {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.walk.enter(name, container);
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.walk.exit();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let summed_first = self.walk.is_summed_first();
        self.found.push((param.id, self.walk.name(), summed_first));
    }
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

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_the_convolutions_gets_fewer_bits() {
        let shapes = [
            ("backbone.MobileNetV2.classifier.weight", vec![64, 40]),
            ("detector.stem.conv.weight", vec![64, 32, 1, 1]),
            ("projector.hidden.weight", vec![64, 32]),
        ];
        let tensors = shapes.map(|(name, shape)| {
            let zeros = vec![0; 4 * shape.iter().product::<usize>()];
            let bytes = Bytes::from_bytes_vec(zeros);
            burn_pack::Tensor::new(name.to_owned(), DType::F32, Shape::from(shape), None, bytes)
        });
        let pack = weights::write(tensors.to_vec()).unwrap();
        let schemes = |scheme| {
            let small = quantize_vision(pack.clone(), scheme).unwrap();
            let tensors = weights::read(Bytes::from_bytes_vec(small)).unwrap();
            tensors
                .iter()
                .map(|tensor| tensor.dtype)
                .collect::<Vec<_>>()
        };
        let expected = |bits: [Bits; 3]| {
            let blocks = [[32, 1], [1, 32], [1, 32]];
            let schemes = bits
                .iter()
                .zip(blocks)
                .map(|(bits, block)| bits.scheme(block));
            schemes.map(DType::QFloat).collect::<Vec<_>>()
        };
        let (eight, four) = (Bits::Eight, Bits::Four);
        assert_eq!(schemes(Scheme::Q8), expected([eight; 3]));
        for scheme in [Scheme::Q4, Scheme::Mixed] {
            assert_eq!(schemes(scheme), expected([four, eight, four]));
        }
    }

    #[test]
    fn blocks_divide_rows() {
        let blocks = [384, 80, 24, 27, 9].map(|columns| common_divisor(columns, BLOCK));
        assert_eq!(blocks, [32, 16, 8, 1, 1]);
    }
}
