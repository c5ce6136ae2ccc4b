//! The inner loop of processors that multiply two neighbouring inputs in 16 bits with their weights and add both up in one
//! instruction: AVX2, WebAssembly's vectors, and in plain Rust any.
//!
//! A step has the weights of its first two inputs, `[PANEL, 2]`, before those of the other two. Of the inputs each word has two
//! codes, the first in its low half.

use super::panel::{Inputs, PANEL, Panel, Products, ROWS, STEP, Step};
use core::array::from_fn;

/// The largest code of an input.
pub const MOST: i32 = 32767;

/// Where the weight of an input of a step for an output lies.
pub fn place(input: usize, output: usize) -> usize {
    input / 2 * 2 * PANEL + 2 * output + input % 2
}

/// The words of the codes of a step's inputs.
#[inline(always)]
pub fn words(codes: [i32; STEP]) -> [i32; 2] {
    [0, 2].map(|i| codes[i] & 0xffff | codes[i + 1] << 16)
}

/// The products of rows with a panel, whose sums are exact within a block.
pub fn products(panel: Panel<'_>, rows: &[Inputs]) -> Products {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { x86::products(panel, rows) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return tile::<core::arch::wasm32::v128, 4>(panel, rows);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    plain(panel, rows)
}

/// [`products`] on any processor.
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
pub fn plain(panel: Panel<'_>, rows: &[Inputs]) -> Products {
    tile::<[i32; PANEL], 1>(panel, rows)
}

/// Sums of some outputs, or what is multiplied for them.
trait Vector: Copy {
    fn zero() -> Self;
    /// The `n`-th vector of the weights of a pair of inputs.
    fn weights(codes: &[i8; 2 * PANEL], n: usize) -> Self;
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
fn tile<V: Vector, const N: usize>(panel: Panel<'_>, rows: &[Inputs]) -> Products {
    let mut outputs = [[0.0; PANEL]; ROWS];
    let steps = panel.steps.chunks_exact(panel.block);
    let blocks = steps.zip(rows.chunks_exact(panel.block)).zip(panel.scales);
    for ((steps, rows), scales) in blocks {
        let mut sums = [[V::zero(); N]; ROWS];
        for (codes, pairs) in halves(steps).iter().zip(rows.as_flattened()) {
            let weights: [V; N] = from_fn(|n| V::weights(codes, n));
            for (sums, &pair) in sums.iter_mut().zip(pairs) {
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

/// The weights of two inputs each.
#[inline(always)]
fn halves(steps: &[Step]) -> &[[i8; 2 * PANEL]] {
    const { assert!(size_of::<Step>() == 2 * size_of::<[i8; 2 * PANEL]>()) };
    // SAFETY: a step is two such arrays and nothing else.
    unsafe { core::slice::from_raw_parts(steps.as_ptr().cast(), 2 * steps.len()) }
}

/// Any processor.
impl Vector for [i32; PANEL] {
    #[inline(always)]
    fn zero() -> Self {
        [0; PANEL]
    }
    #[inline(always)]
    fn weights(codes: &[i8; 2 * PANEL], _: usize) -> Self {
        from_fn(|o| i32::from(codes[2 * o]) & 0xffff | i32::from(codes[2 * o + 1]) << 16)
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
    use super::super::panel::PANEL;
    use super::Vector;
    use core::arch::wasm32::*;

    impl Vector for v128 {
        #[inline(always)]
        fn zero() -> Self {
            i32x4_splat(0)
        }
        #[inline(always)]
        fn weights(codes: &[i8; 2 * PANEL], n: usize) -> Self {
            let codes = &codes[8 * n..8 * n + 8];
            // SAFETY: eight codes are what is read.
            unsafe { i16x8_load_extend_i8x8(codes.as_ptr()) }
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
    use super::super::panel::{Inputs, PANEL, Panel, Products};
    use super::{Vector, tile};
    use std::arch::x86_64::*;

    /// As [`super::products`].
    #[target_feature(enable = "avx2")]
    pub fn products(panel: Panel<'_>, rows: &[Inputs]) -> Products {
        tile::<Avx2, 2>(panel, rows)
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
        fn weights(codes: &[i8; 2 * PANEL], n: usize) -> Self {
            let codes = &codes[16 * n..16 * n + 16];
            Self(unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(codes.as_ptr().cast())) })
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
