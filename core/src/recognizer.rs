//! The public face: load a bundle, recognise tweets.

use crate::bundle::manifest::{Drawing, KnownAnswer, Manifest};
use crate::bundle::{BundleError, BundleFiles, Compute, Unpacked, unpack};
use crate::decode::chain::{ChainScores, Rules};
use crate::decode::entities::{Entity, WordEntity, decode};
use crate::evidence::{Answer, PictureEvidence};
use crate::label::{LABELS, Label};
use crate::picture::eyes::{Eyes, EyesError};
use crate::picture::{Picture, PictureFeatures};
use crate::systems::System;
use crate::systems::ita::context::ContextPieces;
use crate::systems::ita::image_text::ImageText;
use crate::systems::layout::{Layout, TweetInput};
use crate::systems::pictures::Sight;
use crate::tweet::pieces::{PiecesError, WordPieces};
use crate::tweet::sequence::{PieceSequence, sequences};
use crate::tweet::words::{Word, split_words};
use burn::tensor::{Device, ExecutionError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a tweet could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecognizeError {
    /// The device failed.
    #[error("the compute device failed: {0}")]
    Device(String),
    /// The tokenizer failed on a word.
    #[error(transparent)]
    Pieces(#[from] PiecesError),
    /// A picture for a model without eyes.
    #[error(
        "this model reads text alone; leave the picture out, or use a model that looks at pictures"
    )]
    NoEyes,
    /// The picture could not be looked at.
    #[error(transparent)]
    Eyes(#[from] EyesError),
    /// Features of another backbone.
    #[error(
        "the picture features have {found} channels and this model reads {expected}; look at the picture with this model"
    )]
    OtherEyes {
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
    /// What was seen in the picture and what it contributed; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureEvidence>,
}

/// A loaded model.
#[derive(Debug)]
pub struct Recognizer {
    manifest: Manifest,
    system: System,
    chain: ChainScores,
    tokenizer: WordPieces,
    eyes: Option<Eyes>,
    layout: Layout,
    device: Device,
}

/// Tweets computed together when many are labelled.
const BATCH: usize = 32;

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

    /// Wraps an unpacked bundle whose system is on `device`.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn new(bundle: Unpacked, device: &Device) -> Result<Self, RecognizeError> {
        let Unpacked {
            manifest,
            system,
            tokenizer,
            eyes,
            augmentation,
        } = bundle;
        let pad = tokenizer.special().pad;
        let layout = Layout::new(&manifest.config, pad, augmentation);
        let chain = system.crf().to_host().await?.under(Rules::Bio);
        Ok(Self {
            manifest,
            system,
            chain,
            tokenizer,
            eyes,
            layout,
            device: device.clone(),
        })
    }

    /// What the bundle says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The networks that look at pictures, if the model has any.
    pub fn eyes(&self) -> Option<&Eyes> {
        self.eyes.as_ref()
    }

    /// The words of a raw tweet, cut as the model has learnt them.
    fn words(&self, text: &str) -> Vec<Word> {
        split_words(text, self.manifest.sigils)
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &WordPieces {
        &self.tokenizer
    }

    /// Looks at a picture: once, for any number of tweets.
    ///
    /// # Errors
    /// [`RecognizeError::NoEyes`], or if the device fails.
    pub async fn look(&self, picture: &Picture) -> Result<Sight, RecognizeError> {
        let eyes = self.eyes.as_ref().ok_or(RecognizeError::NoEyes)?;
        self.sight(eyes.look(picture).await?)
    }

    /// What was seen in a picture before, made ready for this model.
    ///
    /// # Errors
    /// [`RecognizeError::NoEyes`] or [`RecognizeError::OtherEyes`] where this model cannot use it.
    pub fn sight(&self, features: PictureFeatures) -> Result<Sight, RecognizeError> {
        let config = &self.manifest.config;
        let expected = match (config.channels(), config.context()) {
            (Some(channels), _) => channels,
            // Only the tags are read.
            (None, Some(_)) => features.channels,
            (None, None) => return Err(RecognizeError::NoEyes),
        };
        if features.channels != expected {
            return Err(RecognizeError::OtherEyes {
                found: features.channels,
                expected,
            });
        }
        Ok(Sight::new(Arc::new(features), &self.tokenizer)?)
    }

    /// The same recognizer, padding what it computes to few sizes: for a device that compiles
    /// kernels for the sizes it meets. Answers stay the same up to rounding.
    #[must_use]
    pub fn with_few_sizes(mut self) -> Self {
        self.layout.few_sizes = true;
        self
    }

    /// Computes once what a tweet takes, with a grey picture where the model looks at pictures, so
    /// that a device that compiles kernels as it meets them has met most.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn warm_up(&self) -> Result<(), RecognizeError> {
        let grey = Picture {
            width: 1,
            height: 1,
            rgb: vec![128; 3],
        };
        let sight = match self.look(&grey).await {
            Err(RecognizeError::NoEyes) => None,
            seen => Some(seen?),
        };
        self.recognize_with("warm", sight.as_ref(), None).await?;
        Ok(())
    }

    /// The entities of a raw tweet and its picture, with what the picture contributed.
    ///
    /// `known`: what is known of the picture in words. Only a system that reads context takes
    /// notice, also of the words about a picture that is not there.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn recognize_with(
        &self,
        text: &str,
        picture: Option<&Sight>,
        known: Option<&ImageText>,
    ) -> Result<Recognition, RecognizeError> {
        let words = self.words(text);
        let tokens: Vec<&str> = words.iter().map(|w| w.of(text)).collect();
        let answer = self
            .answers_with(&[&tokens], &[picture], &[known])
            .await?
            .remove(0);
        let mut found = self.read_off(text, &words, &answer);
        found.picture = picture.map(|sight| {
            let relevance = answer.evidence.as_ref().map(|evidence| evidence.relevance);
            let names = self.eyes.as_ref().map(|eyes| &eyes.object_names);
            PictureEvidence::new(sight, relevance, names)
        });
        Ok(found)
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
        let tokens: Vec<Vec<&str>> = texts
            .iter()
            .zip(&words)
            .map(|(text, words)| words.iter().map(|w| w.of(text)).collect())
            .collect();
        let tokens: Vec<&[&str]> = tokens.iter().map(Vec::as_slice).collect();
        let answers = self.answers(&tokens, &vec![None; tokens.len()]).await?;
        let found = texts.iter().zip(&words).zip(&answers);
        Ok(found
            .map(|((text, words), answer)| self.read_off(text, words, answer))
            .collect())
    }

    /// The entities that an answer finds in the words of `text`.
    fn read_off(&self, text: &str, words: &[Word], answer: &Answer) -> Recognition {
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
                evidence: answer
                    .evidence
                    .as_ref()
                    .map(|evidence| evidence.of(e.words)),
            }
        };
        Recognition {
            entities: decode(&self.chain, &answer.emissions)
                .1
                .into_iter()
                .map(entity)
                .collect(),
            picture: None,
        }
    }

    /// The best labels that an answer gives, one label per word.
    pub fn labels(&self, answer: &Answer) -> Vec<Label> {
        decode(&self.chain, &answer.emissions).0
    }

    /// Emission scores of tweets that are already words: `[N * 9]` each.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn emissions<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
    ) -> Result<Vec<Vec<f64>>, RecognizeError> {
        let answers = self.answers(tweets, &vec![None; tweets.len()]).await?;
        Ok(answers.into_iter().map(|answer| answer.emissions).collect())
    }

    /// Emission scores and evidence of tweets that are already words, each with its picture or
    /// none.
    ///
    /// # Errors
    /// If the device fails to answer.
    ///
    /// # Panics
    /// If `pictures` are not as many as the tweets.
    pub async fn answers<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
        pictures: &[Option<&Sight>],
    ) -> Result<Vec<Answer>, RecognizeError> {
        self.answers_with(tweets, pictures, &vec![None; tweets.len()])
            .await
    }

    /// As [`Recognizer::answers`], with what is known in words of each tweet's picture beside the
    /// tags of its sight. Only a system that reads context takes notice.
    ///
    /// # Errors
    /// If the device fails to answer.
    ///
    /// # Panics
    /// If `pictures` or `known` are not as many as the tweets.
    pub async fn answers_with<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
        pictures: &[Option<&Sight>],
        known: &[Option<&ImageText>],
    ) -> Result<Vec<Answer>, RecognizeError> {
        assert_eq!(pictures.len(), tweets.len(), "one picture or none a tweet");
        assert_eq!(known.len(), tweets.len(), "one text or none a tweet");
        let contexts: Vec<Option<ContextPieces>> = match self.manifest.config.context() {
            Some(builder) => pictures
                .iter()
                .zip(known)
                .map(|(sight, known)| builder.pieces(*sight, *known, &self.tokenizer))
                .collect::<Result<_, _>>()?,
            None => vec![None; tweets.len()],
        };
        let windows: Vec<Vec<PieceSequence>> = tweets
            .iter()
            .map(|words| sequences(words, &self.tokenizer, self.manifest.max_pieces))
            .collect::<Result<_, _>>()?;
        // Tweets of like length side by side: padding is computed too.
        let mut order: Vec<usize> = (0..tweets.len())
            .filter(|&i| !windows[i].is_empty())
            .collect();
        order.sort_by_key(|&i| windows[i].iter().map(|w| w.pieces.len()).max());
        let nothing = Answer {
            emissions: Vec::new(),
            evidence: None,
        };
        let mut answers = vec![nothing; tweets.len()];
        for chunk in order.chunks(BATCH) {
            let inputs: Vec<TweetInput<'_, S>> = chunk
                .iter()
                .map(|&i| TweetInput {
                    words: tweets[i],
                    windows: &windows[i],
                    sight: pictures[i],
                    context: contexts[i].as_ref(),
                })
                .collect();
            let batch = self.layout.batch(&inputs, false, &self.device);
            let (emissions, explanation) = self.system.explain(&batch);
            let most = explanation.as_ref().map(|e| e.objects.dims()[2]);
            let values = match explanation {
                Some(explanation) => explanation.beside(emissions),
                None => emissions,
            };
            let columns = values.dims()[2];
            for (&i, rows) in chunk.iter().zip(batch.collect(values).await?) {
                answers[i] = match (pictures[i], most) {
                    (Some(sight), Some(most)) => {
                        let objects = sight.features.objects.len().min(most);
                        Answer::explained(&rows, columns, objects)
                    }
                    _ => Answer {
                        emissions: rows
                            .chunks_exact(columns)
                            .flat_map(|row| &row[..LABELS])
                            .copied()
                            .collect(),
                        evidence: None,
                    },
                };
            }
        }
        Ok(answers)
    }

    /// Computes the known answer for `text` and a picture.
    ///
    /// # Errors
    /// [`LoadError`] if the picture cannot be drawn or looked at, or the device fails.
    pub async fn known_answer(
        &self,
        text: &str,
        picture: Option<Drawing>,
    ) -> Result<KnownAnswer, LoadError> {
        let sight = match picture {
            Some(drawing) => Some(self.look(&drawing.draw()?).await?),
            None => None,
        };
        let words: Vec<&str> = self.words(text).iter().map(|w| w.of(text)).collect();
        let answer = self.answers(&[&words], &[sight.as_ref()]).await?.remove(0);
        let rows = answer.emissions.chunks(LABELS);
        Ok(KnownAnswer {
            text: text.to_owned(),
            picture,
            emissions: rows
                .map(|row| row.iter().map(|&v| v as f32).collect())
                .collect(),
        })
    }

    /// Runs the bundle's known answer and returns the largest absolute difference of an emission
    /// score; `None` if the bundle carries none.
    ///
    /// # Errors
    /// If the device fails, or differs by more than `tolerance`.
    pub async fn check(&self, tolerance: f32) -> Result<Option<f32>, LoadError> {
        let Some(expected) = &self.manifest.about.known_answer else {
            return Ok(None);
        };
        let got = self.known_answer(&expected.text, expected.picture).await?;
        let same_shape = got.emissions.len() == expected.emissions.len()
            && expected.emissions.iter().all(|row| row.len() == LABELS);
        let difference = if same_shape {
            let pairs = got
                .emissions
                .iter()
                .flatten()
                .zip(expected.emissions.iter().flatten());
            // Not `f32::max`, which forgets a NaN.
            pairs
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |most, d| if d > most || d.is_nan() { d } else { most })
        } else {
            f32::INFINITY
        };
        if difference <= tolerance {
            Ok(Some(difference))
        } else {
            Err(RecognizeError::WrongAnswer { difference }.into())
        }
    }
}
