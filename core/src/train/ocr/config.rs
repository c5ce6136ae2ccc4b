//! What is asked for.

use crate::train::config::{ConfigError, check_ranges};
use crate::train::ocr::OcrTrainError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A training of both networks, complete: the same values and the same machine give the same reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct OcrTrainConfig {
    /// Folder of fonts, TrueType or OpenType, subfolders included (repeatable)
    #[cfg_attr(feature = "cli", arg(long, required = true, value_name = "DIR"))]
    pub fonts: Vec<PathBuf>,
    /// Words to write: a text in each line (repeatable)
    #[cfg_attr(feature = "cli", arg(long, required = true, value_name = "FILE"))]
    pub texts: Vec<PathBuf>,
    /// Folder of photographs to write on, subfolders included (repeatable)
    #[cfg_attr(feature = "cli", arg(long, required = true, value_name = "DIR"))]
    pub photos: Vec<PathBuf>,
    /// Folder of the run
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub out: PathBuf,
    /// Folder of another run or of a reader, whose networks these start from
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub start: Option<PathBuf>,
    /// Scenes of an epoch, for the detector
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 2000))]
    pub scenes: usize,
    /// Epochs of the detector; with 0 it stays as it starts
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 8))]
    pub scene_epochs: usize,
    /// Side of a scene in pixels, a multiple of 32
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 320))]
    pub scene_side: u32,
    /// Scenes a step
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 8))]
    pub scene_batch: usize,
    /// Lines of an epoch, for the recogniser
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 20_000))]
    pub lines: usize,
    /// Epochs of the recogniser; with 0 it stays as it starts
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 12))]
    pub line_epochs: usize,
    /// Lines a step
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 32))]
    pub line_batch: usize,
    /// Most characters of a line; it may be learnt from short ones, for it sees a few characters at a time
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 16))]
    pub line_length: usize,
    /// Peak learning rate
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 2e-3))]
    pub lr: f64,
    /// Fraction of the steps over which the learning rate rises from 0; it falls to 0 after
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.05))]
    pub warmup: f64,
    /// Decoupled weight decay
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1e-3))]
    pub weight_decay: f32,
    /// Fraction of the recogniser's last values that is dropped
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.1))]
    pub dropout: f64,
    /// Seed of weights, texts and drawings
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1))]
    pub seed: u64,
    /// Licence or terms of what is learnt from, for the reader's manifest (repeatable)
    #[cfg_attr(feature = "cli", arg(long = "licence", value_name = "TEXT"))]
    pub licences: Vec<String>,
}

/// One of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Part {
    /// Where lines are.
    Detector,
    /// What they say.
    Recognizer,
}

impl Part {
    /// Its folder in the run's.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Recognizer => "recognizer",
        }
    }
}

/// Sides of a scene.
const SIDES: (f64, f64, &str) = (64.0, 1280.0, "a multiple of 32 from 64 to 1280");

impl OcrTrainConfig {
    /// Epochs of a network.
    pub fn epochs(&self, part: Part) -> usize {
        match part {
            Part::Detector => self.scene_epochs,
            Part::Recognizer => self.line_epochs,
        }
    }

    /// Checks that everything is in range.
    ///
    /// # Errors
    /// [`OcrTrainError::Config`], for the first problem.
    pub fn check(&self) -> Result<(), OcrTrainError> {
        let many = (1.0, f64::MAX, "1 or more");
        // What starts from nothing must learn.
        let epochs = match self.start {
            Some(_) => (0.0, f64::MAX, "0 or more"),
            None => many,
        };
        if !self.scene_side.is_multiple_of(32) {
            return Err(OcrTrainError::Config(ConfigError::Range {
                name: "scene_side",
                value: self.scene_side.into(),
                expected: SIDES.2,
            }));
        }
        let ranges = [
            ("scenes", self.scenes as f64, many),
            ("scene_epochs", self.scene_epochs as f64, epochs),
            ("scene_side", self.scene_side.into(), SIDES),
            ("scene_batch", self.scene_batch as f64, many),
            ("lines", self.lines as f64, many),
            ("line_epochs", self.line_epochs as f64, epochs),
            ("line_batch", self.line_batch as f64, many),
            (
                "line_length",
                self.line_length as f64,
                (4.0, 64.0, "from 4 to 64"),
            ),
            ("lr", self.lr, (0.0, 1.0, "from 0 to 1")),
            ("warmup", self.warmup, (0.0, 0.99, "from 0 to 0.99")),
            (
                "weight_decay",
                self.weight_decay.into(),
                (0.0, 1.0, "from 0 to 1"),
            ),
            ("dropout", self.dropout, (0.0, 0.99, "from 0 to 0.99")),
        ];
        Ok(check_ranges(ranges)?)
    }
}
