//! The systems by name.

use serde::{Deserialize, Serialize};

/// Which system to train.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum SystemKind {
    /// The text baseline.
    #[default]
    Text,
    /// Text and image, each grain by its relevance.
    #[cfg_attr(feature = "cli", value(name = "hamlearning"))]
    HamLearning,
    /// Augmented text crossed with grid and detections, beside an auxiliary branch.
    Mgcmt,
    /// The image as words after the tweet.
    Ita,
}

impl SystemKind {
    /// The name by which bundles know the system.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::HamLearning => "hamlearning",
            Self::Mgcmt => "mgcmt",
            Self::Ita => "ita",
        }
    }
    /// Whether it reads images, and so needs a vision encoder.
    pub fn reads_images(self) -> bool {
        match self {
            Self::Text => false,
            Self::HamLearning | Self::Mgcmt | Self::Ita => true,
        }
    }
}
