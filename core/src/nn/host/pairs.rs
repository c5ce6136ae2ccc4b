//! The inner loop of processors that multiply two neighbouring inputs in 16 bits with their weights and add both up in one
//! instruction: AVX2, WebAssembly's vectors, and in plain Rust any.
//!
//! A step has the weights of its first two inputs, `[PANEL, 2]`, before those of the other two. Of the inputs each word has two
//! codes, the first in its low half.

use super::panel::{Outputs, PANEL, Panel, ROWS, Rows, STEP, Step};
use super::vector::{Vector, add_rows, add_scaled};
use core::array::from_fn;

/// The largest code of an input.
pub const MOST: i32 = 32767;

/// Rows whose sums are held in registers at once: WebAssembly's, of 16 bytes, are 16 at most.
const FEW: usize = if cfg!(target_arch = "wasm32") {
    2
} else {
    ROWS
};

/// Where the weight of an input of a step for an output lies.
pub fn place(input: usize, output: usize) -> usize {
    input / 2 * 2 * PANEL + 2 * output + input % 2
}

/// The words of the codes of a step's inputs.
#[inline(always)]
pub fn words(codes: [i32; STEP]) -> [i32; 2] {
    let [a, b, c, d] = codes;
    [a & 0xffff | b << 16, c & 0xffff | d << 16]
}

/// Adds the products of rows of fine inputs with a panel, whose sums are exact within a block, to their outputs.
pub fn add_products(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { x86::add_products(panel, rows, outputs) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return fine::<core::arch::wasm32::v128, 4>(panel, rows, outputs);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    plain(panel, rows, outputs)
}

/// As [`add_products`], of coarse inputs, whose sums are exact.
pub fn add_coarse_products(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        return unsafe { x86::add_coarse_products(panel, rows, outputs) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    // Half a panel, so that the sums of a block and of all blocks fit into 16 registers.
    return coarse::<core::arch::wasm32::v128, 2>(panel, rows, outputs);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    coarse_plain(panel, rows, outputs)
}

/// [`add_products`] on any processor.
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
pub fn plain(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    fine::<[i32; PANEL], 1>(panel, rows, outputs)
}

/// [`add_coarse_products`] on any processor.
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
pub fn coarse_plain(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    coarse::<[i32; PANEL], 1>(panel, rows, outputs)
}

/// Multiplies pairs.
trait Pairs: Vector {
    /// The `n`-th vector of the weights of a pair of inputs.
    fn weights(codes: &[i8; 2 * PANEL], n: usize) -> Self;
    /// Adds the products of weights and inputs.
    fn plus(self, weights: Self, inputs: Self) -> Self;
}

/// [`add_products`] with vectors of which `N` are summed up at once for each row. Inlined, so that it is compiled for the
/// processor of the function that calls it.
#[inline(always)]
fn fine<V: Pairs, const N: usize>(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    const { assert!(PANEL.is_multiple_of(N * V::OUTPUTS)) };
    // Lengths that the compiler knows: where the loop stands alone nothing may panic.
    for part in 0..PANEL / (N * V::OUTPUTS) {
        for few in 0..ROWS / FEW {
            if few * FEW >= outputs.rows() {
                break;
            }
            let mut floats = [[V::NOTHING; N]; FEW];
            let steps = panel.steps.chunks_exact(panel.block);
            let words = rows.words.as_chunks::<2>().0.chunks_exact(panel.block);
            let scales = panel.scales.iter().zip(rows.scales);
            for ((steps, words), (scales, row_scales)) in steps.zip(words).zip(scales) {
                let mut sums = [[V::splat(0); N]; FEW];
                for (codes, words) in halves(steps).iter().zip(words.as_flattened()) {
                    let weights: [V; N] = from_fn(|n| V::weights(codes, part * N + n));
                    for (sums, &pair) in sums.iter_mut().zip(&words.as_chunks::<FEW>().0[few]) {
                        let inputs = V::splat(pair);
                        for (sum, &weights) in sums.iter_mut().zip(&weights) {
                            *sum = sum.plus(weights, inputs);
                        }
                    }
                }
                let row_scales = &row_scales.as_chunks::<FEW>().0[few];
                for ((sums, floats), &row) in sums.iter().zip(&mut floats).zip(row_scales) {
                    for (n, (sum, float)) in sums.iter().zip(floats).enumerate() {
                        *float = sum.scaled(row, part * N + n, scales, *float);
                    }
                }
            }
            add_rows::<V, N>(&floats, few * FEW, part * N, outputs);
        }
    }
}

/// [`add_coarse_products`], as [`fine`]. The sums of a block are not shared with it: as an inlined function of their own V8 keeps fewer of
/// them in registers, and either loop takes a quarter longer.
#[inline(always)]
fn coarse<V: Pairs, const N: usize>(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    const { assert!(PANEL.is_multiple_of(N * V::OUTPUTS)) };
    let Some(scales) = panel.scales.first() else {
        return;
    };
    for part in 0..PANEL / (N * V::OUTPUTS) {
        for few in 0..ROWS / FEW {
            if few * FEW >= outputs.rows() {
                break;
            }
            let mut floats = [[V::NOTHING; N]; FEW];
            let steps = panel.steps.chunks_exact(panel.block);
            let words = rows.words.as_chunks::<2>().0.chunks_exact(panel.block);
            let mut blocks = steps.zip(words).zip(panel.factors);
            for row_scales in rows.scales {
                let mut all = [[V::splat(0); N]; FEW];
                for ((steps, words), factors) in blocks.by_ref().take(rows.blocks_a_scale) {
                    let mut sums = [[V::splat(0); N]; FEW];
                    for (codes, words) in halves(steps).iter().zip(words.as_flattened()) {
                        let weights: [V; N] = from_fn(|n| V::weights(codes, part * N + n));
                        for (sums, &pair) in sums.iter_mut().zip(&words.as_chunks::<FEW>().0[few]) {
                            let inputs = V::splat(pair);
                            for (sum, &weights) in sums.iter_mut().zip(&weights) {
                                *sum = sum.plus(weights, inputs);
                            }
                        }
                    }
                    for (all, sums) in all.iter_mut().zip(&sums) {
                        for (n, (all, sum)) in all.iter_mut().zip(sums).enumerate() {
                            *all = all.plus_times(*sum, V::load(factors, part * N + n).upper());
                        }
                    }
                }
                let row_scales = &row_scales.as_chunks::<FEW>().0[few];
                add_scaled::<V, N>(&all, row_scales, scales, part * N, &mut floats);
            }
            add_rows::<V, N>(&floats, few * FEW, part * N, outputs);
        }
    }
}

/// The weights of two inputs each.
#[inline(always)]
fn halves(steps: &[Step]) -> &[[i8; 2 * PANEL]] {
    const { assert!(size_of::<Step>() == 2 * size_of::<[i8; 2 * PANEL]>()) };
    // SAFETY: a step is two such arrays and nothing else.
    unsafe { core::slice::from_raw_parts(steps.as_ptr().cast(), 2 * steps.len()) }
}

/// Any processor.
impl Pairs for [i32; PANEL] {
    #[inline(always)]
    fn weights(codes: &[i8; 2 * PANEL], _: usize) -> Self {
        from_fn(|o| i32::from(codes[2 * o]) & 0xffff | i32::from(codes[2 * o + 1]) << 16)
    }
    #[inline(always)]
    fn plus(self, weights: Self, inputs: Self) -> Self {
        let low = |pair: i32| i32::from(pair as i16);
        from_fn(|o| {
            let (w, x) = (weights[o], inputs[o]);
            self[o] + low(w) * low(x) + (w >> 16) * (x >> 16)
        })
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use super::{PANEL, Pairs};
    use core::arch::wasm32::*;

    impl Pairs for v128 {
        #[inline(always)]
        fn weights(codes: &[i8; 2 * PANEL], n: usize) -> Self {
            let codes = &codes[8 * n..8 * n + 8];
            // SAFETY: eight codes are what is read.
            unsafe { i16x8_load_extend_i8x8(codes.as_ptr()) }
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            i32x4_add(self, i32x4_dot_i16x8(weights, inputs))
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::panel::{Outputs, PANEL, Panel, Rows};
    use super::super::vector::x86::Avx2;
    use super::{Pairs, coarse, fine};
    use std::arch::x86_64::*;

    /// As [`super::add_products`].
    #[target_feature(enable = "avx2")]
    pub fn add_products(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
        fine::<Avx2, 2>(panel, rows, outputs)
    }

    /// As [`super::add_coarse_products`].
    #[target_feature(enable = "avx2")]
    pub fn add_coarse_products(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
        coarse::<Avx2, 2>(panel, rows, outputs)
    }

    // SAFETY, of every call in here: the loops that use it run where there is AVX2.
    // Pointers come from slices of as many values as are read.
    impl Pairs for Avx2 {
        #[inline(always)]
        fn weights(codes: &[i8; 2 * PANEL], n: usize) -> Self {
            let codes = &codes[16 * n..16 * n + 16];
            Self(unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(codes.as_ptr().cast())) })
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            Self(unsafe { _mm256_add_epi32(self.0, _mm256_madd_epi16(weights.0, inputs.0)) })
        }
    }
}
