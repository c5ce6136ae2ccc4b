//! Exponential, error function, GELU and layer norm in plain `f32`, free of branches so that compilers compute
//! several values at once.

use crate::nn::host::wide::wide;
use std::array::from_fn;
use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// How many values GELU is computed of at once. In WebAssembly, where a step of the error function's series waits for the one before it,
/// so many that meanwhile those of others are computed, which takes half the time; natively compilers see to that.
const AT_ONCE: usize = if cfg!(target_arch = "wasm32") { 32 } else { 1 };

/// `e^x` for `x <= 0` to a relative 2e-7; below -87, `e^-87`.
///
/// Range reduction by powers of two, polynomial of Cephes' `expf`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding this leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x < -87.0 { -87.0 } else { x };
    let power = x * LOG2_E + ROUND;
    let whole = power - ROUND;
    let r = x - whole * LN_2[0] - whole * LN_2[1];
    let series = [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
        1.0,
        1.0,
    ];
    let value = series.iter().fold(1.987_569_1e-4, |sum, c| sum * r + c);
    value * f32::from_bits((power.to_bits() << 23).wrapping_add(127 << 23))
}

/// The error function to 1e-6.
///
/// A rational approximation on [-4, 4], beyond which it is 1 in `f32`, by the coefficients of Eigen's `erf`.
#[inline(always)]
fn erf<const N: usize>(x: [f32; N]) -> [f32; N] {
    const ABOVE: [f32; 6] = [
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const BELOW: [f32; 4] = [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_474e-2];
    let x = x.map(|x| if x < -4.0 { -4.0 } else { x });
    let x = x.map(|x| if x > 4.0 { 4.0 } else { x });
    let square = x.map(|x| x * x);
    let mut above = [-2.726_142_3e-10; N];
    for c in ABOVE {
        above = from_fn(|i| above[i] * square[i] + c);
    }
    let mut below = [-1.456_607_2e-5; N];
    for c in BELOW {
        below = from_fn(|i| below[i] * square[i] + c);
    }
    from_fn(|i| x[i] * above[i] / below[i])
}

/// `x * Phi(x)`
#[inline(always)]
fn gelu_of<const N: usize>(x: [f32; N]) -> [f32; N] {
    let erf = erf(x.map(|x| x * FRAC_1_SQRT_2));
    from_fn(|i| 0.5 * x[i] * (1.0 + erf[i]))
}

wide! {
    /// `x * Phi(x)`, GELU by the error function, of every value.
    pub fn gelu(values: &mut [f32]) {
        let (many, rest) = values.as_chunks_mut::<AT_ONCE>();
        for x in many {
            *x = gelu_of(*x);
        }
        for x in rest {
            [*x] = gelu_of([*x]);
        }
    }
}

wide! {
    /// The tangent of GELU in every `x`: its slope, `Phi(x) + x phi(x)`, in the place of `x`, and its value at 0, `-x^2 phi(x)`.
    pub fn gelu_tangents(values: &mut [f32], offsets: &mut [f32]) {
        const INVERSE_SQRT_TAU: f32 = 0.398_942_3;
        for (x, offset) in values.iter_mut().zip(offsets) {
            let [erf] = erf([*x * FRAC_1_SQRT_2]);
            let density = INVERSE_SQRT_TAU * exp(-0.5 * *x * *x);
            let steeper = *x * density;
            *offset = -*x * steeper;
            *x = 0.5 * (1.0 + erf) + steeper;
        }
    }
}

/// `1 / (1 + e^-x)`
#[inline(always)]
fn logistic(x: f32) -> f32 {
    // Of the two ways to write it the one whose exponent is not above 0.
    let small = exp(-x.abs());
    let share = if x < 0.0 { small } else { 1.0 };
    share / (1.0 + small)
}

wide! {
    /// The logistic function of every value.
    pub fn sigmoid(values: &mut [f32]) {
        for x in values {
            *x = logistic(*x);
        }
    }
}

wide! {
    /// `x * sigmoid(x)` of every value.
    pub fn silu(values: &mut [f32]) {
        for x in values {
            *x *= logistic(*x);
        }
    }
}

wide! {
    /// Every value between 0 and 6.
    pub fn relu6(values: &mut [f32]) {
        for x in values {
            *x = x.clamp(0.0, 6.0);
        }
    }
}

/// Softmax over all of `logits`.
#[inline(always)]
pub fn softmax(logits: &mut [f32]) {
    let most = logits.iter().fold(
        f32::NEG_INFINITY,
        |most, &x| if x > most { x } else { most },
    );
    for x in logits.iter_mut() {
        *x = exp(*x - most);
    }
    let inverse = 1.0 / sum(logits);
    for x in logits {
        *x *= inverse;
    }
}

/// The sum, eight partial ones side by side.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut partial = [0.0_f32; 8];
    for eight in eights {
        for (sum, x) in partial.iter_mut().zip(eight) {
            *sum += x;
        }
    }
    partial.iter().chain(rest).sum()
}

/// Layer norm.
pub struct Norm {
    /// `[D]`
    pub weight: Vec<f32>,
    /// `[D]`
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Norm {
    /// Norms every row of `x`, `[rows, D]`.
    pub fn forward(&self, x: &mut [f32]) {
        let d = self.weight.len();
        for row in x.chunks_exact_mut(d) {
            let mean = sum(row) / d as f32;
            for x in row.iter_mut() {
                *x -= mean;
            }
            let (eights, rest) = row.as_chunks::<8>();
            let mut squares = [0.0_f32; 8];
            for eight in eights {
                for (sum, x) in squares.iter_mut().zip(eight) {
                    *sum += x * x;
                }
            }
            let squares = squares.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>();
            let inverse = 1.0 / (squares / d as f32 + self.epsilon).sqrt();
            for ((x, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                *x = *x * inverse * weight + bias;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `erf` by its Taylor series in `f64`: good to 1e-9 up to 4.
    fn erf_series(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            let n = f64::from(n);
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn erf_is_good_to_a_millionth() {
        let of = |x| erf([x])[0];
        for i in -40_000..=40_000 {
            let x = i as f32 / 10_000.0;
            let off = (f64::from(of(x)) - erf_series(f64::from(x))).abs();
            assert!(off < 1e-6, "erf({x}) is off by {off}");
        }
        // From tables, to their last digit.
        for (x, value) in [(0.5, 0.520_499_9), (1.0, 0.842_700_8), (2.0, 0.995_322_3)] {
            assert!((of(x) - value).abs() < 1e-6);
            assert_eq!(of(-x), -of(x));
        }
        for x in [4.5, 1e10, f32::INFINITY] {
            assert!((of(x) - 1.0).abs() < 1e-6);
            assert!((of(-x) + 1.0).abs() < 1e-6);
        }
        assert!(of(f32::NAN).is_nan());
    }

    #[test]
    fn gelu_is_that_of_each_value_however_many_at_once() {
        let x: [f32; 32] = from_fn(|i| (i as f32 - 15.5) / 3.0);
        let mut values = x.to_vec();
        gelu(&mut values);
        assert_eq!(gelu_of(x), x.map(|x| gelu_of([x])[0]));
        assert_eq!(gelu_of(x), *values);
        for (x, y) in x.iter().zip(values) {
            let x = f64::from(*x);
            let share =
                0.5 + 0.5 * erf_series(x.clamp(-4.0, 4.0) * std::f64::consts::FRAC_1_SQRT_2);
            assert!((f64::from(y) - x * share).abs() < 5e-4, "gelu({x})");
        }
    }

    #[test]
    fn exp_is_good_to_its_last_bits() {
        let of = exp;
        for i in -87_000..=0 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(of(x)) / exact - 1.0).abs() < 3e-7, "exp({x})");
        }
        assert_eq!(of(0.0), 1.0);
        assert!(of(-1e9) < 1e-37);
        assert!(of(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn activations_are_good_to_their_last_bits() {
        let inputs: Vec<f32> = (-9000..9000).map(|i| i as f32 / 100.0).collect();
        let (mut smooth, mut bounded) = (inputs.clone(), inputs.clone());
        let mut shares = inputs.clone();
        silu(&mut smooth);
        relu6(&mut bounded);
        sigmoid(&mut shares);
        for (x, share) in inputs.iter().zip(shares) {
            let exact = 1.0 / (1.0 + f64::from(-x).exp());
            let off = (f64::from(share) - exact).abs();
            assert!(off < 1e-6 * exact.max(1e-3), "sigmoid({x})");
        }
        for ((x, y), z) in inputs.iter().zip(smooth).zip(bounded) {
            let exact = f64::from(*x) / (1.0 + f64::from(-x).exp());
            assert!(
                (f64::from(y) - exact).abs() < 1e-6 * exact.abs().max(1e-3),
                "silu({x})"
            );
            assert_eq!(z, x.clamp(0.0, 6.0));
        }
        for bad in [f32::NAN, f32::INFINITY] {
            let mut values = [bad];
            silu(&mut values);
            assert!(!values[0].is_finite());
        }
        let mut values = [f32::NAN];
        relu6(&mut values);
        assert!(values[0].is_nan());
    }

    #[test]
    fn softmax_of_any_length_sums_to_one() {
        for n in 1..20 {
            let mut x: Vec<f32> = (0..n).map(|i| 100.0 + (i as f32).sin()).collect();
            let exact: Vec<f64> = x.iter().map(|&x| f64::from(x - 100.0).exp()).collect();
            softmax(&mut x);
            let all: f64 = exact.iter().sum();
            for (got, exact) in x.iter().zip(exact) {
                assert!((f64::from(*got) - exact / all).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn norms_rows_of_any_length() {
        for d in [1, 7, 8, 27] {
            let norm = Norm {
                weight: vec![2.0; d],
                bias: vec![0.5; d],
                epsilon: 1e-5,
            };
            let x: Vec<f32> = (0..2 * d).map(|i| (i * i % 17) as f32).collect();
            let mut y = x.clone();
            norm.forward(&mut y);
            for (x, y) in x.chunks(d).zip(y.chunks(d)) {
                let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / d as f64;
                let square = |&x: &f32| (f64::from(x) - mean).powi(2);
                let variance = x.iter().map(square).sum::<f64>() / d as f64;
                for (&x, &y) in x.iter().zip(y) {
                    let expected = (f64::from(x) - mean) / (variance + 1e-5).sqrt() * 2.0 + 0.5;
                    assert!((f64::from(y) - expected).abs() < 1e-5);
                }
            }
        }
    }
}
