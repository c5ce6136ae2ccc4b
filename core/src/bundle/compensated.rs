//! Rounding a layer's weights so that its products change least.
//!
//! First what one rounded weight takes from the product, those that are not rounded yet give back, as far as the inputs let them
//! (Frantar et al. 2023, "GPTQ", algorithm 1). Then each weight in turn becomes the best there is beside all others (Behdin et al.
//! 2023, "QuantEase", algorithm 1), and so does each scale.

use crate::bundle::bits::Bits;
use burn::tensor::f16;

/// What is added to the diagonal of the second moments, of its mean: the paper's share, for inputs that hardly vary.
const DAMPING: f64 = 0.01;

/// How often every weight and every scale is looked at again; what more rounds gain is nothing to speak of.
const ROUNDS: usize = 3;

/// The second moments of what a layer is given.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondMoments {
    /// How many inputs the layer has.
    pub inputs: usize,
    /// The sum of `x xᵀ` over rows `x`, `[inputs, inputs]`, row by row.
    pub sums: Vec<f32>,
}

#[cfg(test)]
impl SecondMoments {
    /// Those of `rows`, `[rows, inputs]`.
    pub(crate) fn of(rows: &[f32], inputs: usize) -> Self {
        let mut sums = vec![0.0; inputs * inputs];
        for row in rows.chunks(inputs) {
            for i in 0..inputs {
                for j in 0..inputs {
                    sums[i * inputs + j] += row[i] * row[j];
                }
            }
        }
        Self { inputs, sums }
    }
}

/// `weights`, `[inputs, outputs]`, as whole numbers, and the scales of blocks of `block` inputs each, `[inputs / block, outputs]`.
/// `moments` is of the inputs.
pub(super) fn rounded(
    bits: Bits,
    weights: &[f32],
    moments: &SecondMoments,
    block: usize,
) -> (Vec<f32>, Vec<f32>) {
    let moments = Damped::of(moments);
    let (codes, scales) = one_by_one(bits, weights.to_vec(), &moments, block);
    refined(bits, weights, codes, scales, &moments, block)
}

/// Second moments of inputs, `[inputs, inputs]`, with a little of their own for each.
struct Damped {
    inputs: usize,
    sums: Vec<f32>,
}

impl Damped {
    fn of(moments: &SecondMoments) -> Self {
        let inputs = moments.inputs;
        let mut sums = moments.sums.clone();
        let own = (0..inputs).map(|i| f64::from(sums[i * inputs + i]));
        let mean = own.sum::<f64>() / inputs as f64;
        // Inputs that are always zero leave nothing to weigh by: every error counts alike.
        let damping = if mean > 0.0 { DAMPING * mean } else { 1.0 };
        for i in 0..inputs {
            sums[i * inputs + i] += damping as f32;
        }
        Self { inputs, sums }
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.sums[i * self.inputs..(i + 1) * self.inputs]
    }
}

/// The inverse of the moments, damped as for rounding, `[inputs, inputs]`, row by row.
pub fn inverse(moments: &SecondMoments) -> Vec<f64> {
    let n = moments.inputs;
    let factor = inverse_factor(&Damped::of(moments));
    let mut inverse = vec![0.0; n * n];
    for (k, row) in factor.chunks_exact(n).enumerate() {
        for (i, &share) in row.iter().enumerate().skip(k) {
            for (sum, other) in inverse[i * n + k..(i + 1) * n].iter_mut().zip(&row[k..]) {
                *sum += share * other;
            }
        }
    }
    inverse
}

fn one_by_one(
    bits: Bits,
    mut weights: Vec<f32>,
    moments: &Damped,
    block: usize,
) -> (Vec<f32>, Vec<f32>) {
    let inputs = moments.inputs;
    let outputs = weights.len() / inputs;
    let factor = inverse_factor(moments);
    let mut scales = Vec::with_capacity(weights.len() / block);
    let mut off = vec![0.0; outputs];
    for start in (0..inputs).step_by(block) {
        // What an error at each input costs once the later inputs have given back what they can.
        let costs: Vec<f32> = (start..start + block)
            .map(|i| (1.0 / factor[i * inputs + i].powi(2)) as f32)
            .collect();
        let first = scales.len();
        let mut of_block = vec![0.0; block];
        for output in 0..outputs {
            for (at, value) in of_block.iter_mut().enumerate() {
                *value = weights[(start + at) * outputs + output];
            }
            scales.push(bits.weighted_scale(&of_block, &costs));
        }
        for i in start..start + block {
            let (done, later) = weights.split_at_mut((i + 1) * outputs);
            let row = &mut done[i * outputs..];
            let own = factor[i * inputs + i];
            for ((value, off), &scale) in row.iter_mut().zip(&mut off).zip(&scales[first..]) {
                let code = bits.code(*value, scale);
                *off = ((*value - code * scale) as f64 / own) as f32;
                *value = code;
            }
            let shares = &factor[i * inputs + i + 1..(i + 1) * inputs];
            add_rows(later, shares.iter().map(|&share| -(share as f32)), &off);
        }
    }
    (weights, scales)
}

/// `rows += share * other`, where rows and shares belong together.
fn add_rows(rows: &mut [f32], shares: impl Iterator<Item = f32>, other: &[f32]) {
    for (row, share) in rows.chunks_exact_mut(other.len()).zip(shares) {
        for (value, &other) in row.iter_mut().zip(other) {
            *value += share * other;
        }
    }
}

fn refined(
    bits: Bits,
    weights: &[f32],
    mut codes: Vec<f32>,
    mut scales: Vec<f32>,
    moments: &Damped,
    block: usize,
) -> (Vec<f32>, Vec<f32>) {
    let inputs = moments.inputs;
    let outputs = weights.len() / inputs;
    // The moments times what was taken from the weights: how much the error falls as a weight grows.
    let mut slopes = vec![0.0; weights.len()];
    let mut change = vec![0.0; outputs];
    for i in 0..inputs {
        let scales = &scales[i / block * outputs..];
        for (output, change) in change.iter_mut().enumerate() {
            let at = i * outputs + output;
            *change = weights[at] - codes[at] * scales[output];
        }
        add_rows(&mut slopes, moments.row(i).iter().copied(), &change);
    }
    for _ in 0..ROUNDS {
        for i in 0..inputs {
            let scales = &scales[i / block * outputs..];
            let own = moments.row(i)[i];
            for (output, change) in change.iter_mut().enumerate() {
                let at = i * outputs + output;
                let (old, scale) = (codes[at], scales[output]);
                codes[at] = bits.code(old * scale + slopes[at] / own, scale);
                *change = (old - codes[at]) * scale;
            }
            if change.iter().any(|&change| change != 0.0) {
                add_rows(&mut slopes, moments.row(i).iter().copied(), &change);
            }
        }
        for (start, scales) in (0..inputs)
            .step_by(block)
            .zip(scales.chunks_exact_mut(outputs))
        {
            let rows = start..start + block;
            // How the products of the block's codes go together with the error, and with themselves.
            let (mut with_error, mut with_self) = (vec![0.0; outputs], vec![0.0; outputs]);
            let mut along = vec![0.0; outputs];
            for i in rows.clone() {
                along.fill(0.0);
                for j in rows.clone() {
                    let share = moments.row(i)[j];
                    let of_row = &codes[j * outputs..(j + 1) * outputs];
                    along
                        .iter_mut()
                        .zip(of_row)
                        .for_each(|(a, code)| *a += share * code);
                }
                for output in 0..outputs {
                    let code = codes[i * outputs + output];
                    with_error[output] += code * slopes[i * outputs + output];
                    with_self[output] += code * along[output];
                }
            }
            for output in 0..outputs {
                let old = scales[output];
                if with_self[output] > 0.0 {
                    scales[output] = half(old + with_error[output] / with_self[output]);
                }
                change[output] = old - scales[output];
            }
            let mut by_row = vec![0.0; outputs];
            for i in rows {
                for (output, by_row) in by_row.iter_mut().enumerate() {
                    *by_row = codes[i * outputs + output] * change[output];
                }
                add_rows(&mut slopes, moments.row(i).iter().copied(), &by_row);
            }
        }
    }
    (codes, scales)
}

/// A scale as it is kept.
fn half(scale: f32) -> f32 {
    f16::from_f32(scale).to_f32()
}

/// The upper triangular `U` with `Uᵀ U` the inverse of the moments, `[inputs, inputs]`.
///
/// With both axes reversed a Cholesky factor of the moments is upper triangular; its inverse is `U`.
fn inverse_factor(moments: &Damped) -> Vec<f64> {
    let n = moments.inputs;
    // Lower triangular, of the reversed moments, in place.
    let mut lower: Vec<f64> = moments
        .sums
        .iter()
        .rev()
        .map(|&sum| f64::from(sum))
        .collect();
    for i in 0..n {
        for j in 0..=i {
            let (before, row) = lower.split_at(i * n);
            let other = if j < i { &before[j * n..] } else { row };
            let sum: f64 = row[..j].iter().zip(&other[..j]).map(|(a, b)| a * b).sum();
            let left = row[j] - sum;
            lower[i * n + j] = match i == j {
                // Rounding may leave less than nothing where damping is all there is.
                true => left.max(f64::MIN_POSITIVE).sqrt(),
                false => left / lower[j * n + j],
            };
        }
    }
    // The inverse of a lower triangle is one too; row by row from those above.
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        let own = lower[i * n + i];
        let (above, row) = inverse.split_at_mut(i * n);
        let row = &mut row[..n];
        for (k, other) in above.chunks_exact(n).enumerate() {
            let share = lower[i * n + k];
            for (value, other) in row[..=k].iter_mut().zip(other) {
                *value -= share * other;
            }
        }
        row[i] = 1.0;
        row[..=i].iter_mut().for_each(|value| *value /= own);
    }
    inverse.reverse();
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::random_values;

    /// Rows of inputs of which each follows the one before it, and their moments.
    fn inputs(n: usize) -> (Vec<f32>, SecondMoments) {
        let mut rows = random_values(40 * n, 1);
        for row in rows.chunks_mut(n) {
            for i in 1..n {
                row[i] += 0.9 * row[i - 1];
            }
        }
        let moments = SecondMoments::of(&rows, n);
        (rows, moments)
    }

    /// How much products of `rows` change where weights do, summed over squares.
    fn changed(rows: &[f32], before: &[f32], after: &[f32], n: usize) -> f32 {
        let outputs = before.len() / n;
        let mut sum = 0.0;
        for row in rows.chunks(n) {
            for output in 0..outputs {
                let product = |weights: &[f32]| -> f32 {
                    let column = weights.iter().skip(output).step_by(outputs);
                    row.iter().zip(column).map(|(x, w)| x * w).sum()
                };
                sum += (product(before) - product(after)).powi(2);
            }
        }
        sum
    }

    fn values(codes: &[f32], scales: &[f32], outputs: usize, block: usize) -> Vec<f32> {
        let scale = |i: usize| scales[i / outputs / block * outputs + i % outputs];
        codes
            .iter()
            .enumerate()
            .map(|(i, code)| code * scale(i))
            .collect()
    }

    #[test]
    fn the_factor_is_of_the_inverse() {
        let (n, (_, moments)) = (24, inputs(24));
        let moments = Damped::of(&moments);
        let factor = inverse_factor(&moments);
        // Uᵀ U moments = 1
        for i in 0..n {
            assert!((0..i).all(|j| factor[i * n + j] == 0.0));
            for j in 0..n {
                let mut sum = 0.0;
                for k in 0..n {
                    let inverse: f64 = (0..n).map(|l| factor[l * n + i] * factor[l * n + k]).sum();
                    sum += inverse * f64::from(moments.row(k)[j]);
                }
                let one = if i == j { 1.0 } else { 0.0 };
                assert!((sum - one).abs() < 1e-4, "{i} {j}: {sum}");
            }
        }
    }

    #[test]
    fn moments_times_their_inverse_are_one() {
        let (n, (_, moments)) = (24, inputs(24));
        let inverse = inverse(&moments);
        let moments = Damped::of(&moments);
        for i in 0..n {
            for j in 0..n {
                let terms = (0..n).map(|k| inverse[i * n + k] * f64::from(moments.row(k)[j]));
                let one = if i == j { 1.0 } else { 0.0 };
                assert!((terms.sum::<f64>() - one).abs() < 1e-4, "{i} {j}");
            }
        }
    }

    #[test]
    fn products_change_less_than_by_plain_rounding() {
        let (n, outputs, block) = (64, 12, 16);
        let (rows, moments) = inputs(n);
        let weights = random_values(n * outputs, 2);
        let mut plain = weights.clone();
        Bits::Four.round(&mut plain, outputs, [block, 1]);
        let damped = Damped::of(&moments);
        let first = one_by_one(Bits::Four, weights.clone(), &damped, block);
        let then = rounded(Bits::Four, &weights, &moments, block);
        let [by_plain, by_first, by_both] = [None, Some(&first), Some(&then)].map(|coded| {
            let Some((codes, scales)) = coded else {
                return changed(&rows, &weights, &plain, n);
            };
            assert!(
                codes
                    .iter()
                    .all(|code| code.fract() == 0.0 && code.abs() <= 7.0)
            );
            let values = values(codes, scales, outputs, block);
            changed(&rows, &weights, &values, n)
        });
        assert!(by_first < 0.5 * by_plain, "{by_first} of {by_plain}");
        assert!(by_both < 0.95 * by_first, "{by_both} of {by_first}");
    }

    /// After each weight is rounded, the rest are the best there are: the same as solving for them.
    #[test]
    fn what_is_left_gives_back_all_it_can() {
        let (n, block) = (8, 8);
        let (_, moments) = inputs(n);
        let weights = random_values(n, 3);
        let moments = Damped::of(&moments);
        let (codes, scales) = one_by_one(Bits::Eight, weights.clone(), &moments, block);
        let damped = |i: usize, j: usize| f64::from(moments.row(i)[j]);
        // The last weight before it is rounded, with the errors of the others: minimise over it alone.
        let errors: Vec<f64> = (0..n - 1)
            .map(|i| f64::from(codes[i] * scales[0] - weights[i]))
            .collect();
        let pull: f64 = (0..n - 1).map(|i| damped(n - 1, i) * errors[i]).sum();
        let best = f64::from(weights[n - 1]) - pull / damped(n - 1, n - 1);
        let code = (best / f64::from(scales[0])).round();
        assert_eq!(code as f32, codes[n - 1]);
    }

    #[test]
    fn inputs_that_tell_nothing_leave_plain_rounding() {
        let (n, outputs) = (32, 8);
        let mut sums = vec![0.0; n * n];
        for i in 0..n {
            sums[i * n + i] = 3.0;
        }
        let weights = random_values(n * outputs, 4);
        let mut plain = weights.clone();
        Bits::Four.round(&mut plain, outputs, [n, 1]);
        for sums in [vec![0.0; n * n], sums] {
            let moments = SecondMoments { inputs: n, sums };
            let moments = Damped::of(&moments);
            let (codes, scales) = one_by_one(Bits::Four, weights.clone(), &moments, n);
            assert_eq!(values(&codes, &scales, outputs, n), plain);
        }
    }
}
