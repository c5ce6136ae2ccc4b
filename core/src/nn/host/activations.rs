//! Rows of activations in 16 bits, or 14: fine enough that nothing notable is lost.

use crate::nn::host::lanes::Lanes;
use crate::nn::host::panel::{Inputs, ROWS, STEP};

/// Adding this to a value up to 2^22 leaves the nearest whole number in the low bits, above those of 1.5 * 2^23.
const ROUND: f32 = 12_582_912.0;

/// Rows of codes with a scale each, laid out for [`crate::nn::host::linear::BlockLinear`].
pub struct Activations {
    lanes: Lanes,
    /// Steps of [`ROWS`] rows side by side; what stands in the place of rows beyond the last is never read.
    inputs: Vec<Inputs>,
    /// One a row.
    scales: Vec<f32>,
    /// Steps of a row.
    length: usize,
}

impl Activations {
    /// Of rows of `d` values.
    ///
    /// # Panics
    /// If `d` is no multiple of 4, or there are no whole rows.
    pub fn new(rows: &[f32], d: usize) -> Self {
        Self::for_lanes(Lanes::here(), rows, d)
    }

    pub(super) fn for_lanes(lanes: Lanes, rows: &[f32], d: usize) -> Self {
        // Each by itself, so that what lies in the loop is decided before it.
        match lanes {
            Lanes::Pairs => Self::laid_out(Lanes::Pairs, rows, d),
            Lanes::Quads => Self::laid_out(Lanes::Quads, rows, d),
        }
    }

    #[inline(always)]
    fn laid_out(lanes: Lanes, rows: &[f32], d: usize) -> Self {
        assert!(d.is_multiple_of(STEP) && rows.len().is_multiple_of(d));
        let length = d / STEP;
        let scales: Vec<f32> = rows
            .chunks_exact(d)
            .map(|row| largest(row) / lanes.most() as f32)
            .collect();
        let mut inputs = vec![[[0; ROWS]; 2]; scales.len().div_ceil(ROWS) * length];
        for (i, (row, &scale)) in rows.chunks_exact(d).zip(&scales).enumerate() {
            let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
            let code = |x: f32| (x * inverse + ROUND).to_bits() as i32 - ROUND.to_bits() as i32;
            let group = &mut inputs[i / ROWS * length..][..length];
            for ([first, second], values) in group.iter_mut().zip(row.as_chunks::<STEP>().0) {
                [first[i % ROWS], second[i % ROWS]] = lanes.words(values.map(code));
            }
        }
        Self {
            lanes,
            inputs,
            scales,
            length,
        }
    }

    /// What they are laid out for.
    pub(super) fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// Steps of a row.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The scale of each row.
    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Groups of [`ROWS`] rows, all their steps.
    pub(super) fn inputs(&self) -> &[Inputs] {
        &self.inputs
    }
}

/// The largest magnitude of a row; infinite or NaN where a value is, and so will be what is computed from it.
fn largest(row: &[f32]) -> f32 {
    // Without their signs floats order like their bits, and whole numbers are compared side by side.
    let most = row.iter().map(|x| x.to_bits() as i32 & i32::MAX);
    f32::from_bits(most.fold(0, i32::max) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Lanes; 2] = [Lanes::Pairs, Lanes::Quads];

    fn values(activations: &Activations) -> Vec<f32> {
        let scales = activations.scales.chunks(ROWS);
        let groups = activations
            .inputs
            .chunks_exact(activations.length)
            .zip(scales);
        let rows = groups.flat_map(|(group, scales)| {
            scales.iter().enumerate().flat_map(move |(r, scale)| {
                let codes = group.iter().flat_map(move |[first, second]| {
                    let (first, second) = (first[r], second[r]);
                    match activations.lanes {
                        Lanes::Pairs => [first, second]
                            .iter()
                            .flat_map(|&pair| [i32::from(pair as i16), pair >> 16])
                            .collect::<Vec<_>>(),
                        Lanes::Quads => {
                            let halves = first.to_le_bytes().into_iter().zip(second.to_le_bytes());
                            let code =
                                |(high, low)| (i32::from(high) << 8) + i32::from(low) - 32768;
                            halves.map(code).collect()
                        }
                    }
                });
                codes.map(move |code| code as f32 * scale)
            })
        });
        rows.collect()
    }

    #[test]
    fn rows_keep_their_values_to_a_60000th_of_their_largest() {
        let rows: Vec<f32> = (0..7 * 12)
            .map(|i| (i as f32 * 0.7).sin() * i as f32)
            .collect();
        for lanes in BOTH {
            let got = values(&Activations::for_lanes(lanes, &rows, 12));
            for (got, row) in got.chunks(12).zip(rows.chunks(12)) {
                let most = row.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                for (a, b) in got.iter().zip(row) {
                    assert!((a - b).abs() <= most / 60_000.0, "{a} for {b}");
                }
            }
        }
    }

    #[test]
    fn zero_tiny_and_huge_rows() {
        for row in [
            [0.0; 4],
            [1e-30, -1e-30, 0.0, 1e-30],
            [3e38, -3e38, 3e38, 0.0],
        ] {
            for lanes in BOTH {
                let got = values(&Activations::for_lanes(lanes, &row, 4));
                for (a, b) in got.iter().zip(row) {
                    assert!((a - b).abs() <= b.abs() * 1e-4, "{a} for {b}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        for bad in [f32::NAN, f32::INFINITY] {
            let scale = Activations::new(&[1.0, 1.0, bad, 1.0], 4).scales[0];
            assert!(!(0.0 * scale).is_finite());
        }
    }
}
