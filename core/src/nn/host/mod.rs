//! Quantised layers on a CPU, in plain Rust: linear layers, and with them the whole text encoder, the same arithmetic as
//! [`Encoder`](crate::nn::encoder::Encoder). Weights stay in 8 bits or 4 and are multiplied as whole numbers with rounded
//! activations. Beside weights of 8 bits those have 16 bits, which changes a state by about 1e-4, or in a browser's relaxed loop 14,
//! 4e-4; beside weights of 4 bits they have 8, which changes a score by 0.05. `lanes` says which inner loop computes where.
//!
//! # Why panels of 16 outputs, and 2 or 4 rows
//!
//! An inner loop computes a panel of outputs for a few rows at once: every weight it reads serves all rows, every
//! activation all outputs. More of both means fewer reads, until the sums no longer fit into registers. Milliseconds of `pairs` for the
//! linear layers of one layer of MiniLM-L6 on 32 subwords, by outputs of a panel and rows at once, on an AMD EPYC, natively (AVX2, vectors
//! of 8) and as WebAssembly in Node 20 (V8, vectors of 4):
//!
//! | panel | 1 row | 2 rows | 4 rows | 8 rows |
//! |---|---|---|---|---|
//! | 8, native | 1.77 | 1.49 | 1.35 | 1.24 |
//! | **16, native** | 1.26 | 1.26 | **1.11** | 1.25 |
//! | 32, native | 1.05 | 1.06 | 1.16 | 1.12 |
//! | 8, WebAssembly | 3.18 | 2.44 | 2.18 | 2.71 |
//! | **16, WebAssembly** | 2.51 | **2.13** | 2.81 | 2.80 |
//! | 32, WebAssembly | 2.41 | 2.75 | 3.57 | 2.75 |
//!
//! So 16 outputs and 2 rows are the fastest in the browser: eight vectors of sums, four of weights and one of activations are
//! what 16 registers hold. With twice the rows V8 spills, which costs a third. Natively a vector is twice as wide, so the same eight
//! vectors of sums are 4 rows. A panel of 32 would be 5 % faster there and is the slowest in the browser; one width serves both.
//! (Weights were widened to 16 bits before the loop then; now it reads them in 8.)
//!
//! Rows are laid out in fours for every loop, which takes as many of them at once as it likes.

mod activations;
mod attention;
mod bytes;
mod convolution;
mod dense;
mod job;
mod lanes;
mod layer;
mod linear;
mod map;
mod matrix;
mod packed;
mod pairs;
mod panel;
mod pointwise;
mod quads;
mod row_linear;
mod scales;
mod table;
mod trial;
mod vector;
mod wide;

pub use activations::Activations;
use attention::Biases;
pub use attention::Distances;
pub use convolution::{Activation, Convolution, Geometry};
pub use dense::HostLinear;
pub use job::Job;
pub use lanes::{Foreign, ForeignLoops, Precision, use_foreign};
pub use layer::HostLayer;
pub use linear::BlockLinear;
pub use map::HostMap;
pub use matrix::{add_product, rows_at, side_by_side, transposed};
pub use packed::bears_coarse;
pub use panel::{MOST_IN_BLOCK, STEP};
pub use pointwise::{Norm, gelu, gelu_tangents, sigmoid, softmax};
pub use row_linear::RowLinear;
use std::fmt;
pub use table::Table;
pub use trial::{is_right, ratio};

/// A BERT-family encoder with packed weights.
pub struct HostEncoder {
    /// Subwords, `[vocab, D]`.
    pub words: Table,
    /// `[positions, D]`
    pub positions: Table,
    /// `[token_types, D]`
    pub token_types: Table,
    /// Word shapes, `[shapes, D]`.
    pub shapes: Option<Table>,
    /// Norm of the summed input embeddings.
    pub norm: Norm,
    /// The transformer layers.
    pub layers: Vec<HostLayer>,
    /// Bias of the attention by distance.
    pub distances: Option<Distances>,
    /// How finely the inputs of the linear layers are rounded.
    pub precision: Precision,
}

/// One subword of a sequence, as rows of the tables.
#[derive(Clone, Copy, Debug)]
pub struct HostPiece {
    /// Row of the subwords.
    pub word: usize,
    /// Row of the positions.
    pub position: usize,
    /// Row of the token types.
    pub token_type: usize,
    /// Row of the word shapes; ignored by an encoder without the table.
    pub shape: Option<usize>,
}

impl fmt::Debug for HostEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostEncoder")
            .field("d", &self.d())
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

impl HostEncoder {
    /// `D`
    pub fn d(&self) -> usize {
        self.norm.weight.len()
    }

    /// Hidden states of one sequence, `[P, D]`; every subword attends to all.
    ///
    /// # Panics
    /// If a table has no such row.
    pub fn forward(&self, subwords: &[HostPiece]) -> Vec<f32> {
        let Some((last, layers)) = self.layers.split_last() else {
            return self.embedded(subwords);
        };
        let biases = self.biases(subwords.len());
        last.over_itself(
            &self.through(layers, subwords, biases.as_ref()),
            biases.as_ref(),
        )
    }

    /// Those of the subwords at these places, `[N, D]`: the last layer computes no others.
    ///
    /// # Panics
    /// As [`HostEncoder::forward`], or if there is no such place.
    pub fn forward_at(&self, subwords: &[HostPiece], places: &[usize]) -> Vec<f32> {
        match self.layers.split_last() {
            // The bias is that of whole sequences.
            Some((last, layers)) if self.distances.is_none() => {
                let x = self.through(layers, subwords, None);
                last.forward_cross(&rows_at(&x, places, self.d()), &x).0
            }
            _ => rows_at(&self.forward(subwords), places, self.d()),
        }
    }

    /// What a bias by distance adds among `n` subwords, if there is one.
    fn biases(&self, n: usize) -> Option<Biases> {
        Some(self.distances.as_ref()?.among(n))
    }

    /// States of one sequence after these layers.
    fn through(
        &self,
        layers: &[HostLayer],
        subwords: &[HostPiece],
        biases: Option<&Biases>,
    ) -> Vec<f32> {
        let embedded = self.embedded(subwords);
        layers
            .iter()
            .fold(embedded, |x, layer| layer.over_itself(&x, biases))
    }

    /// The layer-normed sum of the input embeddings.
    fn embedded(&self, subwords: &[HostPiece]) -> Vec<f32> {
        let mut x = vec![0.0; subwords.len() * self.d()];
        for (subword, x) in subwords.iter().zip(x.chunks_exact_mut(self.d())) {
            self.words.add_row(subword.word, x);
            self.positions.add_row(subword.position, x);
            self.token_types.add_row(subword.token_type, x);
            if let (Some(shapes), Some(shape)) = (&self.shapes, subword.shape) {
                shapes.add_row(shape, x);
            }
        }
        self.norm.forward(&mut x);
        x
    }
}
