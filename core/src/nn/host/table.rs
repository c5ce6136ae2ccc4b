//! Tables of vectors that are looked up row by row, as they are in the file.

use burn::tensor::f16;

/// A table of rows.
pub struct Table {
    values: Values,
    columns: usize,
}

enum Values {
    Plain(Vec<f32>),
    Packed {
        /// Codes row by row, then scales row by row in f16.
        bytes: Vec<u8>,
        /// Where the scales start.
        scales: usize,
        /// Codes in a byte; of two, the first is in the low half.
        share: usize,
        /// Values of a row that share a scale.
        block: usize,
    },
}

impl Table {
    /// Rows of `columns` values in f32.
    ///
    /// # Panics
    /// If there are no whole rows.
    pub fn plain(values: Vec<f32>, columns: usize) -> Self {
        assert!(values.len().is_multiple_of(columns));
        Self {
            values: Values::Plain(values),
            columns,
        }
    }

    /// Rows of `columns` codes of 8 or 4 `bits`, of 4 the first in the low half of a byte, then
    /// the f16 scales of `block` values each; both row by row.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn packed(bytes: Vec<u8>, rows: usize, columns: usize, block: usize, bits: usize) -> Self {
        assert!(matches!(bits, 4 | 8) && columns.is_multiple_of(block));
        let (share, scales) = (8 / bits, rows * columns * bits / 8);
        assert!(block.is_multiple_of(share));
        assert_eq!(bytes.len(), scales + rows * columns / block * 2);
        Self {
            values: Values::Packed {
                bytes,
                scales,
                share,
                block,
            },
            columns,
        }
    }

    /// Adds row `index` to `sum`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn add_row(&self, index: usize, sum: &mut [f32]) {
        let row = index * self.columns..(index + 1) * self.columns;
        match &self.values {
            Values::Plain(values) => {
                for (sum, x) in sum.iter_mut().zip(&values[row]) {
                    *sum += x;
                }
            }
            Values::Packed {
                bytes,
                scales,
                share,
                block,
            } => {
                let (codes, scales) = bytes.split_at(*scales);
                let codes = codes[row.start / share..row.end / share].chunks_exact(block / share);
                let scales = &scales.as_chunks().0[row.start / block..row.end / block];
                let blocks = sum.chunks_exact_mut(*block).zip(codes).zip(scales);
                for ((sum, codes), &scale) in blocks {
                    let scale = f16::from_le_bytes(scale).to_f32();
                    if *share == 1 {
                        for (sum, &code) in sum.iter_mut().zip(codes) {
                            *sum += f32::from(code as i8) * scale;
                        }
                    } else {
                        for (sum, &both) in sum.as_chunks_mut::<2>().0.iter_mut().zip(codes) {
                            sum[0] += f32::from((both << 4) as i8 >> 4) * scale;
                            sum[1] += f32::from(both as i8 >> 4) * scale;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_scaled_and_added() {
        let row = |table: &Table, index| {
            let mut sum = vec![1.0; 4];
            table.add_row(index, &mut sum);
            sum
        };
        let plain = Table::plain((0..8).map(|i| i as f32).collect(), 4);
        assert_eq!(row(&plain, 1), [5.0, 6.0, 7.0, 8.0]);
        let packed = |codes: &[i32], bits| {
            let codes = codes.iter().map(|&code| code as u8);
            let scales = [1.0, 0.5, 2.0, 0.25].map(|scale| f16::from_f32(scale).to_le_bytes());
            let bytes = codes.chain(scales.into_iter().flatten()).collect();
            Table::packed(bytes, 2, 4, 2, bits)
        };
        let eight = packed(&[1, 2, 3, 4, 127, -127, 0, -1], 8);
        assert_eq!(row(&eight, 0), [2.0, 3.0, 2.5, 3.0]);
        assert_eq!(row(&eight, 1), [255.0, -253.0, 1.0, 0.75]);
        let four = packed(&[0x21, 0x43, 0x97, 0xf0], 4);
        assert_eq!(row(&four, 0), [2.0, 3.0, 2.5, 3.0]);
        assert_eq!(row(&four, 1), [15.0, -13.0, 1.0, 0.75]);
    }

    #[test]
    #[should_panic(expected = "range")]
    fn a_row_beyond_the_last_is_refused() {
        Table::plain(vec![0.0; 4], 4).add_row(1, &mut [0.0; 4]);
    }
}
