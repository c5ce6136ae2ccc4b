//! The inner loop of layers whose weights have 4 bits and whose inputs have 8: both are bytes as they are, multiplied four at a
//! time. AVX-512 VNNI, AVX2 and WebAssembly's relaxed dot product of bytes have instructions for it that want one side
//! without sign, which is the weights with 8 added.
//!
//! AVX2 and WebAssembly add up two products in 16 bits, so a step's inputs go into two sums of 16 bits for each output, the first
//! two into the lower one, from which what weights have added is taken for both. Those of a whole block fit: they wrap on the way, but 32
//! inputs of 127 times weights of -8 are -32,512, and 16 times 15, as the upper one has them, 30,480. So they can be multiplied by the
//! block's factor ([`scales`](super::scales)) and added up by one more instruction for products in 16 bits. A step has the weights in
//! the order of `quads`, `[PANEL, 4]`, and of the inputs one word.

use super::panel::{Outputs, PANEL, Panel, ROWS, Rows, STEP, Words};
use super::vector::{Vector, add_rows, add_scaled};
use core::array::from_fn;
use core::slice::from_raw_parts;

/// The largest code of an input.
pub const MOST: i32 = 127;

/// Most inputs of a block: their sum fits into 16 bits.
pub const MOST_IN_BLOCK: usize = 32;

/// The codes that a weight may have.
pub const WEIGHTS: core::ops::Range<i8> = -8..8;

/// What weights have added.
const ADDED: i8 = 8;

/// How a weight lies there.
pub fn weight(code: i8) -> i8 {
    code + ADDED
}

/// The word of the codes of a step's inputs.
#[inline(always)]
pub fn word(codes: [i8; STEP]) -> i32 {
    i32::from_le_bytes(codes.map(|code| code as u8))
}

/// What the sums of a block start from, by its words: of each row a number of 16 bits, for all that weights have added; in WebAssembly the
/// other 16 are 0.
#[inline(always)]
pub fn starts(block: &[Words]) -> Words {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return wasm::starts(block);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    {
        let mut sums = [0; ROWS];
        for words in block {
            for (sum, word) in sums.iter_mut().zip(words) {
                let codes = word.to_le_bytes().map(|code| i32::from(code as i8));
                *sum += codes.iter().sum::<i32>();
            }
        }
        sums.map(|sum| -i32::from(ADDED) * sum)
    }
}

/// Whether this processor has such an instruction.
pub fn there() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2") || x86::avx512();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Adds the products of rows with a panel, whose sums are exact within a block, to their outputs.
pub fn add_products(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    #[cfg(target_arch = "x86_64")]
    if x86::avx512() {
        // SAFETY: the processor has what is asked for.
        return unsafe { x86::add_products_avx512(panel, rows, outputs) };
    } else if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        return unsafe { x86::add_products_avx2(panel, rows, outputs) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    return tile::<core::arch::wasm32::v128, 2>(panel, rows, outputs);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    plain(panel, rows, outputs)
}

/// Every loop that this processor has, also those that [`add_products`] passes by.
#[cfg(test)]
pub fn every() -> Vec<fn(Panel<'_>, Rows<'_>, &mut Outputs)> {
    let mut all: Vec<fn(Panel<'_>, Rows<'_>, &mut Outputs)> = vec![plain];
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY, of both: the processor has what is asked for.
        if x86::avx512() {
            all.push(|panel, rows, outputs| unsafe {
                x86::add_products_avx512(panel, rows, outputs)
            });
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            all.push(|panel, rows, outputs| unsafe {
                x86::add_products_avx2(panel, rows, outputs)
            });
        }
    }
    all
}

/// [`add_products`] on any processor.
pub fn plain(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    tile::<[i32; PANEL], 1>(panel, rows, outputs)
}

/// Multiplies bytes.
trait Bytes: Vector {
    /// Sums that start from what [`starts`] says, the lower one where there are two.
    fn start(start: i32) -> Self;
    /// Adds the products of weights and inputs.
    fn plus(self, weights: Self, inputs: Self) -> Self;
    /// The factors of such sums, of words that have them in both halves: in as many halves as there are sums.
    fn factors(words: Self) -> Self;
}

/// [`add_products`] with vectors of which `N` are summed up at once for each row, so that the sums of [`ROWS`] rows leave room in 16
/// registers for what is multiplied. Inlined, so that it is compiled for the
/// processor of the function that calls it.
#[inline(always)]
fn tile<V: Bytes, const N: usize>(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    const { assert!(PANEL.is_multiple_of(N * V::OUTPUTS)) };
    // No index, for where the loop stands alone nothing may panic.
    let Some(scales) = panel.scales.first() else {
        return;
    };
    let size = STEP * N * V::OUTPUTS;
    for part in 0..PANEL / (N * V::OUTPUTS) {
        let mut floats = [[V::NOTHING; N]; ROWS];
        let steps = panel.steps.chunks_exact(panel.block);
        let words = rows.words.chunks_exact(panel.block);
        let mut blocks = steps.zip(words).zip(panel.factors.iter().zip(rows.starts));
        for row_scales in rows.scales {
            let mut all = [[V::splat(0); N]; ROWS];
            for ((steps, words), (factors, starts)) in blocks.by_ref().take(rows.blocks_a_scale) {
                let mut sums: [[V; N]; ROWS] = starts.map(|start| [V::start(start); N]);
                // The part's weights of a step by an address that goes along with the words: from an index each would be computed anew.
                let mut at = steps.as_ptr().cast::<i8>().wrapping_add(part * size);
                for words in words {
                    // SAFETY: there are as many steps as words.
                    let weights = unsafe { from_raw_parts(at, size) };
                    let weights: [V; N] = from_fn(|n| V::quads(&weights[n * STEP * V::OUTPUTS..]));
                    at = at.wrapping_add(STEP * PANEL);
                    for (sums, &word) in sums.iter_mut().zip(words) {
                        let inputs = V::splat(word);
                        for (sum, &weights) in sums.iter_mut().zip(&weights) {
                            *sum = sum.plus(weights, inputs);
                        }
                    }
                }
                let factors: [V; N] = from_fn(|n| V::factors(V::load(factors, part * N + n)));
                for (all, sums) in all.iter_mut().zip(sums) {
                    for ((all, sum), &factors) in all.iter_mut().zip(sums).zip(&factors) {
                        *all = all.plus_times(sum, factors);
                    }
                }
            }
            add_scaled::<V, N>(&all, row_scales, scales, part * N, &mut floats);
        }
        add_rows::<V, N>(&floats, 0, part * N, outputs);
    }
}

/// Any processor.
impl Bytes for [i32; PANEL] {
    #[inline(always)]
    fn start(start: i32) -> Self {
        [i32::from(start as i16); PANEL]
    }
    #[inline(always)]
    fn plus(self, weights: Self, inputs: Self) -> Self {
        from_fn(|o| {
            let weights = weights[o].to_le_bytes().map(i32::from);
            let inputs = inputs[o].to_le_bytes().map(|code| i32::from(code as i8));
            self[o] + weights.iter().zip(inputs).map(|(w, x)| w * x).sum::<i32>()
        })
    }
    #[inline(always)]
    fn factors(words: Self) -> Self {
        words.upper()
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use super::{ADDED, Words};
    use core::arch::wasm32::*;

    /// As [`super::starts`].
    #[inline(always)]
    pub fn starts(block: &[Words]) -> Words {
        let mut sums = i16x8_splat(0);
        for words in block {
            // SAFETY: a step's words are the bytes that are read.
            let codes = unsafe { v128_load(words.as_ptr().cast()) };
            sums = i16x8_add(sums, i16x8_extadd_pairwise_i8x16(codes));
        }
        let mut starts = Words::default();
        let scaled = i32x4_dot_i16x8(sums, i16x8_splat(-i16::from(ADDED)));
        let scaled = v128_and(scaled, u32x4_splat(0xffff));
        // SAFETY: as many bytes are written.
        unsafe { v128_store(starts.as_mut_ptr().cast(), scaled) };
        starts
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed {
    use super::Bytes;
    use core::arch::wasm32::*;

    impl Bytes for v128 {
        #[inline(always)]
        fn start(start: i32) -> Self {
            i32x4_splat(start)
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            // The second operand has to be without sign, and of 7 bits.
            i16x8_add(self, i16x8_relaxed_dot_i8x16_i7x16(inputs, weights))
        }
        #[inline(always)]
        fn factors(words: Self) -> Self {
            words
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::panel::{Outputs, Panel, Rows};
    pub use super::super::quads::x86::avx512;
    use super::super::vector::Vector;
    use super::super::vector::x86::{Avx2, Avx512};
    use super::{Bytes, tile};
    use std::arch::x86_64::*;

    /// As [`super::add_products`].
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub fn add_products_avx512(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
        tile::<Avx512, 1>(panel, rows, outputs)
    }

    /// As [`super::add_products`].
    #[target_feature(enable = "avx2")]
    pub fn add_products_avx2(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
        tile::<Avx2, 2>(panel, rows, outputs)
    }

    // SAFETY, of every call in here: `add_products_avx512` alone uses it, and runs where there is what it asks for.
    impl Bytes for Avx512 {
        #[inline(always)]
        fn start(start: i32) -> Self {
            Self::splat(start)
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            Self(unsafe { _mm512_dpbusd_epi32(self.0, weights.0, inputs.0) })
        }
        #[inline(always)]
        fn factors(words: Self) -> Self {
            words.upper()
        }
    }

    // SAFETY, of every call in here: the loops that use it run where there is AVX2.
    impl Bytes for Avx2 {
        #[inline(always)]
        fn start(start: i32) -> Self {
            Self::splat(start & 0xffff)
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            Self(unsafe { _mm256_add_epi16(self.0, _mm256_maddubs_epi16(weights.0, inputs.0)) })
        }
        #[inline(always)]
        fn factors(words: Self) -> Self {
            words
        }
    }
}
