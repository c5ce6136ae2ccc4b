//! Temperature scaling: one number under which probabilities of many classes mean what they say (Guo et al., "On Calibration of Modern
//! Neural Networks", ICML 2017).

use crate::decode::fine_types::log_softmax;

/// Temperatures that are tried, as logarithms.
const REACH: [f64; 2] = [-3.0, 3.0];

/// The temperature, from e^-3 to e^3, under which the right classes are likeliest; 1 for no cases.
///
/// A case is the log probabilities of all classes at temperature 1, and the right one.
pub fn temperature(cases: &[(Vec<f64>, usize)]) -> f64 {
    let loss = |log: f64| -> f64 {
        let each = cases.iter().map(|(logs, right)| {
            let scaled: Vec<f64> = logs.iter().map(|value| value / log.exp()).collect();
            -log_softmax(&scaled)[*right]
        });
        each.sum()
    };
    if cases.is_empty() {
        return 1.0;
    }
    // The loss has one valley over 1 / T: golden sections.
    const STEPS: usize = 60;
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let [mut low, mut high] = REACH;
    for _ in 0..STEPS {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        match loss(a) <= loss(b) {
            true => high = b,
            false => low = a,
        }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two classes with the odds e^4, the likelier is right in 3 of 4 cases: it should be said with odds of 3, e^4 ^ (1 / T) = 3.
    #[test]
    fn overconfidence_is_cooled_to_the_share_that_is_right() {
        let logs = log_softmax(&[4.0, 0.0]);
        let cases: Vec<_> = [0, 0, 0, 1].map(|right| (logs.clone(), right)).to_vec();
        let found = temperature(&cases);
        assert!((found - 4.0 / 3f64.ln()).abs() < 1e-6, "{found}");
        assert_eq!(temperature(&[]), 1.0);
        assert!((temperature(&cases[..3]).ln() + 3.0).abs() < 1e-6);
    }
}
