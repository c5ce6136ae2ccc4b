//! The inner loop of processors that multiply four neighbouring inputs in 8 bits with their weights and add all up in one
//! instruction, the inputs without a sign: AVX-512 VNNI and AVX-VNNI, and WebAssembly's relaxed dot product.
//!
//! A code becomes two halves without sign: of 16 bits two of 8, in WebAssembly, whose inputs have 7 bits for certain, of 14
//! bits two of 7. With [`HALF`] bits `code + 2^(2 HALF - 1) = 2^HALF high + low`, so the high halves' sums start from
//! `-2^(HALF - 1)` times the sum of the weights, and `2^HALF` of them with the low halves' are the sums of the codes, to the
//! bit. A step has the weights as `[PANEL, 4]`; of the inputs the first word has the four high halves, the second the low ones.

use super::panel::{Inputs, PANEL, Panel, Products, ROWS, STEP, Step};
use core::array::from_fn;

/// Bits of half a code.
const HALF: u32 = if cfg!(target_arch = "wasm32") { 7 } else { 8 };

/// The largest code of an input.
pub const MOST: i32 = (1 << (2 * HALF - 1)) - 1;

/// Rows whose sums are held in registers at once: WebAssembly's, of 16 bytes, are 16 at most.
const FEW: usize = if cfg!(target_arch = "wasm32") {
    1
} else {
    ROWS
};

/// Where the weight of an input of a step for an output lies.
pub fn place(input: usize, output: usize) -> usize {
    STEP * output + input
}

/// The words of the codes of a step's inputs.
#[inline(always)]
pub fn words(codes: [i32; STEP]) -> [i32; 2] {
    let moved = codes.map(|code| code + MOST + 1);
    [HALF, 0].map(|above| {
        let half = |code: i32| (code >> above) & ((1 << HALF) - 1);
        i32::from_le_bytes(moved.map(|code| half(code) as u8))
    })
}

/// What the sums of a block start from.
pub fn start(block: &[Step]) -> [i32; PANEL] {
    from_fn(|output| {
        let weights = block
            .iter()
            .flat_map(|Step(step)| &step[STEP * output..STEP * (output + 1)]);
        -(1 << (HALF - 1)) * weights.map(|&weight| i32::from(weight)).sum::<i32>()
    })
}

/// Whether this processor has such an instruction.
pub fn there() -> bool {
    #[cfg(target_arch = "x86_64")]
    return x86::avx512() || x86::avx();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The products of rows with a panel, whose sums are exact within a block.
pub fn products(panel: Panel<'_>, rows: &[Inputs]) -> Products {
    #[cfg(target_arch = "x86_64")]
    if x86::avx512() {
        // SAFETY: the processor has what is asked for.
        return unsafe { x86::products_avx512(panel, rows) };
    } else if x86::avx() {
        // SAFETY: as above.
        return unsafe { x86::products_avx(panel, rows) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    return tile::<core::arch::wasm32::v128, 4>(panel, rows);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    plain(panel, rows)
}

/// Each loop that this processor has, also those that [`products`] passes by.
#[cfg(test)]
pub fn every() -> Vec<fn(Panel<'_>, &[Inputs]) -> Products> {
    let mut all: Vec<fn(Panel<'_>, &[Inputs]) -> Products> = vec![plain];
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY, of both: the processor has what is asked for.
        if x86::avx512() {
            all.push(|panel, rows| unsafe { x86::products_avx512(panel, rows) });
        }
        if x86::avx() {
            all.push(|panel, rows| unsafe { x86::products_avx(panel, rows) });
        }
    }
    all
}

/// [`products`] on any processor.
pub fn plain(panel: Panel<'_>, rows: &[Inputs]) -> Products {
    tile::<[i32; PANEL], 1>(panel, rows)
}

/// Sums of some outputs, or what is multiplied for them.
trait Vector: Copy {
    fn zero() -> Self;
    /// The `n`-th vector of what sums start from.
    fn start(start: &[i32; PANEL], n: usize) -> Self;
    /// The `n`-th vector of weights.
    fn weights(step: &Step, n: usize) -> Self;
    /// The same four halves for every output.
    fn inputs(halves: i32) -> Self;
    /// Adds the products of weights and halves.
    fn plus(self, weights: Self, halves: Self) -> Self;
    /// Adds `2^HALF` of these sums, those of high halves, and `low` ones, scaled, to the `n`-th vector of `outputs`.
    fn add_to(self, low: Self, n: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]);
}

/// [`products`] with vectors of which `N` make a panel. Inlined, so that it is compiled for the
/// processor of the function that calls it.
#[inline(always)]
fn tile<V: Vector, const N: usize>(panel: Panel<'_>, rows: &[Inputs]) -> Products {
    let mut outputs = [[0.0; PANEL]; ROWS];
    let steps = panel.steps.chunks_exact(panel.block);
    let blocks = steps.zip(rows.chunks_exact(panel.block));
    for ((steps, rows), (scales, start)) in blocks.zip(panel.scales.iter().zip(panel.starts)) {
        for (few, outputs) in outputs.as_chunks_mut::<FEW>().0.iter_mut().enumerate() {
            let mut high: [[V; N]; FEW] = [from_fn(|n| V::start(start, n)); FEW];
            let mut low = [[V::zero(); N]; FEW];
            for (step, inputs) in steps.iter().zip(rows) {
                let weights: [V; N] = from_fn(|n| V::weights(step, n));
                for (sums, inputs) in [&mut high, &mut low].into_iter().zip(inputs) {
                    for (sums, &halves) in sums.iter_mut().zip(&inputs.as_chunks::<FEW>().0[few]) {
                        let halves = V::inputs(halves);
                        for (sum, &weights) in sums.iter_mut().zip(&weights) {
                            *sum = sum.plus(weights, halves);
                        }
                    }
                }
            }
            for ((high, low), outputs) in high.iter().zip(&low).zip(outputs) {
                for (n, (high, &low)) in high.iter().zip(low).enumerate() {
                    high.add_to(low, n, scales, outputs);
                }
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
    fn start(start: &[i32; PANEL], _: usize) -> Self {
        *start
    }
    #[inline(always)]
    fn weights(step: &Step, _: usize) -> Self {
        from_fn(|o| i32::from_le_bytes(from_fn(|i| step.0[STEP * o + i] as u8)))
    }
    #[inline(always)]
    fn inputs(halves: i32) -> Self {
        [halves; PANEL]
    }
    #[inline(always)]
    fn plus(self, weights: Self, halves: Self) -> Self {
        from_fn(|o| {
            let products = weights[o]
                .to_le_bytes()
                .into_iter()
                .zip(halves[o].to_le_bytes());
            let products = products.map(|(weight, half)| i32::from(weight as i8) * i32::from(half));
            self[o] + products.sum::<i32>()
        })
    }
    #[inline(always)]
    fn add_to(self, low: Self, _: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]) {
        for (o, output) in outputs.iter_mut().enumerate() {
            *output += (self[o] << HALF).wrapping_add(low[o]) as f32 * scales[o];
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod wasm {
    use super::super::panel::{PANEL, Step};
    use super::{HALF, Vector};
    use core::arch::wasm32::*;

    // SAFETY, of every call in here: pointers come from slices of as many values as are read or written.
    impl Vector for v128 {
        #[inline(always)]
        fn zero() -> Self {
            i32x4_splat(0)
        }
        #[inline(always)]
        fn start(start: &[i32; PANEL], n: usize) -> Self {
            let start = &start[4 * n..4 * n + 4];
            unsafe { v128_load(start.as_ptr().cast()) }
        }
        #[inline(always)]
        fn weights(step: &Step, n: usize) -> Self {
            let weights = &step.0[16 * n..16 * n + 16];
            unsafe { v128_load(weights.as_ptr().cast()) }
        }
        #[inline(always)]
        fn inputs(halves: i32) -> Self {
            i32x4_splat(halves)
        }
        #[inline(always)]
        fn plus(self, weights: Self, halves: Self) -> Self {
            i32x4_relaxed_dot_i8x16_i7x16_add(weights, halves, self)
        }
        #[inline(always)]
        fn add_to(self, low: Self, n: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]) {
            let scales = &scales[4 * n..4 * n + 4];
            let outputs = &mut outputs[4 * n..4 * n + 4];
            unsafe {
                let sums = f32x4_convert_i32x4(i32x4_add(i32x4_shl(self, HALF), low));
                let scaled = f32x4_mul(sums, v128_load(scales.as_ptr().cast()));
                let sum = f32x4_add(v128_load(outputs.as_ptr().cast()), scaled);
                v128_store(outputs.as_mut_ptr().cast(), sum);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::panel::{Inputs, PANEL, Panel, Products, Step};
    use super::{HALF, Vector, tile};
    use std::arch::is_x86_feature_detected as has;
    use std::arch::x86_64::*;

    pub fn avx512() -> bool {
        has!("avx512f") && has!("avx512vnni")
    }

    pub fn avx() -> bool {
        has!("avx2") && has!("avxvnni")
    }

    /// As [`super::products`].
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub fn products_avx512(panel: Panel<'_>, rows: &[Inputs]) -> Products {
        tile::<Avx512, 1>(panel, rows)
    }

    /// As [`super::products`].
    #[target_feature(enable = "avx2,avxvnni")]
    pub fn products_avx(panel: Panel<'_>, rows: &[Inputs]) -> Products {
        tile::<Avx, 2>(panel, rows)
    }

    /// Sixteen outputs.
    #[derive(Clone, Copy)]
    struct Avx512(__m512i);

    // SAFETY, of every call in here: `products_avx512` alone uses the type, and runs where there is what it asks for.
    // Pointers are those of as many values as are read or written.
    impl Vector for Avx512 {
        #[inline(always)]
        fn zero() -> Self {
            Self(unsafe { _mm512_setzero_si512() })
        }
        #[inline(always)]
        fn start(start: &[i32; PANEL], _: usize) -> Self {
            Self(unsafe { _mm512_loadu_si512(start.as_ptr().cast()) })
        }
        #[inline(always)]
        fn weights(step: &Step, _: usize) -> Self {
            Self(unsafe { _mm512_loadu_si512(step.0.as_ptr().cast()) })
        }
        #[inline(always)]
        fn inputs(halves: i32) -> Self {
            Self(unsafe { _mm512_set1_epi32(halves) })
        }
        #[inline(always)]
        fn plus(self, weights: Self, halves: Self) -> Self {
            Self(unsafe { _mm512_dpbusd_epi32(self.0, halves.0, weights.0) })
        }
        #[inline(always)]
        fn add_to(self, low: Self, _: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]) {
            unsafe {
                let sums = _mm512_add_epi32(_mm512_slli_epi32::<HALF>(self.0), low.0);
                let scales = _mm512_loadu_ps(scales.as_ptr());
                let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scales);
                let sum = _mm512_add_ps(_mm512_loadu_ps(outputs.as_ptr()), scaled);
                _mm512_storeu_ps(outputs.as_mut_ptr(), sum);
            }
        }
    }

    /// Eight outputs.
    #[derive(Clone, Copy)]
    struct Avx(__m256i);

    // SAFETY, of every call in here: `products_avx` alone uses the type, and runs where there is what it asks for.
    // Pointers come from slices of as many values as are read or written.
    impl Vector for Avx {
        #[inline(always)]
        fn zero() -> Self {
            Self(unsafe { _mm256_setzero_si256() })
        }
        #[inline(always)]
        fn start(start: &[i32; PANEL], n: usize) -> Self {
            let start = &start[8 * n..8 * n + 8];
            Self(unsafe { _mm256_loadu_si256(start.as_ptr().cast()) })
        }
        #[inline(always)]
        fn weights(step: &Step, n: usize) -> Self {
            let weights = &step.0[32 * n..32 * n + 32];
            Self(unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) })
        }
        #[inline(always)]
        fn inputs(halves: i32) -> Self {
            Self(unsafe { _mm256_set1_epi32(halves) })
        }
        #[inline(always)]
        fn plus(self, weights: Self, halves: Self) -> Self {
            Self(unsafe { _mm256_dpbusd_avx_epi32(self.0, halves.0, weights.0) })
        }
        #[inline(always)]
        fn add_to(self, low: Self, n: usize, scales: &[f32; PANEL], outputs: &mut [f32; PANEL]) {
            let scales = &scales[8 * n..8 * n + 8];
            let outputs = &mut outputs[8 * n..8 * n + 8];
            unsafe {
                let sums = _mm256_add_epi32(_mm256_slli_epi32::<{ HALF as i32 }>(self.0), low.0);
                let scaled =
                    _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(scales.as_ptr()));
                let sum = _mm256_add_ps(_mm256_loadu_ps(outputs.as_ptr()), scaled);
                _mm256_storeu_ps(outputs.as_mut_ptr(), sum);
            }
        }
    }
}
