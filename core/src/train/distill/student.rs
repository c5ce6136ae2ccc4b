//! How the student learns and is compared.

use crate::nn::yolox::Yolox;
use crate::train::distill::agreement::Agreement;
use crate::train::distill::assignment::Answer;
use crate::train::distill::dense_match::distance;
use crate::train::distill::lessons::{Exam, Lesson};
use crate::train::learner::{TrainReport, clipped_step};
use crate::train::metric::Counted;
use crate::vision::detections;
use crate::vision::detections::DetectConfig;
use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Tensor, TensorData};
use burn::train::{InferenceStep, TrainOutput, TrainStep};

/// Largest global norm of a step's gradient.
const CLIP: f64 = 20.0;

/// The detector in training, folded.
#[derive(Module, Debug)]
pub struct Student {
    /// The detector.
    pub detector: Yolox,
}

impl Student {
    /// Compares the student's objects with the teacher's, under the settings that the system itself
    /// uses ([`DetectConfig::default`]).
    pub fn sit(&self, exam: &Exam) -> Agreement {
        let dense = self.detector.forward(exam.input.clone()).dense();
        let classes = dense.dims()[2] - 5;
        let dense: Vec<f32> = dense
            .into_data()
            .try_into_vec()
            // burn-train has no way to hand an error on from a step.
            .expect("the device answers");
        let each = dense.len() / exam.frames.len();
        dense
            .chunks_exact(each)
            .zip(&exam.frames)
            .zip(&exam.objects)
            .map(|((dense, frame), theirs)| {
                let ours = detections::objects(dense, classes, frame, &DetectConfig::default());
                Agreement::of(theirs, &ours)
            })
            .fold(Agreement::default(), Agreement::plus)
    }
}

impl TrainStep for Student {
    type Input = Lesson;
    type Output = TrainReport;

    fn step(&self, lesson: Lesson) -> TrainOutput<TrainReport> {
        let [_, _, side, _] = lesson.input.dims();
        let output = self.detector.forward(lesson.input);
        let now = output.dense().inner();
        let [images, rows, row] = now.dims();
        let now: Vec<f32> = now.into_data().try_into_vec().expect("the device answers");
        let targets: Vec<f32> = now
            .chunks_exact(rows * row)
            .zip(&lesson.answers)
            .flat_map(|(now, answer)| answer.targets(now, row, side))
            .collect();
        let targets = TensorData::new(targets, [images, rows, row + 1]);
        let targets = Tensor::from_data(targets, &output.raw.device());
        let found = lesson.answers.iter().map(Answer::found).sum();
        let loss = distance(output.raw, targets, side, found);
        let grads = loss.backward();
        TrainOutput::new(self, grads, TrainReport::new(loss))
    }

    fn optimize(
        self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        clipped_step(self, CLIP, optim, lr, grads)
    }
}

impl InferenceStep for Student {
    type Input = Exam;
    type Output = Counted<Agreement>;

    fn step(&self, exam: Exam) -> Counted<Agreement> {
        Counted(self.sit(&exam))
    }
}
