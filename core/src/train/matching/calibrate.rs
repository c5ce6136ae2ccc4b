//! From likeness to relevance: logistic regression on pairs that nothing was learnt from.

use crate::evaluate::logistic::{Case, Fitted, fit};

/// Keeps the gain finite where pairs are told apart without a mistake.
const RIDGE: f64 = 1e-4;

/// What a pair is to the relevance before it, and how alike its sides are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Product of tweet and image in the space of sentences, the image counted from the mean of all.
    pub alike: f64,
    /// The logit that the system has for the pair without it.
    pub before: f64,
}

/// What makes the logit of "its own image" of likeness, for as many own images as others'.
pub fn calibrate(own: &[Likeness], another: &[Likeness]) -> Fitted {
    let cases = |side: &[Likeness], so| -> Vec<Case> {
        let weight = 1.0 / side.len().max(1) as f64;
        let case = |pair: &Likeness| Case {
            before: pair.before,
            feature: pair.alike,
            so,
            weight,
        };
        side.iter().map(case).collect()
    };
    fit(&[cases(own, true), cases(another, false)].concat(), RIDGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_count_alike() {
        let pairs = |alike: &[f64]| -> Vec<Likeness> {
            let pair = |&alike| Likeness { alike, before: 1.0 };
            alike.iter().map(pair).collect()
        };
        let own = pairs(&[0.6, 0.5, 0.2]);
        let another = pairs(&[0.1, 0.3, 0.4]);
        let fitted = calibrate(&own, &another);
        assert!(fitted.gain > 0.0, "{fitted:?}");
        let twice = calibrate(&own, &[&another[..], &another[..]].concat());
        assert!((fitted.gain - twice.gain).abs() < 1e-9);
        assert!((fitted.offset - twice.offset).abs() < 1e-9);
    }
}
