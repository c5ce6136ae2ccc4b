//! Which inner loop computes quantised linear layers: the one choice, made by what the processor can do.
//!
//! Microseconds that the linear layers of one layer of MiniLM-L6 take, natively on an AMD EPYC with AVX-512 VNNI
//! (`tests/bench/lanes.sh`; the least of 400 runs on a busy machine):
//!
//! | loop | 8 subwords | 16 | 32 |
//! |---|---|---|---|
//! | [`Lanes::Pairs`], AVX2 | 204 | 407 | 814 |
//! | [`Lanes::Quads`], AVX-512 VNNI | 149 | 297 | 593 |

use crate::nn::host::job::Job;
use crate::nn::host::panel::STEP;
use crate::nn::host::{pairs, quads};
use std::sync::OnceLock;

/// A loop of another program that shares this one's memory: in a browser a second module, with instructions that not every browser
/// has, so that one file for all cannot hold them.
pub type Foreign = unsafe extern "C" fn(*const Job);

/// The foreign loop, or that there is none: decided where something is first laid out.
static FOREIGN: OnceLock<Option<Foreign>> = OnceLock::new();

/// Has everything laid out for `Lanes::Quads` and computed by `quads`. False, and nothing is done, where something is laid out
/// already or there is another loop.
///
/// # Safety
/// It must compute jobs as [`Job::compute`] does, and do nothing else.
pub unsafe fn use_foreign(quads: Foreign) -> bool {
    FOREIGN.set(Some(quads)).is_ok()
}

fn foreign() -> Option<Foreign> {
    *FOREIGN.get_or_init(|| None)
}

/// An inner loop, and so how weights and inputs are laid out. Natively both have the same sums, to the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// Two inputs of 16 bits in one instruction.
    Pairs,
    /// Four halves of inputs, of 8 bits or 7, in one instruction.
    Quads,
}

impl Lanes {
    /// The fastest that this processor has.
    pub fn here() -> Self {
        if quads::there() || foreign().is_some() {
            Self::Quads
        } else {
            Self::Pairs
        }
    }

    /// The largest code of an input.
    pub fn most(self) -> i32 {
        match self {
            Self::Pairs => pairs::MOST,
            Self::Quads => quads::MOST,
        }
    }

    /// Where in a step the weight of an input for an output lies.
    pub fn place(self, input: usize, output: usize) -> usize {
        match self {
            Self::Pairs => pairs::place(input, output),
            Self::Quads => quads::place(input, output),
        }
    }

    /// The words of the codes of a step's inputs.
    #[inline(always)]
    pub fn words(self, codes: [i32; STEP]) -> [i32; 2] {
        match self {
            Self::Pairs => pairs::words(codes),
            Self::Quads => quads::words(codes),
        }
    }

    /// Does a job that is laid out for it.
    ///
    /// # Safety
    /// As for [`Job::compute`].
    pub unsafe fn compute(self, job: &Job) {
        // SAFETY: the caller's, and that of whoever gave the foreign loop.
        unsafe {
            match (self, foreign()) {
                (Self::Pairs, _) => job.compute(pairs::products),
                (Self::Quads, None) => job.compute(quads::products),
                (Self::Quads, Some(foreign)) => foreign(job),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::host::panel::{Inputs, MOST_IN_BLOCK, PANEL, Panel, Products, ROWS, Step};
    use crate::splitmix::SplitMix64;
    use std::array::from_fn;

    const BLOCKS: usize = 3;

    /// Weights of inputs for a panel of outputs, `[input, PANEL]`, codes of inputs, `[input, ROWS]`, and scales of blocks.
    struct Case {
        weights: Vec<[i32; PANEL]>,
        codes: Vec<[i32; ROWS]>,
        scales: [[f32; PANEL]; BLOCKS],
        block: usize,
    }

    impl Case {
        /// Random, the extremes among them.
        fn random(block: usize) -> Self {
            let mut random = SplitMix64(block as u64);
            let mut within = |most: i32| match random.below(4) {
                0 => most,
                1 => -most,
                _ => random.below(2 * most as usize + 1) as i32 - most,
            };
            let inputs = BLOCKS * block;
            Self {
                weights: (0..inputs).map(|_| from_fn(|_| within(127))).collect(),
                codes: (0..inputs)
                    .map(|_| from_fn(|_| within(quads::MOST)))
                    .collect(),
                scales: from_fn(|b| from_fn(|o| 1e-7 * (o + b + 1) as f32)),
                block,
            }
        }

        /// What is right: sums in whole numbers of 64 bits, blocks added up in f32 one after the other.
        fn expected(&self) -> Products {
            from_fn(|r| {
                from_fn(|o| {
                    let inputs = self.weights.iter().zip(&self.codes);
                    let products: Vec<i64> = inputs
                        .map(|(weights, codes)| i64::from(weights[o]) * i64::from(codes[r]))
                        .collect();
                    let blocks = products.chunks(self.block).zip(&self.scales);
                    blocks.fold(0.0, |sum, (products, scales)| {
                        sum + products.iter().sum::<i64>() as f32 * scales[o]
                    })
                })
            })
        }

        fn by(
            &self,
            lanes: Lanes,
            products: impl Fn(Panel<'_>, &[Inputs]) -> Products,
        ) -> Products {
            let steps = self.weights.chunks(STEP).map(|weights| {
                let mut step = Step([0; STEP * PANEL]);
                for (i, weights) in weights.iter().enumerate() {
                    for (o, &weight) in weights.iter().enumerate() {
                        step.0[lanes.place(i, o)] = weight as i8;
                    }
                }
                step
            });
            let steps: Vec<Step> = steps.collect();
            let starts: Vec<_> = steps.chunks(self.block / STEP).map(quads::start).collect();
            let rows = self.codes.chunks(STEP).map(|codes| {
                let words: [[i32; 2]; ROWS] = from_fn(|r| lanes.words(from_fn(|i| codes[i][r])));
                from_fn(|word| words.map(|words| words[word]))
            });
            let panel = Panel {
                steps: &steps,
                scales: &self.scales,
                starts: &starts,
                block: self.block / STEP,
            };
            products(panel, &rows.collect::<Vec<Inputs>>())
        }

        fn is_right_by_all(&self) {
            let expected = self.expected();
            assert_eq!(self.by(Lanes::Pairs, pairs::products), expected);
            assert_eq!(self.by(Lanes::Pairs, pairs::plain), expected);
            // Where the processor has no such instruction this is the plain loop again.
            assert_eq!(self.by(Lanes::Quads, quads::products), expected);
            assert_eq!(self.by(Lanes::Quads, quads::plain), expected);
            for own in quads::every() {
                assert_eq!(self.by(Lanes::Quads, own), expected);
            }
        }
    }

    #[test]
    fn every_loop_has_the_same_bits() {
        for block in [4, 8, 16, 32, MOST_IN_BLOCK] {
            Case::random(block).is_right_by_all();
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        for (weight, code) in [127, -127]
            .map(|weight| [quads::MOST, -quads::MOST].map(|code| (weight, code)))
            .concat()
        {
            let inputs = BLOCKS * MOST_IN_BLOCK;
            let case = Case {
                weights: vec![[weight; PANEL]; inputs],
                codes: vec![[code; ROWS]; inputs],
                scales: [[1.0; PANEL]; BLOCKS],
                block: MOST_IN_BLOCK,
            };
            case.is_right_by_all();
        }
    }
}
