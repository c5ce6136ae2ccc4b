//! The inner loop of layers whose weights have 4 bits and whose inputs have 8: both are bytes as they are, multiplied four at a
//! time. AVX-512 VNNI, AVX2 and WebAssembly's relaxed dot product of bytes have instructions for it that want one side
//! without sign, which is the weights with 8 added.
//!
//! AVX2 and WebAssembly add up two products in 16 bits, so a step's inputs go into two sums of 16 bits for each output, the first
//! two into the lower one. Those of a whole block fit: they wrap on the way, but 32 inputs of 127 times weights of -8 are
//! -32,512. A step has the weights in the order of `quads`, `[PANEL, 4]`, and of the inputs one word.

use super::panel::{Outputs, PANEL, Panel, ROWS, Rows, STEP, Words};
use super::vector::{Vector, add_rows};
use core::array::from_fn;

/// The largest code of an input.
pub const MOST: i32 = 127;

/// Most inputs that share a scale.
pub const MOST_IN_BLOCK: usize = 64;

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
pub fn word(codes: [i32; STEP]) -> i32 {
    let [a, b, c, d] = codes;
    a & 0xff | (b & 0xff) << 8 | (c & 0xff) << 16 | d << 24
}

/// What the two sums of a block start from, by its words: the lower in the lower half.
#[inline(always)]
pub fn starts(block: &[Words]) -> Words {
    let mut sums = [[0_i32; ROWS]; 2];
    for words in block {
        for (r, word) in words.iter().enumerate() {
            let [a, b, c, d] = word.to_le_bytes().map(|code| i32::from(code as i8));
            sums[0][r] += a + b;
            sums[1][r] += c + d;
        }
    }
    let [low, high] = sums.map(|sums| sums.map(|sum| -i32::from(ADDED) * sum));
    from_fn(|r| low[r] & 0xffff | high[r] << 16)
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
    /// Sums that start from what [`starts`] says.
    fn start(start: i32) -> Self;
    /// Adds the products of weights and inputs.
    fn plus(self, weights: Self, inputs: Self) -> Self;
    /// The sums in 32 bits.
    fn sums(self) -> Self;
}

/// Both halves of a start, added up.
#[inline(always)]
fn whole(start: i32) -> i32 {
    i32::from(start as i16) + (start >> 16)
}

/// [`add_products`] with vectors of which `N` are summed up at once for each row, so that the sums of [`ROWS`] rows leave room in 16
/// registers for what is multiplied. Inlined, so that it is compiled for the
/// processor of the function that calls it.
#[inline(always)]
fn tile<V: Bytes, const N: usize>(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    const { assert!(PANEL.is_multiple_of(N * V::OUTPUTS)) };
    for part in 0..PANEL / (N * V::OUTPUTS) {
        let mut floats = [[V::NOTHING; N]; ROWS];
        let steps = panel.steps.chunks_exact(panel.block);
        let words = rows.words.chunks_exact(panel.block);
        let scales = panel.scales.iter().zip(rows.scales).zip(rows.starts);
        for ((steps, words), ((scales, row_scales), starts)) in steps.zip(words).zip(scales) {
            let mut sums: [[V; N]; ROWS] = starts.map(|start| [V::start(start); N]);
            for (step, words) in steps.iter().zip(words) {
                let weights: [V; N] = from_fn(|n| V::quads(step, part * N + n));
                for (sums, &word) in sums.iter_mut().zip(words) {
                    let inputs = V::splat(word);
                    for (sum, &weights) in sums.iter_mut().zip(&weights) {
                        *sum = sum.plus(weights, inputs);
                    }
                }
            }
            for ((sums, floats), &row) in sums.iter().zip(&mut floats).zip(row_scales) {
                for (n, (sum, float)) in sums.iter().zip(floats).enumerate() {
                    *float = sum.sums().scaled(row, part * N + n, scales, *float);
                }
            }
        }
        add_rows::<V, N>(&floats, 0, part * N, outputs);
    }
}

/// Any processor.
impl Bytes for [i32; PANEL] {
    #[inline(always)]
    fn start(start: i32) -> Self {
        [whole(start); PANEL]
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
    fn sums(self) -> Self {
        self
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod wasm {
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
        fn sums(self) -> Self {
            i32x4_dot_i16x8(self, i16x8_splat(1))
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::panel::{Outputs, Panel, Rows};
    pub use super::super::quads::x86::avx512;
    use super::super::vector::Vector;
    use super::super::vector::x86::{Avx2, Avx512};
    use super::{Bytes, tile, whole};
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
            Self::splat(whole(start))
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            Self(unsafe { _mm512_dpbusd_epi32(self.0, weights.0, inputs.0) })
        }
        #[inline(always)]
        fn sums(self) -> Self {
            self
        }
    }

    // SAFETY, of every call in here: the loops that use it run where there is AVX2.
    impl Bytes for Avx2 {
        #[inline(always)]
        fn start(start: i32) -> Self {
            Self::splat(start)
        }
        #[inline(always)]
        fn plus(self, weights: Self, inputs: Self) -> Self {
            Self(unsafe { _mm256_add_epi16(self.0, _mm256_maddubs_epi16(weights.0, inputs.0)) })
        }
        #[inline(always)]
        fn sums(self) -> Self {
            Self(unsafe { _mm256_madd_epi16(self.0, _mm256_set1_epi16(1)) })
        }
    }
}
