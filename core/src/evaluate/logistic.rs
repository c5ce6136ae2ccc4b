//! Logistic regression of one feature, with an offset that is known.

/// Something that is so or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Its logit before.
    pub before: f64,
    /// The feature.
    pub feature: f64,
    /// Whether it is so.
    pub so: bool,
    /// How much it counts, above 0.
    pub weight: f64,
}

/// `before + gain * feature + offset` is the logit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fitted {
    /// Of the feature.
    pub gain: f64,
    /// Added to every logit.
    pub offset: f64,
}

/// The likeliest gain and offset, by Newton's method. `ridge` times half the square of either is added to the mean loss, so that cases
/// that are told apart without a mistake, or no cases at all, have them too.
pub fn fit(cases: &[Case], ridge: f64) -> Fitted {
    const STEPS: usize = 100;
    const CLOSE: f64 = 1e-4;
    let whole: f64 = cases
        .iter()
        .map(|case| case.weight)
        .sum::<f64>()
        .max(f64::MIN_POSITIVE);
    let loss = |fitted: Fitted| {
        let squares = fitted.gain * fitted.gain + fitted.offset * fitted.offset;
        mean_loss(cases, fitted) + ridge / 2.0 * squares
    };
    let mut fitted = Fitted::default();
    let mut reached = loss(fitted);
    for _ in 0..STEPS {
        let step = newton(cases, fitted, ridge, whole);
        let longest = step[0].abs().max(step[1].abs());
        // Where cases are surer than they may be, the loss is nearly straight and a whole step leads far beyond its least. Close to
        // it a whole step is right, and the loss too flat to tell.
        let mut share = 1.0;
        reached = loop {
            let moved = fitted.moved(step, share);
            let now = loss(moved);
            if longest * share <= CLOSE || now < reached {
                fitted = moved;
                break now;
            }
            share /= 2.0;
        };
        if longest < 1e-12 {
            break;
        }
    }
    fitted
}

/// The mean loss of cases by a line, in nats: 0 where each is foretold for sure.
pub fn mean_loss(cases: &[Case], fitted: Fitted) -> f64 {
    let whole: f64 = cases.iter().map(|case| case.weight).sum();
    let losses = cases.iter().map(|case| fitted.loss(case));
    losses.sum::<f64>() / whole.max(f64::MIN_POSITIVE)
}

/// The step that Newton's method would take.
fn newton(cases: &[Case], fitted: Fitted, ridge: f64, whole: f64) -> [f64; 2] {
    let Fitted { gain, offset } = fitted;
    let (mut slope, mut curve) = ([-ridge * gain, -ridge * offset], [ridge, 0.0, ridge]);
    for case in cases {
        let weight = case.weight / whole;
        let p = 1.0 / (1.0 + (-fitted.logit(case)).exp());
        let off = weight * (f64::from(u8::from(case.so)) - p);
        slope[0] += off * case.feature;
        slope[1] += off;
        let spread = weight * p * (1.0 - p);
        curve[0] += spread * case.feature * case.feature;
        curve[1] += spread * case.feature;
        curve[2] += spread;
    }
    let determinant = curve[0] * curve[2] - curve[1] * curve[1];
    if determinant <= f64::MIN_POSITIVE {
        return [0.0; 2];
    }
    [
        (curve[2] * slope[0] - curve[1] * slope[1]) / determinant,
        (curve[0] * slope[1] - curve[1] * slope[0]) / determinant,
    ]
}

/// `ln(1 + e^x)`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

impl Fitted {
    fn logit(&self, case: &Case) -> f64 {
        case.before + self.gain * case.feature + self.offset
    }

    /// Of a case, by its weight.
    fn loss(&self, case: &Case) -> f64 {
        case.weight * softplus(if case.so { -1.0 } else { 1.0 } * self.logit(case))
    }

    fn moved(&self, step: [f64; 2], share: f64) -> Self {
        Self {
            gain: self.gain + share * step[0],
            offset: self.offset + share * step[1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    #[test]
    fn finds_what_cases_were_drawn_from() {
        let mut random = SplitMix64(3);
        let mut unit = || random.below(1 << 30) as f64 / f64::from(1 << 30);
        let cases: Vec<Case> = (0..60_000)
            .map(|_| {
                let (feature, before) = (unit(), 2.0 * unit());
                let p = 1.0 / (1.0 + (-(before + 6.0 * feature - 4.0)).exp());
                Case {
                    before,
                    feature,
                    so: unit() < p,
                    weight: 1.0,
                }
            })
            .collect();
        let fitted = fit(&cases, 1e-6);
        assert!((fitted.gain - 6.0).abs() < 0.2, "{fitted:?}");
        assert!((fitted.offset + 4.0).abs() < 0.15, "{fitted:?}");
        // A case of weight 2 is two cases.
        let twice = fit(&[&cases[..], &cases[..500]].concat(), 1e-6);
        let mut heavy = cases;
        heavy[..500].iter_mut().for_each(|case| case.weight = 2.0);
        let heavy = fit(&heavy, 1e-6);
        assert!(
            (heavy.gain - twice.gain).abs() < 1e-6 && (heavy.offset - twice.offset).abs() < 1e-6
        );
    }

    #[test]
    fn what_is_far_too_sure_is_put_right() {
        // Logits of an overtrained model: a quarter is wrong, and as sure as the rest.
        let cases: Vec<Case> = (0..400)
            .map(|i| {
                let logit = 4.0 + f64::from(i % 10) * 0.9;
                Case {
                    before: logit,
                    feature: logit,
                    so: i / 10 % 4 > 0,
                    weight: 1.0,
                }
            })
            .collect();
        let fitted = fit(&cases, 1e-9);
        for case in &cases {
            let p = 1.0 / (1.0 + (-fitted.logit(case)).exp());
            assert!((p - 0.75).abs() < 1e-3, "{fitted:?}: {p}");
        }
    }

    #[test]
    fn cases_without_a_mistake_and_no_cases_have_an_answer() {
        let case = |feature, so| Case {
            before: 0.0,
            feature,
            so,
            weight: 1.0,
        };
        let fitted = fit(&[case(0.9, true), case(0.1, false)], 1e-3);
        assert!(fitted.gain.is_finite() && fitted.gain > 1.0, "{fitted:?}");
        assert_eq!(fit(&[], 1e-3), Fitted::default());
    }
}
