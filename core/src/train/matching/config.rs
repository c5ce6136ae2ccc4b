//! What is asked for.

use crate::train::config::{ConfigError, check_ranges};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Teaching a bundle which image belongs to which tweet, complete: the same values and the same machine give the same
/// bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct MatchConfig {
    /// Bundle to teach; one that reads images
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub bundle: PathBuf,
    /// Sentence encoder whose space it is, a Hugging Face folder (all-MiniLM-L6-v2); it does not learn
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub sentences: PathBuf,
    /// Texts and their own images: JSONL, {"text", "image"} a line (repeatable)
    #[cfg_attr(feature = "cli", arg(long, required = true, value_name = "FILE"))]
    pub pairs: Vec<PathBuf>,
    /// The same, to measure on (repeatable); nothing is learnt or chosen by it
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub held_out: Vec<PathBuf>,
    /// The same, of which neither this nor the bundle's training learnt anything, to fit the relevance by [default: what is set
    /// aside of --pairs] (repeatable)
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub apart: Vec<PathBuf>,
    /// Texts without images, one a line (repeatable)
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub texts: Vec<PathBuf>,
    /// Texts and captions of their own images: JSONL, {"text", "caption"} a line (repeatable); HamLearning's states learn which
    /// belong together
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub told: Vec<PathBuf>,
    /// What people saw in the images of labelled tweets: JSONL, {"id", "visible": [{"name"}, ...]} a line. HamLearning then
    /// learns to say of each name how likely its image shows it
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE", requires_all = ["seen_data", "seen_held_out", "captions"]))]
    pub seen: Option<PathBuf>,
    /// Labelled tweets that are among --seen, to learn from (repeatable)
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE", requires = "seen"))]
    pub seen_data: Vec<PathBuf>,
    /// The same, to measure on (repeatable)
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE", requires = "seen"))]
    pub seen_held_out: Vec<PathBuf>,
    /// Captions of the images of both, which stand in for them: JSONL, {"id", "blip2", "catr"} a line (repeatable)
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE", requires = "seen"))]
    pub captions: Vec<PathBuf>,
    /// Folder that the images' paths are relative to
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
    /// Folder to keep image features in
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub cache: Option<PathBuf>,
    /// Leave the bundle's projector as it is, so that other bundles go on sharing its vision encoder; what its states are in the space is
    /// learnt anew
    #[serde(default)]
    #[cfg_attr(feature = "cli", arg(long))]
    pub keep_projector: bool,
    /// Width between the projector's two layers; a projector that is kept has its own
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 512))]
    pub hidden: usize,
    /// Passes over the images
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 30))]
    pub epochs: usize,
    /// Pairs a step, which are told apart
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 256))]
    pub batch: usize,
    /// Peak learning rate
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1e-3))]
    pub lr: f64,
    /// Decoupled weight decay
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.05))]
    pub weight_decay: f32,
    /// Fraction of the projector's values that is dropped
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.3))]
    pub dropout: f64,
    /// Temperature of the contrast
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.07))]
    pub temperature: f64,
    /// Seed of weights, order, dropout and of what is set aside to choose the epoch by
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1))]
    pub seed: u64,
    /// Licence or terms of what is learnt from, for the bundle's manifest (repeatable)
    #[cfg_attr(feature = "cli", arg(long = "licence", value_name = "TEXT"))]
    pub licences: Vec<String>,
}

impl MatchConfig {
    /// Checks that everything is in range.
    ///
    /// # Errors
    /// [`ConfigError::Range`], for the first problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        let ranges = [
            (
                "hidden",
                self.hidden as f64,
                (1.0, 8192.0, "from 1 to 8192"),
            ),
            ("epochs", self.epochs as f64, (1.0, f64::MAX, "1 or more")),
            ("batch", self.batch as f64, (2.0, f64::MAX, "2 or more")),
            ("lr", self.lr, (0.0, 1.0, "from 0 to 1")),
            (
                "weight_decay",
                self.weight_decay.into(),
                (0.0, 1.0, "from 0 to 1"),
            ),
            ("dropout", self.dropout, (0.0, 0.99, "from 0 to 0.99")),
            (
                "temperature",
                self.temperature,
                (1e-3, 1e3, "from 0.001 to 1000"),
            ),
        ];
        check_ranges(ranges)
    }
}
