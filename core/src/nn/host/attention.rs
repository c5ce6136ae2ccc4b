//! Attention of one sequence over itself or another in plain `f32`.

use crate::nn::host::pointwise::softmax;
use crate::nn::host::wide::wide;
use crate::nn::relative_position::bucket;
use std::array::from_fn;

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

wide! {
    /// Multi-head scaled dot-product attention of every query over all keys, of which there is one at least.
    ///
    /// # Shapes
    /// - the heads side by side: `queries` and the result `[Q, D]`, `keys` and `values` `[K, D]`
    /// - `biases`: of as many queries as keys
    /// - `weights`: what every query's heads together give to each key is added to it, `[Q, K]`
    pub fn attend(
        queries: &[f32],
        keys: &[f32],
        values: &[f32],
        d: usize,
        heads: usize,
        biases: Option<&Biases>,
        weights: Option<&mut [f32]>,
    ) -> Vec<f32> {
        let (n, size) = (keys.len() / d, d / heads);
        let scale = 1.0 / (size as f32).sqrt();
        let mut result = vec![0.0; queries.len()];
        let mut logits = vec![0.0; queries.len() / d * n];
        let mut all = weights;
        for head in 0..heads {
            let own = head * size..(head + 1) * size;
            let queries = queries.chunks_exact(d).map(|row| &row[own.clone()]);
            let keys = keys.chunks_exact(d).map(|row| &row[own.clone()]);
            let (queries, keys) = (packed(queries, size, scale), packed(keys, size, 1.0));
            multiply((&queries, &keys), size, &mut logits, n, n);
            for (i, logits) in logits.chunks_exact_mut(n).enumerate() {
                if let Some(biases) = biases {
                    biases.add(head, i, logits);
                }
                softmax(logits);
            }
            if let Some(all) = &mut all {
                for (sum, weight) in all.iter_mut().zip(&logits) {
                    *sum += weight;
                }
            }
            let weights = packed(logits.chunks_exact(n), n, 1.0);
            let values = values.chunks_exact(d).map(|row| &row[own.clone()]);
            let result = &mut result[own.start..];
            multiply((&weights, &columns(values, size)), n, result, size, d);
        }
        result
    }
}

/// Rows of `k` values, times `factor`, in groups of `SIDE`: of each group the first values of all its rows, then the second ones,
/// `[rows / SIDE, k, SIDE]`. What stands in the place of rows beyond the last is 0.
#[inline(always)]
fn packed<'a, const SIDE: usize>(
    rows: impl Iterator<Item = &'a [f32]>,
    k: usize,
    factor: f32,
) -> Vec<[f32; SIDE]> {
    let rows: Vec<&[f32]> = rows.collect();
    let mut packed = vec![[0.0; SIDE]; rows.len().div_ceil(SIDE) * k];
    for (group, rows) in packed.chunks_exact_mut(k).zip(rows.chunks(SIDE)) {
        for (r, row) in rows.iter().enumerate() {
            for (side, x) in group.iter_mut().zip(*row) {
                side[r] = x * factor;
            }
        }
    }
    packed
}

/// As [`packed`] has the columns of rows of `n` values, in groups of 8.
#[inline(always)]
fn columns<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]>, n: usize) -> Vec<[f32; 8]> {
    let k = rows.len();
    let mut packed = vec![[0.0; 8]; n.div_ceil(8) * k];
    for (j, row) in rows.enumerate() {
        let groups = packed.chunks_exact_mut(k);
        for (group, values) in groups.zip(row.chunks(8)) {
            match values.first_chunk() {
                Some(eight) => group[j] = *eight,
                None => group[j][..values.len()].copy_from_slice(values),
            }
        }
    }
    packed
}

/// The dot product of every row of `a` with every row of `b`, which have `k` values and are [`packed`]: 4 times 8 at once, whose sums
/// 16 registers of 16 bytes hold. Those of a row of `a` are `columns` values of `c`, `stride` after those of the row before.
#[inline(always)]
fn multiply(
    (a, b): (&[[f32; 4]], &[[f32; 8]]),
    k: usize,
    c: &mut [f32],
    columns: usize,
    stride: usize,
) {
    for (i, a) in a.chunks_exact(k).enumerate() {
        for (j, b) in b.chunks_exact(k).enumerate() {
            let mut sums = [[0.0_f32; 8]; 4];
            for (a, b) in a.iter().zip(b) {
                // As values: added to in place, compilers may compute one at a time, which takes five times as long.
                sums = from_fn(|r| from_fn(|o| sums[r][o] + a[r] * b[o]));
            }
            let here = 8.min(columns - 8 * j);
            // Rows beyond the last have no place in `c`.
            let rows = c[4 * i * stride..].chunks_mut(stride);
            for (row, sums) in rows.zip(&sums) {
                row[8 * j..][..here].copy_from_slice(&sums[..here]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        for (n, d, heads) in [(1, 4, 1), (3, 6, 2), (9, 20, 4), (16, 8, 8), (13, 38, 2)] {
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
            let got = attend(&q, &k, &v, d, heads, Some(&distances.among(n)), None);
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

    /// Over other rows than the queries', more or fewer of them.
    #[test]
    fn another_sequence_is_attended_to() {
        for (queries, keys, d, heads) in [(1, 7, 4, 2), (9, 3, 24, 3), (6, 1, 8, 1)] {
            let table = |seed: f32, n: usize| -> Vec<f32> {
                (0..n * d).map(|i| (i as f32 * seed).sin() * 2.0).collect()
            };
            let (q, k, v) = (table(0.7, queries), table(1.3, keys), table(2.1, keys));
            let mut shares = vec![0.0; queries * keys];
            let got = attend(&q, &k, &v, d, heads, None, Some(&mut shares));
            let (size, mut expected) = (d / heads, vec![0.0_f64; queries * d]);
            let mut together = vec![0.0_f64; queries * keys];
            for i in 0..queries {
                for head in 0..heads {
                    let own = || head * size..(head + 1) * size;
                    let logit = |j: usize| -> f64 {
                        let products = own().map(|t| f64::from(q[i * d + t] * k[j * d + t]));
                        products.sum::<f64>() / (size as f64).sqrt()
                    };
                    let all: f64 = (0..keys).map(|j| logit(j).exp()).sum();
                    for j in 0..keys {
                        let weight = logit(j).exp() / all;
                        together[i * keys + j] += weight;
                        for t in own() {
                            expected[i * d + t] += weight * f64::from(v[j * d + t]);
                        }
                    }
                }
            }
            let close = |got: &[f32], expected: &[f64]| {
                let mut pairs = got.iter().zip(expected);
                pairs.all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5)
            };
            assert_eq!(got.len(), expected.len());
            assert!(close(&got, &expected) && close(&shares, &together));
        }
    }
}
