//! The text baseline, BERT-CRF: `E = W BERT(tweet)_first-subword + b`, then the chain.

use crate::label::LABELS;
use crate::nn::crf::Crf;
use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::nn::linear::{Linear, linear};
use crate::systems::batch::Batch;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Sizes of the text baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// The text encoder.
    pub encoder: EncoderConfig,
}

impl TextConfig {
    /// A fresh system on `device`.
    pub fn init(&self, device: &Device) -> Text {
        Text {
            encoder: self.encoder.init(device),
            dropout: DropoutConfig::new(self.encoder.dropout).init(),
            emit: linear(self.encoder.d, LABELS, device),
            crf: Crf::new(LABELS, device),
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
}

impl Text {
    /// Emission scores of every word, `[R, N, 9]`.
    pub fn forward(&self, batch: &Batch) -> Tensor<3> {
        let words = batch.first_subwords(self.encoder.forward(batch.text()));
        self.emit.forward(self.dropout.forward(words))
    }
}
