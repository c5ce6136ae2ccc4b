//! Multi-head attention whose weights can be looked at and whose empty key sets are exact.

use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::linear::{Linear, linear};
use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

/// Added to the logits of masked keys: far below any real logit, and finite.
const MASKED: f64 = -1e9;

/// Which keys of a batch may be attended to.
#[derive(Clone, Debug)]
pub struct KeyMask {
    /// `[B, 1, 1, K]`: 0 for a present key, a large negative number for an absent one.
    logits: Tensor<4>,
    /// `[B, 1, 1]`: 1 where a sample has any key, 0 where it has none. `None`: all samples have.
    any: Option<Tensor<3>>,
}

impl KeyMask {
    /// From `present`, `[B, K]`, 1 for a present key and 0 for an absent one; every sample has
    /// at least one present key, as every tweet has its special tokens.
    pub fn never_empty(present: Tensor<2>) -> Self {
        let [batch, keys] = present.dims();
        let logits = (-present + 1.0)
            .mul_scalar(MASKED)
            .reshape([batch, 1, 1, keys]);
        Self { logits, any: None }
    }

    /// From `present`, `[B, K]`, where a sample may have no key at all: attention over nothing
    /// then yields exactly 0, output bias included.
    pub fn maybe_empty(present: Tensor<2>) -> Self {
        let any = present.clone().max_dim(1).unsqueeze_dim::<3>(2);
        Self {
            any: Some(any),
            ..Self::never_empty(present)
        }
    }
}

/// Softmax of `logits` along `dim` over what is present (1, else 0); all 0 where nothing is.
///
/// # Shapes
/// `present` has the shape of `logits`, or 1 where it is the same along a dimension.
pub fn masked_softmax<const D: usize>(
    logits: Tensor<D>,
    present: Tensor<D>,
    dim: usize,
) -> Tensor<D> {
    softmax(logits + (present.clone() - 1.0) * -MASKED, dim) * present
}

/// Multi-head scaled dot-product attention with its four projections.
#[derive(Module, Debug)]
pub struct Attention {
    /// Projects queries, `D -> D`.
    pub query: Linear,
    /// Projects keys, `D -> D`.
    pub key: Linear,
    /// Projects values, `D -> D`.
    pub value: Linear,
    /// Projects the joined heads, `D -> D`.
    pub output: Linear,
    dropout: Dropout,
    heads: usize,
}

impl Attention {
    /// A fresh attention of `heads` heads over `d` dimensions with dropout on its weights.
    ///
    /// # Panics
    /// If `heads` does not divide `d`.
    pub fn new(d: usize, heads: usize, dropout: f64, device: &Device) -> Self {
        assert!(
            heads > 0 && d.is_multiple_of(heads),
            "{heads} heads do not divide {d} dimensions"
        );
        Self {
            query: linear(d, d, device),
            key: linear(d, d, device),
            value: linear(d, d, device),
            output: linear(d, d, device),
            dropout: DropoutConfig::new(dropout).init(),
            heads,
        }
    }

    /// How many heads it has.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Attends from `queries` to `keys`; `bias` is added to the logits before the softmax.
    ///
    /// # Shapes
    /// - queries `[B, Q, D]`, keys `[B, K, D]`, bias `[B or 1, H or 1, Q, K]`
    /// - context `[B, Q, D]`, weights `[B, H, Q, K]` (rows sum to 1, also where a sample has no
    ///   key: its context is 0 all the same)
    pub fn forward(
        &self,
        queries: Tensor<3>,
        keys: Tensor<3>,
        mask: &KeyMask,
        bias: Option<Tensor<4>>,
    ) -> (Tensor<3>, Tensor<4>) {
        let [batch, n_queries, d] = queries.dims();
        let [_, n_keys, _] = keys.dims();
        let d_head = d / self.heads;
        let split =
            |x: Tensor<3>, n: usize| x.reshape([batch, n, self.heads, d_head]).swap_dims(1, 2);

        let q = split(
            self.query.forward(queries) / (d_head as f64).sqrt(),
            n_queries,
        );
        let k = split(self.key.forward(keys.clone()), n_keys);
        let v = split(self.value.forward(keys), n_keys);

        let mut logits = q.matmul(k.transpose()) + mask.logits.clone();
        if let Some(bias) = bias {
            logits = logits + bias;
        }
        let weights = softmax(logits, 3);
        let joined = self
            .dropout
            .forward(weights.clone())
            .matmul(v)
            .swap_dims(1, 2)
            .reshape([batch, n_queries, d]);
        let mut context = self.output.forward(joined);
        if let Some(any) = &mask.any {
            context = context * any.clone();
        }
        (context, weights)
    }
}
