//! A transformer decoder that says in words what a vector of the space of sentences means.

use crate::nn::attention::KeyMask;
use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::linear::{Linear, linear};
use crate::nn::transformer::{TransformerLayer, TransformerLayerConfig, check_sizes};
use burn::config::Config;
use burn::module::{Initializer, Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Added to the logits of what comes later: far below any real logit, and finite.
const LATER: f32 = -1e9;

/// Sizes of a [`CaptionDecoder`].
#[derive(Config, Debug, PartialEq)]
pub struct CaptionDecoderConfig {
    /// `V`, subwords that it can say. The first is the boundary: it begins and ends a caption.
    pub vocab: usize,
    /// `S`, size of a sentence vector.
    pub sentence: usize,
    /// Hidden size `D`.
    #[config(default = 256)]
    pub d: usize,
    /// Attention heads.
    #[config(default = 4)]
    pub heads: usize,
    /// Feed-forward size.
    #[config(default = 1024)]
    pub ffn: usize,
    /// Transformer layers.
    #[config(default = 3)]
    pub layers: usize,
    /// The longest caption in subwords, without boundaries.
    #[config(default = 24)]
    pub most: usize,
}

impl CaptionDecoderConfig {
    /// What is wrong with the sizes, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        let others = [self.vocab, self.sentence, self.ffn, self.most];
        if !(1..=24).contains(&self.layers) {
            return Err("the decoder has no layers or more than 24");
        }
        check_sizes(self.d, self.heads, &others)
    }

    /// A fresh decoder on `device`, with dropout while it learns.
    pub fn init(&self, dropout: f64, device: &Device) -> CaptionDecoder {
        let layer = TransformerLayerConfig {
            d: self.d,
            heads: self.heads,
            ffn: self.ffn,
            dropout,
            epsilon: 1e-5,
        };
        let table = |rows| {
            EmbeddingConfig::new(rows, self.d)
                .with_initializer(Initializer::Normal {
                    mean: 0.0,
                    std: 0.02,
                })
                .init(device)
        };
        CaptionDecoder {
            meaning: linear(self.sentence, self.d, device),
            words: table(self.vocab),
            positions: table(self.most + 1),
            norm: LayerNormConfig::new(self.d).init(device),
            layers: (0..self.layers).map(|_| layer.init(device)).collect(),
            bias: Initializer::Zeros.init([self.vocab], device),
            dropout: DropoutConfig::new(dropout).init(),
        }
    }
}

/// Post-LN layers over the subwords said so far, to each of which the projected vector is added; the table of subwords is
/// also the output's.
///
/// A decoder that learns from texts alone and is then given vectors of images, after DeCap (Li et al., ICLR 2023) and CapDec
/// (Nukrai et al., EMNLP Findings 2022).
#[derive(Module, Debug)]
pub struct CaptionDecoder {
    /// `S -> D`
    meaning: Linear,
    /// `[V, D]`
    words: Embedding,
    /// `[most + 1, D]`
    positions: Embedding,
    norm: LayerNorm,
    layers: Vec<TransformerLayer>,
    /// Added to the logits, `[V]`.
    bias: Param<Tensor<1>>,
    dropout: Dropout,
}

/// What each layer has read of some captions, `[B, T, D]` each.
#[derive(Clone, Debug)]
pub struct Said(Vec<Tensor<3>>);

impl Said {
    /// The captions at some places, `[B']`.
    #[must_use]
    pub fn select(self, places: &Tensor<1, Int>) -> Self {
        Self(
            self.0
                .into_iter()
                .map(|read| read.select(0, places.clone()))
                .collect(),
        )
    }
}

impl CaptionDecoder {
    /// What may follow each subword of captions that are known.
    ///
    /// # Shapes
    /// - `vectors`: `[B, S]`, rows of length 1; `subwords`: `[B, T]`, beginning with the boundary
    /// - output: logits, `[B, T, V]`
    pub fn forward(&self, vectors: Tensor<2>, subwords: Tensor<2, Int>) -> Tensor<3> {
        let [rows, length] = subwords.dims();
        let device = vectors.device();
        let mut states = self.inputs(vectors, subwords, 0);
        let later: Vec<f32> = (0..length * length)
            .map(|at| match at % length > at / length {
                true => LATER,
                false => 0.0,
            })
            .collect();
        let later = Tensor::<4>::from_data(TensorData::new(later, [1, 1, length, length]), &device);
        let mask = KeyMask::never_empty(Tensor::ones([rows, length], &device));
        for layer in &self.layers {
            states = layer
                .forward(states.clone(), states, &mask, Some(later.clone()))
                .0;
        }
        self.logits(states)
    }

    /// What may follow one more subword of each caption, and what is read with it.
    ///
    /// # Shapes
    /// - `vectors`: `[B, S]`; `subwords`: `[B, 1]`, those at place `at`; `said`: what was read before, none at place 0
    /// - output: logits, `[B, V]`
    pub fn step(
        &self,
        vectors: Tensor<2>,
        subwords: Tensor<2, Int>,
        at: usize,
        said: Option<Said>,
    ) -> (Tensor<2>, Said) {
        let [rows, _] = subwords.dims();
        let mask = KeyMask::never_empty(Tensor::ones([rows, at + 1], &vectors.device()));
        let mut state = self.inputs(vectors, subwords, at);
        let mut read = Vec::with_capacity(self.layers.len());
        let mut before = said.map(|said| said.0.into_iter());
        for layer in &self.layers {
            let known = before.as_mut().and_then(Iterator::next);
            let known = match known {
                Some(known) => Tensor::cat(vec![known, state.clone()], 1),
                None => state.clone(),
            };
            read.push(known.clone());
            state = layer.forward(state, known, &mask, None).0;
        }
        (self.logits(state).squeeze_dim(1), Said(read))
    }

    /// `[B, T, D]`, the first subword being at place `at`.
    fn inputs(&self, vectors: Tensor<2>, subwords: Tensor<2, Int>, at: usize) -> Tensor<3> {
        let [_, length] = subwords.dims();
        let places = Tensor::<1, Int>::arange(at as i64..(at + length) as i64, &subwords.device());
        let input = self.words.forward(subwords)
            + self.positions.forward(places.unsqueeze::<2>())
            + self.meaning.forward(vectors).unsqueeze_dim::<3>(1);
        self.dropout.forward(self.norm.forward(input))
    }

    /// `[B, T, D]` to `[B, T, V]`.
    fn logits(&self, states: Tensor<3>) -> Tensor<3> {
        let table = self.words.weight.val().swap_dims(0, 1);
        states.matmul(table.unsqueeze::<3>()) + self.bias.val().unsqueeze::<3>()
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    fn config() -> CaptionDecoderConfig {
        CaptionDecoderConfig::new(7, 5)
            .with_d(8)
            .with_heads(2)
            .with_ffn(16)
            .with_layers(2)
            .with_most(4)
    }

    fn ints<const N: usize>(rows: [[i32; N]; 2], device: &Device) -> Tensor<2, Int> {
        Tensor::from_data(rows, device)
    }

    #[test]
    fn subword_by_subword_is_all_at_once() {
        let device = Device::flex();
        let decoder = config().init(0.1, &device);
        let vectors = Tensor::random([2, 5], Distribution::Normal(0.0, 1.0), &device);
        let rows = [[0, 3, 6, 2], [0, 1, 1, 5]];
        let all = decoder.forward(vectors.clone(), ints(rows, &device));
        let mut said = None;
        for at in 0..4 {
            let subwords = ints(rows.map(|row| [row[at]]), &device);
            let (logits, read) = decoder.step(vectors.clone(), subwords, at, said);
            let expected: Tensor<2> = all.clone().slice([0..2, at..at + 1]).squeeze_dim(1);
            logits
                .into_data()
                .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
            said = Some(read);
        }
    }

    #[test]
    fn what_comes_later_changes_nothing_and_the_vector_does() {
        let device = Device::flex();
        let decoder = config().init(0.0, &device);
        let vectors = Tensor::random([2, 5], Distribution::Normal(0.0, 1.0), &device);
        let first = |logits: Tensor<3>| logits.slice([0..2, 0..2]).into_data();
        let one = first(decoder.forward(vectors.clone(), ints([[0, 3, 6], [0, 1, 1]], &device)));
        let other = first(decoder.forward(vectors.clone(), ints([[0, 3, 2], [0, 1, 5]], &device)));
        one.assert_approx_eq::<f32>(&other, Tolerance::absolute(1e-6));
        let turned = first(decoder.forward(-vectors, ints([[0, 3, 6], [0, 1, 1]], &device)));
        assert_ne!(one, turned);
    }

    #[test]
    fn sizes_have_bounds() {
        assert!(CaptionDecoderConfig::new(4000, 384).check().is_ok());
        assert!(CaptionDecoderConfig::new(0, 384).check().is_err());
        assert!(config().with_heads(3).check().is_err());
        assert!(config().with_layers(25).check().is_err());
    }
}
