//! Distils a detector: a student of the teacher's own form learns to say at a lower input side what
//! the teacher says at its own, on photographs without labels (after Hinton et al., arXiv
//! 1503.02531).
//!
//! | part | where |
//! |---|---|
//! | which photographs | [`photographs`] |
//! | how they are seen | [`view`] |
//! | what the teacher says of a view | [`lessons`] |
//! | which of the student's rows is to say what | [`assignment`] |
//! | how far the student is from it | [`dense_match`] |
//! | steps of training and comparison | [`student`] |
//! | how far they agree on objects | [`agreement`] |
//! | how sure it has to sound | [`calibration`] |
//! | the detector that comes out | [`detector_file`] |

pub mod agreement;
pub mod assignment;
pub mod calibration;
pub mod dense_match;
pub mod detector_file;
pub mod lessons;
pub mod photographs;
pub mod student;
#[cfg(all(test, feature = "flex"))]
mod tests;
pub mod view;

use crate::data::corpus::mixture::{Mixture, MixtureError};
use crate::formats::vision_networks::{OBJECT_NAMES, VisionFileError, load_detector};
use crate::image::{DecodeError, Image, input};
use crate::nn::yolox::Yolox;
use crate::splitmix::SplitMix64;
use crate::train::checkpoint::{AtomicCheckpointer, last_epoch, path as checkpoint_path};
use crate::train::progress::PlainProgress;
use crate::train::schedule::WarmupDecay;
use crate::vision::detections;
use crate::vision::detections::{DetectConfig, Frame};
use agreement::Agreement;
use burn::module::Module;
use burn::optim::AdamWConfig;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::LossMetric;
use burn::train::{Interrupter, Learner, SupervisedTraining};
use lessons::{Exam, Exams, Lessons, School, stack};
use photographs::{Folder, Photographs};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use student::Student;

/// A distillation, complete: the same values and the same machine give the same detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DistillConfig {
    /// Weights of the teacher (YOLOX-Nano), coco_labels.txt beside them; the student starts from
    /// them
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub teacher: PathBuf,
    /// Folder of photographs, subfolders included: a folder, or a folder@weight, of which an epoch
    /// uses that fraction (repeatable)
    #[cfg_attr(feature = "cli", arg(long, required = true, value_name = "DIR"))]
    pub photos: Vec<Folder>,
    /// Folder of the run
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR"))]
    pub out: PathBuf,
    /// Input side of the student, a multiple of 32
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 320))]
    pub side: u32,
    /// Input side of the teacher, a multiple of 32
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 416))]
    pub teacher_side: u32,
    /// Passes over the photographs
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 5))]
    pub epochs: usize,
    /// Photographs a step
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 8))]
    pub batch: usize,
    /// Stages of the trunk that stay as they are, of 5 from the pixels on
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 2))]
    pub freeze: usize,
    /// Peak learning rate
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1e-4))]
    pub lr: f64,
    /// Fraction of the steps over which the learning rate rises from 0; it falls to 0 after
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 0.05))]
    pub warmup: f64,
    /// Decoupled weight decay
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1e-4))]
    pub weight_decay: f32,
    /// Seed of order and views
    #[cfg_attr(feature = "cli", arg(long, default_value_t = 1))]
    pub seed: u64,
}

/// Photographs that the student's objectness is calibrated on, of those it learnt from.
const CALIBRATION: usize = 200;

/// The detector's file in the run's folder.
pub const DETECTOR: &str = "detector.safetensors";
/// The report's file in the run's folder.
pub const REPORT: &str = "report.json";

/// Input sides.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
    /// The teacher's.
    pub teacher: u32,
    /// The student's.
    pub student: u32,
}

/// Why there is no detector.
#[derive(Debug, thiserror::Error)]
pub enum DistillError {
    /// A side is no multiple of 32, or the student's is above the teacher's.
    #[error(
        "the student's side {student} and the teacher's {teacher} must be multiples of 32 up to 1280, the student's not above the teacher's"
    )]
    Sides {
        /// The student's.
        student: u32,
        /// The teacher's.
        teacher: u32,
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
    /// The teacher.
    #[error(transparent)]
    Teacher(#[from] VisionFileError),
    /// The folders' weights.
    #[error("the photographs' folders: {0}")]
    Mixture(#[from] MixtureError),
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A photograph.
    #[error("{}: {cause}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: DecodeError,
    },
    /// Nothing to learn from.
    #[error("there is no photograph to learn from in {}; give a folder with JPEG, PNG, WebP or GIF files", .0.display())]
    NoPhotographs(PathBuf),
    /// The folder holds a run already.
    #[error("{} holds a run already: resume it with --resume, or give another --out", .0.display())]
    Exists(PathBuf),
    /// The folder holds another run.
    #[error("{} holds a run with another configuration; give the same one to resume it, or another --out", .0.display())]
    Other(PathBuf),
    /// The device failed.
    #[error("the compute device failed: {0}")]
    Device(String),
    /// The learner stopped.
    #[error("training stopped: {0}")]
    Stopped(String),
    /// A weight file of the run.
    #[error("{}: {problem}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// How a distillation ended: `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistillReport {
    /// What was asked for.
    pub config: DistillConfig,
    /// Photographs learnt from.
    pub photographs: usize,
    /// Photographs kept apart, on which the rest was measured.
    pub held_out: usize,
    /// Which detections count, for all alike.
    pub detect: DetectConfig,
    /// The teacher's weights run at the student's side as they are.
    pub baseline: Figures,
    /// The same, calibrated as the student is: what training is worth beyond that.
    pub calibrated: Figures,
    /// The student after training.
    pub student: Figures,
    /// What was added to its logits of objectness after training ([`calibration`]).
    pub shift: f64,
}

/// Agreement with the teacher at its own side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Fraction of the teacher's objects that are found.
    pub recall: f64,
    /// Fraction of the objects found that are the teacher's.
    pub precision: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// What was counted.
    #[serde(flatten)]
    pub counts: Agreement,
}

impl From<Agreement> for Figures {
    fn from(counts: Agreement) -> Self {
        Self {
            recall: counts.recall(),
            precision: counts.precision(),
            f1: counts.f1(),
            counts,
        }
    }
}

impl DistillConfig {
    /// Checks that everything is in range.
    ///
    /// # Errors
    /// [`DistillError::Sides`] or [`DistillError::Range`], for the first problem.
    pub fn check(&self) -> Result<(), DistillError> {
        let side = |side: u32| (32..=1280).contains(&side) && side.is_multiple_of(32);
        if !side(self.side) || !side(self.teacher_side) || self.side > self.teacher_side {
            return Err(DistillError::Sides {
                student: self.side,
                teacher: self.teacher_side,
            });
        }
        let many = (1.0, f64::MAX, "1 or more");
        let ranges = [
            ("epochs", self.epochs as f64, many),
            ("batch", self.batch as f64, many),
            ("freeze", self.freeze as f64, (0.0, 5.0, "from 0 to 5")),
            ("lr", self.lr, (0.0, 1.0, "from 0 to 1")),
            ("warmup", self.warmup, (0.0, 0.99, "from 0 to 0.99")),
            (
                "weight_decay",
                self.weight_decay.into(),
                (0.0, 1.0, "from 0 to 1"),
            ),
        ];
        for (name, value, (low, high, expected)) in ranges {
            if !(low..=high).contains(&value) {
                return Err(DistillError::Range {
                    name,
                    value,
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// Distils as `config` says on `device`, and leaves in the run's folder the detector
/// ([`DETECTOR`]), its class names beside it, and the report ([`REPORT`]).
///
/// With `resume`, a run that was killed goes on after its last whole epoch and ends in the same
/// weights as an uninterrupted one.
///
/// # Errors
/// [`DistillError`]
pub fn distill(
    config: &DistillConfig,
    device: &Device,
    resume: bool,
    interrupter: Interrupter,
) -> Result<DistillReport, DistillError> {
    config.check()?;
    let names = config.teacher.with_file_name(OBJECT_NAMES);
    let names = fs::read(&names).map_err(io(&names))?;
    let teacher = load_detector(&config.teacher, device)?.network;
    let checkpoints = open_run(config, resume)?;
    let (photographs, mixture, held_out) = find(&config.photos)?;
    let counts = (photographs.len(), held_out.len());
    eprintln!(
        "{} photographs to learn from, {} kept apart",
        counts.0, counts.1
    );

    let sides = Sides {
        teacher: config.teacher_side,
        student: config.side,
    };
    let examination = exams(&teacher, sides, &held_out, config.batch, device)?;
    let start = Student {
        detector: teacher.clone(),
    };
    let baseline = compare(&start, &examination);
    eprintln!(
        "the teacher's weights at {}: {}",
        config.side,
        sentence(&baseline)
    );
    let mut familiar = mixture.epoch(config.seed, 0);
    SplitMix64(config.seed).shuffle(&mut familiar);
    familiar.truncate(CALIBRATION);
    let familiar: Vec<PathBuf> = familiar.iter().map(|&i| photographs[i].clone()).collect();
    let school = School {
        teacher: teacher.clone(),
        sides,
        photographs,
        mixture,
        seed: config.seed,
        batch: config.batch,
    };
    let trained = train(
        config,
        school,
        examination.clone(),
        &checkpoints,
        device,
        interrupter,
    )?;
    let familiar = exams(&teacher, sides, &familiar, config.batch, device)?;
    let calibrated = |student: Student| {
        let shift = calibration::shift(&student, &familiar)?;
        let detector = student.detector.shift_objectness(shift);
        Ok::<_, DistillError>((Student { detector }, shift))
    };
    let calibrated_start = compare(&calibrated(start)?.0, &examination);
    let (trained, shift) = calibrated(trained)?;
    let student = compare(&trained, &examination);
    eprintln!("the student at {}: {}", config.side, sentence(&student));

    detector_file::write(trained.detector, config.side, &config.out.join(DETECTOR))?;
    let path = config.out.join(OBJECT_NAMES);
    fs::write(&path, names).map_err(io(&path))?;
    let report = DistillReport {
        config: config.clone(),
        photographs: counts.0,
        held_out: counts.1,
        detect: DetectConfig::default(),
        baseline: baseline.into(),
        calibrated: calibrated_start.into(),
        student: student.into(),
        shift,
    };
    let path = config.out.join(REPORT);
    fs::write(&path, json(&report)).map_err(io(&path))?;
    Ok(report)
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> DistillError {
    let path = path.to_owned();
    move |source| DistillError::Io { path, source }
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain numbers and strings");
    text.push('\n');
    text
}

fn sentence(agreement: &Agreement) -> String {
    format!(
        "recall {:.1} %, precision {:.1} % of the teacher's {} detections",
        100.0 * agreement.recall(),
        100.0 * agreement.precision(),
        agreement.teacher
    )
}

/// Makes the run's folder, or checks that it holds this very run; returns that of the checkpoints.
fn open_run(config: &DistillConfig, resume: bool) -> Result<PathBuf, DistillError> {
    let path = config.out.join("config.json");
    let text = json(config);
    match fs::read_to_string(&path) {
        Ok(_) if !resume => return Err(DistillError::Exists(config.out.clone())),
        Ok(found) if found != text => return Err(DistillError::Other(config.out.clone())),
        Ok(_) => {}
        Err(_) => {
            fs::create_dir_all(&config.out).map_err(io(&config.out))?;
            fs::write(&path, text).map_err(io(&path))?;
        }
    }
    let checkpoints = config.out.join("checkpoint");
    fs::create_dir_all(&checkpoints).map_err(io(&checkpoints))?;
    Ok(checkpoints)
}

/// The photographs to learn from, which of them an epoch uses, and those kept apart.
fn find(folders: &[Folder]) -> Result<(Vec<PathBuf>, Mixture, Vec<PathBuf>), DistillError> {
    let (mut train, mut held_out, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for folder in folders {
        let found = Photographs::of(&folder.path)?;
        parts.push((found.train.len(), folder.weight));
        train.extend(found.train);
        held_out.extend(found.held_out);
    }
    Ok((train, Mixture::new(&parts)?, held_out))
}

/// What the teacher finds in the images kept apart.
fn exams(
    teacher: &Yolox,
    sides: Sides,
    paths: &[PathBuf],
    batch: usize,
    device: &Device,
) -> Result<Vec<Exam>, DistillError> {
    let frame = |image: &Image, side: u32| Frame {
        side: side as usize,
        scale: input::letterbox_scale(image, side),
        width: image.width,
        height: image.height,
    };
    let exam = |paths: &[PathBuf]| {
        let images = paths
            .iter()
            .map(|path| photographs::open(path))
            .collect::<Result<Vec<_>, _>>()?;
        let input = stack(&images, sides.teacher, device);
        let (dense, row) = lessons::dense(teacher, input)?;
        let each = dense.len() / images.len();
        let objects = dense.chunks_exact(each).zip(&images).map(|(dense, image)| {
            let frame = frame(image, sides.teacher);
            detections::objects(dense, row - 5, &frame, &DetectConfig::default())
        });
        Ok(Exam {
            objects: objects.collect(),
            input: stack(&images, sides.student, device),
            frames: images
                .iter()
                .map(|image| frame(image, sides.student))
                .collect(),
        })
    };
    paths.chunks(batch).map(exam).collect()
}

fn compare(student: &Student, exams: &[Exam]) -> Agreement {
    exams
        .iter()
        .map(|exam| student.sit(exam))
        .fold(Agreement::default(), Agreement::plus)
}

/// Trains what is not trained yet and returns the student after the last epoch.
fn train(
    config: &DistillConfig,
    school: School,
    exams: Vec<Exam>,
    checkpoints: &Path,
    device: &Device,
    interrupter: Interrupter,
) -> Result<Student, DistillError> {
    let started = last_epoch(checkpoints).unwrap_or(0);
    let start = Student {
        detector: school.teacher.clone().freeze(config.freeze),
    };
    if started < config.epochs {
        let autodiff = device.clone().autodiff();
        let steps = school.steps() * config.epochs;
        let warmup = (config.warmup * steps as f64).round() as usize;
        let optimizer = AdamWConfig::new()
            .with_epsilon(1e-8)
            .with_weight_decay(config.weight_decay);
        let learner = Learner::new(
            start.clone().train(),
            optimizer.init(),
            WarmupDecay::new(config.lr, warmup, steps),
        );
        let lessons = Lessons::new(school, &autodiff, started);
        let mut training =
            SupervisedTraining::new(&config.out, Arc::new(lessons), Arc::new(Exams(exams)))
                .metric_train_numeric(LossMetric::new())
                .metric_valid_numeric(agreement::recall())
                .metric_valid_numeric(agreement::precision())
                .with_custom_checkpointers(
                    AtomicCheckpointer::new(checkpoints, "model"),
                    AtomicCheckpointer::new(checkpoints, "optim"),
                    AtomicCheckpointer::new(checkpoints, "scheduler"),
                )
                .with_checkpointing_strategy(KeepLastNCheckpoints::new(1))
                .with_interrupter(interrupter)
                .num_epochs(config.epochs);
        if started > 0 {
            training = training.checkpoint(started);
        }
        if !std::io::stdout().is_terminal() {
            training = training.renderer(Box::new(PlainProgress::new(config.batch)));
        }
        let result = training.launch(learner);
        if let Some(error) = result.error {
            return Err(DistillError::Stopped(error.to_string()));
        }
        if let Some(stop) = result.interrupted {
            let reason = stop.reason.unwrap_or_else(|| "interrupted".to_owned());
            return Err(DistillError::Stopped(reason));
        }
    }
    let path = checkpoint_path(checkpoints, "model", config.epochs);
    let problem = |problem: String| DistillError::Weights {
        path: path.clone(),
        problem,
    };
    let record = ModuleRecord::load(&path).map_err(|e| problem(e.to_string()))?;
    start
        .try_load_record(record)
        .map_err(|e| problem(e.to_string()))
}
