//! Whether the image shows what a name names.

use crate::label::EntityType;
use crate::nn::gelu::gelu;
use crate::nn::linear::{Linear, linear};
use crate::nn::projector::unit;
use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

/// `sigmoid(W_2 gelu(W_1 [e ; v ; s * v]))` for each type, where `e` is the encoder's state at the first word of a name, `s` that
/// state in the space of sentences, and `v` what the projector makes of the image, less the mean over images.
///
/// Own work, after what people said they saw (Twitter10000 of Yu et al., ACL 2023).
#[derive(Module, Debug)]
pub struct Seen {
    /// `W_1`, `D + 2 S -> hidden`.
    pub(super) hidden: Linear,
    /// `W_2`, `hidden -> 4`.
    pub(super) out: Linear,
    /// The mean over images, `[S]`. A caption stands in for an image while it learns, less the mean over captions: the two lie
    /// apart in the space.
    pub center: Param<Tensor<1>>,
}

/// Width between the two layers.
const HIDDEN: usize = 64;

impl Seen {
    /// Fresh weights for states of `d` values and a space of `size`.
    pub fn new(d: usize, size: usize, device: &Device) -> Self {
        Self {
            hidden: linear(d + 2 * size, HIDDEN, device),
            out: linear(HIDDEN, EntityType::ALL.len(), device),
            center: Initializer::Zeros.init([size], device),
        }
    }

    /// The same whose logits are `slope` times as large and `offset` larger.
    #[must_use]
    pub fn rescaled(mut self, slope: f64, offset: f64) -> Self {
        let out = &mut self.out.parameters;
        out.weight = Param::from_tensor(out.weight.val() * slope);
        let bias = out.bias.as_ref().map(|bias| bias.val() * slope + offset);
        out.bias = bias.map(Param::from_tensor);
        self
    }

    /// Logits by type.
    ///
    /// # Shapes
    /// - `states`: the encoder's at words, `[B, D]`; `sentences`: these in the space, of length 1, `[B, S]`
    /// - `images`: in the space, less their mean, `[B, S]`
    /// - output: `[B, 4]`, in the order of [`EntityType::ALL`]
    pub fn logits(&self, states: Tensor<2>, sentences: Tensor<2>, images: Tensor<2>) -> Tensor<2> {
        let both = sentences * images.clone();
        let joined = Tensor::cat(vec![states, images, both], 1);
        self.out.forward(gelu(self.hidden.forward(joined)))
    }

    /// The probability, by type, that the image shows what a word's name names, `[R, N, 4]`.
    ///
    /// # Shapes
    /// - `words`: the encoder's states at first subwords, `[R, N, D]`
    /// - `embeddings`: the images in the space, `[R, S]`
    pub fn forward(&self, words: Tensor<3>, sentence: &Linear, embeddings: Tensor<2>) -> Tensor<3> {
        let [rows, count, d] = words.dims();
        let [_, size] = embeddings.dims();
        let states = words.reshape([rows * count, d]);
        let sentences = unit(sentence.forward(states.clone()));
        let images = embeddings - self.center.val().reshape([1, size]);
        let images = images
            .reshape([rows, 1, size])
            .expand([rows, count, size])
            .reshape([rows * count, size]);
        let logits = self.logits(states, sentences, images);
        sigmoid(logits).reshape([rows, count, EntityType::ALL.len()])
    }
}
