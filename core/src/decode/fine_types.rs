//! Fine types of entities, such as athlete or festival, from the scores that a system gives beside the emissions
//! ([`crate::systems::fine_types`] has the equation).

use crate::label::EntityType;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Range;

/// Most fine types of a system.
const MOST: usize = 1024;

/// Parts of a span that are scored: first word, last word, mean.
const PARTS: usize = 3;

/// A fine type under its coarse one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineType {
    /// Such as `person`.
    pub coarse: String,
    /// Such as `athlete`; no two fine types of a system share it.
    pub fine: String,
}

/// A span with its gold fine type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FineSpan {
    /// Its words.
    pub words: Range<usize>,
    /// Its type.
    pub kind: EntityType,
    /// Its fine type's place among those of the system.
    pub fine: usize,
}

/// What an entity is, more finely than by the four types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FineTypeGuess {
    /// The likeliest fine type.
    pub name: String,
    /// How likely it is, 0..=1, if the span is an entity of its type.
    pub probability: f64,
    /// The coarse type that it stands under.
    pub coarse: String,
    /// How likely that is, 0..=1.
    pub coarse_probability: f64,
}

/// What is wrong with the fine types of a system, if anything.
///
/// # Errors
/// The problem, as the end of a sentence.
pub fn check(types: &[FineType]) -> Result<(), &'static str> {
    let mut names = HashSet::new();
    if types.len() > MOST {
        Err("there are more than 1024 fine types")
    } else if types
        .iter()
        .any(|t| t.coarse.is_empty() || t.fine.is_empty())
    {
        Err("a fine type has no name")
    } else if !types.iter().all(|t| names.insert(&t.fine)) {
        Err("two fine types have the same name")
    } else {
        Ok(())
    }
}

/// Columns of a word's scores: a multiple of 8, so that the weights can be quantised.
pub fn columns(types: usize) -> usize {
    (PARTS * types).next_multiple_of(8)
}

/// What tells fine types from the words' scores, on the host.
#[derive(Clone, Debug)]
pub struct FineTypeTable {
    types: Vec<FineType>,
    /// `V`, `[4 * F]`.
    kinds: Vec<f64>,
    /// What the sums are divided by before the softmax.
    temperature: f64,
}

impl FineTypeTable {
    /// Of these types; `kinds`: `V`, `[4 * F]`.
    ///
    /// # Panics
    /// If `kinds` is not as many.
    pub fn new(types: Vec<FineType>, kinds: Vec<f64>) -> Self {
        assert_eq!(kinds.len(), EntityType::ALL.len() * types.len());
        Self {
            types,
            kinds,
            temperature: 1.0,
        }
    }

    /// The same, its sums divided by `temperature`, above 0, before the softmax.
    #[must_use]
    pub fn with_temperature(self, temperature: f64) -> Self {
        Self {
            temperature,
            ..self
        }
    }

    /// The types, in the order of the probabilities.
    pub fn types(&self) -> &[FineType] {
        &self.types
    }

    /// Columns of a word's scores.
    pub fn columns(&self) -> usize {
        columns(self.types.len())
    }

    /// The likeliest fine type of an entity, from the scores of the tweet's words, `[N * C]`.
    ///
    /// # Panics
    /// If the entity has no words or is not of these.
    pub fn guess(&self, scores: &[f64], words: Range<usize>, kind: EntityType) -> FineTypeGuess {
        let believed = self.log_probabilities(scores, words, kind);
        let believed: Vec<f64> = believed.into_iter().map(f64::exp).collect();
        let best = (0..believed.len())
            .max_by(|&a, &b| believed[a].total_cmp(&believed[b]))
            .expect("a system with fine types has some");
        let FineType { coarse, fine } = self.types[best].clone();
        let alike = self.types.iter().zip(&believed);
        let alike = alike.filter(|(other, _)| other.coarse == coarse);
        FineTypeGuess {
            name: fine,
            probability: believed[best],
            coarse_probability: alike.map(|(_, p)| p).sum::<f64>().min(1.0),
            coarse,
        }
    }

    /// How likely each fine type of an entity is, `[F]`, as logarithms.
    ///
    /// # Panics
    /// If the entity has no words or is not of these.
    pub fn log_probabilities(
        &self,
        scores: &[f64],
        words: Range<usize>,
        kind: EntityType,
    ) -> Vec<f64> {
        let (types, columns) = (self.types.len(), self.columns());
        let at = |word: usize, part: usize| &scores[word * columns + part * types..][..types];
        let first = at(words.start, 0);
        let last = at(words.end - 1, 1);
        let kinds = &self.kinds[kind as usize * types..][..types];
        let mean = |f: usize| {
            let sum: f64 = words.clone().map(|word| at(word, 2)[f]).sum();
            sum / words.len() as f64
        };
        let sums: Vec<f64> = (0..types)
            .map(|f| (first[f] + last[f] + mean(f) + kinds[f]) / self.temperature)
            .collect();
        log_softmax(&sums)
    }
}

/// `x_i - ln sum_j e^(x_j)`.
pub fn log_softmax(values: &[f64]) -> Vec<f64> {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: f64 = values.iter().map(|value| (value - most).exp()).sum();
    let all = most + all.ln();
    values.iter().map(|value| value - all).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn types() -> Vec<FineType> {
        let each = [
            ("person", "athlete"),
            ("person", "musician"),
            ("event", "festival"),
        ];
        each.map(|(coarse, fine)| FineType {
            coarse: coarse.to_owned(),
            fine: fine.to_owned(),
        })
        .to_vec()
    }

    #[test]
    fn a_guess_is_the_likeliest_and_its_coarse_type_the_sum() {
        let table = FineTypeTable {
            temperature: 1.0,
            types: types(),
            kinds: [vec![0.0, 0.5, 0.0], vec![0.0; 9]].concat(),
        };
        let mut scores = vec![0.0; 2 * table.columns()];
        // ln 2 more for festival than for athlete, from the last word of two.
        scores[table.columns() + 3 + 2] = 2f64.ln();
        let guess = table.guess(&scores, 0..2, EntityType::Org);
        assert_eq!(
            (guess.name.as_str(), guess.coarse.as_str()),
            ("festival", "event")
        );
        assert!((guess.probability - 0.5).abs() < 1e-9);
        assert!((guess.coarse_probability - 0.5).abs() < 1e-9);
        let guess = table.guess(&scores, 0..1, EntityType::Per);
        assert_eq!(
            (guess.name.as_str(), guess.coarse.as_str()),
            ("musician", "person")
        );
        let colder = table.clone().with_temperature(0.5);
        let sure = colder.guess(&scores, 0..2, EntityType::Org).probability;
        assert!((sure - 4.0 / 6.0).abs() < 1e-9, "{sure}");
        let two = 0.5f64.exp();
        assert!((guess.coarse_probability - (1.0 + two) / (2.0 + two)).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_run_is_refused() {
        assert_eq!(check(&types()), Ok(()));
        assert_eq!(check(&[]), Ok(()));
        let changed = |change: &dyn Fn(&mut Vec<FineType>)| {
            let mut types = types();
            change(&mut types);
            check(&types)
        };
        assert!(changed(&|t| t[0].fine.clear()).is_err());
        assert!(changed(&|t| t[0].coarse.clear()).is_err());
        assert!(changed(&|t| t[0].fine = t[1].fine.clone()).is_err());
        assert!(changed(&|t| *t = vec![t[0].clone(); 1025]).is_err());
    }
}
