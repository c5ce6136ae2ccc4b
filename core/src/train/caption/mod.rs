//! Trains a captioner on captions alone: a caption's vector in the space of sentences, with some noise, is said in the caption's words.
//! Images come in afterwards, through a projector into the same space (`train/matching`).
//!
//! | part | where |
//! |---|---|
//! | what is asked for | [`config`] |
//! | the captions and their subwords | [`texts`] |
//! | how the decoder learns | [`student`] |
//! | whether a caption names what people name | [`overlap`] |
//! | images in the space of sentences | [`images`] |
//! | captions of images that nothing was learnt from | [`held_out`] |

pub mod config;
pub mod error;
pub mod held_out;
pub mod images;
pub mod overlap;
pub mod student;
#[cfg(all(test, feature = "flex"))]
mod tests;
pub mod texts;

use crate::bundle::beside::{About, BesideFiles};
use crate::caption::Captioner;
use crate::caption::bundle::{pack, unpack};
use crate::data::image_text_files::{Captioner as Source, read_captions};
use crate::data::pairs::{self, Pair};
use crate::nn::caption_decoder::CaptionDecoderConfig;
use crate::notice;
use crate::train::best_bundle::tail;
use crate::train::error::TrainError;
use crate::train::lessons::{Drawn, Fixed, by_length, of_step, orders};
use crate::train::matching::seen::mean;
use crate::train::matching::vectors::SentenceEncoder;
use crate::train::supervised::{Material, Plan, check_run, fit, open_run};
use crate::tweet::words::Sigils;
use burn::tensor::Device;
use burn::train::{Interrupter, SupervisedTraining};
use config::CaptionTrainConfig;
use error::CaptionTrainError;
use held_out::HeldOut;
use images::ImageVectors;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use student::{CaptionLesson, CaptionStudent};
use texts::{Text, clean, spelled};

/// Trains as `config` says on `device`; returns the captioner and, where images were held out, what it and the nearest caption of those
/// learnt from say of them.
///
/// With `resume`, a run that was killed goes on after its last whole epoch.
///
/// # Errors
/// [`CaptionTrainError`]
pub fn train(
    config: &CaptionTrainConfig,
    device: &Device,
    resume: bool,
    interrupter: Interrupter,
) -> Result<(BesideFiles, Option<HeldOut>), CaptionTrainError> {
    config.check()?;
    check_run(&config.out, config, resume)?;
    let mut images = ImageVectors::of(config, device)?;
    let sentences = SentenceEncoder::load(&config.sentences, device)?;
    let sizes = CaptionDecoderConfig::new(1, sentences.size())
        .with_d(config.hidden)
        .with_ffn(4 * config.hidden)
        .with_layers(config.layers);
    let paired = paired(config)?;
    let mut captions = read(config)?;
    captions.extend(paired.iter().map(|pair| pair.text.clone()));
    let captions = clean(captions.iter().map(String::as_str), config.least);
    let (vocabulary, mut learnt) = spelled(captions, sentences.tokenizer(), sizes.most)?;
    if learnt.len() <= config.apart {
        return Err(CaptionTrainError::TooFew(learnt.len()));
    }
    of_step(config.seed, 0, 0).shuffle(&mut learnt);
    let apart = learnt.split_off(learnt.len() - config.apart);
    notice!(
        "{} captions to learn from, {} kept apart, {} subwords",
        learnt.len(),
        apart.len(),
        vocabulary.0.len()
    );
    open_run(&config.out, config)?;
    let vectors = |texts: &[Text]| -> Result<Vec<Vec<f32>>, TrainError> {
        let texts: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
        sentences.encode(&texts, Sigils::Apart)
    };
    let (learnt_vectors, apart_vectors) = (vectors(&learnt)?, vectors(&apart)?);

    let sizes = CaptionDecoderConfig {
        vocab: vocabulary.0.len(),
        ..sizes
    };
    let length = |text: &Text| text.subwords.len();
    let batches = by_length(&learnt, config.batch, length);
    let plan = Plan {
        epochs: config.epochs,
        steps: batches.len(),
        // The lessons count steps.
        batch: 1,
        lr: config.lr,
        warmup: config.warmup,
        weight_decay: config.weight_decay,
        panels: student::PANELS,
    };
    let pairs = Arc::new((learnt, learnt_vectors));
    let material = |epoch| {
        let (noise, seed, pairs) = (config.noise, config.seed, pairs.clone());
        let exams = by_length(&apart, config.batch, length);
        let exams = exams.iter().enumerate().map(|(step, places)| {
            let mut rng = of_step(seed, usize::MAX, step);
            let rows = rows(places, &apart, &apart_vectors);
            CaptionLesson::new(&rows, noise, &mut rng, device)
        });
        let exams = exams.collect();
        let orders = orders(seed, config.epochs, batches.len());
        let make = move |epoch: usize, step: usize, device: &Device| {
            let mut rng = of_step(seed, epoch, step + 1);
            let rows = rows(&batches[orders[epoch][step]], &pairs.0, &pairs.1);
            CaptionLesson::new(&rows, noise, &mut rng, device)
        };
        let learner = device.clone().autodiff();
        Material {
            lessons: Arc::new(Drawn::new(make, plan.steps, &learner, epoch)),
            exams: Arc::new(Fixed(exams)),
        }
    };
    let measured = |training: SupervisedTraining<CaptionStudent>| {
        training.metric_valid_numeric(student::right())
    };
    device.seed(config.seed);
    let start = CaptionStudent {
        decoder: sizes.init(config.dropout, device),
    };
    let learnt = fit(plan, &config.out, start, material, measured, interrupter)?;

    let mut about = About {
        training: serde_json::to_value(told(config)).unwrap_or_default(),
        licences: config.licences.clone(),
        ..About::default()
    };
    let shift: Vec<f32> = match &mut images {
        Some(images) if !paired.is_empty() => {
            let seen = images.vectors(paired.iter().map(|pair| pair.image.as_str()))?;
            let seen: Vec<Vec<f32>> = seen.into_iter().flatten().collect();
            let [said, seen] = [&pairs.1, &seen].map(|vectors| mean(vectors, sizes.sentence));
            said.iter()
                .zip(&seen)
                .map(|(said, seen)| said - seen)
                .collect()
        }
        _ => vec![0.0; sizes.sentence],
    };
    let packed = |about: &About| {
        let decoder = learnt.decoder.clone();
        pack(
            sizes.clone(),
            decoder,
            shift.clone(),
            vocabulary.clone(),
            about.clone(),
        )
    };
    // Measured as it ships: in 8 bits.
    let captioner: Captioner = unpack(packed(&about)?, device)?;
    let known = pairs.0.iter().map(|text| text.text.as_str()).zip(&pairs.1);
    let known: Vec<_> = known.collect();
    let held_out = match (&config.held_out, &mut images) {
        (Some(path), Some(images)) => Some(HeldOut::of(path, images, &captioner, &known)?),
        _ => None,
    };
    if let Some(held_out) = &held_out {
        about.scores = scores(held_out);
    }
    Ok((packed(&about)?, held_out))
}

/// The captions as the files have them.
fn read(config: &CaptionTrainConfig) -> Result<Vec<String>, CaptionTrainError> {
    let mut all = Vec::new();
    for path in &config.texts {
        let text = fs::read_to_string(path).map_err(|source| CaptionTrainError::Texts {
            path: path.clone(),
            source,
        })?;
        all.extend(text.lines().map(str::to_owned));
    }
    for path in &config.captions {
        // BLIP-2 names persons and clubs, and a captioner that has seen their names would see them everywhere.
        let found = read_captions(path, Source::Catr)?;
        // Ordered, so that equal files give equal captioners.
        let found: BTreeMap<_, _> = found.into_iter().collect();
        all.extend(found.into_values().flat_map(|known| known.captions));
    }
    Ok(all)
}

/// The captions that have images.
fn paired(config: &CaptionTrainConfig) -> Result<Vec<Pair>, CaptionTrainError> {
    let mut all = Vec::new();
    for path in &config.pairs {
        all.extend(pairs::read(path)?);
    }
    Ok(all)
}

fn rows<'a>(
    places: &[usize],
    texts: &'a [Text],
    vectors: &'a [Vec<f32>],
) -> Vec<(&'a Text, &'a [f32])> {
    let row = |&at: &usize| (&texts[at], vectors[at].as_slice());
    places.iter().map(row).collect()
}

fn scores(held_out: &HeldOut) -> BTreeMap<String, f64> {
    let found = &held_out.captioner;
    let nearest = &held_out.nearest;
    BTreeMap::from([
        ("main thing named".to_owned(), found.named()),
        ("words that people used".to_owned(), found.shared()),
        (
            "main thing named, nearest caption".to_owned(),
            nearest.named(),
        ),
        (
            "words that people used, nearest caption".to_owned(),
            nearest.shared(),
        ),
    ])
}

/// The configuration as the captioner's manifest has it: of each path its last two parts.
fn told(config: &CaptionTrainConfig) -> CaptionTrainConfig {
    let tails = |paths: &[PathBuf]| paths.iter().map(|path| tail(path)).collect();
    let one = |path: &Option<PathBuf>| path.as_deref().map(tail);
    CaptionTrainConfig {
        sentences: tail(&config.sentences),
        texts: tails(&config.texts),
        pairs: tails(&config.pairs),
        captions: tails(&config.captions),
        held_out: one(&config.held_out),
        images: one(&config.images),
        bundle: one(&config.bundle),
        cache: None,
        out: tail(&config.out),
        ..config.clone()
    }
}
