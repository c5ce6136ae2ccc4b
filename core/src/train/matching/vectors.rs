//! Texts and images as vectors: what a matcher learns from, each computed once.

use crate::data::corpus::Sample;
use crate::data::corpus_images::CorpusImages;
use crate::data::pairs::{Pair, Told};
use crate::formats::hugging_face::{load_encoder, load_tokenizer_of};
use crate::nn::encoder::Encoder;
use crate::nn::projector::{ProjectorConfig, unit};
use crate::notice;
use crate::systems::System;
use crate::systems::batch::Batch;
use crate::systems::hamlearning::relevance::mean_state;
use crate::systems::image_batch::EncodedImage;
use crate::systems::padding::LeastSizes;
use crate::train::error::TrainError;
use crate::tweet::sequence::{SubwordSequence, sequences};
use crate::tweet::subwords::SubwordTokenizer;
use crate::tweet::words::{Sigils, split_words};
use crate::vision::encoder::on_host;
use burn::tensor::{Device, Tensor};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Texts encoded together.
const STEP: usize = 32;

/// Subwords of a text that a sentence encoder from outside reads.
const SENTENCE: usize = 128;

/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(10);

/// A text encoder whose states are averaged.
pub struct SentenceEncoder {
    encoder: Encoder,
    tokenizer: SubwordTokenizer,
    max_subwords: usize,
    /// Whether vectors are made of length 1.
    unit: bool,
    size: usize,
    device: Device,
}

impl SentenceEncoder {
    /// A sentence encoder of a Hugging Face folder: the mean of its states, made of length 1, as
    /// sentence-transformers/all-MiniLM-L6-v2 has it.
    ///
    /// # Errors
    /// [`TrainError::Encoder`]
    pub fn load(folder: &Path, device: &Device) -> Result<Self, TrainError> {
        let pretrained = load_encoder(folder, 0, 0.0, device)?;
        Ok(Self {
            tokenizer: load_tokenizer_of(folder, pretrained.config.vocab)?,
            max_subwords: SENTENCE.min(pretrained.config.max_subwords()),
            unit: true,
            size: pretrained.config.d,
            encoder: pretrained.encoder,
            device: device.clone(),
        })
    }

    /// The text encoder of a system, read as the relevance reads it.
    pub fn of(
        system: &System,
        tokenizer: SubwordTokenizer,
        max_subwords: usize,
        device: &Device,
    ) -> Self {
        let encoder = system.encoder().clone();
        Self {
            size: encoder.words.weight.dims()[1],
            encoder,
            tokenizer,
            max_subwords,
            unit: false,
            device: device.clone(),
        }
    }

    /// The tokenizer of the texts.
    pub fn tokenizer(&self) -> &SubwordTokenizer {
        &self.tokenizer
    }

    /// Values of a vector.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The first window of each text; none for one without words.
    fn windows(&self, texts: &[Vec<&str>]) -> Result<Vec<Option<SubwordSequence>>, TrainError> {
        let windows = texts.iter().map(|words| {
            let all = sequences(words, &self.tokenizer, self.max_subwords)?;
            Ok(all.into_iter().next())
        });
        windows.collect()
    }

    /// Texts as vectors.
    ///
    /// # Errors
    /// [`TrainError`] if the tokenizer or the device fails.
    pub fn encode(&self, texts: &[&str], sigils: Sigils) -> Result<Vec<Vec<f32>>, TrainError> {
        self.vectors(&self.windows(&words(texts, sigils))?)
    }

    /// The states at the first subword of some words of each tweet; none for a word that lies beyond the first window.
    ///
    /// # Errors
    /// [`TrainError`] if the tokenizer or the device fails.
    pub fn word_states(
        &self,
        tweets: &[Vec<&str>],
        wanted: &[Vec<usize>],
    ) -> Result<Vec<Vec<Option<Vec<f32>>>>, TrainError> {
        let windows = self.windows(tweets)?;
        let mut all: Vec<Vec<Option<Vec<f32>>>> =
            wanted.iter().map(|words| vec![None; words.len()]).collect();
        let asked = |at: usize| !wanted[at].is_empty();
        self.each_batch(&windows, asked, |chunk, batch, states| {
            let states = batch.first_subwords(states);
            let [_, most, _] = states.dims();
            let values = pollster::block_on(on_host(states)).map_err(broken)?;
            for (row, &(at, window)) in chunk.iter().enumerate() {
                for (state, &word) in all[at].iter_mut().zip(&wanted[at]) {
                    let start = (row * most + word) * self.size;
                    *state = (word < window.first.len())
                        .then(|| values[start..start + self.size].to_vec());
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// A vector for each window, 0 where there is none.
    fn vectors(&self, windows: &[Option<SubwordSequence>]) -> Result<Vec<Vec<f32>>, TrainError> {
        let mut vectors = vec![vec![0.0; self.size]; windows.len()];
        self.each_batch(
            windows,
            |_| true,
            |chunk, batch, states| {
                let mut means = mean_state(states, batch.text().present.clone());
                if self.unit {
                    means = unit(means);
                }
                let values = pollster::block_on(on_host(means)).map_err(broken)?;
                for (&(at, _), vector) in chunk.iter().zip(values.chunks_exact(self.size)) {
                    vectors[at].copy_from_slice(vector);
                }
                Ok(())
            },
        )?;
        Ok(vectors)
    }

    /// Encodes the windows that are asked for, texts of like length together: `take` is given the places and windows of a batch, the
    /// batch, and the encoder's states, `[B, P, D]`.
    fn each_batch(
        &self,
        windows: &[Option<SubwordSequence>],
        asked: impl Fn(usize) -> bool,
        mut take: impl FnMut(&[(usize, &SubwordSequence)], &Batch, Tensor<3>) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let mut order: Vec<(usize, &SubwordSequence)> = windows
            .iter()
            .enumerate()
            .filter_map(|(at, window)| Some((at, window.as_ref()?)))
            .filter(|&(at, _)| asked(at))
            .collect();
        order.sort_by_key(|(_, window)| window.subwords.len());
        let pad = self.tokenizer.special().pad;
        let (mut last, mut done) = (Instant::now(), 0);
        for chunk in order.chunks(STEP) {
            let rows: Vec<&[SubwordSequence]> = chunk
                .iter()
                .map(|&(_, window)| std::slice::from_ref(window))
                .collect();
            let batch = Batch::new(&rows, pad, LeastSizes::default(), &self.device);
            take(chunk, &batch, self.encoder.forward(batch.text()))?;
            done += chunk.len();
            if last.elapsed() >= INTERVAL {
                last = Instant::now();
                notice!("texts {done}/{}", order.len());
            }
        }
        Ok(())
    }
}

/// The words of each text.
fn words<T: AsRef<str>>(texts: &[T], sigils: Sigils) -> Vec<Vec<&str>> {
    let mut all = Vec::with_capacity(texts.len());
    for text in texts {
        let text = text.as_ref();
        let words = split_words(text, sigils);
        all.push(words.iter().map(|word| word.of(text)).collect());
    }
    all
}

/// A device that fails where vectors are read.
pub(in crate::train) fn broken(error: impl std::fmt::Display) -> TrainError {
    TrainError::Stopped(error.to_string())
}

/// Texts as vectors.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// `S` values each, by the sentence encoder that stays as it is.
    pub sentences: Vec<Vec<f32>>,
    /// `D` values each: the mean of the states that the system's own encoder gives.
    pub states: Vec<Vec<f32>>,
    /// What the system's own encoder read, the first window of each; none for a text without words.
    pub windows: Vec<Option<SubwordSequence>>,
}

impl Texts {
    /// Texts read by the encoder that stays as it is and by the system's own.
    ///
    /// # Errors
    /// [`TrainError`] if a tokenizer or the device fails.
    pub fn new<T: AsRef<str>>(
        texts: &[T],
        sigils: Sigils,
        [frozen, own]: [&SentenceEncoder; 2],
    ) -> Result<Self, TrainError> {
        let words = words(texts, sigils);
        let windows = own.windows(&words)?;
        Ok(Self {
            sentences: frozen.vectors(&frozen.windows(&words)?)?,
            states: own.vectors(&windows)?,
            windows,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sentences.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// Adds others.
    pub fn extend(&mut self, others: Self) {
        self.sentences.extend(others.sentences);
        self.states.extend(others.states);
        self.windows.extend(others.windows);
    }
}

/// Texts with what captions say of their images, as vectors.
#[derive(Clone, Debug, Default)]
pub struct ToldTexts {
    /// Of the captions, `S` values each, by the sentence encoder that stays as it is.
    pub captions: Vec<Vec<f32>>,
    /// Of the texts, `D` values each: the mean of the states that the system's own encoder gives.
    pub states: Vec<Vec<f32>>,
}

impl ToldTexts {
    /// Pairs as vectors; those without words on either side are left out.
    ///
    /// # Errors
    /// [`TrainError`] if a tokenizer or the device fails.
    pub fn new(
        pairs: &[Told],
        sigils: Sigils,
        [frozen, own]: [&SentenceEncoder; 2],
    ) -> Result<Self, TrainError> {
        let said = |text: &str| !split_words(text, sigils).is_empty();
        let kept = pairs
            .iter()
            .filter(|pair| said(&pair.text) && said(&pair.caption));
        let (texts, captions): (Vec<&str>, Vec<&str>) = kept
            .map(|pair| (pair.text.as_str(), pair.caption.as_str()))
            .unzip();
        Ok(Self {
            captions: frozen.encode(&captions, sigils)?,
            states: own.encode(&texts, sigils)?,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.captions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.captions.is_empty()
    }
}

/// Texts with their own images, each image once.
#[derive(Clone, Debug)]
pub struct Paired {
    /// The texts.
    pub texts: Texts,
    /// Which of the images belongs to each text.
    pub image: Vec<usize>,
    /// What a projector reads of each image.
    pub images: Vec<Vec<f32>>,
    /// The images as the system reads them.
    pub encoded: Vec<EncodedImage>,
}

impl Paired {
    /// Pairs as vectors. Pairs without words or whose image cannot be read are left out; standard error names those images.
    ///
    /// # Errors
    /// [`TrainError`] if a tokenizer or the device fails, or there is no image at all.
    pub fn new(
        pairs: &[Pair],
        images: &mut CorpusImages,
        sizes: &ProjectorConfig,
        sigils: Sigils,
        encoders: [&SentenceEncoder; 2],
    ) -> Result<Self, TrainError> {
        let samples: Vec<Sample> = pairs
            .iter()
            .map(|pair| Sample {
                image: Some(pair.image.clone()),
                ..Sample::default()
            })
            .collect();
        let found = images.encoded_images(&samples, 1, 0)?;
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut paired = Self {
            texts: Texts::default(),
            image: Vec::new(),
            images: Vec::new(),
            encoded: Vec::new(),
        };
        let mut texts = Vec::new();
        for (pair, found) in pairs.iter().zip(found) {
            let Some(encoded) = found.into_iter().next() else {
                continue;
            };
            if split_words(&pair.text, sigils).is_empty() {
                continue;
            }
            let at = *known.entry(&pair.image).or_insert_with(|| {
                let features = &encoded.features;
                let objects = features.objects.iter();
                let objects = objects.map(|object| (object.class, object.score));
                paired.images.push(sizes.pooled(&features.grid, objects));
                paired.encoded.push(encoded);
                paired.images.len() - 1
            });
            texts.push(pair.text.as_str());
            paired.image.push(at);
        }
        if texts.is_empty() {
            return Err(TrainError::Stopped(
                "no pair has both words and an image that can be read".to_owned(),
            ));
        }
        paired.texts = Texts::new(&texts, sigils, encoders)?;
        Ok(paired)
    }

    /// The pairs of some of the images: those that `keeps` says.
    #[must_use]
    pub fn of_images(&self, keeps: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.images.len()).filter(|&at| keeps(at)).collect();
        let place: HashMap<usize, usize> =
            kept.iter().enumerate().map(|(to, &at)| (at, to)).collect();
        let texts: Vec<usize> = (0..self.image.len())
            .filter(|&text| place.contains_key(&self.image[text]))
            .collect();
        fn pick<T: Clone>(from: &[T], which: &[usize]) -> Vec<T> {
            which.iter().map(|&at| from[at].clone()).collect()
        }
        Self {
            texts: Texts {
                sentences: pick(&self.texts.sentences, &texts),
                states: pick(&self.texts.states, &texts),
                windows: pick(&self.texts.windows, &texts),
            },
            image: texts.iter().map(|&text| place[&self.image[text]]).collect(),
            images: pick(&self.images, &kept),
            encoded: pick(&self.encoded, &kept),
        }
    }

    /// The first text of each image.
    pub fn first_texts(&self) -> Vec<usize> {
        let mut first = vec![usize::MAX; self.images.len()];
        for (text, &image) in self.image.iter().enumerate() {
            first[image] = first[image].min(text);
        }
        first
    }
}
