//! Self-attention of one sequence in plain `f32`.

use crate::nn::host::pointwise::softmax;
use crate::nn::relative_position::bucket;

/// A bias on attention by distance, the same in every layer.
pub struct Distances {
    /// `[buckets, heads]`
    pub biases: Vec<f32>,
    /// Attention heads.
    pub heads: usize,
}

impl Distances {
    /// What they are among `n` subwords.
    pub fn among(&self, n: usize) -> Biases {
        let buckets = self.biases.len() / self.heads;
        // The first key's offset to the last query is 1 - n, the last key's to the first query n - 1.
        let offsets = (1..n).rev().map(|before| (before, 0));
        let offsets: Vec<usize> = offsets
            .chain((0..n).map(|after| (0, after)))
            .map(|(query, key)| bucket(query, key, buckets))
            .collect();
        let of = |head| move |at: &usize| self.biases[at * self.heads + head];
        Biases {
            by_offset: (0..self.heads)
                .flat_map(|head| offsets.iter().map(of(head)))
                .collect(),
            n,
        }
    }
}

/// The bias of every pair of `n` subwords, which only their offset decides.
pub struct Biases {
    /// `[heads, 2 n - 1]`, key minus query from `1 - n` on.
    by_offset: Vec<f32>,
    n: usize,
}

impl Biases {
    /// Adds to one query's logits, `[n]`, what `head` thinks of each key's distance.
    fn add(&self, head: usize, query: usize, logits: &mut [f32]) {
        let from = head * (2 * self.n - 1) + self.n - 1 - query;
        for (logit, bias) in logits.iter_mut().zip(&self.by_offset[from..]) {
            *logit += bias;
        }
    }
}

/// Multi-head scaled dot-product attention of every subword over all of them.
///
/// # Shapes
/// `queries`, `keys`, `values` and the result, the heads side by side: `[P, D]`
pub fn attend(
    queries: &[f32],
    keys: &[f32],
    values: &[f32],
    d: usize,
    heads: usize,
    biases: Option<&Biases>,
) -> Vec<f32> {
    let (n, size) = (keys.len() / d, d / heads);
    let scale = 1.0 / (size as f32).sqrt();
    // Whole vectors: what stands beyond the last subword is 0 and never read.
    let stride = n.next_multiple_of(8);
    let mut result = vec![0.0; n * d];
    let mut across = vec![0.0; size * stride];
    let mut weights = vec![0.0; stride];
    let mut query = vec![0.0; size];
    for head in 0..heads {
        let own = head * size..(head + 1) * size;
        for (j, key) in keys.chunks_exact(d).enumerate() {
            for (t, &x) in key[own.clone()].iter().enumerate() {
                across[t * stride + j] = x;
            }
        }
        let rows = queries.chunks_exact(d).zip(result.chunks_exact_mut(d));
        for (i, (row, result)) in rows.enumerate() {
            for (x, from) in query.iter_mut().zip(&row[own.clone()]) {
                *x = from * scale;
            }
            weights.fill(0.0);
            combine(&mut weights, &query, |t| &across[t * stride..]);
            if let Some(biases) = biases {
                biases.add(head, i, &mut weights[..n]);
            }
            softmax(&mut weights[..n]);
            let value = |j: usize| &values[j * d + own.start..];
            combine(&mut result[own.clone()], &weights[..n], value);
        }
    }
    result
}

/// Adds `sum_i factors_i row(i)` to `sums`, four rows at a time.
#[inline(always)]
fn combine<'a>(sums: &mut [f32], factors: &[f32], row: impl Fn(usize) -> &'a [f32]) {
    let n = sums.len();
    let (fours, rest) = factors.as_chunks::<4>();
    for (i, f) in fours.iter().enumerate() {
        let [a, b, c, d] = [0, 1, 2, 3].map(|j| &row(4 * i + j)[..n]);
        for (t, sum) in sums.iter_mut().enumerate() {
            *sum += f[0] * a[t] + f[1] * b[t] + f[2] * c[t] + f[3] * d[t];
        }
    }
    for (i, f) in rest.iter().enumerate() {
        for (sum, x) in sums.iter_mut().zip(row(4 * fours.len() + i)) {
            *sum += f * x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        for (n, d, heads) in [(1, 4, 1), (3, 6, 2), (9, 20, 4), (16, 8, 8)] {
            let table = |seed: f32| -> Vec<f32> {
                (0..n * d).map(|i| (i as f32 * seed).sin() * 2.0).collect()
            };
            let (q, k, v) = (table(0.7), table(1.3), table(2.1));
            let distances = Distances {
                biases: (0..32 * heads).map(|i| (i as f32 * 0.3).cos()).collect(),
                heads,
            };
            let bias = |i: usize, j: usize, head: usize| {
                f64::from(distances.biases[bucket(i, j, 32) * heads + head])
            };
            let got = attend(&q, &k, &v, d, heads, Some(&distances.among(n)));
            let size = d / heads;
            let at = |x: &[f32], i: usize, t: usize| f64::from(x[i * d + t]);
            for i in 0..n {
                for t in 0..d {
                    let own = t / size * size..(t / size + 1) * size;
                    let weights: Vec<f64> = (0..n)
                        .map(|j| {
                            let dot: f64 = own.clone().map(|u| at(&q, i, u) * at(&k, j, u)).sum();
                            (dot / (size as f64).sqrt() + bias(i, j, t / size)).exp()
                        })
                        .collect();
                    let all: f64 = weights.iter().sum();
                    let expected: f64 = weights
                        .iter()
                        .enumerate()
                        .map(|(j, w)| w / all * at(&v, j, t))
                        .sum();
                    assert!((f64::from(got[i * d + t]) - expected).abs() < 1e-5);
                }
            }
        }
    }
}
