//! How the detector learns: which cells lie in the core of a line.

use crate::nn::text_detector::{STRIDE, TextDetector, TextDetectorConfig};
use crate::ocr::bundle::Networks;
use crate::ocr::input::planes;
use crate::ocr::regions::{Bounds, RegionConfig, core_of, regions};
use crate::splitmix::SplitMix64;
use crate::train::learner::{TrainReport, clipped_step};
use crate::train::lessons::of_step;
use crate::train::metric::{Counted, LOSS, Percentage, Tally};
use crate::train::ocr::config::{OcrTrainConfig, Part};
use crate::train::ocr::start::started;
use crate::train::ocr::student::Student;
use crate::train::ocr::{HELD_OUT_SCENES, OcrTrainError, Stock, scene};
use crate::train::plot::{Curve, Panel};
use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::{InferenceStep, SupervisedTraining, TrainOutput, TrainStep};

/// Largest global norm of a step's gradient.
const CLIP: f64 = 5.0;

/// Two boxes are of one line if they share this much of what both cover.
const SAME: f32 = 0.5;

/// Name of the metric of lines found.
const FOUND: &str = "Lines found (F1)";

/// Scenes side by side, with how much of each cell lies in the core of a line.
#[derive(Clone, Debug)]
pub struct SceneLesson {
    /// `[B, 3, S, S]`
    pub input: Tensor<4>,
    /// `[B, S / 4, S / 4]`, from 0 to 1
    pub cores: Tensor<3>,
}

/// Scenes to measure on.
#[derive(Clone, Debug)]
pub struct SceneExam {
    /// `[B, 3, S, S]`
    pub input: Tensor<4>,
    /// The lines of each.
    pub lines: Vec<Vec<Bounds>>,
}

/// The detector in training.
#[derive(Module, Debug)]
pub struct DetectorStudent {
    /// The detector.
    pub detector: TextDetector,
}

/// Lines that are there, were found, and both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    lines: usize,
    found: usize,
    both: usize,
}

impl Found {
    /// Harmonic mean of the fraction of lines that are found and of what is found that is a line.
    pub fn f1(&self) -> f64 {
        match self.lines + self.found {
            0 => 1.0,
            all => 2.0 * self.both as f64 / all as f64,
        }
    }

    /// Of an image: each found box is of one line at most, the best first.
    fn of(lines: &[Bounds], found: &[Bounds]) -> Self {
        let mut left: Vec<&Bounds> = lines.iter().collect();
        let mut both = 0;
        for one in found {
            let best = (0..left.len())
                .max_by(|&a, &b| shared(one, left[a]).total_cmp(&shared(one, left[b])));
            if let Some(best) = best.filter(|&best| shared(one, left[best]) >= SAME) {
                left.swap_remove(best);
                both += 1;
            }
        }
        Self {
            lines: lines.len(),
            found: found.len(),
            both,
        }
    }
}

impl Tally for Found {
    type Report = Self;

    fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.found += other.found;
        self.both += other.both;
    }
}

/// What two boxes share, of what they cover together.
fn shared(a: &Bounds, b: &Bounds) -> f32 {
    let area =
        |[left, top, right, bottom]: Bounds| (right - left).max(0.0) * (bottom - top).max(0.0);
    let both = area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    both / (area(*a) + area(*b) - both).max(f32::EPSILON)
}

/// Lines found, against those that are there.
fn lines_found() -> Percentage<Found> {
    Percentage::new(FOUND, Found::f1)
}

fn stacked(images: impl Iterator<Item = TensorData>, device: &Device) -> Tensor<4> {
    Tensor::cat(
        images.map(|data| Tensor::from_data(data, device)).collect(),
        0,
    )
}

/// How much of each cell lies in the core of a line, `[cells * cells]`.
fn cores(lines: &[Bounds], cells: usize) -> Vec<f32> {
    let side = STRIDE as f32;
    let share = |from: f32, to: f32, cell: usize| {
        let start = cell as f32 * side;
        (to.min(start + side) - from.max(start)).clamp(0.0, side) / side
    };
    let mut map = vec![0.0_f32; cells * cells];
    for [left, top, right, bottom] in lines.iter().map(|&line| core_of(line)) {
        let touched = |from: f32, to: f32| {
            let first = (from / side).max(0.0) as usize;
            first.min(cells)..((to / side).ceil().max(0.0) as usize).min(cells)
        };
        for row in touched(top, bottom) {
            for column in touched(left, right) {
                let value = &mut map[row * cells + column];
                *value = value.max(share(top, bottom, row) * share(left, right, column));
            }
        }
    }
    map
}

/// Focal loss for cells that are covered in part (Li et al., "Generalized Focal Loss", arXiv 2006.04388, equation 4), over the
/// cells of cores, and Dice's.
///
/// # Shapes
/// - `logits` and `cores`: `[B, H, W]`; output `[1]`
fn distance(logits: Tensor<3>, cores: Tensor<3>) -> Tensor<1> {
    let probability = sigmoid(logits.clone());
    let off = (cores.clone() - probability.clone()).square();
    // log(1 - p) is log p less the logit.
    let log = log_sigmoid(logits.clone());
    let entropy = -(log.clone() - logits.clone() * (cores.ones_like() - cores.clone()));
    let covered = cores.clone().sum();
    let focal = (off * entropy).sum() / covered.clone().add_scalar(1.0);
    let both = (probability.clone() * cores.clone()).sum() * 2.0;
    let each = probability.square().sum() + cores.square().sum();
    let dice = -(both.add_scalar(1.0) / each.add_scalar(1.0)).sub_scalar(1.0);
    focal + dice
}

/// How well lines are found.
pub(super) fn score(detector: &TextDetector, exams: &[SceneExam]) -> Found {
    let mut all = Found::default();
    for exam in exams {
        all.add(&sit(detector, exam));
    }
    all
}

fn sit(detector: &TextDetector, exam: &SceneExam) -> Found {
    let map = sigmoid(detector.forward(exam.input.clone()));
    let [_, height, width] = map.dims();
    // burn-train has no way to hand an error on from a step.
    let map: Vec<f32> = map.into_data().try_into_vec().expect("the device answers");
    let mut all = Found::default();
    for (map, lines) in map.chunks_exact(height * width).zip(&exam.lines) {
        let found = regions(map, [height, width], &RegionConfig::default());
        let found: Vec<Bounds> = found.into_iter().map(|region| region.bounds).collect();
        all.add(&Found::of(lines, &found));
    }
    all
}

impl Student for DetectorStudent {
    type Lesson = SceneLesson;
    type Exam = SceneExam;

    const PART: Part = Part::Detector;
    const PANELS: &'static [Panel] = &[
        Panel {
            axis: "loss",
            curves: &[Curve::train(LOSS)],
        },
        Panel {
            axis: "% of lines, held out",
            curves: &[Curve::valid(FOUND)],
        },
    ];

    fn steps(config: &OcrTrainConfig) -> usize {
        config.scenes.div_ceil(config.scene_batch)
    }

    fn start(config: &OcrTrainConfig, device: &Device) -> Result<Self, OcrTrainError> {
        let fresh = Self {
            detector: TextDetectorConfig::new().init(device),
        };
        let of = |networks: Networks| Self {
            detector: networks.detector,
        };
        started(config, Self::PART, fresh, of, device)
    }

    fn lesson(
        stock: &Stock,
        config: &OcrTrainConfig,
        rng: &mut SplitMix64,
        device: &Device,
    ) -> SceneLesson {
        let scenes: Vec<_> = (0..config.scene_batch)
            .map(|_| scene::draw(stock, config.scene_side, rng))
            .collect();
        let cells = config.scene_side as usize / STRIDE;
        let cores: Vec<f32> = scenes
            .iter()
            .flat_map(|scene| cores(&scene.lines, cells))
            .collect();
        SceneLesson {
            input: stacked(scenes.iter().map(|scene| planes(&scene.image)), device),
            cores: Tensor::from_data(TensorData::new(cores, [scenes.len(), cells, cells]), device),
        }
    }

    fn exams(stock: &Stock, config: &OcrTrainConfig, device: &Device) -> Vec<SceneExam> {
        let steps = HELD_OUT_SCENES
            .min(config.scenes)
            .div_ceil(config.scene_batch);
        (0..steps)
            .map(|step| {
                let mut rng = of_step(config.seed, usize::MAX, step);
                let draw = |_| scene::draw(stock, config.scene_side, &mut rng);
                let scenes: Vec<_> = (0..config.scene_batch).map(draw).collect();
                SceneExam {
                    input: stacked(scenes.iter().map(|scene| planes(&scene.image)), device),
                    lines: scenes.into_iter().map(|scene| scene.lines).collect(),
                }
            })
            .collect()
    }

    fn measured(training: SupervisedTraining<Self>) -> SupervisedTraining<Self> {
        training.metric_valid_numeric(lines_found())
    }
}

impl TrainStep for DetectorStudent {
    type Input = SceneLesson;
    type Output = TrainReport;

    fn step(&self, lesson: SceneLesson) -> TrainOutput<TrainReport> {
        let loss = distance(self.detector.forward(lesson.input), lesson.cores);
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

impl InferenceStep for DetectorStudent {
    type Input = SceneExam;
    type Output = Counted<Found>;

    fn step(&self, exam: SceneExam) -> Counted<Found> {
        Counted(sit(&self.detector, &exam))
    }
}

#[cfg(all(test, feature = "flex"))]
mod unit {
    use super::*;

    #[test]
    fn cores_are_covered_in_part_at_their_edges() {
        // Its core reaches from 8 to 32 and from 4 to 12.
        let map = cores(&[[4.0, 0.0, 36.0, 16.0]], 10);
        let expected = |row: usize, column: usize| {
            f32::from((1..3).contains(&row) && (2..8).contains(&column))
        };
        for (at, value) in map.iter().enumerate() {
            assert_eq!(*value, expected(at / 10, at % 10), "{at}");
        }
        assert_eq!(cores(&[[6.0, 0.0, 38.0, 16.0]], 10)[10 + 2], 0.5);
        // Beyond the map there is nothing to cover.
        assert_eq!(cores(&[[-30.0, -8.0, 90.0, 90.0]], 10).len(), 100);
    }

    #[test]
    fn lines_are_found_once() {
        let line = [0.0, 0.0, 40.0, 10.0];
        let near = [2.0, 1.0, 42.0, 11.0];
        let one = Found::of(&[line], &[near, line]);
        assert_eq!(
            one,
            Found {
                lines: 1,
                found: 2,
                both: 1
            }
        );
        assert!((one.f1() - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(Found::of(&[line], &[[0.0, 20.0, 40.0, 30.0]]).both, 0);
        assert_eq!(Found::default().f1(), 1.0);
    }

    #[test]
    fn the_loss_falls_towards_the_right_map() {
        let device = Device::flex();
        let cores = Tensor::<3>::from_data([[[1.0, 0.5, 0.0, 0.0]]], &device);
        let loss = |logits: [f32; 4]| {
            let logits = Tensor::<3>::from_data([[logits]], &device);
            distance(logits, cores.clone()).into_scalar::<f32>()
        };
        let right = loss([9.0, 0.0, -9.0, -9.0]);
        assert!(right < 0.2 && right > -1e-3, "{right}");
        assert!(loss([2.0, 0.0, -2.0, -2.0]) > right);
        assert!(loss([-9.0, 0.0, 9.0, 9.0]) > 10.0);
    }
}
