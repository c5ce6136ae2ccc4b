//! Values in 8 or 4 bits, in blocks that share a scale.

use burn::tensor::f16;
use burn::tensor::quantization::{
    QuantMode, QuantScheme, QuantStore, QuantValue, ScaleDtype, scale_to_dtype,
};

/// Most values that share a scale.
pub(super) const BLOCK: usize = 32;

/// How many bits a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    Eight,
    Four,
}

impl Bits {
    /// burn's name for blocks of this extent.
    pub fn scheme(self, block: [usize; 2]) -> QuantScheme {
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
    pub fn encode(self, values: &[f32], columns: usize, block: [usize; 2]) -> Vec<u8> {
        let mut codes = values.to_vec();
        let scales = self.replace(&mut codes, columns, block, |code, _| code);
        self.pack(codes, &scales)
    }

    /// As [`Self::encode`], of values that it rounded before: what is read back of them is what they are. `None` if any block is
    /// not of such values.
    pub fn encode_rounded(
        self,
        values: &[f32],
        columns: usize,
        block: [usize; 2],
    ) -> Option<Vec<u8>> {
        let mut codes = values.to_vec();
        let mut scales = Vec::with_capacity(values.len() / (block[0] * block[1]));
        for places in places_of_blocks(values.len(), columns, block) {
            let scale = self.scale_of_rounded(places.clone().map(|i| values[i]))?;
            for i in places {
                codes[i] = self.code(values[i], scale);
            }
            scales.push(scale);
        }
        Some(self.pack(codes, &scales))
    }

    /// A scale of which all these values are the products with a code; `None` if there is none.
    fn scale_of_rounded(self, values: impl Iterator<Item = f32> + Clone) -> Option<f32> {
        let largest = values.clone().fold(0.0_f32, |most, v| most.max(v.abs()));
        if largest == 0.0 {
            return Some(0.0);
        }
        // A product of a code of 8 bits and a scale of 11 has at most 19: nothing was rounded, so dividing leads back.
        (1..=self.most() as u8)
            .map(|code| largest / f32::from(code))
            .find(|&scale| {
                scale == f16::from_f32(scale).to_f32()
                    && values.clone().all(|v| self.code(v, scale) * scale == v)
            })
    }

    /// Codes, which are whole numbers, and scales as they lie in a file.
    pub fn pack(self, codes: Vec<f32>, scales: &[f32]) -> Vec<u8> {
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
    pub fn round(self, values: &mut [f32], columns: usize, block: [usize; 2]) {
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
    pub fn code(self, value: f32, scale: f32) -> f32 {
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
        // Eight sums side by side; a block is a multiple of eight.
        self.best_scale(values, |scale| {
            let mut sums = [0.0_f32; 8];
            for values in values.as_chunks::<8>().0 {
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += self.square(value, scale);
                }
            }
            sums.iter().sum()
        })
    }

    /// The same where the squared errors of some values count more than those of others.
    pub fn weighted_scale(self, values: &[f32], weights: &[f32]) -> f32 {
        self.best_scale(values, |scale| {
            let squares = values.iter().map(|&value| self.square(value, scale));
            squares
                .zip(weights)
                .map(|(square, weight)| square * weight)
                .sum()
        })
    }

    fn best_scale(self, values: &[f32], error: impl Fn(f32) -> f32) -> f32 {
        let largest = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        let covering = scale_to_dtype(largest / self.most(), ScaleDtype::F16);
        if self == Self::Eight {
            return covering;
        }
        (0..10)
            .map(|step| scale_to_dtype(covering * (1.0 - 0.05 * step as f32), ScaleDtype::F16))
            .map(|scale| (error(scale), scale))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .map_or(covering, |(_, scale)| scale)
    }

    /// The squared error of a value.
    #[inline(always)]
    fn square(self, value: f32, scale: f32) -> f32 {
        let off = value - self.code(value, scale) * scale;
        off * off
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::weights;
    use crate::splitmix::SplitMix64;
    use burn::tensor::quantization::{BlockLayout, QuantizedBytes, quantized_data_len};
    use burn::tensor::{Bytes, Shape};

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
    fn what_was_rounded_is_kept() {
        let values = values(64 * 32);
        for bits in [Bits::Eight, Bits::Four] {
            for block in [[1, 8], [1, 32], [32, 1], [16, 1]] {
                assert_eq!(bits.encode_rounded(&values, 32, block), None);
                // Scales that no rounding would choose: most blocks do not have the largest code.
                let codes = values.iter().map(|v| (v * 3.0).round()).collect();
                let scales: Vec<f32> = (0..64 * 32 / (block[0] * block[1]))
                    .map(|i| f16::from_f32(0.01 + 0.003 * i as f32).to_f32())
                    .collect();
                let shape = || Shape::new([64, 32]);
                let read = |bytes: Vec<u8>| {
                    let bytes = Bytes::from_bytes_vec(bytes);
                    weights::dequantize(bits.scheme(block), shape(), bytes).unwrap()
                };
                let rounded = read(bits.pack(codes, &scales));
                let again = bits.encode_rounded(&rounded, 32, block).unwrap();
                assert_eq!(read(again), rounded);
                // What fits in fewer bits fits in more.
                let wide = Bits::Eight.encode_rounded(&rounded, 32, block);
                assert!(wide.is_some());
            }
        }
        let zeros = Bits::Four.encode_rounded(&[0.0; 32], 32, [1, 32]);
        assert_eq!(zeros, Some(Bits::Four.encode(&[0.0; 32], 32, [1, 32])));
    }

    #[test]
    fn smaller_steps_can_beat_covering_the_largest() {
        let mut values = [0.1_f32; 32];
        values[0] = 0.16;
        let scale = Bits::Four.scale(&values);
        assert!(scale < 0.16 / 7.0, "{scale}");
    }
}
