//! The public face: load a bundle, recognise tweets.

use crate::bundle::manifest::{KnownAnswer, Manifest};
use crate::bundle::{BundleError, BundleFiles, Unpacked, unpack};
use crate::decode::chain::{ChainScores, Rules};
use crate::decode::entities::{Entity, WordEntity, decode};
use crate::label::{LABELS, Label};
use crate::systems::System;
use crate::systems::batch::Batch;
use crate::tweet::pieces::{PiecesError, WordPieces};
use crate::tweet::sequence::{PieceSequence, sequences};
use crate::tweet::words::{Word, split_words};
use burn::tensor::{Device, ExecutionError};
use serde::{Deserialize, Serialize};

/// Why a tweet could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecognizeError {
    /// The device failed.
    #[error("the compute device failed: {0}")]
    Device(String),
    /// The tokenizer failed on a word.
    #[error(transparent)]
    Pieces(#[from] PiecesError),
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
}

/// A loaded model.
#[derive(Debug)]
pub struct Recognizer {
    manifest: Manifest,
    system: System,
    chain: ChainScores,
    tokenizer: WordPieces,
    device: Device,
}

/// Tweets computed together when many are labelled.
const BATCH: usize = 32;

impl Recognizer {
    /// Checks a bundle and puts its system on `device`.
    ///
    /// # Errors
    /// [`LoadError`]; see [`unpack`].
    pub async fn load(files: BundleFiles, device: &Device) -> Result<Self, LoadError> {
        Self::new(unpack(files, device)?, device)
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
        } = bundle;
        let chain = system.crf().to_host().await?.under(Rules::Bio);
        Ok(Self {
            manifest,
            system,
            chain,
            tokenizer,
            device: device.clone(),
        })
    }

    /// What the bundle says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
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
        let words: Vec<Vec<Word>> = texts.iter().map(|text| split_words(text)).collect();
        let tokens: Vec<Vec<&str>> = texts
            .iter()
            .zip(&words)
            .map(|(text, words)| words.iter().map(|w| w.of(text)).collect())
            .collect();
        let tokens: Vec<&[&str]> = tokens.iter().map(Vec::as_slice).collect();
        let emissions = self.emissions(&tokens).await?;
        let found = texts.iter().zip(&words).zip(&emissions);
        Ok(found
            .map(|((text, words), emissions)| self.read_off(text, words, emissions))
            .collect())
    }

    /// The entities that `emissions`, `[N * 9]`, find in the words of `text`.
    fn read_off(&self, text: &str, words: &[Word], emissions: &[f64]) -> Recognition {
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
            }
        };
        Recognition {
            entities: decode(&self.chain, emissions)
                .1
                .into_iter()
                .map(entity)
                .collect(),
        }
    }

    /// The best labels of tweets that are already words, one label per word.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn label<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
    ) -> Result<Vec<Vec<Label>>, RecognizeError> {
        let emissions = self.emissions(tweets).await?;
        Ok(emissions.iter().map(|e| decode(&self.chain, e).0).collect())
    }

    /// Emission scores of tweets that are already words: `[N * 9]` each.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn emissions<S: AsRef<str>>(
        &self,
        tweets: &[&[S]],
    ) -> Result<Vec<Vec<f64>>, RecognizeError> {
        let windows: Vec<Vec<PieceSequence>> = tweets
            .iter()
            .map(|words| sequences(words, &self.tokenizer, self.manifest.max_pieces))
            .collect::<Result<_, _>>()?;
        // Tweets of like length side by side: padding is computed too.
        let mut order: Vec<usize> = (0..tweets.len())
            .filter(|&i| !windows[i].is_empty())
            .collect();
        order.sort_by_key(|&i| windows[i].iter().map(|w| w.pieces.len()).max());
        let mut emissions = vec![Vec::new(); tweets.len()];
        for chunk in order.chunks(BATCH) {
            let batch: Vec<&[PieceSequence]> =
                chunk.iter().map(|&i| windows[i].as_slice()).collect();
            let batch = Batch::new(&batch, self.tokenizer.special().pad, 0, &self.device);
            let scores = batch.collect(self.system.forward(&batch)).await?;
            for (&i, scores) in chunk.iter().zip(scores) {
                emissions[i] = scores;
            }
        }
        Ok(emissions)
    }

    /// Computes the known answer for `text`.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn known_answer(&self, text: &str) -> Result<KnownAnswer, RecognizeError> {
        let words: Vec<&str> = split_words(text).iter().map(|w| w.of(text)).collect();
        let emissions = self.emissions(&[&words]).await?.remove(0);
        let rows = emissions
            .chunks(LABELS)
            .map(|row| row.iter().map(|&v| v as f32).collect())
            .collect();
        Ok(KnownAnswer {
            text: text.to_owned(),
            emissions: rows,
        })
    }

    /// Runs the bundle's known answer and returns the largest absolute difference of an emission
    /// score; `None` if the bundle carries none.
    ///
    /// # Errors
    /// If the device fails, or differs by more than `tolerance`.
    pub async fn check(&self, tolerance: f32) -> Result<Option<f32>, RecognizeError> {
        let Some(expected) = &self.manifest.about.known_answer else {
            return Ok(None);
        };
        let got = self.known_answer(&expected.text).await?;
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
            Err(RecognizeError::WrongAnswer { difference })
        }
    }
}
