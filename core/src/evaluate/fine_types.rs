//! Scores of fine types: a name counts if its words and its fine type are exact, whatever its type among the four.

use crate::evaluate::scores::{Counts, Score};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Counts of names by their fine types, added up tweet by tweet.
///
/// Serialises as its [`FineTypeReport`].
#[derive(Clone, Debug, Default, Serialize)]
#[serde(into = "FineTypeReport")]
pub struct FineTypeScores {
    counts: BTreeMap<String, Counts>,
    tweets: usize,
}

/// Scores of fine types. Displayed as a table of percentages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FineTypeReport {
    /// Tweets whose names have fine types.
    pub tweets: usize,
    /// Over all names.
    pub micro: Score,
    /// By fine type.
    pub types: BTreeMap<String, Score>,
}

impl FineTypeScores {
    /// Counts one tweet: names, spelled alike, with their fine types, of people and of an answer.
    pub fn add<'a>(
        &mut self,
        gold: impl IntoIterator<Item = (&'a str, &'a str)>,
        predicted: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        self.tweets += 1;
        let mut left: Vec<(&str, &str)> = gold.into_iter().collect();
        for (_, fine) in &left {
            self.of(fine).gold += 1;
        }
        for name in predicted {
            self.of(name.1).predicted += 1;
            if let Some(at) = left.iter().position(|other| *other == name) {
                left.swap_remove(at);
                self.of(name.1).correct += 1;
            }
        }
    }

    /// Adds what `other` counted.
    pub fn merge(&mut self, other: &Self) {
        self.tweets += other.tweets;
        for (fine, counts) in &other.counts {
            *self.of(fine) += *counts;
        }
    }

    fn of(&mut self, fine: &str) -> &mut Counts {
        self.counts.entry(fine.to_owned()).or_default()
    }

    /// The scores so far.
    pub fn report(&self) -> FineTypeReport {
        let mut all = Counts::default();
        for counts in self.counts.values() {
            all += *counts;
        }
        let types = self.counts.iter();
        FineTypeReport {
            tweets: self.tweets,
            micro: Score::of(all),
            types: types
                .map(|(fine, counts)| (fine.clone(), Score::of(*counts)))
                .collect(),
        }
    }
}

impl From<FineTypeScores> for FineTypeReport {
    fn from(scores: FineTypeScores) -> Self {
        scores.report()
    }
}

impl fmt::Display for FineTypeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wide = self
            .types
            .keys()
            .map(String::len)
            .max()
            .unwrap_or(0)
            .max(10);
        writeln!(
            f,
            "{:<wide$}{:>12}{:>9}{:>9}{:>9}",
            "fine types", "precision", "recall", "f1", "support"
        )?;
        let types = self
            .types
            .iter()
            .map(|(fine, score)| (fine.as_str(), score));
        for (name, score) in std::iter::once(("micro", &self.micro)).chain(types) {
            let Score { support, .. } = score;
            let [precision, recall, f1] =
                [score.precision, score.recall, score.f1].map(|share| 100.0 * share);
            writeln!(
                f,
                "  {name:<wide$}{precision:>10.2}{recall:>9.2}{f1:>9.2}{support:>9}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_fine_type_must_both_be_right() {
        let mut scores = FineTypeScores::default();
        let gold = [("Ulm", "city"), ("Ulm", "city"), ("AdaByron", "author")];
        scores.add(gold, [("Ulm", "city"), ("Ada", "author"), ("Ulm", "road")]);
        let mut other = FineTypeScores::default();
        other.add([], [("x", "city")]);
        scores.merge(&other);
        let report = scores.report();
        let Score {
            precision,
            recall,
            f1,
            support,
        } = report.micro;
        assert_eq!((report.tweets, support), (2, 3));
        assert_eq!((precision, recall, f1), (0.25, 1.0 / 3.0, 2.0 / 7.0));
        assert_eq!(report.types["city"].recall, 0.5);
        assert_eq!(report.types["road"].support, 0);
        let text = report.to_string();
        assert!(text.contains("micro") && text.contains("28.57"), "{text}");
    }
}
