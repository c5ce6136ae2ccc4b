//! Entity-level scores: an entity counts if its type and both its ends are exact.

use crate::decode::chunks::{Chunk, Rule, chunks};
use crate::label::{EntityType, Label};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::AddAssign;

/// Entities of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) gold: usize,
    pub(super) predicted: usize,
    pub(super) correct: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.gold += other.gold;
        self.predicted += other.predicted;
        self.correct += other.correct;
    }
}

/// Counts of entities found and missed under both rules, added up tweet by tweet.
///
/// Serialises as its [`Report`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Report")]
pub struct Scores {
    /// Per type in the order of [`EntityType::ALL`].
    lenient: [Counts; 4],
    strict: [Counts; 4],
}

impl Scores {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one tweet.
    ///
    /// # Panics
    /// If there are not as many predicted labels as gold ones.
    pub fn add(&mut self, gold: &[Label], predicted: &[Label]) {
        self.add_where(gold, predicted, |_| true);
    }

    /// Counts those entities of one tweet, gold and predicted, that are asked about.
    ///
    /// # Panics
    /// If there are not as many predicted labels as gold ones.
    pub fn add_where(
        &mut self,
        gold: &[Label],
        predicted: &[Label],
        asked: impl Fn(Chunk) -> bool,
    ) {
        let (words, labels) = (gold.len(), predicted.len());
        assert_eq!(
            words, labels,
            "{labels} labels were predicted for {words} words"
        );
        for (rule, counts) in [
            (Rule::Lenient, &mut self.lenient),
            (Rule::Strict, &mut self.strict),
        ] {
            let entities = |labels| chunks(labels, rule).into_iter().filter(|c| asked(*c));
            let gold: Vec<Chunk> = entities(gold).collect();
            for chunk in &gold {
                counts[chunk.kind as usize].gold += 1;
            }
            for chunk in entities(predicted) {
                let counts = &mut counts[chunk.kind as usize];
                counts.predicted += 1;
                let same_start = gold.binary_search_by_key(&chunk.start, |other| other.start);
                if same_start.is_ok_and(|at| gold[at] == chunk) {
                    counts.correct += 1;
                }
            }
        }
    }

    /// Adds what `other` counted.
    pub fn merge(&mut self, other: &Self) {
        let mine = self.lenient.iter_mut().chain(&mut self.strict);
        for (mine, other) in mine.zip(other.lenient.iter().chain(&other.strict)) {
            *mine += *other;
        }
    }

    /// The scores so far.
    pub fn report(&self) -> Report {
        Report {
            lenient: Table::of(&self.lenient),
            strict: Table::of(&self.strict),
        }
    }
}

impl From<Scores> for Report {
    fn from(scores: Scores) -> Self {
        scores.report()
    }
}

/// The scores of an evaluation. Displayed as a table of percentages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Under [`Rule::Lenient`]: the figures to compare with published ones.
    pub lenient: Table,
    /// Under [`Rule::Strict`].
    pub strict: Table,
}

/// The scores under one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Over all entities, whatever their type.
    pub micro: Score,
    /// Persons.
    #[serde(rename = "PER")]
    pub per: Score,
    /// Places.
    #[serde(rename = "LOC")]
    pub loc: Score,
    /// Organisations.
    #[serde(rename = "ORG")]
    pub org: Score,
    /// Other names.
    #[serde(rename = "MISC")]
    pub misc: Score,
}

/// Precision, recall and F1 as fractions; 0 where there is nothing to divide by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Share of the predicted entities that are right.
    pub precision: f64,
    /// Share of the gold entities that were found.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Number of gold entities.
    pub support: usize,
}

impl Table {
    fn of(counts: &[Counts; 4]) -> Self {
        let mut all = Counts::default();
        for one in counts {
            all += *one;
        }
        let [per, loc, org, misc] = counts.map(Score::of);
        Self {
            micro: Score::of(all),
            per,
            loc,
            org,
            misc,
        }
    }

    /// The rows with their names, `micro` first.
    pub fn rows(&self) -> [(&'static str, Score); 5] {
        [
            ("micro", self.micro),
            (EntityType::Per.name(), self.per),
            (EntityType::Loc.name(), self.loc),
            (EntityType::Org.name(), self.org),
            (EntityType::Misc.name(), self.misc),
        ]
    }
}

impl Score {
    pub(super) fn of(
        Counts {
            gold,
            predicted,
            correct,
        }: Counts,
    ) -> Self {
        let share = |part: usize, whole: usize| {
            if whole == 0 {
                0.0
            } else {
                part as f64 / whole as f64
            }
        };
        Self {
            precision: share(correct, predicted),
            recall: share(correct, gold),
            f1: share(2 * correct, gold + predicted),
            support: gold,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, table) in [("lenient", &self.lenient), ("strict", &self.strict)] {
            writeln!(
                f,
                "{rule:<8}{:>10}{:>9}{:>9}{:>9}",
                "precision", "recall", "f1", "support"
            )?;
            for (
                name,
                Score {
                    precision,
                    recall,
                    f1,
                    support,
                },
            ) in table.rows()
            {
                let [precision, recall, f1] = [precision, recall, f1].map(|share| 100.0 * share);
                writeln!(
                    f,
                    "  {name:<6}{precision:>10.2}{recall:>9.2}{f1:>9.2}{support:>9}"
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
