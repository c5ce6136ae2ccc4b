//! The transformer layer of BERT with packed weights, as self-attention and as cross-attention.

use crate::nn::host::activations::Activations;
use crate::nn::host::attention::{Biases, attend};
use crate::nn::host::linear::BlockLinear;
use crate::nn::host::pointwise::{Norm, gelu};
use std::fmt;
use std::sync::Arc;

/// A transformer layer with packed weights: [`TransformerLayer`](crate::nn::transformer::TransformerLayer) of one sequence.
pub struct HostLayer {
    /// Projects queries, `D -> D`.
    pub query: Arc<BlockLinear>,
    /// Projects keys, `D -> D`.
    pub key: Arc<BlockLinear>,
    /// Projects values, `D -> D`.
    pub value: Arc<BlockLinear>,
    /// Projects the joined heads, `D -> D`.
    pub output: Arc<BlockLinear>,
    /// Attention heads.
    pub heads: usize,
    /// Norm after the attention residual.
    pub attention_norm: Norm,
    /// Feed-forward, `D -> F`.
    pub ffn_in: Arc<BlockLinear>,
    /// Feed-forward, `F -> D`.
    pub ffn_out: Arc<BlockLinear>,
    /// Norm after the feed-forward residual.
    pub ffn_norm: Norm,
}

impl fmt::Debug for HostLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostLayer")
            .field("heads", &self.heads)
            .field("ffn_in", &self.ffn_in)
            .finish_non_exhaustive()
    }
}

impl HostLayer {
    /// New states of a sequence that attends to itself, `[P, D]` to `[P, D]`.
    pub(super) fn over_itself(&self, x: &[f32], biases: Option<&Biases>) -> Vec<f32> {
        let [q, k, v] = all_of(x, [&self.query, &self.key, &self.value]);
        self.after(x, attend(&q, &k, &v, self.d(), self.heads, biases, None))
    }

    /// As a layer without a bias on its attention has it.
    pub fn forward_self(&self, x: &[f32]) -> Vec<f32> {
        self.over_itself(x, None)
    }

    /// New states of a sequence that attends to another, which is not empty, and what each row attended to, averaged over heads.
    ///
    /// # Shapes
    /// - `x` and the new states `[Q, D]`, `other` `[K, D]`, the weights `[Q, K]`
    pub fn forward_cross(&self, x: &[f32], other: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let [k, v] = all_of(other, [&self.key, &self.value]);
        let d = self.d();
        let mut weights = vec![0.0; x.len() / d * (other.len() / d)];
        let q = self.query.apply(x);
        let joined = attend(&q, &k, &v, d, self.heads, None, Some(&mut weights));
        for weight in &mut weights {
            *weight /= self.heads as f32;
        }
        (self.after(x, joined), weights)
    }

    /// The layer where there is nothing to attend to.
    pub fn forward_alone(&self, mut x: Vec<f32>) -> Vec<f32> {
        self.attention_norm.forward(&mut x);
        let mut hidden = self.ffn_in.apply(&x);
        gelu(&mut hidden);
        let mut out = self.ffn_out.apply(&hidden);
        add(&mut out, &x);
        self.ffn_norm.forward(&mut out);
        out
    }

    fn d(&self) -> usize {
        self.attention_norm.weight.len()
    }

    /// What follows the attention, whose heads are `joined`.
    fn after(&self, x: &[f32], joined: Vec<f32>) -> Vec<f32> {
        let mut attended = self.output.apply(&joined);
        add(&mut attended, x);
        self.forward_alone(attended)
    }
}

/// What several layers make of the same rows.
fn all_of<const N: usize>(x: &[f32], layers: [&BlockLinear; N]) -> [Vec<f32>; N] {
    let packed = Activations::new(layers[0].layout(), x, layers[0].inputs());
    layers.map(|layer| {
        // A bundle may have weights in other blocks here than there.
        match layer.layout() == packed.layout() {
            true => layer.forward(&packed),
            false => layer.apply(x),
        }
    })
}

fn add(sum: &mut [f32], other: &[f32]) {
    for (sum, x) in sum.iter_mut().zip(other) {
        *sum += x;
    }
}
