//! Rows of activations in 16 bits: fine enough that nothing notable is lost.

use crate::nn::host::lanes::ROWS;

/// The largest code. -32768 is never used, see [`crate::nn::host::lanes::products`].
const MOST: f32 = 32767.0;

/// Adding this to a value up to 2^22 leaves the nearest whole number in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Rows in 16 bits with a scale each, laid out for [`crate::nn::host::linear::BlockLinear`].
pub struct Activations {
    /// Pairs of neighbours of [`ROWS`] rows side by side; rows beyond the last are 0.
    pairs: Vec<[i32; ROWS]>,
    /// One a row.
    scales: Vec<f32>,
    /// Pairs of a row.
    width: usize,
}

impl Activations {
    /// Of rows of `d` values.
    ///
    /// # Panics
    /// If `d` is odd, or there are no whole rows.
    pub fn new(rows: &[f32], d: usize) -> Self {
        assert!(d.is_multiple_of(2) && rows.len().is_multiple_of(d));
        let width = d / 2;
        let scales: Vec<f32> = rows.chunks_exact(d).map(scale).collect();
        let mut pairs = vec![[0; ROWS]; scales.len().div_ceil(ROWS) * width];
        for (i, (row, &scale)) in rows.chunks_exact(d).zip(&scales).enumerate() {
            let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
            let code = |x: f32| (x * inverse + ROUND).to_bits();
            let group = &mut pairs[i / ROWS * width..][..width];
            for (pair, &[first, second]) in group.iter_mut().zip(row.as_chunks().0) {
                pair[i % ROWS] = (code(first) & 0xffff | code(second) << 16) as i32;
            }
        }
        Self {
            pairs,
            scales,
            width,
        }
    }

    /// The scale of each row.
    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Groups of [`ROWS`] rows, all their pairs.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[[i32; ROWS]]> {
        self.pairs.chunks_exact(self.width)
    }
}

/// The largest magnitude of a row over [`MOST`]; infinite or NaN where a value is, and so will be
/// what is computed from it.
fn scale(row: &[f32]) -> f32 {
    // Without their signs floats order like their bits, and whole numbers are compared side by side.
    let most = row.iter().map(|x| x.to_bits() as i32 & i32::MAX);
    f32::from_bits(most.fold(0, i32::max) as u32) / MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(activations: &Activations) -> Vec<f32> {
        let scales = activations.scales.chunks(ROWS);
        let groups = activations.groups().zip(scales);
        let rows = groups.flat_map(|(group, scales)| {
            scales.iter().enumerate().flat_map(move |(r, scale)| {
                let codes = group.iter().flat_map(move |pairs| {
                    let pair = pairs[r];
                    [f32::from(pair as i16), f32::from((pair >> 16) as i16)]
                });
                codes.map(move |code| code * scale)
            })
        });
        rows.collect()
    }

    #[test]
    fn rows_keep_their_values_to_a_30000th_of_their_largest() {
        let rows: Vec<f32> = (0..7 * 10)
            .map(|i| (i as f32 * 0.7).sin() * i as f32)
            .collect();
        let got = values(&Activations::new(&rows, 10));
        for (got, row) in got.chunks(10).zip(rows.chunks(10)) {
            let most = row.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            for (a, b) in got.iter().zip(row) {
                assert!((a - b).abs() <= most / 60_000.0, "{a} for {b}");
            }
        }
    }

    #[test]
    fn zero_tiny_and_huge_rows() {
        for row in [[0.0, 0.0], [1e-30, -1e-30], [3e38, -3e38]] {
            let got = values(&Activations::new(&row, 2));
            for (a, b) in got.iter().zip(row) {
                assert!((a - b).abs() <= b.abs() * 1e-4, "{a} for {b}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        for bad in [f32::NAN, f32::INFINITY] {
            let scale = Activations::new(&[1.0, bad], 2).scales[0];
            assert!(!(0.0 * scale).is_finite());
        }
    }
}
