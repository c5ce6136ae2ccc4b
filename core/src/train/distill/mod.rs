//! Distils a detector: a student of the teacher's own form learns to say at a lower input side what
//! the teacher says at its own, on photographs without labels (after Hinton et al., arXiv
//! 1503.02531).
//!
//! | part | where |
//! |---|---|
//! | what is asked for | [`config`] |
//! | which photographs | [`photographs`] |
//! | how they are seen | [`view`](crate::image::view) |
//! | what the teacher says of a view | [`lessons`] |
//! | which of the student's rows is to say what | [`assignment`] |
//! | how far the student is from it | [`dense_match`] |
//! | steps of training and comparison | [`student`] |
//! | how far they agree on objects | [`agreement`] |
//! | how sure it has to sound | [`calibration`] |
//! | the detector that comes out | [`detector_file`] |
//! | what is said of it | [`report`] |

pub mod agreement;
pub mod assignment;
pub mod calibration;
pub mod config;
pub mod dense_match;
pub mod detector_file;
pub mod error;
pub mod lessons;
pub mod photographs;
pub mod report;
pub mod student;
#[cfg(all(test, feature = "flex"))]
mod tests;

use crate::data::corpus::mixture::Mixture;
use crate::formats::vision_networks::{OBJECT_NAMES, load_detector};
use crate::image::{Image, input};
use crate::nn::yolox::Yolox;
use crate::notice;
use crate::splitmix::SplitMix64;
use crate::train::metric::LOSS;
use crate::train::plot::{Curve, Panel};
use crate::train::supervised::{Material, Plan, check_run, fit, json, open_run};
use crate::vision::detections;
use crate::vision::detections::{DetectConfig, Frame};
use agreement::Agreement;
use burn::tensor::Device;
use burn::train::{Interrupter, SupervisedTraining};
use config::{DistillConfig, Sides};
use error::DistillError;
use lessons::{Exam, Exams, Lessons, School, stack};
use photographs::{Folder, Photographs};
use report::DistillReport;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use student::Student;

/// Photographs that the student's objectness is calibrated on, of those it learnt from.
const CALIBRATION: usize = 200;

/// The detector's file in the run's folder.
pub const DETECTOR: &str = "detector.safetensors";
/// The report's file in the run's folder.
pub const REPORT: &str = "report.json";

/// What the plot of a run shows.
const PANELS: &[Panel] = &[
    Panel {
        axis: "loss",
        curves: &[Curve::train(LOSS)],
    },
    Panel {
        axis: "% of detections, held out",
        curves: &[
            Curve::valid(agreement::RECALL),
            Curve::valid(agreement::PRECISION),
        ],
    },
];

/// Distils as `config` says on `device`, and leaves in the run's folder the detector
/// ([`DETECTOR`]), its class names beside it, the report ([`REPORT`]) and a plot of the run (`training.svg`).
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
    check_run(&config.out, config, resume)?;
    let names = config.teacher.with_file_name(OBJECT_NAMES);
    let names = fs::read(&names).map_err(io(&names))?;
    let teacher = load_detector(&config.teacher, device)?.network;
    let (photographs, mixture, held_out) = find(&config.photos)?;
    open_run(&config.out, config)?;
    let counts = (photographs.len(), held_out.len());
    notice!(
        "{} photographs to learn from, {} kept apart",
        counts.0,
        counts.1
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
    notice!(
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
    let trained = train(config, school, examination.clone(), device, interrupter)?;
    let familiar = exams(&teacher, sides, &familiar, config.batch, device)?;
    let calibrated = |student: Student| {
        let shift = calibration::shift(&student, &familiar)?;
        let detector = student.detector.shift_objectness(shift);
        Ok::<_, DistillError>((Student { detector }, shift))
    };
    let calibrated_start = compare(&calibrated(start)?.0, &examination);
    let (trained, shift) = calibrated(trained)?;
    let student = compare(&trained, &examination);
    notice!("the student at {}: {}", config.side, sentence(&student));

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

fn sentence(agreement: &Agreement) -> String {
    format!(
        "recall {:.1} %, precision {:.1} % of the teacher's {} detections",
        100.0 * agreement.recall(),
        100.0 * agreement.precision(),
        agreement.teacher
    )
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
    device: &Device,
    interrupter: Interrupter,
) -> Result<Student, DistillError> {
    let start = Student {
        detector: school.teacher.clone().freeze(config.freeze),
    };
    let plan = Plan {
        epochs: config.epochs,
        steps: school.steps(),
        batch: config.batch,
        lr: config.lr,
        warmup: config.warmup,
        weight_decay: config.weight_decay,
        panels: PANELS,
    };
    let material = |epoch| Material {
        lessons: Arc::new(Lessons::new(school, &device.clone().autodiff(), epoch)),
        exams: Arc::new(Exams(exams)),
    };
    let measured = |training: SupervisedTraining<Student>| {
        training
            .metric_valid_numeric(agreement::recall())
            .metric_valid_numeric(agreement::precision())
    };
    Ok(fit(
        plan,
        &config.out,
        start,
        material,
        measured,
        interrupter,
    )?)
}
