//! A linear layer, packed or as it is.

use crate::nn::host::linear::BlockLinear;
use crate::nn::host::matrix::add_product;
use crate::nn::host::row_linear::RowLinear;
use std::fmt;
use std::sync::Arc;

/// `x W + b`. Layers of few outputs are too small to be quantised.
#[derive(Clone)]
pub enum HostLinear {
    /// In blocks of 8 bits or 4.
    Blocks(Arc<BlockLinear>),
    /// The same, blocks along the outputs.
    Rows(Arc<RowLinear>),
    /// In `f32`: the weights, `[input, output]`, and the bias, `[output]`.
    Plain {
        /// Input by input.
        weight: Vec<f32>,
        /// One an output.
        bias: Vec<f32>,
    },
}

impl fmt::Debug for HostLinear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocks(blocks) => blocks.fmt(f),
            Self::Rows(rows) => rows.fmt(f),
            Self::Plain { bias, .. } => f
                .debug_struct("HostLinear")
                .field("outputs", &bias.len())
                .finish_non_exhaustive(),
        }
    }
}

impl HostLinear {
    /// How many inputs a row has.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Blocks(blocks) => blocks.inputs(),
            Self::Rows(rows) => rows.inputs(),
            Self::Plain { weight, bias } => weight.len() / bias.len(),
        }
    }

    /// How many outputs a row has.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Blocks(blocks) => blocks.outputs(),
            Self::Rows(rows) => rows.outputs(),
            Self::Plain { bias, .. } => bias.len(),
        }
    }

    /// The outputs of rows of values, row by row.
    ///
    /// # Panics
    /// If the rows are not whole.
    pub fn forward(&self, rows: &[f32]) -> Vec<f32> {
        match self {
            Self::Blocks(blocks) => blocks.apply(rows),
            Self::Rows(weights) => weights.forward(rows),
            Self::Plain { weight, bias } => {
                let mut all = bias.repeat(rows.len() / self.inputs());
                add_product(rows, weight, bias.len(), &mut all);
                all
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_multiplied_and_the_bias_added() {
        let layer = HostLinear::Plain {
            weight: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            bias: vec![0.5, -0.5],
        };
        let y = layer.forward(&[1.0, 0.0, -1.0, 2.0, 1.0, 0.0]);
        assert_eq!(y, [-3.5, -4.5, 5.5, 7.5]);
    }
}
