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
use crate::train::checkpoint::last_epoch;
use crate::train::config::ConfigError;
use crate::train::distill::error::DistillError;
use crate::train::distill::photographs::{Photographs, open};
use crate::train::lessons::{Drawn, Fixed, of_step};
use crate::train::supervised::{Material, Plan, RunError, fit, last_model, open_run};
use burn::module::Module;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::{Interrupter, SupervisedTraining};
use config::{OcrTrainConfig, Part};
use detector::DetectorStudent;
use fonts::{Fonts, FontsError};
use recognizer::RecognizerStudent;
use start::recognizer_sizes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    let wanted = |this: Part| part.is_none_or(|part| part == this) && config.epochs(this) > 0;
    let folder = |part: Part| config.out.join(part.folder());
    if wanted(Part::Detector) {
        open_run(&folder(Part::Detector), config, resume)?;
        learn_to_find(
            config,
            &folder(Part::Detector),
            &learnt,
            &apart,
            device,
            interrupter,
        )?;
    }
    if wanted(Part::Recognizer) {
        open_run(&folder(Part::Recognizer), config, resume)?;
        learn_to_read(
            config,
            &folder(Part::Recognizer),
            &learnt,
            &apart,
            device,
            interrupter,
        )?;
    }
    if ![Part::Detector, Part::Recognizer]
        .iter()
        .all(|&part| is_done(config, part))
    {
        return Ok(None);
    }
    let found = ended(config, Part::Detector, start::detector(config, device)?)?;
    let read = ended(config, Part::Recognizer, start::recognizer(config, device)?)?;
    let mut about = About {
        training: serde_json::to_value(told(config)).unwrap_or_default(),
        licences: config.licences.clone(),
        ..About::default()
    };
    let score = detector::score(&found.detector, &detector::exams(&apart, config, device));
    about
        .scores
        .insert("lines found, F1 at half overlap".to_owned(), score.f1());
    let score = recognizer::score(&read.recognizer, &recognizer::exams(&apart, config, device));
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

/// Whether a part's last epoch is there.
fn is_done(config: &OcrTrainConfig, part: Part) -> bool {
    let checkpoints = config.out.join(part.folder()).join("checkpoint");
    last_epoch(&checkpoints).unwrap_or(0) == config.epochs(part)
}

/// A network after its last epoch, which is `start` where it has none.
fn ended<M: Module>(config: &OcrTrainConfig, part: Part, start: M) -> Result<M, RunError> {
    match config.epochs(part) {
        0 => Ok(start),
        _ => last_model(&config.out.join(part.folder()), start),
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

fn learn_to_find(
    config: &OcrTrainConfig,
    out: &Path,
    learnt: &Arc<Stock>,
    apart: &Stock,
    device: &Device,
    interrupter: &Interrupter,
) -> Result<DetectorStudent, OcrTrainError> {
    device.seed(config.seed);
    let start = start::detector(config, device)?;
    let plan = Plan {
        epochs: config.scene_epochs,
        steps: config.scenes.div_ceil(config.scene_batch),
        // The lessons count steps.
        batch: 1,
        lr: config.lr,
        warmup: config.warmup,
        weight_decay: config.weight_decay,
        panels: detector::PANELS,
    };
    let material = |epoch| {
        let (learnt, config) = (learnt.clone(), config.clone());
        let exams = detector::exams(apart, &config, device);
        let make = move |epoch, step, device: &Device| {
            let mut rng = of_step(config.seed, epoch, step);
            detector::lesson(&learnt, &config, &mut rng, device)
        };
        Material {
            lessons: Arc::new(Drawn::new(
                make,
                plan.steps,
                &device.clone().autodiff(),
                epoch,
            )),
            exams: Arc::new(Fixed(exams)),
        }
    };
    let measured = |training: SupervisedTraining<DetectorStudent>| {
        training
            .metric_train_numeric(LossMetric::new())
            .metric_valid_numeric(detector::lines_found())
    };
    Ok(fit(
        plan,
        out,
        start,
        material,
        measured,
        interrupter.clone(),
    )?)
}

fn learn_to_read(
    config: &OcrTrainConfig,
    out: &Path,
    learnt: &Arc<Stock>,
    apart: &Stock,
    device: &Device,
    interrupter: &Interrupter,
) -> Result<RecognizerStudent, OcrTrainError> {
    device.seed(config.seed);
    let start = start::recognizer(config, device)?;
    let plan = Plan {
        epochs: config.line_epochs,
        steps: config.lines.div_ceil(config.line_batch),
        // The lessons count steps.
        batch: 1,
        lr: config.lr,
        warmup: config.warmup,
        weight_decay: config.weight_decay,
        panels: recognizer::PANELS,
    };
    let material = |epoch| {
        let (learnt, config) = (learnt.clone(), config.clone());
        let exams = recognizer::exams(apart, &config, device);
        let make = move |epoch, step, device: &Device| {
            let mut rng = of_step(config.seed, epoch, step);
            recognizer::lesson(&learnt, &config, &mut rng, device)
        };
        Material {
            lessons: Arc::new(Drawn::new(
                make,
                plan.steps,
                &device.clone().autodiff(),
                epoch,
            )),
            exams: Arc::new(Fixed(exams)),
        }
    };
    let measured = |training: SupervisedTraining<RecognizerStudent>| {
        training
            .metric_train_numeric(LossMetric::new())
            .metric_valid_numeric(recognizer::characters_right())
            .metric_valid_numeric(recognizer::lines_right())
    };
    Ok(fit(
        plan,
        out,
        start,
        material,
        measured,
        interrupter.clone(),
    )?)
}
