//! Random numbers that depend on nothing but what is written in the call.

use crate::splitmix::SplitMix64;

/// What random numbers are drawn for; every purpose has its own.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Which samples of a corpus an epoch uses; the number of the corpus.
    Choose(usize),
    /// The order of batches and of samples in them.
    Order,
}

/// A generator for one purpose in one epoch. The same numbers on every machine: a resumed training
/// draws what the interrupted one would have drawn.
pub(super) fn rng(purpose: Purpose, seed: u64, epoch: usize) -> SplitMix64 {
    let (purpose, part) = match purpose {
        Purpose::Choose(corpus) => (1, corpus as u64),
        Purpose::Order => (2, 0),
    };
    // Each word goes through the generator, so that neighbouring seeds or epochs share nothing.
    let mix = |state: u64, word: u64| SplitMix64(state ^ word).next_u64();
    SplitMix64([seed, epoch as u64, purpose, part].into_iter().fold(0, mix))
}
