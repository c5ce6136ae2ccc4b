//! Which inner loop computes quantised linear layers: the one choice, made by what the processor can do.
//!
//! Microseconds that the linear layers of one layer of MiniLM-L6 take on an AMD EPYC with AVX-512 VNNI, natively and as WebAssembly in
//! Node 24, whose V8 knows AVX-VNNI alone (`tests/bench/lanes.sh`; the least of 400 runs):
//!
//! | weights and inputs | loop | 8 subwords | 16 | 32 | as WebAssembly, 32 |
//! |---|---|---|---|---|---|
//! | 8 and 16 bits | [`Lanes::Pairs`], AVX2 | 213 | 420 | 837 | 1,827 |
//! | | [`Lanes::Quads`], AVX-512 VNNI | 154 | 306 | 609 | 3,085 (14 bits) |
//! | 4 and 8 bits | [`Lanes::Pairs`], AVX2 | 207 | 412 | 819 | 1,875 |
//! | | [`Lanes::Bytes`], AVX-512 VNNI | 88 | 175 | 347 | 906 |

use crate::nn::host::job::Job;
use crate::nn::host::panel::{self, STEP};
use crate::nn::host::{bytes, pairs, quads, scales};
use std::sync::OnceLock;

/// A loop of another program that shares this one's memory: in a browser a second module, with instructions that not every browser
/// has, so that one file for all cannot hold them.
pub type Foreign = unsafe extern "C" fn(*const Job);

/// Loops of another program, of those that it has.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForeignLoops {
    /// Computes what is laid out for `Lanes::Quads`.
    pub quads: Option<Foreign>,
    /// Computes what is laid out for `Lanes::Bytes`.
    pub bytes: Option<Foreign>,
}

/// The foreign loops: decided where something is first laid out.
static FOREIGN: OnceLock<ForeignLoops> = OnceLock::new();

/// Has everything laid out for these loops, where there are any, and computed by them. False, and nothing is done, where something
/// is laid out already or there are others.
///
/// # Safety
/// They must compute jobs as [`Job::fine`] and [`Job::coarse`] do, and do nothing else.
pub unsafe fn use_foreign(loops: ForeignLoops) -> bool {
    FOREIGN.set(loops).is_ok()
}

fn foreign() -> ForeignLoops {
    *FOREIGN.get_or_init(ForeignLoops::default)
}

/// How finely inputs are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To 16 bits, in a browser's relaxed loop to 14: fine enough that nothing notable is lost.
    Fine,
    /// To 8 bits, as behoves weights of 4, many inputs by one scale, so that their sums stay whole numbers. A matter of the layer, not of the
    /// processor: every loop rounds alike.
    Coarse,
}

impl Precision {
    /// The most inputs that a block of weights may have.
    pub fn most_in_block(self) -> usize {
        match self {
            Self::Fine => panel::MOST_IN_BLOCK,
            Self::Coarse => bytes::MOST_IN_BLOCK,
        }
    }
}

/// An inner loop, and so how weights and inputs are laid out. For inputs of the same precision all have, natively, the same sums, to
/// the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// Two inputs of 16 bits in one instruction, or of 8.
    Pairs,
    /// Four halves of inputs, of 8 bits or 7, in one instruction.
    Quads,
    /// Four inputs of 8 bits and weights of 4 in one instruction.
    Bytes,
}

impl Lanes {
    /// The fastest that this processor has.
    pub fn here(precision: Precision) -> Self {
        let foreign = foreign();
        match precision {
            Precision::Fine if quads::there() || foreign.quads.is_some() => Self::Quads,
            Precision::Coarse if bytes::there() || foreign.bytes.is_some() => Self::Bytes,
            _ => Self::Pairs,
        }
    }

    /// Where in a step the weight of an input for an output lies.
    pub fn place(self, input: usize, output: usize) -> usize {
        match self {
            Self::Pairs => pairs::place(input, output),
            Self::Quads | Self::Bytes => quads::place(input, output),
        }
    }

    /// How a weight lies there.
    pub fn weight(self, code: i8) -> i8 {
        match self {
            Self::Pairs | Self::Quads => code,
            Self::Bytes => bytes::weight(code),
        }
    }

    /// Words of the inputs of a step.
    pub fn words_a_step(self) -> usize {
        match self {
            Self::Pairs | Self::Quads => 2,
            Self::Bytes => 1,
        }
    }
}

/// How a layer and its inputs are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How finely inputs are rounded.
    pub precision: Precision,
    /// For which loop.
    pub lanes: Lanes,
    /// Steps of a block of weights.
    pub block: usize,
}

impl Layout {
    /// For a loop, a block of weights having `block` inputs.
    ///
    /// # Panics
    /// If `block` is no multiple of 4 or more than the precision allows, or the loop is of another precision.
    pub fn of(precision: Precision, lanes: Lanes, block: usize) -> Self {
        assert!(
            block > 0 && block.is_multiple_of(STEP) && block <= precision.most_in_block(),
            "blocks of {block} inputs"
        );
        let fits = match precision {
            Precision::Fine => lanes != Lanes::Bytes,
            Precision::Coarse => lanes != Lanes::Quads,
        };
        assert!(fits, "{lanes:?} for inputs that are {precision:?}");
        Self {
            precision,
            lanes,
            block: block / STEP,
        }
    }

    /// The largest code of an input.
    pub fn most(self) -> i32 {
        match (self.precision, self.lanes) {
            (Precision::Coarse, _) => bytes::MOST,
            (Precision::Fine, Lanes::Quads) => quads::MOST,
            (Precision::Fine, _) => pairs::MOST,
        }
    }

    /// How many blocks of coarse inputs share a scale.
    pub fn blocks_a_scale(self) -> usize {
        (scales::INPUTS_A_SCALE / (STEP * self.block)).max(1)
    }

    /// How many inputs of a row share a scale; the last of a row may be fewer.
    pub fn inputs_a_scale(self) -> usize {
        let block = STEP * self.block;
        match self.precision {
            Precision::Fine => block,
            Precision::Coarse => block * self.blocks_a_scale(),
        }
    }

    /// Does a job that is laid out so.
    ///
    /// # Safety
    /// As for [`Job::fine`].
    pub unsafe fn compute(self, job: &Job) {
        let foreign = foreign();
        // SAFETY: the caller's, and that of whoever gave the foreign loops.
        unsafe {
            match (self.lanes, self.precision) {
                (Lanes::Pairs, Precision::Fine) => job.fine(pairs::add_products),
                (Lanes::Pairs, Precision::Coarse) => job.coarse(pairs::add_coarse_products),
                (Lanes::Quads, _) => match foreign.quads {
                    Some(by) => by(job),
                    None => job.fine(quads::add_products),
                },
                (Lanes::Bytes, _) => match foreign.bytes {
                    Some(by) => by(job),
                    None => job.coarse(bytes::add_products),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::host::panel::{MOST_IN_BLOCK, Outputs, PANEL, Panel, ROWS, Rows, Step, Words};
    use crate::splitmix::SplitMix64;
    use std::array::from_fn;

    const BLOCKS: usize = 3;
    const BLOCKS_A_SCALE: usize = 2;
    type Sums = [[f32; PANEL]; ROWS];
    /// What outputs hold before.
    const BEFORE: f32 = 0.25;
    /// So large that with all else at its extremes the sums of two blocks just fit into 32 bits.
    const MOST_FACTOR: i32 = 32_767;

    /// Weights of inputs for a panel of outputs, `[input, PANEL]`, codes of inputs, `[input, ROWS]`, and what blocks are multiplied by:
    /// scales, or the factors and then the first of the scales.
    struct Case {
        weights: Vec<[i32; PANEL]>,
        codes: Vec<[i32; ROWS]>,
        scales: [[f32; PANEL]; BLOCKS],
        row_scales: [[f32; ROWS]; BLOCKS],
        factors: [[i16; PANEL]; BLOCKS],
        block: usize,
    }

    impl Case {
        /// Random, the extremes among them, `weights` of codes from the least to the largest and codes of inputs up to `most`.
        fn random(block: usize, weights: [i32; 2], most: i32) -> Self {
            let mut random = SplitMix64(block as u64);
            let mut within = |[least, most]: [i32; 2]| match random.below(4) {
                0 => most,
                1 => least,
                _ => random.below((most - least + 1) as usize) as i32 + least,
            };
            let inputs = BLOCKS * block;
            Self {
                weights: (0..inputs).map(|_| from_fn(|_| within(weights))).collect(),
                codes: (0..inputs)
                    .map(|_| from_fn(|_| within([-most, most])))
                    .collect(),
                scales: from_fn(|b| from_fn(|o| 1e-4 * (o + b + 1) as f32)),
                row_scales: from_fn(|b| from_fn(|r| 1e-3 * (r + 2 * b + 1) as f32)),
                factors: from_fn(|_| from_fn(|_| within([-MOST_FACTOR, MOST_FACTOR]) as i16)),
                block,
            }
        }

        /// All weights and all codes alike.
        fn alike(block: usize, weight: i32, code: i32) -> Self {
            let inputs = BLOCKS * block;
            Self {
                weights: vec![[weight; PANEL]; inputs],
                codes: vec![[code; ROWS]; inputs],
                scales: [[1.0; PANEL]; BLOCKS],
                row_scales: [[1.0; ROWS]; BLOCKS],
                factors: [[MOST_FACTOR as i16; PANEL]; BLOCKS],
                block,
            }
        }

        /// What is right: sums in whole numbers of 64 bits; of fine inputs blocks are added up in f32 one after the other.
        fn expected(&self, precision: Precision) -> Sums {
            from_fn(|r| {
                from_fn(|o| {
                    let inputs = self.weights.iter().zip(&self.codes);
                    let products: Vec<i64> = inputs
                        .map(|(weights, codes)| i64::from(weights[o]) * i64::from(codes[r]))
                        .collect();
                    let blocks = products
                        .chunks(self.block)
                        .map(|block| block.iter().sum::<i64>());
                    let scaled =
                        |sum: i64, b: usize| sum as f32 * self.row_scales[b][r] * self.scales[b][o];
                    let all = match precision {
                        Precision::Fine => blocks
                            .enumerate()
                            .fold(0.0, |all, (b, sum)| all + scaled(sum, b)),
                        Precision::Coarse => {
                            let sums: Vec<i64> = blocks
                                .zip(self.factors)
                                .map(|(sum, factors)| sum * i64::from(factors[o]))
                                .collect();
                            // Blocks that share a scale are added up before.
                            let scales = sums.chunks(BLOCKS_A_SCALE).enumerate();
                            scales.fold(0.0, |all, (s, sums)| {
                                all + sums.iter().sum::<i64>() as f32
                                    * self.row_scales[s][r]
                                    * self.scales[0][o]
                            })
                        }
                    };
                    BEFORE + all
                })
            })
        }

        fn by(
            &self,
            precision: Precision,
            lanes: Lanes,
            add_products: impl Fn(Panel<'_>, Rows<'_>, &mut Outputs),
        ) -> Sums {
            let steps = self.weights.chunks(STEP).map(|weights| {
                let mut step = Step([0; STEP * PANEL]);
                for (i, weights) in weights.iter().enumerate() {
                    for (o, &weight) in weights.iter().enumerate() {
                        step.0[lanes.place(i, o)] = lanes.weight(weight as i8);
                    }
                }
                step
            });
            let steps: Vec<Step> = steps.collect();
            let block = self.block / STEP;
            let starts: Vec<_> = match lanes {
                Lanes::Quads => steps.chunks(block).map(quads::start).collect(),
                _ => Vec::new(),
            };
            let words = self.codes.chunks(STEP).flat_map(|codes| {
                let words: [[i32; 2]; ROWS] = from_fn(|r| {
                    let codes: [i32; STEP] = from_fn(|i| codes[i][r]);
                    match lanes {
                        Lanes::Pairs => pairs::words(codes),
                        Lanes::Quads => quads::words(codes),
                        Lanes::Bytes => [bytes::word(codes.map(|code| code as i8)), 0],
                    }
                });
                (0..lanes.words_a_step()).map(move |word| words.map(|words| words[word]))
            });
            let words: Vec<Words> = words.collect();
            let row_starts: Vec<Words> = match lanes {
                Lanes::Bytes => words.chunks(block).map(bytes::starts).collect(),
                _ => Vec::new(),
            };
            let [scales, row_scales] = match precision {
                Precision::Fine => [BLOCKS, BLOCKS],
                Precision::Coarse => [1, BLOCKS.div_ceil(BLOCKS_A_SCALE)],
            };
            let panel = Panel {
                steps: &steps,
                scales: &self.scales[..scales],
                starts: &starts,
                factors: &self.factors.map(|factors| factors.map(scales::twice)),
                block,
            };
            let rows = Rows {
                words: &words,
                scales: &self.row_scales[..row_scales],
                blocks_a_scale: BLOCKS_A_SCALE,
                starts: &row_starts,
            };
            let mut sums = [[BEFORE; PANEL]; ROWS];
            // Of fewer rows the others' stay as they are.
            for many in 1..=ROWS {
                sums = [[BEFORE; PANEL]; ROWS];
                let first = sums.as_flattened_mut().as_mut_ptr();
                // SAFETY: there are as many.
                let mut outputs = unsafe { Outputs::new(first, PANEL, many) };
                add_products(panel, rows, &mut outputs);
                assert_eq!(sums[many..], [[BEFORE; PANEL]; ROWS][many..]);
            }
            sums
        }

        fn is_right_by_all_fine(&self) {
            let by = |lanes, own: fn(Panel<'_>, Rows<'_>, &mut Outputs)| {
                assert_eq!(
                    self.by(Precision::Fine, lanes, own),
                    self.expected(Precision::Fine)
                );
            };
            by(Lanes::Pairs, pairs::add_products);
            by(Lanes::Pairs, pairs::plain);
            // Where the processor has no such instruction this is the plain loop again.
            by(Lanes::Quads, quads::add_products);
            for own in quads::every() {
                by(Lanes::Quads, own);
            }
        }

        fn is_right_by_all_coarse(&self) {
            let by = |lanes, own: fn(Panel<'_>, Rows<'_>, &mut Outputs)| {
                assert_eq!(
                    self.by(Precision::Coarse, lanes, own),
                    self.expected(Precision::Coarse)
                );
            };
            by(Lanes::Pairs, pairs::add_coarse_products);
            by(Lanes::Pairs, pairs::coarse_plain);
            by(Lanes::Bytes, bytes::add_products);
            for own in bytes::every() {
                by(Lanes::Bytes, own);
            }
        }
    }

    #[test]
    fn every_loop_has_the_same_bits() {
        for block in [4, 8, 16, 32, MOST_IN_BLOCK] {
            Case::random(block, [-127, 127], quads::MOST).is_right_by_all_fine();
        }
        let weights = [bytes::WEIGHTS.start, bytes::WEIGHTS.end - 1].map(i32::from);
        for block in [4, 8, 16, 32, bytes::MOST_IN_BLOCK] {
            Case::random(block, weights, bytes::MOST).is_right_by_all_coarse();
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        for sign in [1, -1] {
            for weight in [127, -127] {
                Case::alike(MOST_IN_BLOCK, weight, sign * quads::MOST).is_right_by_all_fine();
            }
            for weight in [bytes::WEIGHTS.start, bytes::WEIGHTS.end - 1] {
                Case::alike(bytes::MOST_IN_BLOCK, i32::from(weight), sign * bytes::MOST)
                    .is_right_by_all_coarse();
            }
        }
    }
}
