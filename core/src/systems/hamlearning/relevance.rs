//! How relevant each grain of the image is to the tweet: learned from the entities and, beside them, from whose the
//! image is.

use crate::nn::attention::masked_softmax;
use crate::nn::linear::{Linear, linear, linear_without_bias};
use crate::systems::batch::Ownership;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::hamlearning::grains::GrainRows;
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

/// Binary cross-entropy of the relevance of every grain against whose the image is: 1 for a tweet's own, 0 for another's.
/// The mean over the grains that are there of the rows where it is known; 0 where there is none. `[1]`
///
/// `relevance`: of each grain, `[R, 1]`, in (0, 1), exactly 0 where the grain is absent.
pub fn matching_loss(relevance: &[Tensor<2>], ownership: &Ownership) -> Tensor<1> {
    let relevance = Tensor::cat(relevance.to_vec(), 1);
    let there = relevance.clone().detach().greater_elem(0.0).float() * ownership.known.clone();
    let bounded = relevance.clamp(1e-6, 1.0 - 1e-6);
    let own = ownership.own.clone();
    let likelihood =
        own.clone() * bounded.clone().log() + (own.neg() + 1.0) * (bounded.neg() + 1.0).log();
    let count = there.clone().sum().clamp_min(1.0);
    (likelihood * there).sum().neg() / count
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

    /// `sigmoid(w2 . tanh(W1 [t ; c ; t*c ; |t-c|]))` where `c` is what the tweet's first subword
    /// finds in the grain.
    ///
    /// # Shapes
    /// - `first`: `[R, W]`, the tweet's first subword `t`
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
