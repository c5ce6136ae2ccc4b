//! Goes on pretraining an encoder on texts like those that it will read: it learns to tell words that are hidden from it (masked
//! language modelling; on tweets before tasks on tweets: Gururangan et al., "Don't Stop Pretraining", ACL 2020).
//!
//! | part | where |
//! |---|---|
//! | which words are hidden | [`masking`] |
//! | what tells them | [`student`] |

pub mod masking;
pub mod student;

use crate::formats::hugging_face::{HuggingFaceError, export, load_encoder, load_tokenizer_of};
use crate::notice;
use crate::splitmix::SplitMix64;
use crate::systems::text::TextConfig;
use crate::systems::{System, SystemConfig};
use crate::train::config::{ConfigError, check_ranges};
use crate::train::lessons::{Drawn, Fixed, by_length, of_step, orders};
use crate::train::metric::LOSS;
use crate::train::plot::{Curve, Panel};
use crate::train::supervised::{Material, Plan, RunError, check_run, fit, json, open_run};
use crate::tweet::reading::read;
use crate::tweet::sequence::{SubwordSequence, sequences};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::tweet::words::{Sigils, split_words};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor};
use burn::train::{Interrupter, SupervisedTraining};
use masking::{Mask, MaskedBatch};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use student::{Guessed, MaskedLanguageModel, RIGHT, guessed, right};

/// A pretraining, complete: the same values and the same machine give the same encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct PretrainConfig {
    /// Hugging Face folder of the encoder to go on from
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub encoder: PathBuf,
    /// Text file of tweets, one a line (repeatable)
    #[cfg_attr(feature = "cli", arg(long, required = true, value_name = "FILE"))]
    pub texts: Vec<PathBuf>,
    /// Folder of the run; `encoder` in it is what comes out
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub out: PathBuf,
    /// Tweets that are kept apart to measure on
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 2000))]
    pub held_out: usize,
    /// Whether `@user` and `#topic` are one word or two
    #[cfg_attr(feature = "cli", arg(long, default_value = "apart"))]
    pub sigils: Sigils,
    /// Part of the words that is hidden
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.15))]
    pub masked: f64,
    /// The longest window in subwords
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 128))]
    pub max_subwords: usize,
    /// Passes over the texts
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1))]
    pub epochs: usize,
    /// Windows a step
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 32))]
    pub batch: usize,
    /// Peak learning rate
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 2e-4))]
    pub lr: f64,
    /// Fraction of the steps over which the learning rate rises from 0; it falls to 0 after
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.06))]
    pub warmup: f64,
    /// Decoupled weight decay
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.01))]
    pub weight_decay: f32,
    /// Dropout
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.1))]
    pub dropout: f64,
    /// Seed of everything random
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1))]
    pub seed: u64,
}

impl PretrainConfig {
    /// Checks that everything is in range.
    ///
    /// # Errors
    /// [`PretrainError::Config`], for the first problem.
    pub fn check(&self) -> Result<(), PretrainError> {
        let many = (1.0, f64::MAX, "1 or more");
        let part = (0.0, 0.99, "from 0 to 0.99");
        Ok(check_ranges([
            ("held_out", self.held_out as f64, many),
            ("masked", self.masked, part),
            (
                "max_subwords",
                self.max_subwords as f64,
                (3.0, f64::MAX, "3 or more"),
            ),
            ("epochs", self.epochs as f64, many),
            ("batch", self.batch as f64, many),
            ("lr", self.lr, (0.0, 1.0, "from 0 to 1")),
            ("warmup", self.warmup, part),
            (
                "weight_decay",
                self.weight_decay.into(),
                (0.0, 1.0, "from 0 to 1"),
            ),
            ("dropout", self.dropout, part),
        ])?)
    }
}

/// Why there is no encoder.
#[derive(Debug, thiserror::Error)]
pub enum PretrainError {
    /// A value is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The encoder, or the folder that is written.
    #[error(transparent)]
    Encoder(#[from] HuggingFaceError),
    /// The tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// A vocabulary without a mask.
    #[error(
        "the tokenizer has no [MASK] or <mask> subword, which stands for a hidden word; give an encoder of the BERT or RoBERTa family"
    )]
    NoMask,
    /// A file of texts.
    #[error("{}: {source}", path.display())]
    Texts {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Too little to learn from.
    #[error(
        "the texts have {0} windows with words, no more than are kept apart; give more texts or a smaller --held-out"
    )]
    TooFew(usize),
    /// The run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct PretrainReport {
    /// Windows learnt from.
    pub windows: usize,
    /// Perplexity of hidden subwords of what was kept apart, after the run.
    pub perplexity: f64,
    /// Part of them that is guessed right, after the run.
    pub accuracy: f64,
    /// The folder of the encoder.
    pub encoder: PathBuf,
}

/// What the plot of a run shows.
const PANELS: &[Panel] = &[
    Panel {
        axis: "loss",
        curves: &[Curve::train(LOSS)],
    },
    Panel {
        axis: "% held out",
        curves: &[Curve::valid(RIGHT)],
    },
];

/// Trains as `config` says on `device` and writes the encoder.
///
/// With `resume`, a run that was killed goes on after its last whole epoch.
///
/// # Errors
/// [`PretrainError`]
pub fn pretrain(
    config: &PretrainConfig,
    device: &Device,
    resume: bool,
    interrupter: Interrupter,
) -> Result<PretrainReport, PretrainError> {
    config.check()?;
    check_run(&config.out, config, resume)?;
    device.seed(config.seed);
    let pretrained = load_encoder(&config.encoder, 0, config.dropout, device)?;
    let sizes = pretrained.config;
    let tokenizer = load_tokenizer_of(&config.encoder, sizes.vocab)?;
    let mask = Mask {
        subword: tokenizer.mask().ok_or(PretrainError::NoMask)?,
        vocab: tokenizer.vocab_size(),
        part: config.masked,
    };
    let limit = config.max_subwords.min(sizes.max_subwords());
    let mut learnt = windows(config, &tokenizer, limit)?;
    if learnt.len() <= config.held_out {
        return Err(PretrainError::TooFew(learnt.len()));
    }
    of_step(config.seed, 0, 0).shuffle(&mut learnt);
    let apart = learnt.split_off(learnt.len() - config.held_out);
    notice!(
        "{} windows to learn from, {} kept apart",
        learnt.len(),
        apart.len()
    );
    open_run(&config.out, config)?;

    let pad = tokenizer.special().pad;
    let hide = move |windows: &[&SubwordSequence], rng: &mut SplitMix64, device: &Device| {
        let rows: Vec<_> = windows
            .iter()
            .map(|window| mask.hide(window, rng))
            .collect();
        MaskedBatch::new(&rows, pad, device)
    };
    let length = |window: &SubwordSequence| window.subwords.len();
    let batches = by_length(&learnt, config.batch, length);
    let plan = Plan {
        epochs: config.epochs,
        steps: batches.len(),
        // The lessons count steps.
        batch: 1,
        lr: config.lr,
        warmup: config.warmup,
        weight_decay: config.weight_decay,
        panels: PANELS,
    };
    let windows = learnt.len();
    let exams: Vec<MaskedBatch> = by_length(&apart, config.batch, length)
        .iter()
        .enumerate()
        .map(|(step, batch)| {
            let batch: Vec<_> = batch.iter().map(|&at| &apart[at]).collect();
            hide(&batch, &mut of_step(config.seed, usize::MAX, step), device)
        })
        .collect();
    let orders = orders(config.seed, config.epochs, batches.len());
    let material = |epoch| {
        let (seed, learnt) = (config.seed, Arc::new(learnt));
        let make = move |epoch: usize, step: usize, device: &Device| {
            let batch = batches[orders[epoch][step]].iter().map(|&at| &learnt[at]);
            let batch: Vec<_> = batch.collect();
            hide(&batch, &mut of_step(seed, epoch, step + 1), device)
        };
        let learner = device.clone().autodiff();
        Material {
            lessons: Arc::new(Drawn::new(make, plan.steps, &learner, epoch)),
            exams: Arc::new(Fixed(exams.clone())),
        }
    };
    let measured =
        |training: SupervisedTraining<MaskedLanguageModel>| training.metric_valid_numeric(right());
    let start = MaskedLanguageModel::new(pretrained.encoder, &sizes, device);
    let model = fit(plan, &config.out, start, material, measured, interrupter)?;

    let told = exams.iter().map(|exam| guessed(&model, exam));
    let told = told.fold(Guessed::default(), Guessed::plus);
    let encoder = config.out.join("encoder");
    write(
        model,
        &SystemConfig::Text(TextConfig::new(sizes)),
        &tokenizer,
        &encoder,
        device,
    )?;
    let report = PretrainReport {
        windows,
        perplexity: told.perplexity(),
        accuracy: told.accuracy(),
        encoder,
    };
    let path = config.out.join("report.json");
    fs::write(&path, json(&report)).map_err(|source| RunError::Io { path, source })?;
    Ok(report)
}

/// The encoder as a Hugging Face folder: that of a text system whose other layers are zero, so that equal runs write equal files.
fn write(
    model: MaskedLanguageModel,
    config: &SystemConfig,
    tokenizer: &SubwordTokenizer,
    folder: &Path,
    device: &Device,
) -> Result<(), HuggingFaceError> {
    struct Zeros;
    impl ModuleMapper for Zeros {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor.zeros_like())
        }
    }
    let system: System = config.init(device).map(&mut Zeros);
    export(
        system.with_encoder(model.encoder),
        config,
        tokenizer,
        folder,
    )
}

/// The texts in windows as the encoder reads them.
fn windows(
    config: &PretrainConfig,
    tokenizer: &SubwordTokenizer,
    limit: usize,
) -> Result<Vec<SubwordSequence>, PretrainError> {
    let mut all = Vec::new();
    for path in &config.texts {
        let text = fs::read_to_string(path).map_err(|source| PretrainError::Texts {
            path: path.clone(),
            source,
        })?;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let words = split_words(line, config.sigils);
            let words: Vec<_> = words.iter().map(|word| read(word.of(line))).collect();
            all.extend(sequences(&words, tokenizer, limit)?);
        }
    }
    all.retain(|window| !window.first.is_empty());
    Ok(all)
}

#[cfg(all(test, feature = "flex"))]
mod tests;
