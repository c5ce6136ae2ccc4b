//! What is asked for.

use crate::train::config::{ConfigError, check_ranges};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The training of a captioner, complete: the same values and the same machine give the same captioner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct CaptionTrainConfig {
    /// Sentence encoder whose vectors are said in words, a Hugging Face folder (all-MiniLM-L6-v2); it does not learn
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub sentences: PathBuf,
    /// Captions to learn from, one a line (repeatable)
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "FILE", required_unless_present_any = ["captions", "pairs"])
    )]
    pub texts: Vec<PathBuf>,
    /// Captions to learn from, with their images: JSONL, {"text", "image"} a line (repeatable). With --bundle the images say where images
    /// lie beside captions in the space of sentences; nothing else is learnt from them
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub pairs: Vec<PathBuf>,
    /// Captions to learn from: JSONL, {"id", "catr"} a line (repeatable); "blip2" is passed over, for it holds names
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub captions: Vec<PathBuf>,
    /// Images to measure on, with what people said of them: JSONL, {"text", "image"} a line
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE", requires_all = ["images", "bundle"]))]
    pub held_out: Option<PathBuf>,
    /// Folder that the images' paths are relative to
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub images: Option<PathBuf>,
    /// Bundle whose projector takes them into the space of sentences
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR", requires = "images"))]
    pub bundle: Option<PathBuf>,
    /// Folder to keep image features in
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub cache: Option<PathBuf>,
    /// Folder of the run; `caption` in it is what comes out
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub out: PathBuf,
    /// Captions with a word that comes less often are left out, and with it names that one image gave
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 4))]
    pub least: usize,
    /// Captions that are kept apart to measure on
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1000))]
    pub apart: usize,
    /// Standard deviation of the noise that each value of a vector gets, which stands for what an image's vector is off
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.05))]
    pub noise: f64,
    /// Hidden size
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 256))]
    pub hidden: usize,
    /// Layers
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 3))]
    pub layers: usize,
    /// Passes over the captions
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 20))]
    pub epochs: usize,
    /// Captions a step
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 64))]
    pub batch: usize,
    /// Peak learning rate
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1e-3))]
    pub lr: f64,
    /// Fraction of the steps over which the learning rate rises from 0; it falls to 0 after
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.05))]
    pub warmup: f64,
    /// Decoupled weight decay
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.02))]
    pub weight_decay: f32,
    /// Dropout
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.1))]
    pub dropout: f64,
    /// Seed of everything random
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1))]
    pub seed: u64,
    /// Licence or terms of what is learnt from, for the captioner's manifest (repeatable)
    #[cfg_attr(feature = "cli", arg(long = "licence", value_name = "TEXT"))]
    pub licences: Vec<String>,
}

impl CaptionTrainConfig {
    /// Checks that everything is in range.
    ///
    /// # Errors
    /// [`ConfigError::Range`], for the first problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        let many = (1.0, f64::MAX, "1 or more");
        let part = (0.0, 0.99, "from 0 to 0.99");
        check_ranges([
            ("least", self.least as f64, many),
            ("apart", self.apart as f64, many),
            ("noise", self.noise, (0.0, 10.0, "from 0 to 10")),
            (
                "hidden",
                self.hidden as f64,
                (4.0, 4096.0, "from 4 to 4096"),
            ),
            ("layers", self.layers as f64, (1.0, 24.0, "from 1 to 24")),
            ("epochs", self.epochs as f64, many),
            ("batch", self.batch as f64, many),
            ("lr", self.lr, (0.0, 1.0, "from 0 to 1")),
            ("warmup", self.warmup, part),
            (
                "weight_decay",
                self.weight_decay.into(),
                (0.0, 1.0, "from 0 to 1"),
            ),
            ("dropout", self.dropout, part),
        ])
    }
}
