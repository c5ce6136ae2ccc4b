//! The inner loop of quantised linear layers, for each kind of processor.
//!
//! Weights and activations come in pairs along the summed axis, because that is what processors
//! multiply and add in one instruction: `i16 * i16 + i16 * i16` as `i32`, for several outputs. All
//! processors give the same bits.

use std::array::from_fn;

/// Outputs computed side by side; [`crate::nn::host`] has the measurement.
pub const PANEL: usize = 16;

/// Rows computed side by side: with [`PANEL`] outputs, eight vectors of sums, which leaves room in
/// 16 registers for what is multiplied.
pub const ROWS: usize = if cfg!(target_arch = "wasm32") { 2 } else { 4 };

/// The weights of two inputs for a panel of outputs, `[PANEL, 2]`.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Step(pub [i16; 2 * PANEL]);

impl Step {
    /// Of weights in 8 bits. A loop, because `map` of an array this long is not compiled to vectors.
    #[inline(always)]
    pub fn widened(codes: &[i8; 2 * PANEL]) -> Self {
        let mut weights = [0; 2 * PANEL];
        for (weight, &code) in weights.iter_mut().zip(codes) {
            *weight = i16::from(code);
        }
        Self(weights)
    }
}

/// The products of [`ROWS`] rows with a panel of outputs, `[ROWS, PANEL]`.
///
/// - `steps`: the weights, a step for every two inputs
/// - `rows`: the same two inputs of each row, the first in the low half
/// - `scales`: of each block of `block` steps, for each output
///
/// Within a block sums are exact, in `i32`; blocks of up to 512 inputs cannot overflow where
/// weights have 8 bits and no value is -32768.
pub fn products(
    steps: &[Step],
    rows: &[[i32; ROWS]],
    scales: &[[f32; PANEL]],
    block: usize,
) -> [[f32; PANEL]; ROWS] {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { x86::products(steps, rows, scales, block) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return tile::<std::arch::wasm32::v128, 4>(steps, rows, scales, block);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    tile::<[i32; PANEL], 1>(steps, rows, scales, block)
}

/// Sums of some outputs, or what is multiplied for them.
trait Vector: Copy {
    fn zero() -> Self;
    /// The `n`-th vector of weights.
    fn weights(step: &Step, n: usize) -> Self;
    /// The same two inputs for every output.
    fn inputs(pair: i32) -> Self;
    /// Adds the products of weights and inputs.
    fn plus(self, weights: Self, inputs: Self) -> Self;
    /// Adds these sums, scaled, to the `n`-th vector of `outputs`.
    fn add_to(self, n: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]);
}

/// [`products`] with vectors of which `N` make a panel. Inlined, so that it is compiled for the
/// processor of the function that calls it.
#[inline(always)]
fn tile<V: Vector, const N: usize>(
    steps: &[Step],
    rows: &[[i32; ROWS]],
    scales: &[[f32; PANEL]],
    block: usize,
) -> [[f32; PANEL]; ROWS] {
    let mut outputs = [[0.0; PANEL]; ROWS];
    let blocks = steps.chunks_exact(block).zip(rows.chunks_exact(block));
    for ((steps, rows), scales) in blocks.zip(scales) {
        let mut sums = [[V::zero(); N]; ROWS];
        for (step, row) in steps.iter().zip(rows) {
            let weights: [V; N] = from_fn(|n| V::weights(step, n));
            for (sums, &pair) in sums.iter_mut().zip(row) {
                let inputs = V::inputs(pair);
                for (sum, &weights) in sums.iter_mut().zip(&weights) {
                    *sum = sum.plus(weights, inputs);
                }
            }
        }
        for (sums, outputs) in sums.iter().zip(&mut outputs) {
            for (n, sum) in sums.iter().enumerate() {
                sum.add_to(n, scales, outputs);
            }
        }
    }
    outputs
}

/// Any processor.
impl Vector for [i32; PANEL] {
    #[inline(always)]
    fn zero() -> Self {
        [0; PANEL]
    }
    #[inline(always)]
    fn weights(step: &Step, _: usize) -> Self {
        from_fn(|o| i32::from(step.0[2 * o] as u16) | i32::from(step.0[2 * o + 1]) << 16)
    }
    #[inline(always)]
    fn inputs(pair: i32) -> Self {
        [pair; PANEL]
    }
    #[inline(always)]
    fn plus(self, weights: Self, inputs: Self) -> Self {
        let low = |pair: i32| i32::from(pair as i16);
        from_fn(|o| {
            let (w, x) = (weights[o], inputs[o]);
            self[o] + low(w) * low(x) + (w >> 16) * (x >> 16)
        })
    }
    #[inline(always)]
    fn add_to(self, _: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]) {
        for ((output, sum), scale) in outputs.iter_mut().zip(self).zip(scales) {
            *output += sum as f32 * scale;
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use super::{PANEL, Step, Vector};
    use std::arch::wasm32::*;

    impl Vector for v128 {
        #[inline(always)]
        fn zero() -> Self {
            i32x4_splat(0)
        }
        #[inline(always)]
        fn weights(step: &Step, n: usize) -> Self {
            let w = &step.0[8 * n..8 * n + 8];
            i16x8(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7])
        }
        #[inline(always)]
        fn inputs(pair: i32) -> Self {
            i32x4_splat(pair)
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            i32x4_add(self, i32x4_dot_i16x8(weights, inputs))
        }
        #[inline(always)]
        fn add_to(self, n: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]) {
            let sums = f32x4_convert_i32x4(self);
            let sums = [
                f32x4_extract_lane::<0>(sums),
                f32x4_extract_lane::<1>(sums),
                f32x4_extract_lane::<2>(sums),
                f32x4_extract_lane::<3>(sums),
            ];
            for (i, sum) in sums.into_iter().enumerate() {
                outputs[4 * n + i] += sum * scales[4 * n + i];
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{PANEL, ROWS, Step, Vector, tile};
    use std::arch::x86_64::*;

    /// As [`crate::nn::host::products`].
    #[target_feature(enable = "avx2")]
    pub fn products(
        steps: &[Step],
        rows: &[[i32; ROWS]],
        scales: &[[f32; PANEL]],
        block: usize,
    ) -> [[f32; PANEL]; ROWS] {
        tile::<Avx2, 2>(steps, rows, scales, block)
    }

    /// Eight outputs.
    #[derive(Clone, Copy)]
    struct Avx2(__m256i);

    // SAFETY, of every call in here: `products` alone uses the type, and runs where there is AVX2.
    // Pointers come from slices of as many values as are read or written.
    impl Vector for Avx2 {
        #[inline(always)]
        fn zero() -> Self {
            Self(unsafe { _mm256_setzero_si256() })
        }
        #[inline(always)]
        fn weights(step: &Step, n: usize) -> Self {
            let weights = &step.0[16 * n..16 * n + 16];
            Self(unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) })
        }
        #[inline(always)]
        fn inputs(pair: i32) -> Self {
            Self(unsafe { _mm256_set1_epi32(pair) })
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            Self(unsafe { _mm256_add_epi32(self.0, _mm256_madd_epi16(weights.0, inputs.0)) })
        }
        #[inline(always)]
        fn add_to(self, n: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]) {
            let scales = &scales[8 * n..8 * n + 8];
            let outputs = &mut outputs[8 * n..8 * n + 8];
            unsafe {
                let scales = _mm256_loadu_ps(scales.as_ptr());
                let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(self.0), scales);
                let sum = _mm256_add_ps(_mm256_loadu_ps(outputs.as_ptr()), scaled);
                _mm256_storeu_ps(outputs.as_mut_ptr(), sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    /// Inputs of blocks of 8, 16 and 32, the extremes among them.
    fn case(block: usize) -> (Vec<Step>, Vec<[i32; ROWS]>, Vec<[f32; PANEL]>) {
        let mut random = SplitMix64(block as u64);
        let mut within = |most: i32| match random.below(4) {
            0 => most,
            1 => -most,
            _ => random.below(2 * most as usize + 1) as i32 - most,
        };
        let steps = (0..3 * block).map(|_| Step(from_fn(|_| within(127) as i16)));
        let steps = steps.collect();
        let pair = |low: i32, high: i32| low & 0xffff | high << 16;
        let rows = (0..3 * block)
            .map(|_| from_fn(|_| pair(within(32767), within(32767))))
            .collect();
        (steps, rows, vec![from_fn(|o| 1e-7 * (o + 1) as f32); 3])
    }

    /// Every processor's own loop against whole numbers of 64 bits.
    #[test]
    fn products_are_exact_within_a_block() {
        for block in [4, 8, 16] {
            let (steps, rows, scales) = case(block);
            let got = products(&steps, &rows, &scales, block);
            assert_eq!(got, tile::<[i32; PANEL], 1>(&steps, &rows, &scales, block));
            for (r, got) in got.iter().enumerate() {
                for (o, &got) in got.iter().enumerate() {
                    let mut expected = 0.0_f32;
                    for (b, scales) in scales.iter().enumerate() {
                        let sum: i64 = (b * block..(b + 1) * block)
                            .map(|i| {
                                let [w0, w1] = [0, 1].map(|j| i64::from(steps[i].0[2 * o + j]));
                                let pair = rows[i][r];
                                w0 * i64::from(pair as i16) + w1 * i64::from(pair >> 16)
                            })
                            .sum();
                        expected += sum as f32 * scales[o];
                    }
                    assert_eq!(got, expected, "row {r}, output {o}");
                }
            }
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        let steps = vec![Step([127; 2 * PANEL]); 16];
        let least = (-32767 & 0xffff) | -32767 << 16;
        let got = products(&steps, &vec![[least; ROWS]; 16], &[[1.0; PANEL]], 16);
        assert_eq!(got, [[(-32_i64 * 127 * 32767) as f32; PANEL]; ROWS]);
    }
}
