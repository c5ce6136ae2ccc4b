//! From likeness to relevance: logistic regression on pairs that nothing was learnt from.

use crate::evaluate::logistic::{Case, Fitted, fit, mean_loss};

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

/// What a pair's relevance is: `kept * before + gain * alike + offset`, as a logit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrated {
    /// How much of the logit before stays, 0 to 1 in tenths.
    pub kept: f64,
    /// What likeness adds.
    pub fitted: Fitted,
}

/// What makes the logit of "its own image", for as many own images as others'. What the system says by itself counts as far as it
/// helps, which may be not at all: it learnt from the NER loss too, and of tweets that it knows it says more than of others.
pub fn calibrate(own: &[Likeness], another: &[Likeness]) -> Calibrated {
    const STEPS: u8 = 10;
    let cases = |side: &[Likeness], so, kept: f64| -> Vec<Case> {
        let weight = 1.0 / side.len().max(1) as f64;
        let case = |pair: &Likeness| Case {
            before: kept * pair.before,
            feature: pair.alike,
            so,
            weight,
        };
        side.iter().map(case).collect()
    };
    let tried = (0..=STEPS).map(|step| {
        let kept = f64::from(step) / f64::from(STEPS);
        let all = [cases(own, true, kept), cases(another, false, kept)].concat();
        let fitted = fit(&all, RIDGE);
        (mean_loss(&all, fitted), Calibrated { kept, fitted })
    });
    let best = tried.min_by(|a, b| a.0.total_cmp(&b.0));
    best.expect("something was tried").1
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
        let fitted = calibrate(&own, &another).fitted;
        assert!(fitted.gain > 0.0, "{fitted:?}");
        let twice = calibrate(&own, &[&another[..], &another[..]].concat()).fitted;
        assert!((fitted.gain - twice.gain).abs() < 1e-9);
        assert!((fitted.offset - twice.offset).abs() < 1e-9);
    }

    #[test]
    fn what_was_said_before_counts_as_far_as_it_is_right() {
        let kept = |own: [f64; 4], another: [f64; 4]| {
            let pairs = |before: [f64; 4]| -> Vec<Likeness> {
                let alike = [0.1, 0.2, 0.3, 0.4];
                let pair = |(alike, before)| Likeness { alike, before };
                alike.into_iter().zip(before).map(pair).collect()
            };
            calibrate(&pairs(own), &pairs(another)).kept
        };
        assert_eq!(kept([-2.0, -2.0, -2.0, 1.0], [2.0, 2.0, 2.0, -1.0]), 0.0);
        assert_eq!(kept([0.9, 0.9, 0.9, -0.9], [-0.9, -0.9, -0.9, 0.9]), 1.0);
        let some = kept([4.0, 4.0, 4.0, -4.0], [-4.0, -4.0, -4.0, 4.0]);
        assert!((0.2..0.4).contains(&some), "{some}");
    }
}
