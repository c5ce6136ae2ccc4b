//! What both networks have in common as they learn: a run of epochs on what is drawn for them.

use crate::splitmix::SplitMix64;
use crate::train::checkpoint::last_epoch;
use crate::train::learner::TrainReport;
use crate::train::lessons::{Drawn, Fixed, of_step};
use crate::train::ocr::config::{OcrTrainConfig, Part};
use crate::train::ocr::{OcrTrainError, Stock};
use crate::train::plot::Panel;
use crate::train::supervised::{Material, Plan, check_run, fit, last_model, open_run};
use burn::tensor::Device;
use burn::train::{InferenceStep, Interrupter, LearnerModel, SupervisedTraining, TrainStep};
use std::sync::Arc;

/// A network in training.
pub(super) trait Student:
    LearnerModel
    + TrainStep<Input = <Self as Student>::Lesson, Output = TrainReport>
    + InferenceStep<Input = <Self as Student>::Exam>
{
    /// What is learnt in a step.
    type Lesson: Send + 'static;
    /// What is measured at once.
    type Exam: Clone + Send + Sync + 'static;

    /// Which it is.
    const PART: Part;
    /// What the plot of a run shows.
    const PANELS: &'static [Panel];

    /// Steps of an epoch.
    fn steps(config: &OcrTrainConfig) -> usize;

    /// As it is before its first step.
    fn start(config: &OcrTrainConfig, device: &Device) -> Result<Self, OcrTrainError>;

    /// Draws a lesson.
    fn lesson(
        stock: &Stock,
        config: &OcrTrainConfig,
        rng: &mut SplitMix64,
        device: &Device,
    ) -> Self::Lesson;

    /// What to measure on, the same in every run of a seed.
    fn exams(stock: &Stock, config: &OcrTrainConfig, device: &Device) -> Vec<Self::Exam>;

    /// A training that measures it.
    fn measured(training: SupervisedTraining<Self>) -> SupervisedTraining<Self>;
}

/// Trains what is not trained yet; nothing for a network without epochs.
pub(super) fn learn<S: Student>(
    config: &OcrTrainConfig,
    learnt: &Arc<Stock>,
    apart: &Stock,
    device: &Device,
    resume: bool,
    interrupter: &Interrupter,
) -> Result<(), OcrTrainError> {
    if config.epochs(S::PART) == 0 {
        return Ok(());
    }
    let out = config.out.join(S::PART.folder());
    check_run(&out, config, resume)?;
    device.seed(config.seed);
    let start = S::start(config, device)?;
    open_run(&out, config)?;
    let plan = Plan {
        epochs: config.epochs(S::PART),
        steps: S::steps(config),
        // The lessons count steps.
        batch: 1,
        lr: config.lr,
        warmup: config.warmup,
        weight_decay: config.weight_decay,
        panels: S::PANELS,
    };
    let material = |epoch| {
        let (learnt, config) = (learnt.clone(), config.clone());
        let exams = S::exams(apart, &config, device);
        let make = move |epoch, step, device: &Device| {
            let mut rng = of_step(config.seed, epoch, step);
            S::lesson(&learnt, &config, &mut rng, device)
        };
        let device = device.clone().autodiff();
        Material {
            lessons: Arc::new(Drawn::new(make, plan.steps, &device, epoch)),
            exams: Arc::new(Fixed(exams)),
        }
    };
    fit(
        plan,
        &out,
        start,
        material,
        S::measured,
        interrupter.clone(),
    )?;
    Ok(())
}

/// Whether a network's last epoch is there.
pub(super) fn is_done<S: Student>(config: &OcrTrainConfig) -> bool {
    let checkpoints = config.out.join(S::PART.folder()).join("checkpoint");
    last_epoch(&checkpoints).unwrap_or(0) == config.epochs(S::PART)
}

/// A network after its last epoch: as it started where it has none.
pub(super) fn ended<S: Student>(
    config: &OcrTrainConfig,
    device: &Device,
) -> Result<S, OcrTrainError> {
    let start = S::start(config, device)?;
    match config.epochs(S::PART) {
        0 => Ok(start),
        _ => Ok(last_model(&config.out.join(S::PART.folder()), start)?),
    }
}
