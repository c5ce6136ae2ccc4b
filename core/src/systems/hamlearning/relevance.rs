//! How relevant each grain of the image is to the tweet: learned from the entities and, beside them, from whose the
//! image is.

use crate::nn::attention::masked_softmax;
use crate::nn::linear::{Linear, linear, linear_without_bias};
use crate::nn::projector::unit;
use crate::systems::batch::Ownership;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::hamlearning::grains::GrainRows;
use crate::systems::hamlearning::seen::Seen;
use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

/// The relevance measure, the same weights for all grains.
#[derive(Module, Debug)]
pub struct Relevance {
    /// `W_q`, without bias.
    pub(super) query: Linear,
    /// `W_k`, without bias.
    pub(super) key: Linear,
    /// `W1`, `4 W -> W`.
    pub(super) compare: Linear,
    /// `w2`, `W -> 1`.
    pub(super) score: Linear,
    /// What tweet and image are to each other as a whole.
    pub matching: Option<Matching>,
    /// Whether the image shows what a name names.
    pub seen: Option<Seen>,
}

/// How alike a tweet and its image are in the space of sentences: `gain * s . (v - c) + offset`, where `s` is a linear map of
/// the mean of the encoder's states, of length 1, `v` what the vision encoder's projector makes of the image, and `c` the mean of that over
/// images, by which a tweet that is a little like every image gains nothing.
///
/// A reconstruction: the paper says only that relevance is learnt.
#[derive(Module, Debug)]
pub struct Matching {
    /// `W_s`, `D -> S`.
    pub sentence: Linear,
    /// `[1]`
    pub gain: Param<Tensor<1>>,
    /// `[1]`
    pub offset: Param<Tensor<1>>,
    /// `c`, `[S]`; bundles from before there was one have none, which is 0.
    pub center: Option<Param<Tensor<1>>>,
}

impl Matching {
    /// Fresh weights, which add nothing to the relevance.
    pub fn new(d: usize, size: usize, centered: bool, device: &Device) -> Self {
        Self {
            sentence: linear(d, size, device),
            gain: Initializer::Zeros.init([1], device),
            offset: Initializer::Zeros.init([1], device),
            center: centered.then(|| Initializer::Zeros.init([size], device)),
        }
    }

    /// Of a map that was learnt, the mean of images, `[S]`, and what likeness is to the logits.
    pub fn learnt(
        sentence: Linear,
        center: Option<Tensor<1>>,
        gain: f64,
        offset: f64,
        device: &Device,
    ) -> Self {
        let scalar = |value| Initializer::Constant { value }.init([1], device);
        Self {
            sentence,
            gain: scalar(gain),
            offset: scalar(offset),
            center: center.map(Param::from_tensor),
        }
    }

    /// Tweets in the space of sentences.
    ///
    /// # Shapes
    /// - `states`: the encoder's, `[R, P, D]`; `subwords`: 1 for a subword, `[R, P]`
    /// - output: `[R, S]`, each row of length 1
    pub fn sentences(&self, states: Tensor<3>, subwords: Tensor<2>) -> Tensor<2> {
        unit(self.sentence.forward(mean_state(states, subwords)))
    }

    /// What is added to the logits of the relevance, `[R, 1]`.
    ///
    /// # Shapes
    /// - `sentences`, `embeddings`: `[R, S]`, each row of length 1, or 0 without an image
    pub fn logits(&self, sentences: Tensor<2>, embeddings: Tensor<2>) -> Tensor<2> {
        let embeddings = match &self.center {
            Some(center) => embeddings - center.val().unsqueeze(),
            None => embeddings,
        };
        let alike = (sentences * embeddings).sum_dim(1);
        let scalar = |value: &Param<Tensor<1>>| value.val().reshape([1, 1]);
        alike * scalar(&self.gain) + scalar(&self.offset)
    }
}

/// The mean over the subwords that are there.
///
/// # Shapes
/// - `states`: `[R, P, D]`; `subwords`: 1 for a subword, `[R, P]`
/// - output: `[R, D]`
pub fn mean_state(states: Tensor<3>, subwords: Tensor<2>) -> Tensor<2> {
    let [rows, _, d] = states.dims();
    let count = subwords.clone().sum_dim(1).clamp_min(1.0);
    let sum = subwords.unsqueeze_dim::<3>(1).matmul(states);
    sum.reshape([rows, d]) / count
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
            matching: config
                .sentence
                .map(|size| Matching::new(config.encoder.d, size, config.centered, device)),
            seen: config
                .sentence
                .filter(|_| config.seen)
                .map(|size| Seen::new(config.encoder.d, size, device)),
        }
    }

    /// Multiplies what is said by anything but [`Matching`]: `w2` and its bias.
    pub fn scale(&mut self, by: f64) {
        let score = &mut self.score.parameters;
        score.weight = score.weight.clone().map(|weight| weight * by);
        score.bias = score.bias.take().map(|bias| bias.map(|bias| bias * by));
    }

    /// `sigmoid(w2 . tanh(W1 [t ; c ; t*c ; |t-c|]) + m)` where `c` is what the tweet's first subword
    /// finds in the grain, and `m` what [`Matching`] says of tweet and image.
    ///
    /// # Shapes
    /// - `first`: `[R, W]`, the tweet's first subword `t`
    /// - `matching`: `[R, 1]`, `m`; none for 0
    /// - output: `[R, 1]`, in (0, 1), exactly 0 where the grain has no row
    pub fn forward(
        &self,
        first: Tensor<2>,
        matching: Option<&Tensor<2>>,
        grain: &GrainRows,
    ) -> Tensor<2> {
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
        let score = match matching {
            Some(matching) => score + matching.clone(),
            None => score,
        };
        sigmoid(score) * any(grain)
    }
}
