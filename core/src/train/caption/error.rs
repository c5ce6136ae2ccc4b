//! What can go wrong.

use crate::bundle::beside::BesideError;
use crate::data::contrast::ContrastError;
use crate::data::image_text_files::ImageContextError;
use crate::formats::hugging_face::HuggingFaceError;
use crate::train::config::ConfigError;
use crate::train::error::TrainError;
use crate::train::supervised::RunError;
use crate::tweet::subwords::TokenizerError;
use std::path::PathBuf;

/// Why there is no captioner.
#[derive(Debug, thiserror::Error)]
pub enum CaptionTrainError {
    /// A value is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of texts.
    #[error("{}: {source}", path.display())]
    Texts {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of captions.
    #[error(transparent)]
    Captions(#[from] ImageContextError),
    /// A file of captions with images.
    #[error(transparent)]
    Pairs(#[from] ContrastError),
    /// The sentence encoder.
    #[error(transparent)]
    Encoder(#[from] HuggingFaceError),
    /// Its tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Too little to learn from.
    #[error(
        "{0} captions are left whose words come often enough, no more than are kept apart; give more captions, or a smaller --least or --apart"
    )]
    TooFew(usize),
    /// A bundle whose images have no place in the space of sentences.
    #[error(
        "{} has no projector into the space of sentences; teach it one with mner match, or give another --bundle", .0.display()
    )]
    NoProjector(PathBuf),
    /// Vectors, or the images to measure on.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The files.
    #[error(transparent)]
    Bundle(#[from] BesideError),
}
