//! Rows of activations in whole numbers.

use crate::nn::host::lanes::{Lanes, Layout};
use crate::nn::host::panel::{ROWS, STEP, Words};
use crate::nn::host::wide::wide;
use crate::nn::host::{bytes, pairs, quads};

/// Adding this to a value up to 2^22 leaves the nearest whole number in the low bits, above those of 1.5 * 2^23.
const ROUND: f32 = 12_582_912.0;

/// Rows of codes, a scale for each of their blocks or for several, laid out for [`crate::nn::host::linear::BlockLinear`].
pub struct Activations {
    layout: Layout,
    /// Words of [`ROWS`] rows side by side; what stands in the place of rows beyond the last is never read.
    words: Vec<Words>,
    /// Of [`ROWS`] rows, of each block or of as many as share one.
    scales: Vec<[f32; ROWS]>,
    /// What the sums of each block of [`ROWS`] rows start from; none where the loop does not ask.
    starts: Vec<Words>,
    rows: usize,
    /// Steps of a row.
    length: usize,
}

impl Activations {
    /// Of rows of `d` values.
    ///
    /// # Panics
    /// If `d` is no multiple of the layout's block, or there are no whole rows.
    pub fn new(layout: Layout, rows: &[f32], d: usize) -> Self {
        laid_out(layout, rows, d)
    }

    /// `C` holds a code.
    #[inline(always)]
    fn laid_out<C: Copy + Default, const WORDS: usize>(
        layout: Layout,
        rows: &[f32],
        d: usize,
        code: impl Fn(i32) -> C,
        words: impl Fn([C; STEP]) -> [i32; WORDS],
    ) -> Self {
        assert!(d.is_multiple_of(STEP * layout.block) && rows.len().is_multiple_of(d));
        let (many, length) = (rows.len() / d, d / STEP);
        let groups = many.div_ceil(ROWS);
        let a_scale = layout.inputs_a_scale();
        let (scales_a_row, words_a_row) = (d.div_ceil(a_scale), WORDS * length);
        let mut laid_out = Self {
            layout,
            words: vec![[0; ROWS]; groups * words_a_row],
            scales: vec![[0.0; ROWS]; groups * scales_a_row],
            starts: Vec::new(),
            rows: many,
            length,
        };
        let mut codes = vec![C::default(); d];
        for (i, row) in rows.chunks_exact(d).enumerate() {
            let (group, r) = (i / ROWS, i % ROWS);
            let scales = &mut laid_out.scales[group * scales_a_row..][..scales_a_row];
            let values = row.chunks(a_scale).zip(codes.chunks_mut(a_scale));
            for ((values, codes), scales) in values.zip(scales) {
                let scale = largest(values) / layout.most() as f32;
                let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
                scales[r] = scale;
                for (to, x) in codes.iter_mut().zip(values) {
                    *to = code((x * inverse + ROUND).to_bits() as i32 - ROUND.to_bits() as i32);
                }
            }
            // A pass of its own: a whole row is long enough for the compiler to lay out several steps at once.
            let steps = &mut laid_out.words[group * words_a_row..][..words_a_row];
            let steps = steps.as_chunks_mut::<WORDS>().0.iter_mut();
            for (step, &codes) in steps.zip(codes.as_chunks::<STEP>().0) {
                for (of_rows, word) in step.iter_mut().zip(words(codes)) {
                    of_rows[r] = word;
                }
            }
        }
        laid_out
    }

    /// What they are laid out for.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// How many rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Steps of a row.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Groups of [`ROWS`] rows, of each its words.
    pub(super) fn words(&self) -> &[Words] {
        &self.words
    }

    /// Of each group the scales.
    pub(super) fn scales(&self) -> &[[f32; ROWS]] {
        &self.scales
    }

    /// Of each group what the sums of its blocks start from, or nothing.
    pub(super) fn starts(&self) -> &[Words] {
        &self.starts
    }
}

wide! {
    fn laid_out(layout: Layout, rows: &[f32], d: usize) -> Activations {
        // Each by itself, so that what lies in the loop is decided before it.
        match layout.lanes {
            Lanes::Pairs => Activations::laid_out(layout, rows, d, |code| code, pairs::words),
            Lanes::Quads => Activations::laid_out(layout, rows, d, |code| code, quads::words),
            Lanes::Bytes => {
                // Bytes at once are narrowed by fewer instructions.
                let (code, word) = (|code| code as i8, |codes| [bytes::word(codes)]);
                let mut laid_out = Activations::laid_out(layout, rows, d, code, word);
                let blocks = laid_out.words.chunks_exact(layout.block);
                laid_out.starts = blocks.map(bytes::starts).collect();
                laid_out
            }
        }
    }
}

/// The largest magnitude; infinite or NaN where a value is, and so will be what is computed from it.
#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    // Without their signs floats order like their bits, and whole numbers are compared side by side.
    let most = values.iter().map(|x| x.to_bits() as i32 & i32::MAX);
    f32::from_bits(most.fold(0, i32::max) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::host::lanes::Precision;

    /// Every layout, of blocks of `block` values.
    fn layouts(block: usize) -> [Layout; 4] {
        use Precision::{Coarse, Fine};
        [
            (Fine, Lanes::Pairs),
            (Fine, Lanes::Quads),
            (Coarse, Lanes::Pairs),
            (Coarse, Lanes::Bytes),
        ]
        .map(|(precision, lanes)| Layout::of(precision, lanes, block))
    }

    fn values(activations: &Activations) -> Vec<f32> {
        let lanes = activations.layout.lanes;
        let (length, words) = (activations.length, lanes.words_a_step());
        let value = |row: usize, input: usize| {
            let (group, r) = (row / ROWS, row % ROWS);
            let step = &activations.words[(group * length + input / STEP) * words..][..words];
            let i = input % STEP;
            let code = match lanes {
                Lanes::Pairs => i32::from((step[i / 2][r] >> (16 * (i % 2))) as i16),
                Lanes::Quads => {
                    let half = |word: i32| i32::from(word.to_le_bytes()[i]);
                    (half(step[0][r]) << 8) + half(step[1][r]) - 32768
                }
                Lanes::Bytes => i32::from(step[0][r].to_le_bytes()[i] as i8),
            };
            let a_scale = activations.layout.inputs_a_scale();
            let scales = (STEP * length).div_ceil(a_scale);
            code as f32 * activations.scales[group * scales + input / a_scale][r]
        };
        (0..activations.rows)
            .flat_map(|row| (0..STEP * length).map(move |input| (row, input)))
            .map(|(row, input)| value(row, input))
            .collect()
    }

    #[test]
    fn values_are_kept_to_half_a_step() {
        // Of coarse inputs the first 128 of a row share a scale, and the last 24.
        let rows: Vec<f32> = (0..7 * 152)
            .map(|i| (i as f32 * 0.7).sin() * i as f32)
            .collect();
        for layout in layouts(8) {
            let got = values(&Activations::new(layout, &rows, 152));
            let a_scale = match layout.precision {
                Precision::Fine => 8,
                Precision::Coarse => 128,
            };
            for (got, row) in got.chunks(152).zip(rows.chunks(152)) {
                for (got, values) in got.chunks(a_scale).zip(row.chunks(a_scale)) {
                    let most = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                    let step = most / layout.most() as f32;
                    for (a, b) in got.iter().zip(values) {
                        assert!((a - b).abs() <= 0.51 * step, "{a} for {b}");
                    }
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
            for layout in layouts(4) {
                let got = values(&Activations::new(layout, &row, 4));
                for (a, b) in got.iter().zip(row) {
                    assert!((a - b).abs() <= b.abs() * 1e-4, "{a} for {b}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        for bad in [f32::NAN, f32::INFINITY] {
            for layout in layouts(4) {
                let scale = Activations::new(layout, &[1.0, 1.0, bad, 1.0], 4).scales[0][0];
                assert!(!(0.0 * scale).is_finite());
            }
        }
    }
}
