//! Lines for confidences, fitted to what was found and how often it was right.

use crate::decode::chunks::{Chunk, Rule, chunks};
use crate::decode::confidence::{ConfidenceScaling, Line};
use crate::decode::entities::WordEntity;
use crate::evaluate::logistic::{Case, fit};
use crate::label::{EntityType, Label};

/// Pulls a line of few entities towards the one that changes nothing.
const RIDGE: f64 = 1e-3;

/// Logits beyond are taken for it.
const FARTHEST: f64 = 12.0;

/// The least slope.
const FLATTEST: f64 = 0.05;

/// An entity that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Believed {
    /// Its type.
    pub kind: EntityType,
    /// How sure the model is, not calibrated.
    pub confidence: f64,
    /// Whether span and type are right.
    pub right: bool,
    /// How much it counts, above 0.
    pub weight: f64,
}

/// What was found in a tweet against its gold labels, each entity counting `weight`.
pub fn believed<'a>(
    gold: &[Label],
    found: &'a [WordEntity],
    weight: f64,
) -> impl Iterator<Item = Believed> + 'a {
    let gold = chunks(gold, Rule::Lenient);
    found.iter().map(move |entity| Believed {
        kind: entity.kind,
        confidence: entity.confidence,
        right: gold.contains(&Chunk::of(entity)),
        weight,
    })
}

/// The line of each type under which what was found is likeliest (Platt 1999).
pub fn scaling(found: &[Believed]) -> ConfidenceScaling {
    let all: f64 = found.iter().map(|entity| entity.weight).sum();
    ConfidenceScaling::new(EntityType::ALL.map(|kind| {
        let cases: Vec<Case> = found
            .iter()
            .filter(|entity| entity.kind == kind)
            .map(|entity| {
                let logit = (entity.confidence / (1.0 - entity.confidence)).ln();
                let logit = logit.clamp(-FARTHEST, FARTHEST);
                Case {
                    before: logit,
                    feature: logit,
                    so: entity.right,
                    weight: entity.weight,
                }
            })
            .collect();
        // The fewer there are, the more the ridge counts.
        let share: f64 =
            cases.iter().map(|case| case.weight).sum::<f64>() / all.max(f64::MIN_POSITIVE);
        let fitted = fit(&cases, RIDGE / share.max(1e-6));
        Line {
            slope: (1.0 + fitted.gain).max(FLATTEST),
            intercept: fitted.offset,
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::calibration::Calibration;
    use crate::splitmix::SplitMix64;

    fn drawn(seed: u64, count: usize, truth: impl Fn(f64) -> f64) -> Vec<Believed> {
        let mut random = SplitMix64(seed);
        let mut unit = || random.below(1 << 30) as f64 / f64::from(1 << 30);
        (0..count)
            .map(|_| {
                let confidence = 0.3 + 0.7 * unit();
                Believed {
                    kind: EntityType::Org,
                    confidence,
                    right: unit() < truth(confidence),
                    weight: 1.0,
                }
            })
            .collect()
    }

    /// Expected calibration error after a scaling.
    fn error(found: &[Believed], scaling: &ConfidenceScaling) -> f64 {
        use crate::decode::entities::RunnerUp;
        let mut calibration = Calibration::default();
        for entity in found {
            let gold = match entity.right {
                true => Label::B(entity.kind),
                false => Label::O,
            };
            let runner_up = RunnerUp {
                kind: EntityType::Per,
                probability: 0.0,
            };
            let entity = scaling.apply(WordEntity {
                kind: entity.kind,
                words: 0..1,
                confidence: entity.confidence,
                runner_up,
            });
            calibration.add(&[gold], &[entity]);
        }
        calibration.expected_error()
    }

    #[test]
    fn too_sure_a_model_is_made_to_mean_what_it_says() {
        let less = |confidence: f64| {
            let line = Line {
                slope: 0.5,
                intercept: -0.4,
            };
            line.of(confidence)
        };
        let lines = scaling(&drawn(1, 4000, less));
        let held_out = drawn(2, 4000, less);
        let none = ConfidenceScaling::new([Line::NONE; 4]);
        assert!(error(&held_out, &none) > 0.1);
        assert!(error(&held_out, &lines) < 0.03, "{lines:?}");
        assert!((lines.org.slope - 0.5).abs() < 0.1, "{lines:?}");
        // Of the other types nothing was found.
        assert_eq!(lines.per, Line::NONE);
    }

    #[test]
    fn few_entities_hardly_move_a_line_and_none_falls() {
        let few = scaling(&[drawn(1, 2000, |c| c), drawn(3, 3, |_| 0.0)].concat());
        assert!((few.org.slope - 1.0).abs() < 0.1, "{few:?}");
        let wrong = scaling(&drawn(1, 2000, |c| 1.0 - c));
        assert_eq!(wrong.org.slope, FLATTEST);
        assert!(wrong.is_sound());
    }
}
