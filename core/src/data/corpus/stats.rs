//! What a corpus holds, in numbers.

use crate::data::corpus::Sample;
use crate::decode::chunks::{Rule, chunks};
use crate::label::{EntityType, Label};
use std::fmt;

/// Counts over a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Tweets.
    pub samples: usize,
    /// Words.
    pub tokens: usize,
    /// Words labelled `B-`, per type in the order of [`EntityType::ALL`].
    pub begun: [usize; 4],
    /// Entities under the lenient rule, per type in the order of [`EntityType::ALL`].
    pub lenient: [usize; 4],
}

impl Stats {
    /// Counts `samples`.
    pub fn of(samples: &[Sample]) -> Self {
        let mut stats = Self {
            samples: samples.len(),
            ..Self::default()
        };
        for sample in samples {
            stats.tokens += sample.tokens.len();
            for label in &sample.labels {
                if let Label::B(kind) = label {
                    stats.begun[*kind as usize] += 1;
                }
            }
            for chunk in chunks(&sample.labels, Rule::Lenient) {
                stats.lenient[chunk.kind as usize] += 1;
            }
        }
        stats
    }
}

impl fmt::Display for Stats {
    /// `4000 tweets, 64439 words, 6352 entities (PER 2285, LOC 2135, ORG 957, MISC 975)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entities: usize = self.lenient.iter().sum();
        write!(
            f,
            "{} tweets, {} words, {entities} entities (",
            self.samples, self.tokens
        )?;
        for (kind, count) in EntityType::ALL.iter().zip(self.lenient) {
            let comma = if *kind == EntityType::Per { "" } else { ", " };
            write!(f, "{comma}{kind} {count}")?;
        }
        f.write_str(")")
    }
}
