//! The systems: each turns a batch of tweets into emissions over words, and owns its CRF.
//!
//! A system is one file and one variant of [`SystemConfig`] and [`System`]; nothing else knows
//! their names.

pub mod batch;
pub mod ita;
pub mod mgcmt;
pub mod pictures;
pub mod text;

use crate::nn::crf::{Crf, CrfTargets};
use crate::nn::encoder::{Encoder, EncoderConfig};
use batch::Batch;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Which system, and every size it has: enough to build it before its weights are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "system", rename_all = "lowercase")]
pub enum SystemConfig {
    /// The text baseline.
    Text(text::TextConfig),
}

/// A system with its weights.
// One value lives at a time, so the variants' sizes need not be alike.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum System {
    /// The text baseline.
    Text(text::Text),
}

impl SystemConfig {
    /// A fresh system on `device`.
    pub fn init(&self, device: &Device) -> System {
        match self {
            Self::Text(config) => System::Text(config.init(device)),
        }
    }

    /// The name by which the command line and bundles know the system.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
        }
    }

    /// The text encoder's configuration.
    pub fn encoder(&self) -> &EncoderConfig {
        match self {
            Self::Text(config) => &config.encoder,
        }
    }
}

impl System {
    /// Emission scores of every word, `[R, N, 9]` over the batch's rows.
    pub fn forward(&self, batch: &Batch) -> Tensor<3> {
        match self {
            Self::Text(system) => system.forward(batch),
        }
    }

    /// The training loss of a batch, `[1]`.
    pub fn loss(&self, batch: &Batch, targets: &CrfTargets) -> Tensor<1> {
        match self {
            Self::Text(system) => system.crf.nll(system.forward(batch), targets),
        }
    }

    /// The chain over the nine labels.
    pub fn crf(&self) -> &Crf {
        match self {
            Self::Text(system) => &system.crf,
        }
    }

    /// The text encoder.
    pub fn encoder(&self) -> &Encoder {
        match self {
            Self::Text(system) => &system.encoder,
        }
    }

    /// The same system around another encoder.
    pub fn with_encoder(mut self, encoder: Encoder) -> Self {
        match &mut self {
            Self::Text(system) => system.encoder = encoder,
        }
        self
    }
}
