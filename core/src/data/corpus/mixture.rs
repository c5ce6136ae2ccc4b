//! Several corpora as one, each used as often as its weight says.

use crate::data::corpus::rng::{Purpose, rng};
use thiserror::Error;

/// Weights above this are taken for a slip.
pub const LARGEST_WEIGHT: f64 = 100.0;

/// Corpora laid end to end: sample `i` of corpus `c` has the index `i` plus the sizes of the corpora
/// before `c`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    size: usize,
    /// How often an epoch uses every sample.
    copies: usize,
    /// How many samples an epoch uses once more.
    extra: usize,
}

/// Weights that make no mixture.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum MixtureError {
    /// A weight is negative, too large, or no number.
    #[error(
        "corpus {corpus} (counted from 0) has the weight {weight}; expected 0 to {LARGEST_WEIGHT}"
    )]
    Weight {
        /// Position of the corpus.
        corpus: usize,
        /// The weight.
        weight: f64,
    },
    /// No corpus contributes a sample.
    #[error("the weights leave no sample in an epoch; give one corpus a larger weight")]
    Empty,
}

impl Mixture {
    /// A mixture of corpora given as (number of samples, weight).
    ///
    /// An epoch uses `round(weight * size)` samples of a corpus: with weight 1 every sample once, with
    /// 2 every sample twice, with 0.5 another half of them in every epoch, with 0 none.
    ///
    /// # Errors
    /// See [`MixtureError`].
    pub fn new(corpora: &[(usize, f64)]) -> Result<Self, MixtureError> {
        let part = |(corpus, &(size, weight)): (usize, &(usize, f64))| {
            if !(0.0..=LARGEST_WEIGHT).contains(&weight) {
                return Err(MixtureError::Weight { corpus, weight });
            }
            let extra = (weight.fract() * size as f64).round() as usize;
            Ok(Part {
                size,
                copies: weight as usize,
                extra,
            })
        };
        let parts = corpora
            .iter()
            .enumerate()
            .map(part)
            .collect::<Result<_, _>>()?;
        let mixture = Self { parts };
        if mixture.is_empty() {
            Err(MixtureError::Empty)
        } else {
            Ok(mixture)
        }
    }

    /// Number of samples in an epoch; every epoch has the same.
    pub fn len(&self) -> usize {
        self.parts
            .iter()
            .map(|part| part.size * part.copies + part.extra)
            .sum()
    }

    /// Whether an epoch has no samples; never so in a mixture that was made.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The indices of one epoch, corpus by corpus and ascending within each copy. What a corpus
    /// contributes depends on `seed`, `epoch`, and its own position, size and weight only.
    pub fn epoch(&self, seed: u64, epoch: usize) -> Vec<usize> {
        let mut indices = Vec::with_capacity(self.len());
        let mut first = 0;
        for (corpus, part) in self.parts.iter().enumerate() {
            let all = first..first + part.size;
            for _ in 0..part.copies {
                indices.extend(all.clone());
            }
            let mut order: Vec<_> = all.collect();
            rng(Purpose::Choose(corpus), seed, epoch).shuffle(&mut order);
            order.truncate(part.extra);
            order.sort_unstable();
            indices.extend(order);
            first += part.size;
        }
        indices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn whole_weights_need_no_chance() {
        let mixture = Mixture::new(&[(2, 1.0), (3, 0.0), (2, 2.0)]).unwrap();
        assert_eq!(mixture.epoch(1, 0), [0, 1, 5, 6, 5, 6]);
        assert_eq!(mixture.epoch(1, 0), mixture.epoch(2, 7));
    }

    /// Pins the numbers drawn, those of the same steps written in Python: with others, a resumed training
    /// would leave the path of the first.
    #[test]
    fn the_choice_is_the_same_everywhere() {
        let mixture = Mixture::new(&[(20, 0.25)]).unwrap();
        let epochs: Vec<_> = (0..3).map(|epoch| mixture.epoch(7, epoch)).collect();
        assert_eq!(
            epochs,
            [[3, 9, 16, 17, 19], [5, 7, 11, 17, 18], [1, 5, 11, 12, 18]]
        );
    }

    #[test]
    fn every_sample_gets_its_turn() {
        let mixture = Mixture::new(&[(100, 0.5)]).unwrap();
        let seen: BTreeSet<_> = (0..20).flat_map(|epoch| mixture.epoch(3, epoch)).collect();
        assert_eq!(seen.len(), 100);
    }

    #[test]
    fn nonsense_is_refused() {
        for weight in [-0.1, f64::NAN, f64::INFINITY, 101.0] {
            let error = Mixture::new(&[(5, 1.0), (5, weight)]).unwrap_err();
            assert!(
                matches!(error, MixtureError::Weight { corpus: 1, .. }),
                "{error}"
            );
        }
        for corpora in [&[][..], &[(5, 0.0)], &[(0, 1.0)], &[(4, 0.1)]] {
            assert_eq!(
                Mixture::new(corpora),
                Err(MixtureError::Empty),
                "{corpora:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_corpus_is_used_as_often_as_its_weight_says(
            corpora in prop::collection::vec((0..40usize, 0.0..4.0f64), 1..5),
            seed: u64,
            epoch in 0..100usize,
        ) {
            let Ok(mixture) = Mixture::new(&corpora) else { return Ok(()) };
            let indices = mixture.epoch(seed, epoch);
            prop_assert_eq!(indices.len(), mixture.len());
            prop_assert_eq!(&indices, &mixture.epoch(seed, epoch));
            let mut uses = BTreeMap::<usize, usize>::new();
            for index in indices {
                *uses.entry(index).or_default() += 1;
            }
            let mut first = 0;
            for (size, weight) in corpora {
                let counts: Vec<_> =
                    (first..first + size).map(|i| uses.remove(&i).unwrap_or(0)).collect();
                let total: usize = counts.iter().sum();
                prop_assert!((total as f64 - weight * size as f64).abs() <= 0.5 + 1e-9);
                let least = weight.floor() as usize;
                prop_assert!(counts.iter().all(|&count| count == least || count == least + 1));
                first += size;
            }
            prop_assert!(uses.is_empty());
        }
    }
}
