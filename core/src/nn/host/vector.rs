//! Sums of a few outputs side by side, in whatever a processor has for them: what the inner loops have in common.

use super::panel::{Outputs, PANEL, STEP};
use core::array::from_fn;

/// Whole numbers of 32 bits, one for each of a few outputs of a panel.
pub trait Vector: Copy {
    /// How many outputs.
    const OUTPUTS: usize;
    /// As many floats.
    type Floats: Copy;
    /// Zeros.
    const NOTHING: Self::Floats;
    /// The same word for every output.
    fn splat(word: i32) -> Self;
    /// The `n`-th of those that make a panel.
    fn load(words: &[i32; PANEL], n: usize) -> Self;
    /// The first weights in the order of `quads`, four bytes an output.
    fn quads(weights: &[i8]) -> Self;
    /// Sums that wrap.
    fn add(self, other: Self) -> Self;
    /// Times `2^BY`.
    fn times<const BY: u32>(self) -> Self;
    /// The upper halves of words as the lower ones of others.
    fn upper(self) -> Self;
    /// And `sums`, of 16 bits in either half of their words, times `factors` in the same halves; wraps. Sums that are one to a word, within 16
    /// bits, want factors whose upper halves are 0.
    fn plus_times(self, sums: Self, factors: Self) -> Self;
    /// `sum` and these sums, times `row` and then times the `n`-th vector of `scales`.
    fn scaled(self, row: f32, n: usize, scales: &[f32; PANEL], sum: Self::Floats) -> Self::Floats;
    /// Adds `sum` to the `n`-th vector of `outputs`.
    fn add_to(sum: Self::Floats, n: usize, outputs: &mut [f32; PANEL]);
}

/// Adds `sums` to the outputs of as many rows from `row` on, of each to its vectors from `first` on; rows that are not there have none.
#[inline(always)]
pub fn add_rows<V: Vector, const N: usize>(
    sums: &[[V::Floats; N]],
    row: usize,
    first: usize,
    outputs: &mut Outputs,
) {
    for (r, sums) in sums.iter().enumerate() {
        if let Some(outputs) = outputs.row(row + r) {
            for (n, &sum) in sums.iter().enumerate() {
                V::add_to(sum, first + n, outputs);
            }
        }
    }
}

/// Adds sums, each times its row's scale and its output's, to others.
#[inline(always)]
pub fn add_scaled<V: Vector, const N: usize>(
    sums: &[[V; N]],
    row_scales: &[f32],
    scales: &[f32; PANEL],
    first: usize,
    floats: &mut [[V::Floats; N]],
) {
    for ((sums, &row), floats) in sums.iter().zip(row_scales).zip(floats) {
        for (n, (sum, float)) in sums.iter().zip(floats).enumerate() {
            *float = sum.scaled(row, first + n, scales, *float);
        }
    }
}

/// Any processor.
impl Vector for [i32; PANEL] {
    const OUTPUTS: usize = PANEL;
    type Floats = [f32; PANEL];
    const NOTHING: Self::Floats = [0.0; PANEL];
    #[inline(always)]
    fn splat(word: i32) -> Self {
        [word; PANEL]
    }
    #[inline(always)]
    fn load(words: &[i32; PANEL], _: usize) -> Self {
        *words
    }
    #[inline(always)]
    fn quads(weights: &[i8]) -> Self {
        let weights = &weights[..STEP * PANEL];
        from_fn(|o| i32::from_le_bytes(from_fn(|i| weights[STEP * o + i] as u8)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        from_fn(|o| self[o].wrapping_add(other[o]))
    }
    #[inline(always)]
    fn times<const BY: u32>(self) -> Self {
        self.map(|sum| sum << BY)
    }
    #[inline(always)]
    fn upper(self) -> Self {
        self.map(|word| word >> 16 & 0xffff)
    }
    #[inline(always)]
    fn plus_times(self, sums: Self, factors: Self) -> Self {
        from_fn(|o| {
            let [low, high] = [0, 16].map(|bits| {
                i32::from((sums[o] >> bits) as i16) * i32::from((factors[o] >> bits) as i16)
            });
            self[o].wrapping_add(low).wrapping_add(high)
        })
    }
    #[inline(always)]
    fn scaled(self, row: f32, _: usize, scales: &[f32; PANEL], sum: Self::Floats) -> Self::Floats {
        from_fn(|o| sum[o] + self[o] as f32 * row * scales[o])
    }
    #[inline(always)]
    fn add_to(sum: Self::Floats, _: usize, outputs: &mut [f32; PANEL]) {
        *outputs = from_fn(|o| outputs[o] + sum[o]);
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use super::{PANEL, Vector};
    use core::arch::wasm32::*;

    // SAFETY, of every call in here: pointers come from slices of as many values as are read or written.
    impl Vector for v128 {
        const OUTPUTS: usize = 4;
        type Floats = v128;
        const NOTHING: v128 = f32x4(0.0, 0.0, 0.0, 0.0);
        #[inline(always)]
        fn splat(word: i32) -> Self {
            i32x4_splat(word)
        }
        #[inline(always)]
        fn load(words: &[i32; PANEL], n: usize) -> Self {
            let words = &words[4 * n..4 * n + 4];
            unsafe { v128_load(words.as_ptr().cast()) }
        }
        #[inline(always)]
        fn quads(weights: &[i8]) -> Self {
            let weights = &weights[..16];
            unsafe { v128_load(weights.as_ptr().cast()) }
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            i32x4_add(self, other)
        }
        #[inline(always)]
        fn times<const BY: u32>(self) -> Self {
            i32x4_shl(self, BY)
        }
        #[inline(always)]
        fn plus_times(self, sums: Self, factors: Self) -> Self {
            i32x4_add(self, i32x4_dot_i16x8(sums, factors))
        }
        #[inline(always)]
        fn upper(self) -> Self {
            u32x4_shr(self, 16)
        }
        #[inline(always)]
        fn scaled(self, row: f32, n: usize, scales: &[f32; PANEL], sum: Self::Floats) -> v128 {
            let scales = &scales[4 * n..4 * n + 4];
            let sums = f32x4_mul(f32x4_convert_i32x4(self), f32x4_splat(row));
            f32x4_add(
                sum,
                f32x4_mul(sums, unsafe { v128_load(scales.as_ptr().cast()) }),
            )
        }
        #[inline(always)]
        fn add_to(sum: Self::Floats, n: usize, outputs: &mut [f32; PANEL]) {
            let outputs = outputs[4 * n..4 * n + 4].as_mut_ptr().cast();
            unsafe { v128_store(outputs, f32x4_add(v128_load(outputs), sum)) }
        }
    }
}

/// Vectors of x86-64. Loops that are compiled for processors that have them are all that uses them.
#[cfg(target_arch = "x86_64")]
pub mod x86 {
    use super::{PANEL, Vector};
    use std::arch::x86_64::*;

    /// Eight outputs, of AVX2.
    #[derive(Clone, Copy)]
    pub struct Avx2(pub __m256i);

    /// Sixteen outputs, of AVX-512 VNNI.
    #[derive(Clone, Copy)]
    pub struct Avx512(pub __m512i);

    // SAFETY, of every call in here: the loops that use the type run where there is AVX2.
    // Pointers come from slices of as many values as are read or written.
    impl Vector for Avx2 {
        const OUTPUTS: usize = 8;
        type Floats = __m256;
        const NOTHING: __m256 = unsafe { std::mem::zeroed() };
        #[inline(always)]
        fn splat(word: i32) -> Self {
            Self(unsafe { _mm256_set1_epi32(word) })
        }
        #[inline(always)]
        fn load(words: &[i32; PANEL], n: usize) -> Self {
            let words = &words[8 * n..8 * n + 8];
            Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
        }
        #[inline(always)]
        fn quads(weights: &[i8]) -> Self {
            let weights = &weights[..32];
            Self(unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) })
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn times<const BY: u32>(self) -> Self {
            Self(unsafe { _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(BY as i32)) })
        }
        #[inline(always)]
        fn plus_times(self, sums: Self, factors: Self) -> Self {
            Self(unsafe { _mm256_add_epi32(self.0, _mm256_madd_epi16(sums.0, factors.0)) })
        }
        #[inline(always)]
        fn upper(self) -> Self {
            Self(unsafe { _mm256_srli_epi32::<16>(self.0) })
        }
        #[inline(always)]
        fn scaled(self, row: f32, n: usize, scales: &[f32; PANEL], sum: __m256) -> __m256 {
            let scales = &scales[8 * n..8 * n + 8];
            unsafe {
                let sums = _mm256_mul_ps(_mm256_cvtepi32_ps(self.0), _mm256_set1_ps(row));
                _mm256_add_ps(sum, _mm256_mul_ps(sums, _mm256_loadu_ps(scales.as_ptr())))
            }
        }
        #[inline(always)]
        fn add_to(sum: __m256, n: usize, outputs: &mut [f32; PANEL]) {
            let outputs = outputs[8 * n..8 * n + 8].as_mut_ptr();
            unsafe { _mm256_storeu_ps(outputs, _mm256_add_ps(_mm256_loadu_ps(outputs), sum)) }
        }
    }

    // SAFETY, of every call in here: the loops that use the type run where there is AVX-512 VNNI.
    // Pointers are those of as many values as are read or written.
    impl Vector for Avx512 {
        const OUTPUTS: usize = 16;
        type Floats = __m512;
        const NOTHING: __m512 = unsafe { std::mem::zeroed() };
        #[inline(always)]
        fn splat(word: i32) -> Self {
            Self(unsafe { _mm512_set1_epi32(word) })
        }
        #[inline(always)]
        fn load(words: &[i32; PANEL], _: usize) -> Self {
            Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
        }
        #[inline(always)]
        fn quads(weights: &[i8]) -> Self {
            let weights = &weights[..64];
            Self(unsafe { _mm512_loadu_si512(weights.as_ptr().cast()) })
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn times<const BY: u32>(self) -> Self {
            Self(unsafe { _mm512_slli_epi32::<BY>(self.0) })
        }
        #[inline(always)]
        fn plus_times(self, sums: Self, factors: Self) -> Self {
            Self(unsafe { _mm512_dpwssd_epi32(self.0, sums.0, factors.0) })
        }
        #[inline(always)]
        fn upper(self) -> Self {
            Self(unsafe { _mm512_srli_epi32::<16>(self.0) })
        }
        #[inline(always)]
        fn scaled(self, row: f32, _: usize, scales: &[f32; PANEL], sum: __m512) -> __m512 {
            unsafe {
                let sums = _mm512_mul_ps(_mm512_cvtepi32_ps(self.0), _mm512_set1_ps(row));
                _mm512_add_ps(sum, _mm512_mul_ps(sums, _mm512_loadu_ps(scales.as_ptr())))
            }
        }
        #[inline(always)]
        fn add_to(sum: __m512, _: usize, outputs: &mut [f32; PANEL]) {
            let outputs = outputs.as_mut_ptr();
            unsafe { _mm512_storeu_ps(outputs, _mm512_add_ps(_mm512_loadu_ps(outputs), sum)) }
        }
    }
}
