//! HamLearning, after "Hierarchical Aligned Multimodal Learning for NER on Tweet Posts" (arXiv
//! 2305.08372, AAAI 2024): four representations of the image, how relevant each is to the tweet,
//! and words and image reading each other in turns.
//!
//! The paper's stages are its own; its equations are not public in a form that could be obtained,
//! so **the concrete form here is a reconstruction**.
//!
//! | stage | where |
//! |---|---|
//! | global, object, semantic and spatial representation | [`grains`] |
//! | relevance of each to the tweet | [`relevance`] |
//! | iterative interaction | [`interaction`] |
//! | co-attention and gate | [`co_attention`] |
//! | whether the image shows what a name names | [`seen`] |
//! | what explains the answer | [`explanation`] |
//! | the same, a tweet at a time, in a CPU's own memory | [`host`] |

pub mod co_attention;
pub mod explanation;
pub mod fusion;
pub mod grains;
pub mod host;
pub mod interaction;
pub mod relevance;
pub mod seen;
#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests;

use crate::decode::fine_types::FineType;
use crate::label::LABELS;
use crate::nn::crf::Crf;
use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::nn::linear::{Linear, linear};
use crate::nn::transformer::{TransformerLayerConfig, check_sizes};
use crate::systems::batch::Batch;
use crate::systems::fine_types::FineTypeHead;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use explanation::Explanation;
use fusion::{Fused, Fusion};
use host::HostHamLearning;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most detections of an image that any configuration may use.
pub const MOST_OBJECTS: usize = 36;

/// Most iterations that any configuration may use.
pub const MOST_ITERATIONS: usize = 4;

/// A part of the system that can be left out, to measure what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The rows of the grid.
    Global,
    /// The rows of the detections; semantic and spatial rows are still made from them.
    Object,
    /// The rows of the detections in the light of the tags and of each other.
    Semantic,
    /// The rows of the detections in the light of where they lie to each other.
    Spatial,
    /// The relevance measure: everything counts fully.
    Relevance,
    /// Co-attention and gate: the words keep the encoder's states beside the last iteration's.
    Coattention,
}

/// Sizes of HamLearning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HamLearningConfig {
    /// The text encoder.
    pub encoder: EncoderConfig,
    /// `C`, channels of the image backbone's map.
    pub channels: usize,
    /// Most detections of an image, the best first; at most [`MOST_OBJECTS`].
    pub objects: usize,
    /// Hidden size of everything beyond the encoder. Where it is not the encoder's, a linear
    /// layer leads from one to the other.
    pub width: usize,
    /// Attention heads beyond the encoder; divides `width`.
    pub heads: usize,
    /// Feed-forward size of the layers beyond the encoder.
    pub ffn: usize,
    /// `L`, turns in which words and image read each other, 1 to [`MOST_ITERATIONS`].
    pub iterations: usize,
    /// Whether all turns have the same weights.
    pub shared: bool,
    /// Dropout beyond the encoder.
    pub dropout: f64,
    /// `S`, size of the space of sentences in which relevance compares tweet and image; none where the vision encoder has
    /// no projector into one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<usize>,
    /// Whether relevance counts images from their mean in that space.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub centered: bool,
    /// Whether it says of each name how likely the image shows what it names; needs `sentence` and the relevance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen: bool,
    /// Parts left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Part>,
    /// Fine types that it tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fine_types: Vec<FineType>,
}

impl HamLearningConfig {
    /// The usual sizes over an encoder and a backbone of `channels` channels: the encoder's own
    /// width and heads, feed-forward four times as wide, 10 objects, 2 iterations.
    pub fn new(encoder: EncoderConfig, channels: usize) -> Self {
        Self {
            channels,
            objects: 10,
            width: encoder.d,
            heads: encoder.heads,
            ffn: 4 * encoder.d,
            iterations: 2,
            shared: false,
            dropout: encoder.dropout,
            sentence: None,
            centered: false,
            seen: false,
            without: Vec::new(),
            fine_types: Vec::new(),
            encoder,
        }
    }

    /// Whether `part` is there.
    pub fn has(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }

    /// What is wrong with the sizes beyond the encoder, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        check_sizes(self.width, self.heads, &[self.channels, self.ffn])?;
        if !(1..=MOST_OBJECTS).contains(&self.objects) {
            Err("the detections of an image are not from 1 to 36")
        } else if !(1..=MOST_ITERATIONS).contains(&self.iterations) {
            Err("the iterations are not from 1 to 4")
        } else if !(0.0..1.0).contains(&self.dropout) {
            Err("the dropout beyond the encoder is not within 0 and 1")
        } else if self
            .sentence
            .is_some_and(|size| !(1..=8192).contains(&size))
        {
            Err("the space of sentences has no dimension or more than 8192")
        } else if self.seen && (self.sentence.is_none() || !self.has(Part::Relevance)) {
            Err("what is seen is asked for without a space of sentences to see it in")
        } else if self.centered && self.sentence.is_none() {
            Err("images are counted from their mean without a space of sentences to do so in")
        } else {
            Ok(())
        }
    }

    fn layer(&self) -> TransformerLayerConfig {
        TransformerLayerConfig {
            d: self.width,
            heads: self.heads,
            ffn: self.ffn,
            dropout: self.dropout,
            epsilon: self.encoder.epsilon,
        }
    }

    /// A fresh system on `device`.
    ///
    /// # Panics
    /// If [`HamLearningConfig::check`] finds a problem.
    pub fn init(&self, device: &Device) -> HamLearning {
        let EncoderConfig { d, dropout, .. } = self.encoder;
        HamLearning {
            encoder: self.encoder.init(device),
            fusion: Fusion::new(self, device),
            dropout: DropoutConfig::new(self.dropout).init(),
            emit: linear(self.width + d, LABELS, device),
            crf: Crf::new(LABELS, device),
            fine_types: FineTypeHead::new(&self.fine_types, d, dropout, device),
            host: None,
        }
    }
}

/// HamLearning with its weights.
#[derive(Module, Debug)]
pub struct HamLearning {
    /// The text encoder.
    pub encoder: Encoder,
    /// Everything between encoder and emissions.
    pub fusion: Fusion,
    dropout: Dropout,
    /// `[T_L ; H]` to emission scores, `width + D -> 9`.
    pub emit: Linear,
    /// The label chain.
    pub crf: Crf,
    /// What tells fine types, if it does.
    pub fine_types: Option<FineTypeHead>,
    #[module(skip)]
    host: Option<Arc<HostHamLearning>>,
}

/// What HamLearning says of a batch.
pub struct HamLearningOutput {
    /// Emission scores of every word, `[R, N, 9]`.
    pub emissions: Tensor<3>,
    /// The text encoder's states of the words, `[R, N, D]`.
    pub words: Tensor<3>,
    /// What explains the emissions, where the batch has images.
    pub explanation: Option<Explanation>,
}

impl HamLearning {
    /// The same system, computing in a CPU's own memory if its encoder does and its weights are quantised.
    #[must_use]
    pub fn computed_on_host(self, config: &HamLearningConfig) -> Self {
        Self {
            host: HostHamLearning::new(&self, config).map(Arc::new),
            ..self
        }
    }

    /// What computes in a CPU's own memory, if it does.
    pub fn host(&self) -> Option<&Arc<HostHamLearning>> {
        self.host.as_ref()
    }

    /// What computes a batch in a CPU's own memory: nothing if its images lie on the device.
    fn host_of(&self, batch: &Batch) -> Option<&HostHamLearning> {
        self.host.as_deref().filter(|_| batch.images().is_none())
    }

    /// Emission scores of every word, `[R, N, 9]`.
    pub fn forward(&self, batch: &Batch) -> Tensor<3> {
        if self.host_of(batch).is_some() {
            return self.explain(batch).emissions;
        }
        let fused = self.fuse(batch);
        self.emissions(batch, &fused)
    }

    /// Emission scores, the words' states, and what explains the emissions where the batch has images.
    pub fn explain(&self, batch: &Batch) -> HamLearningOutput {
        if let Some(host) = self.host_of(batch) {
            return host.explain(batch, self.encoder.forward(batch.text()));
        }
        let fused = self.fuse(batch);
        let words = batch.first_subwords(fused.states.clone());
        let seen = self.seen(batch, &words);
        HamLearningOutput {
            emissions: self.emissions(batch, &fused),
            words,
            explanation: fused
                .visual
                .map(|visual| Explanation::new(batch, visual, seen)),
        }
    }

    /// Emission scores, the words' states, `[R, N, D]`, and how far the relevance is from telling own images from others', `[1]`,
    /// where the batch knows.
    pub fn study(&self, batch: &Batch) -> (Tensor<3>, Tensor<3>, Option<Tensor<1>>) {
        let fused = self.fuse(batch);
        let emissions = self.emissions(batch, &fused);
        let words = batch.first_subwords(fused.states);
        let matching = fused.visual.zip(batch.ownership());
        let matching = matching
            .map(|(visual, ownership)| relevance::matching_loss(&visual.relevance, ownership));
        (emissions, words, matching)
    }

    fn fuse(&self, batch: &Batch) -> Fused {
        let states = self.encoder.forward(batch.text());
        let present = batch.text().present.clone();
        self.fusion
            .forward(states, present, batch.images(), &self.encoder)
    }

    /// Of each word, by type, how likely the image shows what a name that begins there names, `[R, N, 4]`; none without an image in
    /// the space of sentences, or where it is not asked.
    fn seen(&self, batch: &Batch, words: &Tensor<3>) -> Option<Tensor<3>> {
        let relevance = self.fusion.relevance.as_ref()?;
        let (matching, seen) = (relevance.matching.as_ref()?, relevance.seen.as_ref()?);
        let embeddings = batch.images()?.embeddings.clone()?;
        Some(seen.forward(words.clone(), &matching.sentence, embeddings))
    }

    fn emissions(&self, batch: &Batch, fused: &Fused) -> Tensor<3> {
        let joined = Tensor::cat(vec![fused.text.clone(), fused.refined.clone()], 2);
        let words = batch.first_subwords(joined);
        self.emit.forward(self.dropout.forward(words))
    }
}
