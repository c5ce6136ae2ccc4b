//! Small matrices in plain `f32`, row by row.

use crate::nn::host::wide::wide;

/// The columns of a matrix as rows.
///
/// # Panics
/// If the number of values does not fit.
pub fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    assert_eq!(values.len(), rows * columns);
    let mut out = vec![0.0; values.len()];
    for (r, row) in values.chunks_exact(columns.max(1)).enumerate() {
        for (x, out) in row.iter().zip(out[r..].iter_mut().step_by(rows)) {
            *out = *x;
        }
    }
    out
}

/// The rows, of `width` values each, at these places.
///
/// # Panics
/// If there is no such row.
pub fn rows_at(values: &[f32], places: &[usize], width: usize) -> Vec<f32> {
    let rows = places.iter().flat_map(|&at| &values[at * width..][..width]);
    rows.copied().collect()
}

/// The rows of two matrices side by side, the first of `widths[0]` values each, the second of `widths[1]`.
pub fn side_by_side(first: &[f32], second: &[f32], widths: [usize; 2]) -> Vec<f32> {
    let rows = first
        .chunks_exact(widths[0])
        .zip(second.chunks_exact(widths[1]));
    rows.flat_map(|(first, second)| first.iter().chain(second))
        .copied()
        .collect()
}

wide! {
    /// The product of `a`, `[n, k]`, with `b`, `[k, columns]`, added to `sums`, `[n, columns]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn add_product(a: &[f32], b: &[f32], columns: usize, sums: &mut [f32]) {
        let (k, n) = (b.len() / columns, sums.len() / columns);
        assert_eq!((k * columns, n * columns, n * k), (b.len(), sums.len(), a.len()));
        for (a, sums) in a.chunks_exact(k).zip(sums.chunks_exact_mut(columns)) {
            for (&a, b) in a.iter().zip(b.chunks_exact(columns)) {
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum += a * b;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_columns() {
        let (a, b) = (
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            [1.0, 0.0, -1.0, 2.0, 0.5, 1.0],
        );
        let mut sums = vec![10.0, 0.0, 0.0, 0.0];
        add_product(&a, &b, 2, &mut sums);
        assert_eq!(sums, [10.5, 7.0, 2.0, 16.0]);
        assert_eq!(transposed(&a, [2, 3]), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(rows_at(&a, &[2, 0, 2], 2), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
        assert_eq!(
            side_by_side(&a[..2], &a[2..], [1, 2]),
            [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]
        );
    }
}
