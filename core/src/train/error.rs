//! Why a run ends without a bundle.

use crate::bundle::BundleError;
use crate::data::contrast::ContrastError;
use crate::data::corpus::CorpusError;
use crate::data::corpus::mixture::MixtureError;
use crate::data::corpus_images::CorpusImagesError;
use crate::data::image_text_files::ImageContextError;
use crate::data::posteriors::PosteriorsError;
use crate::formats::hugging_face::HuggingFaceError;
use crate::formats::vision_networks::VisionFileError;
use crate::formats::word2vec::Word2vecError;
use crate::recognizer::LoadError;
use crate::train::config::ConfigError;
use crate::train::supervised::RunError;
use crate::tweet::subwords::TokenizerError;
use std::path::PathBuf;

/// Why a run ended without a bundle.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A corpus.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Names of a fine type that the bundle to go on from does not tell.
    #[error(
        "the bundle to go on from tells other fine types: `{0}` is none of them; leave out --fine-types, or begin from an encoder"
    )]
    UnknownFineType(String),
    /// The corpora's weights.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// The encoder to start from.
    #[error(transparent)]
    Encoder(#[from] HuggingFaceError),
    /// The vision networks to start from.
    #[error(transparent)]
    EyesFile(#[from] VisionFileError),
    /// The images.
    #[error(transparent)]
    CorpusImages(#[from] CorpusImagesError),
    /// The word2vec file.
    #[error(transparent)]
    Word2vec(#[from] Word2vecError),
    /// Texts and their own images.
    #[error(transparent)]
    Pairs(#[from] ContrastError),
    /// What people saw.
    #[error("{}, line {line}: {source}; each line is {{\"id\", \"visible\": [{{\"name\"}}, ...]}}", path.display())]
    Seen {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// What teachers believe.
    #[error(transparent)]
    Posteriors(#[from] PosteriorsError),
    /// What the images say in words.
    #[error(transparent)]
    ImageContext(#[from] ImageContextError),
    /// The tokenizer.
    #[error(transparent)]
    Pieces(#[from] TokenizerError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle as packed, or the device it was tried on.
    #[error(transparent)]
    Packed(#[from] LoadError),
    /// The bundle to go on from holds another system.
    #[error("{} holds a {found} system: give --system {found}, or another --start than for {asked}", bundle.display())]
    OtherSystem {
        /// The bundle.
        bundle: PathBuf,
        /// Its system.
        found: &'static str,
        /// The configuration's.
        asked: &'static str,
    },
    /// The bundle to imitate is of other sizes.
    #[error(
        "{} is no bundle to imitate: it may differ from the system that learns in the width of the text encoder's feed-forward networks \
         alone", .0.display()
    )]
    Inimitable(PathBuf),
    /// Bundles that have no mean.
    #[error("{0}")]
    Soup(String),
    /// The backbone cannot learn.
    #[error(
        "only the blocks of a MobileNetV2 backbone learn: give --tune-blocks 0, or another backbone"
    )]
    Untunable,
    /// The projector reads what the backbone gives.
    #[error(
        "the vision encoder has a projector, which learnt over the backbone as it is: give --tune-blocks 0, or tune first and \
         run mner match after"
    )]
    Projected,
    /// There is no backbone to learn.
    #[error(
        "there is no image backbone whose blocks could learn: give --tune-blocks 0, or a system that reads images"
    )]
    NoVision,
    /// A bundle without vision encoder, given as the one whose to take.
    #[error("{} has no vision encoder: it holds a system that does not read images", .0.display())]
    Blind(PathBuf),
    /// A file of the run.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The run's folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The learner stopped.
    #[error("training stopped: {0}")]
    Stopped(String),
    /// No epoch was finished.
    #[error("training stopped before its first epoch was finished; start it again with --resume")]
    NoEpoch,
}
