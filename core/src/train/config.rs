//! What a training run is: one JSON file, or the same by flags.

use crate::bundle::quantize::Scheme;
use crate::data::corpus::Source;
use crate::data::image_text_files::Captioner;
use crate::nn::mobilenet::BLOCKS;
use crate::systems::cross_view::CrossViewConfig;
use crate::systems::distillation::DistillationConfig;
use crate::systems::hamlearning::{MOST_ITERATIONS, MOST_OBJECTS, Part};
use crate::systems::mgcmt::Augmented;
use crate::systems::{SystemKind, mgcmt};
use crate::tweet::words::Sigils;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A training run, complete: the same values and the same machine give the same weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// The system.
    pub system: SystemKind,
    /// Bundle to go on from: system, sizes, tokenizer and vision networks are its own, and the
    /// fields that would choose them are not read.
    pub start: Option<PathBuf>,
    /// Hugging Face folder of the encoder to start from; not needed with a bundle.
    pub encoder: PathBuf,
    /// Corpora to learn from.
    pub train: Vec<Source>,
    /// Corpora to choose the best epoch by.
    pub dev: Vec<Source>,
    /// Folder of the tweets' own images, found by the tweets' ids.
    pub images: Option<PathBuf>,
    /// Table of stand-in images, see [`crate::data::corpus_images::index::ImageIndex::table`]. Without images and table
    /// no tweet has an image.
    #[serde(alias = "pictures")]
    pub image_table: Option<PathBuf>,
    /// Of how many of a tweet's stand-in images, the best first, one is drawn anew each epoch.
    pub stand_ins: usize,
    /// Weights of the image backbone, class names beside them; see [`crate::formats::vision_networks::load_vision_encoder`].
    pub backbone: Option<PathBuf>,
    /// Weights of the object detector, class names beside them.
    pub detector: Option<PathBuf>,
    /// Bundle whose vision networks to take, but for a detector that is given.
    #[serde(alias = "eyes")]
    pub vision: Option<PathBuf>,
    /// Folder where what was seen in the images is kept; `features` in the run's unless given.
    pub cache: Option<PathBuf>,
    /// How many of the last inverted residuals of the image backbone, MobileNetV2, learn too, and
    /// the convolution after them; 0 leaves the whole backbone as it is.
    pub tune_blocks: usize,
    /// Fraction of the images left out, anew each epoch: the model must also stand without.
    pub image_dropout: f64,
    /// Fraction of the images exchanged for another tweet's, anew each epoch: the model must
    /// learn that an image may say nothing.
    pub image_swap: f64,
    /// Most objects of an image.
    pub objects: usize,
    /// Hidden size beyond the encoder; 0 is the encoder's.
    pub width: usize,
    /// Feed-forward size beyond the encoder, in widths.
    pub ffn: usize,
    /// Turns in which words and image read each other.
    pub iterations: usize,
    /// Whether all turns have the same weights.
    pub shared: bool,
    /// Parts of the system left out.
    pub without: Vec<Part>,
    /// word2vec file of tweets that MGCMT's augmentation is made of.
    pub word2vec: Option<PathBuf>,
    /// How the augmentation joins the text.
    pub augmented: Augmented,
    /// Parts of MGCMT left out.
    pub mgcmt_without: Vec<mgcmt::Part>,
    /// Side files that say in words what the tweets' images show, for ITA; see
    /// [`crate::data::image_text_files::read_context`].
    pub context: Vec<PathBuf>,
    /// Files of captions of the tweets' images, for ITA.
    pub captions: Vec<PathBuf>,
    /// Whose captions to take from them.
    pub captioner: Captioner,
    /// Whether the view with the image and the view of the text alone are both learnt from, and
    /// aligned; as ITA does and the other systems do not, unless given.
    pub cross_view: Option<bool>,
    /// Temperature of the alignment.
    pub temperature: f64,
    /// What teachers believe of tweets, as `mner posteriors` writes it; tweets that stand in none of the files are
    /// learnt from their labels alone.
    pub posteriors: Vec<PathBuf>,
    /// Bundle of the same system, with wider feed-forward networks perhaps, what whose layers are given is learnt beside the labels; see
    /// [`crate::train::imitation`].
    pub imitate: Option<PathBuf>,
    /// Weight of that beside the gold labels' 1.
    pub imitate_weight: f64,
    /// What people say the tweets' names are more finely, see [`crate::data::fine_types::FineTypeNames::read`]; the system then
    /// learns to tell it. A bundle to go on from that tells fine types keeps its own.
    pub fine_types: Vec<PathBuf>,
    /// Temperature of the teachers' posteriors and the student's.
    pub distill_temperature: f64,
    /// Weight of the teachers beside the gold labels' 1.
    pub distill_weight: f64,
    /// How the model will cut the mentions and hashtags of raw tweets into words: as the corpora
    /// do. A bundle to go on from has its own way.
    pub sigils: Sigils,
    /// Terms of what the model is made of, for its manifest.
    pub licences: Vec<String>,
    /// Codes of the languages that the corpora are in (ISO 639), such as `en`, for the manifest and the model card.
    pub languages: Vec<String>,
    /// Folder of the run: checkpoints, logs, and the bundle at the end.
    pub out: PathBuf,
    /// `cpu`, `torch`, `vulkan`, `wgpu` or `cuda`, with `:i` for a GPU other than the first; several
    /// CUDA devices train data-parallel.
    pub device: Vec<String>,
    /// Seed of everything random.
    pub seed: u64,
    /// Passes over the corpora.
    pub epochs: usize,
    /// Tweets a step.
    pub batch: usize,
    /// The longest window in subwords.
    #[serde(alias = "max_pieces")]
    pub max_subwords: usize,
    /// Peak learning rate of the text encoder.
    pub lr_encoder: f64,
    /// Peak learning rate of layers that start fresh.
    pub lr_new: f64,
    /// Peak learning rate of the layers between encoder and emissions, which start fresh too.
    pub lr_fusion: f64,
    /// Peak learning rate of the relevance measure.
    pub lr_relevance: f64,
    /// Peak learning rate of the image backbone's blocks that learn.
    pub lr_backbone: f64,
    /// Peak learning rate of the chain.
    pub lr_crf: f64,
    /// Decoupled weight decay; never on biases and layer norms.
    pub weight_decay: f64,
    /// Fraction of the steps over which learning rates rise from 0; they fall to 0 after.
    pub warmup: f64,
    /// Largest global norm of a step's gradient; 0 does not clip.
    pub clip: f64,
    /// Dropout in encoder and emissions.
    pub dropout: f64,
    /// Whether the encoder gets the word-shape table.
    pub shapes: bool,
    /// How many of the text encoder's layers, the first ones, do not learn, nor its input tables then; 0 lets all learn.
    pub freeze: usize,
    /// Stop after this many epochs without a better dev score; 0 never stops early.
    pub patience: usize,
    /// Of how many of the last epochs the weights are averaged for the bundle; 0 takes those of the best epoch.
    pub average: usize,
    /// The scheme whose rounding is learnt with, see [`crate::train::learner::TrainedSystem::with_rounding`]; none rounds nothing.
    pub quantization_aware: Option<Scheme>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            system: SystemKind::Text,
            start: None,
            encoder: PathBuf::new(),
            train: Vec::new(),
            dev: Vec::new(),
            images: None,
            image_table: None,
            stand_ins: 1,
            backbone: None,
            detector: None,
            vision: None,
            cache: None,
            tune_blocks: 0,
            image_dropout: 0.1,
            image_swap: 0.0,
            objects: 10,
            width: 0,
            ffn: 4,
            iterations: 2,
            shared: false,
            without: Vec::new(),
            word2vec: None,
            augmented: Augmented::Add,
            mgcmt_without: Vec::new(),
            context: Vec::new(),
            captions: Vec::new(),
            captioner: Captioner::Blip2,
            cross_view: None,
            temperature: 4.0,
            posteriors: Vec::new(),
            imitate: None,
            imitate_weight: 10.0,
            fine_types: Vec::new(),
            distill_temperature: 2.0,
            distill_weight: 0.5,
            sigils: Sigils::Joined,
            licences: Vec::new(),
            languages: Vec::new(),
            out: PathBuf::new(),
            device: vec!["cpu".to_owned()],
            seed: 1,
            epochs: 5,
            batch: 16,
            max_subwords: 128,
            lr_encoder: 1e-4,
            lr_new: 1e-3,
            lr_fusion: 2e-4,
            lr_relevance: 2e-4,
            lr_backbone: 1e-5,
            lr_crf: 1e-2,
            weight_decay: 0.01,
            warmup: 0.1,
            clip: 5.0,
            dropout: 0.1,
            shapes: true,
            freeze: 0,
            patience: 0,
            average: 0,
            quantization_aware: None,
        }
    }
}

/// Why a configuration cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value is missing.
    #[error("the training configuration lacks `{0}`: give --{0} or set it in the file")]
    Missing(&'static str),
    /// Two values exclude each other.
    #[error("`{0}` and `{1}` are both given; give one of them")]
    Both(&'static str, &'static str),
    /// What imitates learns from one view, on one device.
    #[error(
        "`imitate` goes with one view of a tweet and one device: give --cross-view false, or one --device"
    )]
    Imitation,
    /// Windows are longer than the encoder's positions.
    #[error(
        "`max_subwords` is {asked}, and this encoder reads {most} subwords at most: give --max-subwords {most}"
    )]
    Subwords {
        /// Subwords of a window, as asked for.
        asked: usize,
        /// Positions that the encoder has.
        most: usize,
    },
    /// A value is out of range.
    #[error("`{name}` is {value}, but must be {expected}")]
    Range {
        /// The field.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
}

/// Checks values by their fields' names against the least, the greatest and those in words.
///
/// # Errors
/// [`ConfigError::Range`], for the first that is not within.
pub(super) fn check_ranges(
    values: impl IntoIterator<Item = (&'static str, f64, (f64, f64, &'static str))>,
) -> Result<(), ConfigError> {
    let mut values = values.into_iter();
    match values.find(|(_, value, (low, high, _))| !(low..=high).contains(&value)) {
        None => Ok(()),
        Some((name, value, (_, _, expected))) => Err(ConfigError::Range {
            name,
            value,
            expected,
        }),
    }
}

impl TrainConfig {
    /// How the two views of a tweet are aligned, if they are.
    pub fn views(&self) -> Option<CrossViewConfig> {
        let aligned = self.cross_view.unwrap_or(self.system == SystemKind::Ita);
        aligned.then(|| CrossViewConfig {
            temperature: self.temperature,
            ..CrossViewConfig::default()
        })
    }

    /// How teachers are listened to, if there are any.
    pub fn distillation(&self) -> Option<DistillationConfig> {
        (!self.posteriors.is_empty()).then_some(DistillationConfig {
            temperature: self.distill_temperature,
            weight: self.distill_weight,
        })
    }

    /// Checks that everything needed is there and in range.
    ///
    /// # Errors
    /// [`ConfigError`], for the first problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        let missing = [
            (
                "encoder",
                self.encoder.as_os_str().is_empty() && self.start.is_none(),
            ),
            ("train", self.train.is_empty()),
            ("dev", self.dev.is_empty()),
            ("out", self.out.as_os_str().is_empty()),
            ("device", self.device.is_empty()),
        ];
        if let Some((name, _)) = missing.into_iter().find(|(_, missing)| *missing) {
            return Err(ConfigError::Missing(name));
        }
        if self.images.is_some() && self.image_table.is_some() {
            return Err(ConfigError::Both("images", "image_table"));
        }
        let images = self.images.is_some() || self.image_table.is_some();
        if self.tune_blocks > 0 && !images {
            return Err(ConfigError::Missing("images"));
        }
        if self.vision.is_some() && self.backbone.is_some() {
            return Err(ConfigError::Both("vision", "backbone"));
        }
        let unseen = self.start.is_none() && self.vision.is_none();
        if unseen && self.system.reads_images() && images {
            let networks = [("backbone", &self.backbone), ("detector", &self.detector)];
            if let Some((name, _)) = networks.iter().find(|(_, path)| path.is_none()) {
                return Err(ConfigError::Missing(name));
            }
        }
        if self.imitate.is_some() && (self.views().is_some() || self.device.len() > 1) {
            return Err(ConfigError::Imitation);
        }
        let augmented = self.system == SystemKind::Mgcmt && self.augmented != Augmented::Off;
        if augmented && self.word2vec.is_none() && self.start.is_none() {
            return Err(ConfigError::Missing("word2vec"));
        }
        let ranges = [
            (
                "temperature",
                self.temperature,
                0.01,
                100.0,
                "from 0.01 to 100",
            ),
            (
                "distill_temperature",
                self.distill_temperature,
                0.01,
                100.0,
                "from 0.01 to 100",
            ),
            (
                "distill_weight",
                self.distill_weight,
                0.0,
                1000.0,
                "from 0 to 1000",
            ),
            (
                "imitate_weight",
                self.imitate_weight,
                0.0,
                1000.0,
                "from 0 to 1000",
            ),
            ("epochs", self.epochs as f64, 1.0, f64::MAX, "1 or more"),
            (
                "average",
                self.average as f64,
                0.0,
                self.epochs as f64,
                "at most the number of epochs",
            ),
            ("batch", self.batch as f64, 1.0, f64::MAX, "1 or more"),
            (
                "max_subwords",
                self.max_subwords as f64,
                3.0,
                f64::MAX,
                "3 or more",
            ),
            ("lr_encoder", self.lr_encoder, 0.0, 1.0, "from 0 to 1"),
            ("lr_new", self.lr_new, 0.0, 1.0, "from 0 to 1"),
            ("lr_fusion", self.lr_fusion, 0.0, 1.0, "from 0 to 1"),
            ("lr_relevance", self.lr_relevance, 0.0, 1.0, "from 0 to 1"),
            (
                "stand_ins",
                self.stand_ins as f64,
                1.0,
                f64::MAX,
                "1 or more",
            ),
            ("image_dropout", self.image_dropout, 0.0, 1.0, "from 0 to 1"),
            (
                "image_swap",
                self.image_swap,
                0.0,
                1.0 - self.image_dropout,
                "from 0 to 1 - image_dropout",
            ),
            ("ffn", self.ffn as f64, 1.0, 64.0, "from 1 to 64"),
            (
                "objects",
                self.objects as f64,
                1.0,
                MOST_OBJECTS as f64,
                "from 1 to 36",
            ),
            (
                "iterations",
                self.iterations as f64,
                1.0,
                MOST_ITERATIONS as f64,
                "from 1 to 4",
            ),
            ("lr_backbone", self.lr_backbone, 0.0, 1.0, "from 0 to 1"),
            (
                "tune_blocks",
                self.tune_blocks as f64,
                0.0,
                BLOCKS as f64,
                "from 0 to 17",
            ),
            ("lr_crf", self.lr_crf, 0.0, 1.0, "from 0 to 1"),
            ("weight_decay", self.weight_decay, 0.0, 1.0, "from 0 to 1"),
            ("warmup", self.warmup, 0.0, 0.99, "from 0 to 0.99"),
            ("clip", self.clip, 0.0, f64::MAX, "0 or more"),
            ("dropout", self.dropout, 0.0, 0.99, "from 0 to 0.99"),
        ];
        check_ranges(
            ranges.map(|(name, value, low, high, expected)| (name, value, (low, high, expected))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> TrainConfig {
        let corpus: Source = serde_json::from_value(serde_json::json!({"path": "t"})).unwrap();
        TrainConfig {
            encoder: "encoder".into(),
            train: vec![corpus.clone()],
            dev: vec![corpus],
            out: "out".into(),
            ..TrainConfig::default()
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        assert!(complete().check().is_ok());
        let refused = |name: &str, change: &dyn Fn(&mut TrainConfig, f64), values: &[f64]| {
            for &value in values {
                let mut config = complete();
                change(&mut config, value);
                let error = config.check().expect_err(name).to_string();
                assert!(error.starts_with(&format!("`{name}` is ")), "{error}");
            }
        };
        let nowhere = [f64::NAN, f64::INFINITY, -1.0];
        refused("temperature", &|c, v| c.temperature = v, &nowhere);
        refused("temperature", &|c, v| c.temperature = v, &[0.0, 100.1]);
        refused(
            "distill_temperature",
            &|c, v| c.distill_temperature = v,
            &[0.0],
        );
        refused("distill_weight", &|c, v| c.distill_weight = v, &nowhere);
        refused("lr_encoder", &|c, v| c.lr_encoder = v, &nowhere);
        refused("image_dropout", &|c, v| c.image_dropout = v, &nowhere);
        refused("warmup", &|c, v| c.warmup = v, &[f64::NAN, 1.0]);
        refused("epochs", &|c, v| c.epochs = v as usize, &[0.0]);
        refused("stand_ins", &|c, v| c.stand_ins = v as usize, &[0.0]);
    }

    #[test]
    fn imitation_is_of_one_view_on_one_device() {
        let mut config = complete();
        config.imitate = Some("bundle".into());
        assert!(config.check().is_ok());
        let refused = |config: &TrainConfig| config.check().unwrap_err().to_string();
        config.device = vec!["cuda:0".to_owned(), "cuda:1".to_owned()];
        assert!(refused(&config).contains("one device"));
        config.device.truncate(1);
        config.system = SystemKind::Ita;
        assert!(refused(&config).contains("--cross-view false"));
        config.cross_view = Some(false);
        assert!(config.check().is_ok());
    }

    #[test]
    fn images_cannot_be_dropped_and_swapped_more_than_always() {
        let mut config = complete();
        (config.image_dropout, config.image_swap) = (0.6, 0.4);
        assert!(config.check().is_ok());
        config.image_swap = 0.5;
        let error = config.check().unwrap_err().to_string();
        assert!(error.starts_with("`image_swap` is 0.5"), "{error}");
    }
}
