//! How relevant each grain of the image is to the tweet: learned from the entities alone.

use super::HamLearningConfig;
use super::grains::GrainRows;
use crate::nn::attention::masked_softmax;
use crate::nn::linear::{Linear, linear, linear_without_bias};
use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

/// The relevance measure, the same weights for all grains.
#[derive(Module, Debug)]
pub struct Relevance {
    /// `W_q`, without bias.
    query: Linear,
    /// `W_k`, without bias.
    key: Linear,
    /// `W1`, `4 W -> W`.
    compare: Linear,
    /// `w2`, `W -> 1`.
    score: Linear,
}

/// 1 where a grain has any row, `[R, 1]`.
pub fn any(grain: &GrainRows) -> Tensor<2> {
    grain.present.clone().max_dim(1)
}

impl Relevance {
    /// Fresh weights.
    pub fn new(config: &HamLearningConfig, device: &Device) -> Self {
        let width = config.width;
        Self {
            query: linear_without_bias(width, width, device),
            key: linear_without_bias(width, width, device),
            compare: linear(4 * width, width, device),
            score: linear(width, 1, device),
        }
    }

    /// `sigmoid(w2 . tanh(W1 [t ; c ; t*c ; |t-c|]))` where `c` is what the tweet's first piece
    /// finds in the grain.
    ///
    /// # Shapes
    /// - `first`: `[R, W]`, the tweet's first piece `t`
    /// - output: `[R, 1]`, in (0, 1), exactly 0 where the grain has no row
    pub fn forward(&self, first: Tensor<2>, grain: &GrainRows) -> Tensor<2> {
        let [_, width] = first.dims();
        let query = self.query.forward(first.clone()).unsqueeze_dim::<3>(1);
        let keys = self.key.forward(grain.rows.clone());
        let logits = query.matmul(keys.transpose()) / (width as f64).sqrt();
        let weights = masked_softmax(logits, grain.present.clone().unsqueeze_dim::<3>(1), 2);
        let found = weights.matmul(grain.rows.clone()).squeeze_dim::<2>(1);
        let compared = Tensor::cat(
            vec![
                first.clone(),
                found.clone(),
                first.clone() * found.clone(),
                (first - found).abs(),
            ],
            1,
        );
        let score = self.score.forward(self.compare.forward(compared).tanh());
        sigmoid(score) * any(grain)
    }
}
