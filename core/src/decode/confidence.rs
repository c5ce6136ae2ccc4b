//! Confidences that mean what they say: Platt scaling by entity type.

use crate::decode::entities::WordEntity;
use crate::label::EntityType;
use serde::{Deserialize, Serialize};

/// How a type's confidences are read: `sigmoid(slope * logit(confidence) + intercept)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Above 0, so that a surer answer stays surer.
    pub slope: f64,
    /// Added to the logit.
    pub intercept: f64,
}

/// Lines of all types (Platt, "Probabilistic Outputs for Support Vector Machines", 1999).
///
/// What is found stays: only how sure it is said to be changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "UPPERCASE")]
pub struct ConfidenceScaling {
    /// Persons.
    pub per: Line,
    /// Places.
    pub loc: Line,
    /// Organisations.
    pub org: Line,
    /// Everything else.
    pub misc: Line,
}

impl Line {
    /// Changes nothing.
    pub const NONE: Self = Self {
        slope: 1.0,
        intercept: 0.0,
    };

    /// A probability on this line; 0 and 1 stay.
    pub fn of(&self, probability: f64) -> f64 {
        if probability <= 0.0 || probability >= 1.0 {
            return probability;
        }
        let logit = (probability / (1.0 - probability)).ln();
        1.0 / (1.0 + (-(self.slope * logit + self.intercept)).exp())
    }
}

impl ConfidenceScaling {
    /// By type, in the order of [`EntityType::ALL`].
    pub fn new([per, loc, org, misc]: [Line; 4]) -> Self {
        Self {
            per,
            loc,
            org,
            misc,
        }
    }

    /// The line of a type.
    pub fn line(&self, kind: EntityType) -> Line {
        match kind {
            EntityType::Per => self.per,
            EntityType::Loc => self.loc,
            EntityType::Org => self.org,
            EntityType::Misc => self.misc,
        }
    }

    /// Whether every line can be used: finite, of a slope above 0.
    pub fn is_sound(&self) -> bool {
        let sound =
            |line: Line| line.slope.is_finite() && line.slope > 0.0 && line.intercept.is_finite();
        EntityType::ALL
            .into_iter()
            .all(|kind| sound(self.line(kind)))
    }

    /// An entity with the confidence of its type's line. What is left for other readings is shared as it was, so the
    /// runner-up's probability rises where the confidence falls.
    pub fn apply(&self, mut entity: WordEntity) -> WordEntity {
        let before = entity.confidence;
        entity.confidence = self.line(entity.kind).of(before);
        if before < 1.0 {
            entity.runner_up.probability *= (1.0 - entity.confidence) / (1.0 - before);
        }
        entity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::entities::RunnerUp;
    use proptest::prelude::*;

    fn entity(confidence: f64, probability: f64) -> WordEntity {
        WordEntity {
            kind: EntityType::Loc,
            words: 0..1,
            confidence,
            runner_up: RunnerUp {
                kind: EntityType::Per,
                probability,
            },
        }
    }

    fn scaling(line: Line) -> ConfidenceScaling {
        ConfidenceScaling {
            loc: line,
            ..ConfidenceScaling::new([Line::NONE; 4])
        }
    }

    #[test]
    fn what_a_confidence_loses_others_gain() {
        let line = Line {
            slope: 0.5,
            intercept: 0.0,
        };
        // logit(0.9) / 2 = ln 3
        let found = scaling(line).apply(entity(0.9, 0.08));
        assert!((found.confidence - 0.75).abs() < 1e-9);
        assert!((found.runner_up.probability - 0.2).abs() < 1e-9);
        let other = ConfidenceScaling::new([line, Line::NONE, line, line]);
        let same = other.apply(entity(0.9, 0.08));
        assert!(
            (same.confidence - 0.9).abs() < 1e-9
                && (same.runner_up.probability - 0.08).abs() < 1e-9
        );
    }

    #[test]
    fn unusable_lines_are_known() {
        let line = |slope, intercept| scaling(Line { slope, intercept }).is_sound();
        assert!(line(0.3, -2.0));
        assert!(
            !line(0.0, 0.0)
                && !line(-1.0, 0.0)
                && !line(f64::NAN, 0.0)
                && !line(1.0, f64::INFINITY)
        );
    }

    #[test]
    fn json_has_a_line_by_type() {
        let json = serde_json::to_value(scaling(Line::NONE)).unwrap();
        assert_eq!(json["MISC"]["slope"], 1.0);
        assert_eq!(
            serde_json::from_value::<ConfidenceScaling>(json).unwrap(),
            scaling(Line::NONE)
        );
    }

    proptest! {
        #[test]
        fn order_and_sums_are_kept(
            a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, share in 0.0..=1.0_f64,
            slope in 0.05..5.0_f64, intercept in -4.0..4.0_f64,
        ) {
            let scaling = scaling(Line { slope, intercept });
            let of = |confidence| scaling.apply(entity(confidence, share * (1.0 - confidence)));
            let (one, other) = (of(a), of(b));
            if a < b {
                prop_assert!(one.confidence <= other.confidence);
            }
            prop_assert!((0.0..=1.0).contains(&one.confidence));
            prop_assert!(one.confidence + one.runner_up.probability <= 1.0 + 1e-9);
        }
    }
}
