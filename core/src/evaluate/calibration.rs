//! Whether a confidence means what it says: the expected calibration error of Guo et al., "On Calibration of Modern Neural Networks"
//! (ICML 2017), equation 3, over found entities.

use crate::decode::chunks::{Chunk, Rule, chunks};
use crate::decode::entities::WordEntity;
use crate::label::Label;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::fmt;

/// Bins of equal width.
pub const BINS: usize = 10;

/// Entities whose confidence is in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// Entities found.
    pub found: usize,
    /// Those that are right in span and type.
    pub right: usize,
    /// The sum of their confidences.
    #[serde(skip)]
    sum: f64,
}

/// Found entities by their confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration {
    /// From confidence 0 to 1.
    pub bins: [Bin; BINS],
}

impl Bin {
    /// Fraction that is right, 0 where nothing was found.
    pub fn precision(&self) -> f64 {
        self.right as f64 / self.found.max(1) as f64
    }

    /// Mean confidence, 0 where nothing was found.
    pub fn confidence(&self) -> f64 {
        self.sum / self.found.max(1) as f64
    }
}

impl Calibration {
    /// Counts the entities found in a tweet against its gold labels.
    pub fn add(&mut self, gold: &[Label], found: &[WordEntity]) {
        self.add_where(gold, found, |_| true);
    }

    /// Counts those of the entities found in a tweet that are asked about.
    pub fn add_where(
        &mut self,
        gold: &[Label],
        found: &[WordEntity],
        asked: impl Fn(Chunk) -> bool,
    ) {
        let gold = chunks(gold, Rule::Lenient);
        for entity in found.iter().filter(|entity| asked(Chunk::of(entity))) {
            self.count(entity.confidence, gold.contains(&Chunk::of(entity)));
        }
    }

    /// Counts one that was found with a confidence.
    pub fn count(&mut self, confidence: f64, right: bool) {
        let bin = (confidence * BINS as f64) as usize;
        let bin = &mut self.bins[bin.min(BINS - 1)];
        bin.found += 1;
        bin.right += usize::from(right);
        bin.sum += confidence;
    }

    /// Entities found.
    pub fn found(&self) -> usize {
        self.bins.iter().map(|bin| bin.found).sum()
    }

    /// The mean distance of confidence and precision over the bins, weighed by what is in them; a fraction, 0 where nothing was
    /// found.
    pub fn expected_error(&self) -> f64 {
        let apart = |bin: &Bin| (bin.precision() - bin.confidence()).abs() * bin.found as f64;
        self.bins.iter().map(apart).sum::<f64>() / self.found().max(1) as f64
    }
}

impl Serialize for Calibration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Calibration", 2)?;
        fields.serialize_field("expected_error", &self.expected_error())?;
        fields.serialize_field("bins", &self.bins)?;
        fields.end()
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "confidence   found  mean   right")?;
        for (at, bin) in self
            .bins
            .iter()
            .enumerate()
            .filter(|(_, bin)| bin.found > 0)
        {
            let (from, to) = (at * 100 / BINS, (at + 1) * 100 / BINS);
            let (mean, right) = (100.0 * bin.confidence(), 100.0 * bin.precision());
            writeln!(
                f,
                "{from:3} to {to:3} % {:6} {mean:6.1} {right:6.1}",
                bin.found
            )?;
        }
        let error = 100.0 * self.expected_error();
        write!(
            f,
            "expected calibration error {error:.1} % over {} entities",
            self.found()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::entities::RunnerUp;
    use crate::label::EntityType::{Loc, Per};

    #[test]
    fn the_error_is_the_weighted_distance_of_precision_and_confidence() {
        let entity = |kind, start, end, confidence| WordEntity {
            kind,
            words: start..end,
            confidence,
            runner_up: RunnerUp {
                kind: Loc,
                probability: 0.0,
            },
        };
        let gold = [Label::B(Per), Label::I(Per), Label::O, Label::B(Loc)];
        let mut calibration = Calibration::default();
        assert_eq!(calibration.expected_error(), 0.0);
        // Right; wrong in type; wrong in span; right at the very top.
        calibration.add(&gold, &[entity(Per, 0, 2, 0.92), entity(Per, 3, 4, 0.94)]);
        calibration.add(&gold, &[entity(Per, 0, 1, 0.31), entity(Loc, 3, 4, 1.0)]);
        let top = calibration.bins[9];
        assert_eq!((top.found, top.right), (3, 2));
        let expected = (3.0 * ((0.92 + 0.94 + 1.0) / 3.0 - 2.0 / 3.0) + 0.31) / 4.0;
        assert!((calibration.expected_error() - expected).abs() < 1e-12);
        assert_eq!(calibration.found(), 4);
        // Those that are not asked about leave no trace.
        let whole = calibration;
        calibration.add_where(&gold, &[entity(Per, 0, 2, 0.5)], |chunk| chunk.start != 0);
        assert_eq!(calibration, whole);
    }
}
