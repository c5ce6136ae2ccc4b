//! A linear layer whose weights share scales along its outputs: one that reads a row or two, such as what a network says of an image.

use std::fmt;

/// `x W + b`, the weights in 8 bits, input by input as in the file: a few rows are not worth panels.
pub struct RowLinear {
    /// `[input, output]`
    codes: Vec<i8>,
    /// Of `block` outputs of an input each, input by input.
    scales: Vec<f32>,
    block: usize,
    bias: Vec<f32>,
}

impl fmt::Debug for RowLinear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowLinear")
            .field("inputs", &self.inputs())
            .field("outputs", &self.outputs())
            .field("block", &self.block)
            .finish_non_exhaustive()
    }
}

impl RowLinear {
    /// `codes`: `[input, output]`; `scales`: one for `block` outputs each, input by input; `bias`: `[output]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn new(codes: Vec<i8>, scales: Vec<f32>, block: usize, bias: Vec<f32>) -> Self {
        assert!(bias.len().is_multiple_of(block) && codes.len().is_multiple_of(bias.len()));
        assert_eq!(scales.len() * block, codes.len());
        Self {
            codes,
            scales,
            block,
            bias,
        }
    }

    /// How many inputs a row has.
    pub fn inputs(&self) -> usize {
        self.codes.len() / self.bias.len()
    }

    /// How many outputs a row has.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// The outputs of rows of values, row by row.
    ///
    /// # Panics
    /// If the rows are not whole.
    pub fn forward(&self, rows: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        assert!(rows.len().is_multiple_of(inputs));
        let mut all = self.bias.repeat(rows.len() / inputs);
        for (row, sums) in rows.chunks_exact(inputs).zip(all.chunks_exact_mut(outputs)) {
            let codes = self.codes.chunks_exact(outputs);
            let scales = self.scales.chunks_exact(outputs / self.block);
            for ((&x, codes), scales) in row.iter().zip(codes).zip(scales) {
                self.add(x, codes, scales, sums);
            }
        }
        all
    }

    /// Adds `x` times the weights of its input to `sums`.
    fn add(&self, x: f32, codes: &[i8], scales: &[f32], sums: &mut [f32]) {
        let blocks = codes.chunks_exact(self.block).zip(scales);
        for (sums, (codes, scale)) in sums.chunks_exact_mut(self.block).zip(blocks) {
            let factor = x * scale;
            for (sum, &code) in sums.iter_mut().zip(codes) {
                *sum += factor * f32::from(code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_multiplied_and_the_bias_added() {
        let codes = vec![1, 2, 3, 4, -5, 6, 7, -128];
        let scales = vec![0.5, 2.0, 1.0, 0.25];
        let layer = RowLinear::new(codes, scales, 2, vec![0.5, -0.5, 0.0, 1.0]);
        assert_eq!((layer.inputs(), layer.outputs()), (2, 4));
        let y = layer.forward(&[1.0, 0.0, -1.0, 2.0]);
        assert_eq!(y, [1.0, 0.5, 6.0, 9.0, -10.0, 10.5, -2.5, -71.0]);
    }

    #[test]
    #[should_panic(expected = "is_multiple_of")]
    fn half_a_row_is_refused() {
        RowLinear::new(vec![1, 2, 3, 4], vec![1.0, 1.0], 2, vec![0.0; 2]).forward(&[1.0, 2.0, 3.0]);
    }
}
