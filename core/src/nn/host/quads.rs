//! The inner loop of processors that multiply four neighbouring inputs in 8 bits with their weights and add all up in one
//! instruction, the inputs without a sign: AVX-512 VNNI and AVX-VNNI, and WebAssembly's relaxed dot product.
//!
//! A code becomes two halves without sign: of 16 bits two of 8, in WebAssembly, whose inputs have 7 bits for certain, of 14
//! bits two of 7. With [`HALF`] bits `code + 2^(2 HALF - 1) = 2^HALF high + low`, so the high halves' sums start from
//! `-2^(HALF - 1)` times the sum of the weights, and `2^HALF` of them with the low halves' are the sums of the codes, to the
//! bit. A step has the weights as `[PANEL, 4]`; of the inputs the first word has the four high halves, the second the low ones.

use super::panel::{Outputs, PANEL, Panel, ROWS, Rows, STEP, Step};
use super::vector::{Vector, add_rows};
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
    // Spelled out: `map` is not always inlined, which costs a fifth of a layer's time.
    let [a, b, c, d] = codes;
    let half = |code: i32, above: u32| (code + MOST + 1) >> above & ((1 << HALF) - 1);
    let word =
        |above| half(a, above) | half(b, above) << 8 | half(c, above) << 16 | half(d, above) << 24;
    [word(HALF), word(0)]
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

/// Adds the products of rows with a panel, whose sums are exact within a block, to their outputs.
pub fn add_products(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    #[cfg(target_arch = "x86_64")]
    if x86::avx512() {
        // SAFETY: the processor has what is asked for.
        return unsafe { x86::add_products_avx512(panel, rows, outputs) };
    } else if x86::avx() {
        // SAFETY: as above.
        return unsafe { x86::add_products_avx(panel, rows, outputs) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    return tile::<core::arch::wasm32::v128, 4>(panel, rows, outputs);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    plain(panel, rows, outputs)
}

/// Each loop that this processor has, also those that [`add_products`] passes by.
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
        if x86::avx() {
            all.push(|panel, rows, outputs| unsafe { x86::add_products_avx(panel, rows, outputs) });
        }
    }
    all
}

/// [`add_products`] on any processor.
pub fn plain(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    tile::<[i32; PANEL], 1>(panel, rows, outputs)
}

/// Multiplies quads.
trait Quads: Vector {
    /// Adds the products of weights and halves.
    fn plus(self, weights: Self, halves: Self) -> Self;
}

/// [`add_products`] with vectors of which `N` make a panel. Inlined, so that it is compiled for the
/// processor of the function that calls it.
#[inline(always)]
fn tile<V: Quads, const N: usize>(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
    const { assert!(N * V::OUTPUTS == PANEL) };
    // Lengths that the compiler knows: where the loop stands alone nothing may panic.
    for few in 0..ROWS / FEW {
        if few * FEW >= outputs.rows() {
            break;
        }
        let mut floats = [[V::NOTHING; N]; FEW];
        let steps = panel.steps.chunks_exact(panel.block);
        let words = rows.words.as_chunks::<2>().0.chunks_exact(panel.block);
        let scales = panel.scales.iter().zip(panel.starts).zip(rows.scales);
        for ((steps, words), ((scales, start), row_scales)) in steps.zip(words).zip(scales) {
            let mut high: [[V; N]; FEW] = [from_fn(|n| V::load(start, n)); FEW];
            let mut low = [[V::splat(0); N]; FEW];
            for (step, words) in steps.iter().zip(words) {
                let weights: [V; N] = from_fn(|n| V::quads(&step.0[n * STEP * V::OUTPUTS..]));
                for (sums, words) in [&mut high, &mut low].into_iter().zip(words) {
                    for (sums, &halves) in sums.iter_mut().zip(&words.as_chunks::<FEW>().0[few]) {
                        let halves = V::splat(halves);
                        for (sum, &weights) in sums.iter_mut().zip(&weights) {
                            *sum = sum.plus(weights, halves);
                        }
                    }
                }
            }
            let row_scales = &row_scales.as_chunks::<FEW>().0[few];
            let rows = high.iter().zip(&low).zip(&mut floats).zip(row_scales);
            for (((high, low), floats), &row) in rows {
                for (n, ((high, &low), float)) in high.iter().zip(low).zip(floats).enumerate() {
                    let sums = high.times::<HALF>().add(low);
                    *float = sums.scaled(row, n, scales, *float);
                }
            }
        }
        add_rows::<V, N>(&floats, few * FEW, 0, outputs);
    }
}

/// Any processor.
impl Quads for [i32; PANEL] {
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
}

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod wasm {
    use super::Quads;
    use core::arch::wasm32::*;

    impl Quads for v128 {
        #[inline(always)]
        fn plus(self, weights: Self, halves: Self) -> Self {
            i32x4_relaxed_dot_i8x16_i7x16_add(weights, halves, self)
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    use super::super::panel::{Outputs, Panel, Rows};
    use super::super::vector::x86::{Avx2, Avx512};
    use super::{Quads, tile};
    use std::arch::is_x86_feature_detected as has;
    use std::arch::x86_64::*;

    /// Whether there is AVX-512 VNNI.
    pub fn avx512() -> bool {
        has!("avx512f") && has!("avx512vnni")
    }

    /// Whether there is AVX-VNNI.
    pub fn avx() -> bool {
        has!("avx2") && has!("avxvnni")
    }

    /// As [`super::add_products`].
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub fn add_products_avx512(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
        tile::<Avx512, 1>(panel, rows, outputs)
    }

    /// As [`super::add_products`].
    #[target_feature(enable = "avx2,avxvnni")]
    pub fn add_products_avx(panel: Panel<'_>, rows: Rows<'_>, outputs: &mut Outputs) {
        tile::<Avx2, 2>(panel, rows, outputs)
    }

    // SAFETY, of every call in here: `add_products_avx512` alone uses it, and runs where there is what it asks for.
    impl Quads for Avx512 {
        #[inline(always)]
        fn plus(self, weights: Self, halves: Self) -> Self {
            Self(unsafe { _mm512_dpbusd_epi32(self.0, halves.0, weights.0) })
        }
    }

    // SAFETY, of every call in here: `products_avx` alone uses it, and runs where there is what it asks for.
    impl Quads for Avx2 {
        #[inline(always)]
        fn plus(self, weights: Self, halves: Self) -> Self {
            Self(unsafe { _mm256_dpbusd_avx_epi32(self.0, halves.0, weights.0) })
        }
    }
}
