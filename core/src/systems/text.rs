//! The text baseline, BERT-CRF: `E = W BERT(tweet)_first-subword + b`, then the chain.

use crate::decode::fine_types::FineType;
use crate::label::LABELS;
use crate::nn::crf::Crf;
use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::nn::linear::{Linear, linear};
use crate::systems::batch::Batch;
use crate::systems::fine_types::FineTypeHead;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Sizes of the text baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// The text encoder.
    pub encoder: EncoderConfig,
    /// Fine types that it tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fine_types: Vec<FineType>,
}

impl TextConfig {
    /// The baseline around an encoder, without fine types.
    pub fn new(encoder: EncoderConfig) -> Self {
        Self {
            encoder,
            fine_types: Vec::new(),
        }
    }

    /// A fresh system on `device`.
    pub fn init(&self, device: &Device) -> Text {
        let EncoderConfig { d, dropout, .. } = self.encoder;
        Text {
            encoder: self.encoder.init(device),
            dropout: DropoutConfig::new(dropout).init(),
            emit: linear(d, LABELS, device),
            crf: Crf::new(LABELS, device),
            fine_types: FineTypeHead::new(&self.fine_types, d, dropout, device),
        }
    }
}

/// The text baseline with its weights.
#[derive(Module, Debug)]
pub struct Text {
    /// The text encoder.
    pub encoder: Encoder,
    dropout: Dropout,
    /// Hidden state to emission scores, `D -> 9`.
    pub emit: Linear,
    /// The label chain.
    pub crf: Crf,
    /// What tells fine types, if it does.
    pub fine_types: Option<FineTypeHead>,
}

impl Text {
    /// Emission scores of every word, `[R, N, 9]`, and the states that they come from, `[R, N, D]`.
    pub fn forward(&self, batch: &Batch) -> (Tensor<3>, Tensor<3>) {
        let words = batch.encoded_words(&self.encoder);
        let emissions = self.emit.forward(self.dropout.forward(words.clone()));
        (emissions, words)
    }

    /// The same system, whose emissions a CPU computes in its own memory.
    #[must_use]
    pub fn on_host(self) -> Self {
        Self {
            emit: self.emit.on_host(),
            ..self
        }
    }
}
