//! How the decoder learns: each subword from those before it and the caption's vector, which is off by some noise.

use crate::caption::vocabulary::BOUNDARY;
use crate::nn::caption_decoder::CaptionDecoder;
use crate::nn::projector::unit;
use crate::splitmix::SplitMix64;
use crate::train::caption::texts::Text;
use crate::train::learner::{TrainReport, clipped_step};
use crate::train::metric::{Counted, LOSS, Percentage, Tally};
use crate::train::plot::{Curve, Panel};
use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{InferenceStep, TrainOutput, TrainStep};
use std::f64::consts::TAU;

/// Largest global norm of a step's gradient.
const CLIP: f64 = 1.0;

/// Name of the metric.
const RIGHT: &str = "Subwords right";

/// What the plot of a run shows.
pub(super) const PANELS: &[Panel] = &[
    Panel {
        axis: "loss",
        curves: &[Curve::train(LOSS)],
    },
    Panel {
        axis: "% kept apart",
        curves: &[Curve::valid(RIGHT)],
    },
];

/// The decoder in training.
#[derive(Module, Debug)]
pub struct CaptionStudent {
    /// The decoder.
    pub decoder: CaptionDecoder,
}

/// Captions side by side.
#[derive(Clone, Debug)]
pub struct CaptionLesson {
    /// `[B, S]`, rows of length 1
    pub vectors: Tensor<2>,
    /// What is said, beginning with the boundary, `[B, T]`
    pub before: Tensor<2, Int>,
    /// What follows each of them, `[B, T]`
    pub next: Tensor<2, Int>,
    /// 1 where something follows, 0 behind a caption's end, `[B, T]`
    pub there: Tensor<2>,
}

impl CaptionLesson {
    /// A lesson of captions and their vectors, `S` values each. Each value gets noise of this standard deviation before the vector is
    /// made of length 1 again.
    pub fn new(
        captions: &[(&Text, &[f32])],
        noise: f64,
        rng: &mut SplitMix64,
        device: &Device,
    ) -> Self {
        let rows = captions.len();
        let longest = captions.iter().map(|(text, _)| text.subwords.len()).max();
        let length = longest.unwrap_or(0) + 1;
        let size = captions[0].1.len();
        let vectors: Vec<f32> = captions
            .iter()
            .flat_map(|(_, vector)| vector.iter())
            .map(|value| value + (noise * normal(rng)) as f32)
            .collect();
        let (mut before, mut next, mut there) = (Vec::new(), Vec::new(), Vec::new());
        for (text, _) in captions {
            let said = text.subwords.iter().map(|&at| at as i32);
            let said: Vec<i32> = said
                .chain(std::iter::repeat(BOUNDARY as i32))
                .take(length)
                .collect();
            before.push(BOUNDARY as i32);
            before.extend(&said[..length - 1]);
            next.extend(said);
            there.extend((0..length).map(|at| f32::from(u8::from(at <= text.subwords.len()))));
        }
        let ints = |values| Tensor::from_data(TensorData::new(values, [rows, length]), device);
        Self {
            vectors: unit(Tensor::from_data(
                TensorData::new(vectors, [rows, size]),
                device,
            )),
            before: ints(before),
            next: ints(next),
            there: Tensor::from_data(TensorData::new(there, [rows, length]), device),
        }
    }
}

/// A number from the standard normal distribution (Box and Muller).
fn normal(rng: &mut SplitMix64) -> f64 {
    let radius = (-2.0 * (1.0 - rng.unit()).ln()).sqrt();
    radius * (TAU * rng.unit()).cos()
}

/// How well subwords are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Subwords and ends.
    pub count: usize,
    /// Those whose likeliest guess is right.
    pub right: usize,
}

impl Told {
    /// The part that is right.
    pub fn part(&self) -> f64 {
        self.right as f64 / self.count.max(1) as f64
    }
}

impl Tally for Told {
    type Report = Self;

    fn add(&mut self, report: &Self) {
        self.count += report.count;
        self.right += report.right;
    }
}

/// Subwords whose likeliest guess is right.
pub(super) fn right() -> Percentage<Told> {
    Percentage::new(RIGHT, Told::part)
}

/// What a decoder makes of captions.
pub(super) fn told(decoder: &CaptionDecoder, exam: &CaptionLesson) -> Told {
    let logits = decoder.forward(exam.vectors.clone(), exam.before.clone());
    let [rows, length, _] = logits.dims();
    let best = logits.argmax(2).reshape([rows, length]);
    let right = best.equal(exam.next.clone()).float() * exam.there.clone();
    Told {
        count: exam.there.clone().sum().into_scalar::<f32>() as usize,
        right: right.sum().into_scalar::<f32>() as usize,
    }
}

impl TrainStep for CaptionStudent {
    type Input = CaptionLesson;
    type Output = TrainReport;

    fn step(&self, lesson: CaptionLesson) -> TrainOutput<TrainReport> {
        let logits = self.decoder.forward(lesson.vectors, lesson.before);
        let logs = log_softmax(logits, 2).gather(2, lesson.next.unsqueeze_dim(2));
        let logs = logs.squeeze_dim::<2>(2);
        let loss = -(logs * lesson.there.clone()).sum() / lesson.there.sum();
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

impl InferenceStep for CaptionStudent {
    type Input = CaptionLesson;
    type Output = Counted<Told>;

    fn step(&self, exam: CaptionLesson) -> Counted<Told> {
        Counted(told(&self.decoder, &exam))
    }
}
