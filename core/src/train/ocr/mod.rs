//! Learns to read text in images, from lettering that is drawn for it: where each line is and what it says is known then.
//!
//! | part | where |
//! |---|---|
//! | what is asked for | [`config`] |
//! | which words | [`texts`] |
//! | which fonts | [`fonts`] |
//! | letters as a mask | [`typeset`] |
//! | letters on a background, and what a camera and a server do to it | [`paint`] |
//! | a line as the recogniser reads it | [`mod@line`] |
//! | an image as the detector sees it | [`scene`] |
//! | what it starts from | [`start`] |
//! | a run of either network | `student` |
//! | how the detector learns | [`detector`] |
//! | how the recogniser learns | [`recognizer`] |
//! | how much of a text is right | [`edits`] |

pub mod config;
pub mod detector;
pub mod edits;
pub mod fonts;
pub mod line;
pub mod paint;
pub mod recognizer;
pub mod scene;
pub mod start;
mod student;
#[cfg(all(test, feature = "flex"))]
mod tests;
pub mod texts;
pub mod typeset;

use crate::bundle::beside::{About, BesideError, BesideFiles};
use crate::image::Image;
use crate::nn::text_detector::TextDetectorConfig;
use crate::notice;
use crate::ocr::OcrConfig;
use crate::ocr::alphabet::Alphabet;
use crate::ocr::bundle::pack;
use crate::train::best_bundle::tail;
use crate::train::config::ConfigError;
use crate::train::distill::error::DistillError;
use crate::train::distill::photographs::{Photographs, open};
use crate::train::supervised::RunError;
use burn::tensor::Device;
use burn::train::Interrupter;
use config::{OcrTrainConfig, Part};
use detector::DetectorStudent;
use fonts::{Fonts, FontsError};
use recognizer::RecognizerStudent;
use start::recognizer_sizes;
use std::path::PathBuf;
use std::sync::Arc;
use student::{Student, ended, is_done, learn};
use texts::Texts;

/// Scenes and lines to measure on, of fonts, words and photographs that nothing is learnt from.
const HELD_OUT_SCENES: usize = 160;
const HELD_OUT_LINES: usize = 1000;

/// Why there is no reader.
#[derive(Debug, thiserror::Error)]
pub enum OcrTrainError {
    /// A value is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The fonts.
    #[error(transparent)]
    Fonts(#[from] FontsError),
    /// The photographs.
    #[error(transparent)]
    Photographs(#[from] DistillError),
    /// A file of texts.
    #[error("{}: {source}", path.display())]
    Texts {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Nothing to write.
    #[error(
        "the texts have no word that the reader's characters can spell; give a file with a text in each line"
    )]
    NoTexts,
    /// The run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The files.
    #[error(transparent)]
    Bundle(#[from] BesideError),
}

/// What is drawn with and on; learnt from, or kept apart.
#[derive(Debug)]
pub struct Stock {
    /// Fonts.
    pub fonts: Vec<ab_glyph::FontVec>,
    /// Words.
    pub texts: Texts,
    /// Backgrounds, at least one.
    pub photographs: Vec<Image>,
}

/// Trains as `config` says on `device`. Without a part named, both networks; the reader is written when both are there: `None`
/// until then. A network without epochs stays as it starts.
///
/// With `resume`, a run that was killed goes on after its last whole epoch.
///
/// # Errors
/// [`OcrTrainError`]
pub fn train(
    config: &OcrTrainConfig,
    part: Option<Part>,
    device: &Device,
    resume: bool,
    interrupter: &Interrupter,
) -> Result<Option<BesideFiles>, OcrTrainError> {
    config.check()?;
    let (learnt, apart) = stocks(config)?;
    let (learnt, apart) = (Arc::new(learnt), Arc::new(apart));
    let wanted = |this: Part| part.is_none_or(|part| part == this);
    if wanted(Part::Detector) {
        learn::<DetectorStudent>(config, &learnt, &apart, device, resume, interrupter)?;
    }
    if wanted(Part::Recognizer) {
        learn::<RecognizerStudent>(config, &learnt, &apart, device, resume, interrupter)?;
    }
    if !(is_done::<DetectorStudent>(config) && is_done::<RecognizerStudent>(config)) {
        return Ok(None);
    }
    let found: DetectorStudent = ended(config, device)?;
    let read: RecognizerStudent = ended(config, device)?;
    let mut about = About {
        training: serde_json::to_value(told(config)).unwrap_or_default(),
        licences: config.licences.clone(),
        ..About::default()
    };
    let score = detector::score(
        &found.detector,
        &DetectorStudent::exams(&apart, config, device),
    );
    about
        .scores
        .insert("lines found, F1 at half overlap".to_owned(), score.f1());
    let score = recognizer::score(
        &read.recognizer,
        &RecognizerStudent::exams(&apart, config, device),
    );
    about
        .scores
        .insert("characters right".to_owned(), score.right());
    about.scores.insert("lines right".to_owned(), score.exact());
    Ok(Some(pack(
        OcrConfig::default(),
        (TextDetectorConfig::new(), found.detector),
        (recognizer_sizes(), read.recognizer),
        Alphabet::default(),
        about,
    )?))
}

/// The configuration as the reader's manifest has it: of each path its last two parts.
fn told(config: &OcrTrainConfig) -> OcrTrainConfig {
    let tails = |paths: &[PathBuf]| paths.iter().map(|path| tail(path)).collect();
    OcrTrainConfig {
        fonts: tails(&config.fonts),
        texts: tails(&config.texts),
        photos: tails(&config.photos),
        out: tail(&config.out),
        start: config.start.as_deref().map(tail),
        ..config.clone()
    }
}

/// What is learnt from and what is kept apart.
fn stocks(config: &OcrTrainConfig) -> Result<(Stock, Stock), OcrTrainError> {
    let alphabet = Alphabet::default();
    let (fonts, fonts_apart) = Fonts::of(&config.fonts, &alphabet)?.split();
    let (texts, texts_apart) = Texts::open(&config.texts, &alphabet)?;
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for folder in &config.photos {
        let found = Photographs::of(folder)?;
        train.extend(found.train);
        held_out.extend(found.held_out);
    }
    if held_out.is_empty() {
        held_out = train.split_off(train.len() - train.len().div_ceil(10));
    }
    if train.is_empty() {
        train.clone_from(&held_out);
    }
    notice!(
        "to learn from: {} fonts, {} texts, {} photographs; kept apart: {}, {}, {}",
        fonts.len(),
        texts.len(),
        train.len(),
        fonts_apart.len(),
        texts_apart.len(),
        held_out.len()
    );
    let open = |paths: &[PathBuf]| {
        paths
            .iter()
            .map(|path| open(path))
            .collect::<Result<Vec<_>, _>>()
    };
    let learnt = Stock {
        fonts,
        texts,
        photographs: open(&train)?,
    };
    let apart = Stock {
        fonts: fonts_apart,
        texts: texts_apart,
        photographs: open(&held_out)?,
    };
    Ok((learnt, apart))
}
