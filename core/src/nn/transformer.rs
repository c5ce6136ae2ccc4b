//! The post-LN transformer layer of BERT, as self-attention and as cross-attention.

use crate::nn::attention::{Attention, KeyMask};
use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::host::{HostLayer, Norm};
use crate::nn::linear::{Linear, linear};
use crate::nn::values::values;
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};

/// Sizes of a [`TransformerLayer`].
#[derive(Clone, Copy, Debug)]
pub struct TransformerLayerConfig {
    /// Hidden size `D`.
    pub d: usize,
    /// Attention heads; divides `d`.
    pub heads: usize,
    /// Hidden size of the feed-forward network.
    pub ffn: usize,
    /// Dropout on attention weights and on both sub-layers' outputs.
    pub dropout: f64,
    /// Epsilon of both layer norms.
    pub epsilon: f64,
}

/// Checks layers of this width, and `others`, all further sizes beyond the encoder.
///
/// # Errors
/// The problem, as the end of a sentence.
pub fn check_sizes(width: usize, heads: usize, others: &[usize]) -> Result<(), &'static str> {
    const FITS: std::ops::RangeInclusive<usize> = 1..=1 << 16;
    if !FITS.contains(&width) || others.iter().any(|size| !FITS.contains(size)) {
        Err("a size beyond the encoder is 0 or beyond any model this program knows")
    } else if heads == 0 || !width.is_multiple_of(heads) {
        Err("the heads do not divide the width beyond the encoder")
    } else {
        Ok(())
    }
}

impl TransformerLayerConfig {
    /// A fresh layer on `device`.
    pub fn init(&self, device: &Device) -> TransformerLayer {
        let norm = || {
            LayerNormConfig::new(self.d)
                .with_epsilon(self.epsilon)
                .init(device)
        };
        TransformerLayer {
            attention: Attention::new(self.d, self.heads, self.dropout, device),
            attention_norm: norm(),
            ffn_in: linear(self.d, self.ffn, device),
            ffn_out: linear(self.ffn, self.d, device),
            ffn_norm: norm(),
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }
}

/// Attention, residual, layer norm; feed-forward (erf-GELU), residual, layer norm.
#[derive(Module, Debug)]
pub struct TransformerLayer {
    /// The attention sub-layer.
    pub attention: Attention,
    /// Norm after the attention residual.
    pub attention_norm: LayerNorm,
    /// Feed-forward, `D -> F`.
    pub ffn_in: Linear,
    /// Feed-forward, `F -> D`.
    pub ffn_out: Linear,
    /// Norm after the feed-forward residual.
    pub ffn_norm: LayerNorm,
    dropout: Dropout,
}

impl TransformerLayer {
    /// `Self(X, mask)`: attention of `x`, `[B, P, D]`, over itself.
    pub fn forward_self(&self, x: Tensor<3>, mask: &KeyMask) -> Tensor<3> {
        self.forward(x.clone(), x, mask, None).0
    }

    /// `Cross(S <- K, mask)`: queries and residual from `s`, keys and values from `k`.
    ///
    /// # Shapes
    /// - s `[B, Q, D]`, k `[B, K, D]`, bias `[B or 1, H or 1, Q, K]` added to the logits
    /// - output `[B, Q, D]`, attention weights `[B, H, Q, K]`
    pub fn forward(
        &self,
        s: Tensor<3>,
        k: Tensor<3>,
        mask: &KeyMask,
        bias: Option<Tensor<4>>,
    ) -> (Tensor<3>, Tensor<4>) {
        let (context, weights) = self.attention.forward(s.clone(), k, mask, bias);
        (
            self.forward_alone(s + self.dropout.forward(context)),
            weights,
        )
    }

    /// The layer where there is nothing to attend to: the norm of `s`, `[B, Q, D]`, and its
    /// feed-forward.
    pub fn forward_alone(&self, s: Tensor<3>) -> Tensor<3> {
        let x = self.attention_norm.forward(s);
        let hidden = self.ffn_in.forward_gelu(x.clone());
        let out = self.dropout.forward(self.ffn_out.forward(hidden));
        self.ffn_norm.forward(x + out)
    }

    /// The same layer for sequences in a CPU's own memory, its norms with this epsilon; none where weights are not kept in blocks.
    pub fn to_host(&self, epsilon: f64) -> Option<HostLayer> {
        let norm = |norm: &LayerNorm| {
            let weight = values(norm.gamma.val());
            Norm {
                bias: match &norm.beta {
                    Some(beta) => values(beta.val()),
                    None => vec![0.0; weight.len()],
                },
                weight,
                epsilon: epsilon as f32,
            }
        };
        Some(HostLayer {
            query: self.attention.query.blocks()?,
            key: self.attention.key.blocks()?,
            value: self.attention.value.blocks()?,
            output: self.attention.output.blocks()?,
            heads: self.attention.heads(),
            attention_norm: norm(&self.attention_norm),
            ffn_in: self.ffn_in.blocks()?,
            ffn_out: self.ffn_out.blocks()?,
            ffn_norm: norm(&self.ffn_norm),
        })
    }
}
