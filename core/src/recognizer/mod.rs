//! The public face: load a bundle, recognise tweets. How many are computed at once is in `answers`,
//! what tells a device that computes nonsense in `known_answer`, what lies behind a recognition in `internals`.

mod answers;
pub mod evidence;
pub mod internals;
mod known_answer;
mod memory;

use crate::bundle::manifest::Manifest;
use crate::bundle::{
    BundleError, BundleFiles, Compute, EYES, Unpacked, unpack, unpack_all_but_vision, unpack_vision,
};
use crate::decode::chain::{ChainScores, Rules};
use crate::decode::entities::{Entity, WordEntity, decode_within};
use crate::decode::fine_types::{FineTypeGuess, FineTypeTable};
use crate::image::Image;
use crate::label::Label;
use crate::nn::host::Precision;
use crate::recognizer::evidence::{Answer, ImageEvidence};
use crate::recognizer::memory::Memory;
use crate::systems::System;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::image_text::ImageText;
use crate::systems::layout::Layout;
use crate::tweet::bounds::{Bound, Bounds, Part};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::tweet::words::{Word, read_words, split_words};
use crate::vision::ImageFeatures;
use crate::vision::encoder::{VisionEncoder, VisionError};
use burn::tensor::{Device, ExecutionError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

/// Why a tweet could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecognizeError {
    /// The device failed.
    #[error("the compute device failed: {0}")]
    Device(String),
    /// The tokenizer failed on a word.
    #[error(transparent)]
    Pieces(#[from] TokenizerError),
    /// An image for a model without vision.
    #[error("this model reads text alone; leave the image out, or use a model that reads images")]
    NoVision,
    /// An image before the vision encoder is there.
    #[error("this model's {EYES} is not loaded yet; load it before the first image")]
    VisionNotLoaded,
    /// The image could not be encoded.
    #[error(transparent)]
    VisionEncoder(#[from] VisionError),
    /// Features of another backbone.
    #[error(
        "the image features have {found} channels and this model reads {expected}; encode the image with this model"
    )]
    OtherVision {
        /// Channels of the features.
        found: usize,
        /// Channels the system reads.
        expected: usize,
    },
    /// The device computes something else than the CPU did when the bundle was made.
    #[error(
        "the compute device gives wrong numbers: off by {difference:.4} on the bundle's known answer; use the CPU instead"
    )]
    WrongAnswer {
        /// Largest absolute difference of an emission score.
        difference: f32,
    },
    /// Whoever asked did not want to wait any longer.
    #[error("the text was not read to its end, for nobody waits for the answer")]
    Stopped,
}

impl From<ExecutionError> for RecognizeError {
    fn from(error: ExecutionError) -> Self {
        Self::Device(error.to_string())
    }
}

/// Why a recognizer could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bundle is not usable.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The device is not usable.
    #[error(transparent)]
    Device(#[from] RecognizeError),
}

/// What a tweet names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recognition {
    /// The entities, left to right; they never overlap.
    pub entities: Vec<Entity>,
    /// What was seen in the image and what it contributed; absent without one.
    #[serde(rename = "picture", default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageEvidence>,
}

/// A loaded model.
#[derive(Debug)]
pub struct Recognizer {
    manifest: Manifest,
    system: System,
    chain: ChainScores,
    fine_types: Option<FineTypeTable>,
    tokenizer: SubwordTokenizer,
    vision: OnceLock<VisionEncoder>,
    layout: Layout,
    device: Device,
    memory: Memory,
}

impl Recognizer {
    /// Checks a bundle and puts its system on `device`. With [`Compute::Host`], which is for a
    /// CPU, a quantised text encoder is several times smaller and faster there.
    ///
    /// # Errors
    /// [`LoadError`]; see [`unpack`].
    pub async fn load(
        files: BundleFiles,
        device: &Device,
        compute: Compute,
    ) -> Result<Self, LoadError> {
        Self::new(unpack(files, device, compute)?, device)
            .await
            .map_err(LoadError::Device)
    }

    /// As [`Recognizer::load`], without the networks that encode images: a text needs none. [`Recognizer::load_vision`] loads them
    /// before the first image.
    ///
    /// # Errors
    /// As [`Recognizer::load`].
    pub async fn load_all_but_vision(
        files: BundleFiles,
        device: &Device,
        compute: Compute,
    ) -> Result<Self, LoadError> {
        Self::new(unpack_all_but_vision(files, device, compute)?, device)
            .await
            .map_err(LoadError::Device)
    }

    /// Wraps an unpacked bundle whose system is on `device`.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn new(bundle: Unpacked, device: &Device) -> Result<Self, RecognizeError> {
        let Unpacked {
            manifest,
            system,
            tokenizer,
            vision,
            augmentation,
        } = bundle;
        let pad = tokenizer.special().pad;
        let layout = Layout::new(&manifest.config, pad, augmentation).of_host(&system);
        let chain = system.crf().to_host().await?.under(Rules::Bio);
        let fine_types = match system.fine_types() {
            Some(head) => {
                let table = head.to_host(manifest.config.fine_types()).await?;
                let told = manifest.about.fine_types.as_ref();
                Some(table.with_temperature(told.map_or(1.0, |told| told.temperature)))
            }
            None => None,
        };
        Ok(Self {
            manifest,
            system,
            chain,
            fine_types,
            tokenizer,
            vision: vision.map_or_else(OnceLock::new, OnceLock::from),
            layout,
            device: device.clone(),
            memory: Memory::default(),
        })
    }

    /// What the bundle says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The system that reads.
    #[cfg(feature = "train")]
    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    /// How finely the inputs of the text encoder's linear layers are rounded, where its weights stay quantised on a CPU.
    pub fn precision(&self) -> Option<Precision> {
        self.system.encoder().precision()
    }

    /// The networks that encode images, if the model has any and they are loaded.
    pub fn vision(&self) -> Option<&VisionEncoder> {
        self.vision.get()
    }

    /// Loads the networks that encode images, where they are still to come, from their `weights`. Where they are there, they stay.
    ///
    /// # Errors
    /// [`BundleError`] if the weights are not those that the manifest names.
    pub fn load_vision(&self, weights: Vec<u8>, compute: Compute) -> Result<(), BundleError> {
        let vision = unpack_vision(&self.manifest, weights, &self.device, compute)?;
        self.vision.get_or_init(|| vision);
        Ok(())
    }

    /// Whether the bundle has networks that encode images and they are not loaded.
    fn vision_is_to_come(&self) -> bool {
        self.manifest.vision.is_some() && self.vision().is_none()
    }

    /// The words of a raw tweet, cut as the model has learnt them.
    fn words(&self, text: &str) -> Vec<Word> {
        split_words(text, self.manifest.sigils)
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &SubwordTokenizer {
        &self.tokenizer
    }

    /// Encodes an image: once, for any number of tweets.
    ///
    /// # Errors
    /// [`RecognizeError::NoVision`], [`RecognizeError::VisionNotLoaded`], or if the device fails.
    pub async fn encode_image(&self, image: &Image) -> Result<EncodedImage, RecognizeError> {
        let vision = self.vision().ok_or(match self.vision_is_to_come() {
            true => RecognizeError::VisionNotLoaded,
            false => RecognizeError::NoVision,
        })?;
        self.encoded(vision.encode_image(image).await?)
    }

    /// What was seen in an image before, made ready for this model.
    ///
    /// # Errors
    /// [`RecognizeError::NoVision`] or [`RecognizeError::OtherVision`] where this model cannot use it.
    pub fn encoded(&self, features: ImageFeatures) -> Result<EncodedImage, RecognizeError> {
        let config = &self.manifest.config;
        let expected = match (config.channels(), config.context()) {
            (Some(channels), _) => channels,
            // Only the tags are read.
            (None, Some(_)) => features.channels,
            (None, None) => return Err(RecognizeError::NoVision),
        };
        if features.channels != expected {
            return Err(RecognizeError::OtherVision {
                found: features.channels,
                expected,
            });
        }
        let encoded = EncodedImage::new(Arc::new(features), &self.tokenizer)?;
        if let Some(host) = &self.layout.host {
            // Kept with it: the first answer beside the image need not wait.
            host.rows(&encoded, &self.device);
        }
        Ok(encoded)
    }

    /// The same recognizer, padding what it computes to few sizes: for a device that compiles
    /// kernels for the sizes it meets. Answers stay the same up to rounding.
    #[must_use]
    pub fn with_few_sizes(mut self) -> Self {
        self.layout.few_sizes = true;
        self
    }

    /// Computes once what a tweet takes, with a grey image where the model reads images, so
    /// that a device that compiles kernels as it meets them has met most.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn warm_up(&self) -> Result<(), RecognizeError> {
        let grey = Image {
            width: 1,
            height: 1,
            rgb: vec![128; 3],
        };
        let encoded = match self.encode_image(&grey).await {
            Err(RecognizeError::NoVision) => None,
            seen => Some(seen?),
        };
        self.recognize_with("warm", encoded.as_ref(), None).await?;
        Ok(())
    }

    /// The entities of a raw tweet and its image, with what the image contributed.
    ///
    /// `known`: what is known of the image in words. Only a system that reads context takes
    /// notice, also of the words about an image that is not there.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn recognize_with(
        &self,
        text: &str,
        image: Option<&EncodedImage>,
        known: Option<&ImageText>,
    ) -> Result<Recognition, RecognizeError> {
        let all = async |_, _| ControlFlow::Continue(());
        self.recognize_reporting(text, image, known, all).await
    }

    /// As [`Recognizer::recognize_with`]; `on_read` is told again and again how many of how many windows of the text are
    /// read, and says whether the others shall be. Windows of a long text that the text before had too are not read again.
    ///
    /// # Errors
    /// If the device fails to answer, or `on_read` breaks off.
    pub async fn recognize_reporting(
        &self,
        text: &str,
        image: Option<&EncodedImage>,
        known: Option<&ImageText>,
        on_read: impl AsyncFnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Recognition, RecognizeError> {
        let words = self.words(text);
        let tokens = read_words(text, &words);
        let answer = self
            .answers_reporting(&[&tokens], &[image], &[known], on_read)
            .await?
            .remove(0);
        Ok(self.recognition(text, &words, &answer, image))
    }

    /// What an answer says of a tweet and its image.
    fn recognition(
        &self,
        text: &str,
        words: &[Word],
        answer: &Answer,
        image: Option<&EncodedImage>,
    ) -> Recognition {
        let mut found = self.read_off(text, words, answer);
        found.image = image.map(|encoded| {
            let relevance = answer.evidence.as_ref().map(|evidence| evidence.relevance);
            let names = self.vision().map(|vision| &vision.object_names);
            ImageEvidence::new(encoded, relevance, names)
        });
        found
    }

    /// The entities of a raw tweet. Any text is a tweet: without words it has no entities, and
    /// beyond the encoder's reach it is read in overlapping windows.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn recognize(&self, text: &str) -> Result<Recognition, RecognizeError> {
        Ok(self.recognize_all(&[text]).await?.remove(0))
    }

    /// The entities of several raw tweets, in order.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn recognize_all(&self, texts: &[&str]) -> Result<Vec<Recognition>, RecognizeError> {
        let words: Vec<Vec<Word>> = texts.iter().map(|text| self.words(text)).collect();
        let tokens: Vec<Vec<Cow<'_, str>>> = texts
            .iter()
            .zip(&words)
            .map(|(text, words)| read_words(text, words))
            .collect();
        let tokens: Vec<&[Cow<'_, str>]> = tokens.iter().map(Vec::as_slice).collect();
        let answers = self.answers(&tokens, &vec![None; tokens.len()]).await?;
        let found = texts.iter().zip(&words).zip(&answers);
        Ok(found
            .map(|((text, words), answer)| self.read_off(text, words, answer))
            .collect())
    }

    /// The entities that an answer finds in the words of `text`, within its bounds.
    fn read_off(&self, text: &str, words: &[Word], answer: &Answer) -> Recognition {
        let bounds = Bounds::new(text, words, self.manifest.sigils);
        let entity = |e: WordEntity| {
            let span = words[e.words.start].to(&words[e.words.end - 1]).name(text);
            Entity {
                kind: e.kind,
                text: span.of(text).to_owned(),
                utf16: [span.utf16.start, span.utf16.end],
                chars: [span.chars.start, span.chars.end],
                bytes: [span.bytes.start, span.bytes.end],
                confidence: e.confidence,
                runner_up: e.runner_up,
                fine_type: self.fine_type(answer, &e),
                user_name: bounds.parts[e.words.start] == Part::UserName,
                hashtag: bounds.parts[e.words.start] == Part::Hashtag,
                seen: answer
                    .evidence
                    .as_ref()
                    .and_then(|evidence| evidence.seen(e.words.start, e.kind)),
                evidence: answer
                    .evidence
                    .as_ref()
                    .map(|evidence| evidence.of(e.words)),
            }
        };
        Recognition {
            entities: self
                .found(answer, &bounds.words)
                .1
                .into_iter()
                .map(entity)
                .collect(),
            image: None,
        }
    }

    /// The best labels that an answer gives, one label per word. Of the words of a corpus, which are
    /// cut as its makers cut them: nothing bounds them but BIO.
    pub fn labels(&self, answer: &Answer) -> Vec<Label> {
        self.decoded(answer).0
    }

    /// [`Self::labels`], and the entities that they stand for.
    pub fn decoded(&self, answer: &Answer) -> (Vec<Label>, Vec<WordEntity>) {
        self.found(answer, &[])
    }

    /// What an entity that an answer finds is more finely; none from a model that does not say.
    pub fn fine_type(&self, answer: &Answer, entity: &WordEntity) -> Option<FineTypeGuess> {
        let table = self.fine_types.as_ref()?;
        let scores = answer.fine_types.as_ref()?;
        Some(table.guess(scores, entity.words.clone(), entity.kind))
    }

    /// How likely each of the manifest's fine types of an entity is, as logarithms; none from a model that does not say.
    pub fn fine_type_logs(&self, answer: &Answer, entity: &WordEntity) -> Option<Vec<f64>> {
        let table = self.fine_types.as_ref()?;
        let scores = answer.fine_types.as_ref()?;
        Some(table.log_probabilities(scores, entity.words.clone(), entity.kind))
    }

    /// The best labels within bounds, and the entities in them, as sure as the bundle's calibration says.
    fn found(&self, answer: &Answer, bounds: &[Bound]) -> (Vec<Label>, Vec<WordEntity>) {
        let (labels, entities) = decode_within(&self.chain, &answer.emissions, bounds);
        let Some(scaling) = &self.manifest.about.confidence else {
            return (labels, entities);
        };
        let entities = entities.into_iter().map(|entity| scaling.apply(entity));
        (labels, entities.collect())
    }
}
