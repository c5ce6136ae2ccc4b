//! Scales of blocks of weights in whole numbers, where inputs are coarse: an output has one scale, and its blocks have factors. So
//! what a block's sum is multiplied by is a whole number too, and the blocks whose inputs share a scale are added up exactly.

use crate::nn::host::bytes;

/// The most inputs of a row that share a scale.
pub const INPUTS_A_SCALE: usize = 128;

/// The largest factor: with any codes the sum of as many inputs stays an `i32`.
const MOST: i16 =
    (i32::MAX / (bytes::MOST * -(bytes::WEIGHTS.start as i32) * INPUTS_A_SCALE as i32)) as i16;

/// The scale of an output and the factors of its blocks, which together give the scales of the blocks to a 33,000th of the
/// largest.
pub fn in_factors(scales: impl Iterator<Item = f32> + Clone) -> (f32, impl Iterator<Item = i16>) {
    // NaN where one is, and so will be the outputs.
    let most = scales.clone().map(f32::abs).fold(0.0, |most: f32, scale| {
        if most.is_nan() || scale <= most {
            most
        } else {
            scale
        }
    });
    let scale = most / f32::from(MOST);
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    (scale, scales.map(move |one| (one * inverse).round() as i16))
}

/// As loops want a factor, in both halves of a word.
pub fn twice(factor: i16) -> i32 {
    i32::from(factor) & 0xffff | i32::from(factor) << 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    fn factors(scales: &[f32]) -> (f32, Vec<i16>) {
        let (scale, factors) = in_factors(scales.iter().copied());
        (scale, factors.collect())
    }

    #[test]
    fn scales_are_kept_nearly() {
        let mut random = SplitMix64(1);
        for blocks in [1, 2, 12, 48] {
            let scales: Vec<f32> = (0..blocks)
                .map(|_| random.below(10_000) as f32 * 1e-6)
                .collect();
            let (scale, factors) = factors(&scales);
            for (factor, expected) in factors.iter().zip(&scales) {
                let off = (f32::from(*factor) * scale - expected).abs();
                assert!(off <= 1e-2 / 33_000.0, "{off} of {expected}");
            }
        }
    }

    #[test]
    fn the_largest_sum_fits() {
        let code = i64::from(bytes::MOST) * i64::from(bytes::WEIGHTS.start);
        assert!(i16::try_from(bytes::MOST_IN_BLOCK as i64 * code).is_ok());
        assert!(i32::try_from(INPUTS_A_SCALE as i64 * code * i64::from(MOST)).is_ok());
    }

    #[test]
    fn nothing_and_very_little() {
        assert_eq!(factors(&[0.0, 0.0]), (0.0, vec![0, 0]));
        assert!(factors(&[]).1.is_empty());
        assert_eq!(factors(&[0.0, 0.5]).1, [0, MOST]);
        assert!(factors(&[1e-40, 1e-44]).0.is_finite());
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        for bad in [f32::NAN, f32::INFINITY] {
            for scales in [[bad, 1.0], [1.0, bad]] {
                let (scale, factors) = factors(&scales);
                assert!(
                    factors
                        .iter()
                        .all(|&factor| !(f32::from(factor) * scale).is_finite())
                );
            }
        }
    }
}
