//! MGCMT: text with semantic augmentation, crossed with grid and objects of the image, beside an
//! auxiliary branch that finds where entities are (Liu et al., arXiv 2210.14163, IP&M 2023).
//!
//! ```text
//! H = Dropout(BERT(tweet) + W_a a)          variant: g * BERT(tweet) + (1 - g) * W_a a
//! P = Self(H) -> CRF over O, B, I           R = Self(H)
//! F1 from R and the grid, F2 from R and the objects, each by a gated pair of streams
//! F = ReLU(W_f Dropout [F1 ; F2])           E = W_c W_z [R ; F] at first subwords -> CRF
//! loss = NLL_main + 0.5 NLL_aux
//! ```
//!
//! The streams and F may be narrower than R; they read it through a linear layer then.
//!
//! What is absent adds exactly 0: F1 without an image, F2 without objects, F without either.

mod fusion;
pub mod host;
pub mod stream;

use crate::decode::fine_types::FineType;
use crate::label::LABELS;
use crate::nn::attention::KeyMask;
use crate::nn::crf::{Crf, CrfTargets};
use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::nn::linear::{Linear, linear};
use crate::nn::transformer::{TransformerLayer, check_sizes};
use crate::systems::batch::Batch;
use crate::systems::fine_types::FineTypeHead;
use crate::tweet::augmentation::Augmentation;
use crate::tweet::sequence::SubwordSequence;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use fusion::Fusion;
use host::HostMgcmt;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stream::Words;

/// Labels of the auxiliary branch: `O`, `B`, `I`.
pub const SPAN_LABELS: usize = 3;

/// Weight of the auxiliary branch's loss.
const AUXILIARY: f64 = 0.5;

/// Objects that are read, the best first.
pub const OBJECTS: usize = 5;

/// How the augmentation joins the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Augmented {
    /// It is added.
    #[default]
    Add,
    /// A gate weighs the two: `g = sigmoid(W_g [H0 ; W_a a] + b)`.
    Gate,
    /// There is none.
    Off,
}

/// A part of the system that can be left out, to measure what it is worth; the augmentation is left
/// out by [`Augmented::Off`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The grid's streams: `F1 = 0`.
    Image,
    /// The detections' streams: `F2 = 0`.
    Object,
    /// What words draw from what the image draws from them: `F1 = C1`, `F2 = C3`.
    Attentive,
    /// The auxiliary branch; a quantised bundle is always without.
    Auxiliary,
}

/// Sizes and parts of MGCMT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MgcmtConfig {
    /// The text encoder.
    pub encoder: EncoderConfig,
    /// Channels of the image backbone's map.
    pub channels: usize,
    /// Classes of the object detector.
    pub classes: usize,
    /// Hidden size of the streams and of `F`. Where it is not the encoder's, a linear layer leads
    /// from one to the other.
    pub width: usize,
    /// Attention heads of the streams; divides `width`.
    pub heads: usize,
    /// Feed-forward size of the streams' layers.
    pub ffn: usize,
    /// Values of an augmentation vector.
    pub augmentation_size: usize,
    /// How the augmentation joins the text.
    pub augmented: Augmented,
    /// Parts that are left out.
    pub without: Vec<Part>,
    /// Fine types that it tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fine_types: Vec<FineType>,
}

impl MgcmtConfig {
    /// The whole system around an encoder, with streams as wide, for a backbone of `channels` and a
    /// detector of `classes`, with augmentation vectors of 200 values.
    pub fn new(encoder: EncoderConfig, channels: usize, classes: usize) -> Self {
        Self {
            channels,
            classes,
            width: encoder.d,
            heads: encoder.heads,
            ffn: encoder.ffn,
            augmentation_size: 200,
            augmented: Augmented::Add,
            without: Vec::new(),
            fine_types: Vec::new(),
            encoder,
        }
    }

    /// The same without the auxiliary branch, which only helps training.
    pub fn for_use(mut self) -> Self {
        if !self.without.contains(&Part::Auxiliary) {
            self.without.push(Part::Auxiliary);
        }
        self
    }

    /// Values of an augmentation vector, none without augmentation.
    pub fn reads_augmentation(&self) -> Option<usize> {
        (self.augmented != Augmented::Off).then_some(self.augmentation_size)
    }

    /// What is wrong with the sizes beyond the encoder, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        let others = [
            self.channels,
            self.classes,
            self.ffn,
            self.augmentation_size,
        ];
        check_sizes(self.width, self.heads, &others)
    }

    /// A fresh system on `device`.
    ///
    /// # Panics
    /// If [`MgcmtConfig::check`] finds a problem.
    pub fn init(&self, device: &Device) -> Mgcmt {
        let has = |part| !self.without.contains(&part);
        let d = self.encoder.d;
        let text_layer = self.encoder.layer();
        let fusion = Fusion::new(self, device);
        Mgcmt {
            encoder: self.encoder.init(device),
            fusion,
            auxiliary: has(Part::Auxiliary).then(|| Auxiliary {
                fusion: text_layer.init(device),
                emit: linear(d, SPAN_LABELS, device),
                crf: Crf::new(SPAN_LABELS, device),
            }),
            emit: linear(d, LABELS, device),
            crf: Crf::new(LABELS, device),
            fine_types: FineTypeHead::new(&self.fine_types, d, self.encoder.dropout, device),
            host: None,
        }
    }
}

/// MGCMT with its weights.
#[derive(Module, Debug)]
pub struct Mgcmt {
    /// The text encoder.
    pub encoder: Encoder,
    fusion: Fusion,
    auxiliary: Option<Auxiliary>,
    /// `W_c`, `D -> 9`.
    pub emit: Linear,
    /// The label chain.
    pub crf: Crf,
    /// What tells fine types, if it does.
    pub fine_types: Option<FineTypeHead>,
    #[module(skip)]
    host: Option<Arc<HostMgcmt>>,
}

/// The branch that finds where entities are, not what.
#[derive(Module, Debug)]
struct Auxiliary {
    fusion: TransformerLayer,
    emit: Linear,
    crf: Crf,
}

/// The label of the auxiliary branch for a label of the nine: `O`, `B` or `I` (0, 1, 2).
pub fn span_label(label: usize) -> usize {
    match label {
        0 => 0,
        b if b % 2 == 1 => 1,
        _ => 2,
    }
}

/// The augmentation of a batch's subwords, `[R, P, V]`: `a(w)` at the first subword of each word, 0
/// elsewhere.
///
/// `rows`: each row's window and the words of the whole tweet it is part of, in the batch's order;
/// `subwords`: the batch's `P`.
///
/// # Panics
/// If a window is of another tweet or longer than `subwords`.
pub fn augmentation_rows<S: AsRef<str>>(
    table: &Augmentation,
    rows: &[(&SubwordSequence, &[S])],
    subwords: usize,
    device: &Device,
) -> Tensor<3> {
    let size = table.size();
    let mut values = vec![0f32; rows.len() * subwords * size];
    for (row, (sequence, words)) in rows.iter().enumerate() {
        let words = &words[sequence.window.words.clone()];
        for (&subword, word) in sequence.first.iter().zip(words) {
            assert!(
                subword < subwords,
                "a window of more than {subwords} subwords"
            );
            let at = (row * subwords + subword) * size;
            values[at..at + size].copy_from_slice(&table.vector(word.as_ref()));
        }
    }
    Tensor::from_data(
        TensorData::new(values, [rows.len(), subwords, size]),
        device,
    )
}

/// What a run of MGCMT gives.
#[derive(Clone, Debug)]
pub struct MgcmtOutput {
    /// Emission scores of every word, `[R, N, 9]`.
    pub emissions: Tensor<3>,
    /// The auxiliary branch's scores, `[R, N, 3]`.
    pub spans: Option<Tensor<3>>,
    /// `H` of the words, `[R, N, D]`.
    pub words: Tensor<3>,
}

impl Mgcmt {
    /// Emission scores of every word, and the auxiliary branch's.
    ///
    /// A batch without augmentation ([`augmentation_rows`]) is read as if all of it were 0.
    pub fn forward(&self, batch: &Batch) -> MgcmtOutput {
        let (hidden, mask) = self.read(batch);
        let spans = self.auxiliary.as_ref().map(|auxiliary| {
            let hidden = auxiliary.fusion.forward_self(hidden.clone(), &mask);
            auxiliary.emit.forward(batch.first_subwords(hidden))
        });
        MgcmtOutput {
            words: batch.first_subwords(hidden.clone()),
            emissions: self.emissions_of(hidden, mask, batch),
            spans,
        }
    }

    /// Emission scores of every word, `[R, N, 9]`, and `H` of the words, `[R, N, D]`: the auxiliary branch only helps training.
    pub fn emissions(&self, batch: &Batch) -> (Tensor<3>, Tensor<3>) {
        let (hidden, mask) = self.read(batch);
        let words = batch.first_subwords(hidden.clone());
        let host = self.host.as_ref().filter(|_| batch.images().is_none());
        let emissions = match host {
            Some(host) => host.emissions(batch, hidden),
            None => self.emissions_of(hidden, mask, batch),
        };
        (emissions, words)
    }

    /// The same system, computing in a CPU's own memory if its encoder does and its weights are quantised.
    #[must_use]
    pub fn computed_on_host(self, config: &MgcmtConfig) -> Self {
        Self {
            host: HostMgcmt::new(&self, config).map(Arc::new),
            ..self
        }
    }

    /// What computes in a CPU's own memory, if it does.
    pub fn host(&self) -> Option<&Arc<HostMgcmt>> {
        self.host.as_ref()
    }

    /// The same without the auxiliary branch.
    pub fn for_use(self) -> Self {
        Self {
            auxiliary: None,
            ..self
        }
    }

    /// `H`, `[R, P, D]`, and which subwords are there.
    fn read(&self, batch: &Batch) -> (Tensor<3>, KeyMask) {
        let hidden = self.encoder.forward(batch.text());
        let hidden = self.fusion.augmented(hidden, batch.augmentation());
        (hidden, KeyMask::never_empty(batch.text().present.clone()))
    }

    fn emissions_of(&self, hidden: Tensor<3>, mask: KeyMask, batch: &Batch) -> Tensor<3> {
        let subwords = self.fusion.main.forward_self(hidden, &mask);
        let first = batch.first_subwords(subwords.clone());
        let subwords = match &self.fusion.narrow {
            Some(narrow) => narrow.forward(subwords),
            None => subwords,
        };
        let words = Words {
            first: batch.first_subwords(subwords.clone()),
            subwords,
            mask,
        };
        let fused = self.fusion.fused(&words, batch.images());
        let joined = self.fusion.join.forward(Tensor::cat(vec![first, fused], 2));
        self.emit.forward(joined)
    }

    /// Emission scores of every word, `H` of the words, `[R, N, D]`, and the weighted loss of the auxiliary branch, `[1]`.
    pub fn study(
        &self,
        batch: &Batch,
        targets: &CrfTargets,
    ) -> (Tensor<3>, Tensor<3>, Option<Tensor<1>>) {
        let MgcmtOutput {
            emissions,
            spans,
            words,
        } = self.forward(batch);
        let auxiliary = self.auxiliary.as_ref().zip(spans).map(|(branch, spans)| {
            let labels: Vec<usize> = (0..LABELS).map(span_label).collect();
            let gold = targets.merged(&labels, SPAN_LABELS);
            branch.crf.nll(spans, &gold) * AUXILIARY
        });
        (emissions, words, auxiliary)
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests;
