//! Views with the teacher's answers, batch by batch.

use crate::data::corpus::mixture::Mixture;
use crate::image::view::view;
use crate::image::{Image, input};
use crate::nn::yolox::Yolox;
use crate::splitmix::SplitMix64;
use crate::train::distill::assignment::Answer;
use crate::train::distill::config::Sides;
use crate::train::distill::error::DistillError;
use crate::train::distill::photographs::open;
use crate::vision::detections::{Frame, Object};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Views side by side, with what the teacher says of them.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The student's input, `[B, 3, S, S]`.
    pub input: Tensor<4>,
    /// The teacher's answer to each view.
    pub answers: Vec<Answer>,
}

/// Images as one network input, `[B, 3, side, side]`.
pub(super) fn stack(images: &[Image], side: u32, device: &Device) -> Tensor<4> {
    let boxed = images
        .iter()
        .map(|image| Tensor::from_data(input::letterbox(image, side).data, device));
    Tensor::cat(boxed.collect(), 0)
}

/// The dense output of a detector, one image after the other: its values and those of a row.
pub(super) fn dense(detector: &Yolox, input: Tensor<4>) -> Result<(Vec<f32>, usize), DistillError> {
    let dense = detector.forward(input).dense();
    let row = dense.dims()[2];
    let values = dense
        .into_data()
        .try_into_vec()
        .map_err(|error| DistillError::Device(format!("{error:?}")))?;
    Ok((values, row))
}

/// The teacher and what it looks at.
pub struct School {
    /// The teacher, folded, on a device without autodiff.
    pub teacher: Yolox,
    /// Input sides of teacher and student.
    pub sides: Sides,
    /// The photographs, folder after folder.
    pub photographs: Vec<PathBuf>,
    /// Which of them an epoch uses.
    pub mixture: Mixture,
    /// Seed of choice, order and views.
    pub seed: u64,
    /// Views of a lesson.
    pub batch: usize,
}

impl School {
    /// Steps of one epoch.
    pub fn steps(&self) -> usize {
        self.mixture.len().div_ceil(self.batch)
    }

    /// Photographs and seeds of the views of an epoch, in their order: the same in a resumed run.
    fn epoch(&self, epoch: usize) -> Vec<(usize, u64)> {
        let mut rng = SplitMix64(self.seed ^ (epoch as u64).rotate_left(32));
        let mut chosen = self.mixture.epoch(self.seed, epoch);
        rng.shuffle(&mut chosen);
        chosen
            .into_iter()
            .map(|photograph| (photograph, rng.next_u64()))
            .collect()
    }

    fn lesson(&self, views: &[(usize, u64)], device: &Device) -> Result<Lesson, DistillError> {
        let mut images = Vec::with_capacity(views.len());
        for &(photograph, seed) in views {
            let image = open(&self.photographs[photograph])?;
            images.push(view(&image, &mut SplitMix64(seed)));
        }
        let Sides { teacher, student } = self.sides;
        let plain = device.clone().inner();
        let (dense, row) = dense(&self.teacher, stack(&images, teacher, &plain))?;
        let each = dense.len() / views.len();
        let answers = dense
            .chunks_exact(each)
            .map(|dense| Answer::new(dense, row, teacher as usize, student as usize))
            .collect();
        Ok(Lesson {
            input: stack(&images, student, device),
            answers,
        })
    }
}

/// Lessons for the learner; each call of `iter` is the next epoch.
pub struct Lessons {
    school: Arc<School>,
    device: Device,
    /// Epochs already begun.
    epoch: AtomicUsize,
    /// The share of an epoch's views this loader serves.
    share: Range<usize>,
}

impl Lessons {
    /// All lessons, the first epoch being `epoch + 1`.
    pub fn new(school: School, device: &Device, epoch: usize) -> Self {
        Self {
            share: 0..school.mixture.len(),
            school: Arc::new(school),
            device: device.clone(),
            epoch: AtomicUsize::new(epoch),
        }
    }

    fn with(&self, device: &Device, share: Range<usize>) -> Arc<dyn DataLoader<Lesson>> {
        Arc::new(Self {
            school: self.school.clone(),
            device: device.clone(),
            epoch: AtomicUsize::new(self.epoch.load(Ordering::SeqCst)),
            share,
        })
    }
}

impl DataLoader<Lesson> for Lessons {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Lesson> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        let mut views = self.school.epoch(epoch);
        views.truncate(self.share.end);
        Box::new(Epoch {
            lessons: self,
            views: views.split_off(self.share.start),
            done: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.share.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Lesson>> {
        self.with(device, self.share.clone())
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Lesson>> {
        let from = self.share.start;
        self.with(&self.device, from + start..from + end)
    }
}

struct Epoch<'a> {
    lessons: &'a Lessons,
    views: Vec<(usize, u64)>,
    done: usize,
}

impl Iterator for Epoch<'_> {
    type Item = Result<Lesson, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Lessons { school, device, .. } = self.lessons;
        let views = self.views.get(self.done..)?.chunks(school.batch).next()?;
        self.done += views.len();
        Some(school.lesson(views, device).map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Lesson> for Epoch<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.views.len(), Some("views".to_owned()))
    }
}

/// Images kept apart, as the student reads them, with the teacher's objects.
#[derive(Clone, Debug)]
pub struct Exam {
    /// The student's input, `[B, 3, S, S]`.
    pub input: Tensor<4>,
    /// What leads its boxes back to each image.
    pub frames: Vec<Frame>,
    /// What the teacher finds in each.
    pub objects: Vec<Vec<Object>>,
}

/// The exams, always the same.
#[derive(Clone)]
pub struct Exams(pub Vec<Exam>);

impl DataLoader<Exam> for Exams {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Exam> + 'a> {
        Box::new(Hour {
            exams: &self.0,
            next: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.0.iter().map(|exam| exam.frames.len()).sum()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Exam>> {
        let moved = |exam: &Exam| Exam {
            input: exam.input.clone().to_device(device),
            ..exam.clone()
        };
        Arc::new(Self(self.0.iter().map(moved).collect()))
    }

    /// Whole exams: those whose first image is in the range.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Exam>> {
        let mut first = 0;
        let inside = |exam: &&Exam| {
            let at = first;
            first += exam.frames.len();
            (start..end).contains(&at)
        };
        Arc::new(Self(self.0.iter().filter(inside).cloned().collect()))
    }
}

struct Hour<'a> {
    exams: &'a [Exam],
    next: usize,
}

impl Iterator for Hour<'_> {
    type Item = Result<Exam, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let exam = self.exams.get(self.next)?;
        self.next += 1;
        Some(Ok(exam.clone()))
    }
}

impl DataLoaderIterator<Exam> for Hour<'_> {
    fn progress(&self) -> Progress {
        let images = |exams: &[Exam]| exams.iter().map(|exam| exam.frames.len()).sum();
        let done = images(&self.exams[..self.next]);
        Progress::new(done, images(self.exams), Some("images".to_owned()))
    }
}
