//! Smaller weights: blocks of values that share a scale, in 8 or 4 bits a value.

use crate::bundle::weights;
use crate::bundle::weights::{WeightsError, flat};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::quantization::{
    QuantMode, QuantScheme, QuantStore, QuantValue, ScaleDtype, scale_to_dtype,
};
use burn::tensor::{Bytes, DType, Shape, Tensor, f16};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// How weights are quantised. Only tensors of two or more dimensions and at least
/// [`SMALLEST`] values are: never biases, layer norms, or the CRF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// 8 bits a value.
    Q8,
    /// 4 bits a value.
    Q4,
    /// 4 bits for the table of subwords, which is only looked up, and 8 for all else.
    Mixed,
}

/// Tensors of fewer values stay in f32.
pub const SMALLEST: usize = 1024;

/// Most values that share a scale.
const BLOCK: usize = 32;

/// The end of the name of the table of subwords.
pub(super) const SUBWORD_TABLE: &str = "encoder.words.weight";

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
            Self::Mixed if name.ends_with(SUBWORD_TABLE) => Bits::Four,
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
    let tensors = weights::read(Bytes::from_bytes_vec(pack))?
        .into_iter()
        .map(|tensor| {
            let [rows, columns] = flat(&tensor.shape);
            let block = match summed_first.contains(&tensor.name) {
                true => [common_divisor(rows, BLOCK), 1],
                false => [1, common_divisor(columns, BLOCK)],
            };
            // A PackedU32 word holds eight 4-bit values of a row.
            let gains = tensor.dtype == DType::F32
                && tensor.shape.num_dims() >= 2
                && rows * columns >= SMALLEST
                && block[0] * block[1] >= 8
                && columns.is_multiple_of(8);
            if !gains {
                return Ok(tensor);
            }
            let (name, _, _, id, bytes) = tensor.into_parts()?;
            let values: Vec<f32> = bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            let bits = scheme.bits(&name);
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
        path: Vec<(String, bool)>,
        names: BTreeSet<String>,
    }
    impl ModuleVisitor for Linears {
        fn enter_module(&mut self, name: &str, container: &str) {
            let weight = container == weights::LINEAR && name == "weight";
            self.path.push((name.to_owned(), weight));
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            if self.path.last().is_some_and(|(_, weight)| *weight) {
                let path: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
                self.names.insert(path.join("."));
            }
        }
    }
    let mut linears = Linears::default();
    module.visit(&mut linears);
    linears.names
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
        let across = columns / block[1];
        let block_of = |i: usize| i / columns / block[0] * across + i % columns / block[1];
        let mut blocks = vec![Vec::new(); values.len() / (block[0] * block[1])];
        for (i, &value) in values.iter().enumerate() {
            blocks[block_of(i)].push(value);
        }
        let scales: Vec<f32> = blocks.iter().map(|values| self.scale(values)).collect();
        let codes = values.iter().enumerate();
        let codes: Vec<u8> = codes
            .map(|(i, &value)| self.code(value, scales[block_of(i)]) as u8)
            .collect();
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

    fn code(self, value: f32, scale: f32) -> i8 {
        if scale == 0.0 {
            return 0;
        }
        (value / scale).round().clamp(-self.most(), self.most()) as i8
    }

    /// The scale with the least squared error. Eight bits cover the largest value; with four,
    /// clipping it often costs less than coarser steps for all others.
    fn scale(self, values: &[f32]) -> f32 {
        let largest = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        let covering = scale_to_dtype(largest / self.most(), ScaleDtype::F16);
        if self == Self::Eight {
            return covering;
        }
        let error = |scale: f32| -> f32 {
            let off = |v: f32| v - f32::from(self.code(v, scale)) * scale;
            values.iter().map(|&v| off(v) * off(v)).sum()
        };
        (0..10)
            .map(|step| scale_to_dtype(covering * (1.0 - 0.05 * step as f32), ScaleDtype::F16))
            .min_by(|&a, &b| error(a).total_cmp(&error(b)))
            .unwrap_or(covering)
    }
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
