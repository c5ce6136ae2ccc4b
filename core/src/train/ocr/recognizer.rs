//! How the recogniser learns: by connectionist temporal classification.

use crate::nn::text_recognizer::{HEIGHT, STRIDE, TextRecognizer};
use crate::ocr::alphabet::Alphabet;
use crate::ocr::bundle::Networks;
use crate::ocr::ctc;
use crate::splitmix::SplitMix64;
use crate::train::learner::{TrainReport, clipped_step};
use crate::train::lessons::of_step;
use crate::train::metric::{Counted, LOSS, Percentage};
use crate::train::ocr::config::{OcrTrainConfig, Part};
use crate::train::ocr::edits::Edits;
use crate::train::ocr::line::{DrawnLine, draw};
use crate::train::ocr::start::{recognizer_sizes, started};
use crate::train::ocr::student::Student;
use crate::train::ocr::{HELD_OUT_LINES, OcrTrainError, Stock};
use crate::train::plot::{Curve, Panel};
use burn::module::Module;
use burn::nn::loss::{CTCLossConfig, Reduction};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{InferenceStep, SupervisedTraining, TrainOutput, TrainStep};

/// Largest global norm of a step's gradient.
const CLIP: f64 = 5.0;

/// Names of the metrics.
const CHARACTERS: &str = "Characters right";
const LINES: &str = "Lines right";

/// Lines side by side, with what they say.
#[derive(Clone, Debug)]
pub struct LineLesson {
    /// `[B, 1, 32, W]`
    pub input: Tensor<4>,
    /// What each says.
    pub texts: Vec<String>,
    /// Frames of each, at most `W / 4`.
    pub frames: Vec<usize>,
}

/// The recogniser in training.
#[derive(Module, Debug)]
pub struct RecognizerStudent {
    /// The recogniser.
    pub recognizer: TextRecognizer,
}

/// Characters read, insertions, deletions and replacements counted against them.
fn characters_right() -> Percentage<Edits> {
    Percentage::new(CHARACTERS, Edits::right)
}

/// Lines read without a fault.
fn lines_right() -> Percentage<Edits> {
    Percentage::new(LINES, Edits::exact)
}

/// A line with a frame for each character, and one between two that are alike.
fn readable(stock: &Stock, most: usize, rng: &mut SplitMix64) -> DrawnLine {
    loop {
        let line = draw(stock, most, rng);
        let characters: Vec<char> = line.text.chars().collect();
        let alike = characters.windows(2).filter(|two| two[0] == two[1]).count();
        if line.data.shape()[3] / STRIDE >= characters.len() + alike {
            return line;
        }
    }
}

/// Lines side by side, as wide as the widest: the last column of the others goes on.
fn batch(lines: Vec<DrawnLine>, device: &Device) -> LineLesson {
    let frames: Vec<usize> = lines
        .iter()
        .map(|line| line.data.shape()[3] / STRIDE)
        .collect();
    let width = STRIDE * frames.iter().copied().max().unwrap_or(1);
    let mut values = Vec::with_capacity(lines.len() * HEIGHT * width);
    for line in &lines {
        let own = line.data.shape()[3];
        for row in line
            .data
            .iter::<f32>()
            .collect::<Vec<f32>>()
            .chunks_exact(own)
        {
            values.extend_from_slice(row);
            values.extend(std::iter::repeat_n(row[own - 1], width - own));
        }
    }
    let shape = [lines.len(), 1, HEIGHT, width];
    LineLesson {
        input: Tensor::from_data(TensorData::new(values, shape), device),
        texts: lines.into_iter().map(|line| line.text).collect(),
        frames,
    }
}

/// How much of the lines is right.
pub(super) fn score(recognizer: &TextRecognizer, exams: &[LineLesson]) -> Edits {
    exams
        .iter()
        .map(|exam| sit(recognizer, exam))
        .fold(Edits::default(), Edits::plus)
}

fn sit(recognizer: &TextRecognizer, exam: &LineLesson) -> Edits {
    let scores = recognizer.forward(exam.input.clone());
    let [_, frames, classes] = scores.dims();
    // burn-train has no way to hand an error on from a step.
    let scores: Vec<f32> = scores
        .into_data()
        .try_into_vec()
        .expect("the device answers");
    let alphabet = Alphabet::default();
    let lines = scores
        .chunks_exact(frames * classes)
        .zip(exam.texts.iter().zip(&exam.frames));
    lines
        .map(|(scores, (text, &frames))| {
            let read = ctc::greedy(&scores[..frames * classes], classes);
            let read: String = read
                .iter()
                .filter_map(|read| alphabet.character(read.class))
                .collect();
            Edits::of(text, read.trim())
        })
        .fold(Edits::default(), Edits::plus)
}

impl Student for RecognizerStudent {
    type Lesson = LineLesson;
    type Exam = LineLesson;

    const PART: Part = Part::Recognizer;
    const PANELS: &'static [Panel] = &[
        Panel {
            axis: "loss",
            curves: &[Curve::train(LOSS)],
        },
        Panel {
            axis: "% held out",
            curves: &[Curve::valid(CHARACTERS), Curve::valid(LINES)],
        },
    ];

    fn steps(config: &OcrTrainConfig) -> usize {
        config.lines.div_ceil(config.line_batch)
    }

    fn start(config: &OcrTrainConfig, device: &Device) -> Result<Self, OcrTrainError> {
        let fresh = Self {
            recognizer: recognizer_sizes().init(config.dropout, device),
        };
        let of = |networks: Networks| Self {
            recognizer: networks.recognizer,
        };
        started(config, Self::PART, fresh, of, device)
    }

    /// Lines that are about equally wide: twice as many are drawn, and the narrower or the wider half is taken.
    fn lesson(
        stock: &Stock,
        config: &OcrTrainConfig,
        rng: &mut SplitMix64,
        device: &Device,
    ) -> LineLesson {
        let mut lines: Vec<DrawnLine> = (0..2 * config.line_batch)
            .map(|_| readable(stock, config.line_length, rng))
            .collect();
        lines.sort_by_key(|line| line.data.shape()[3]);
        let wider = lines.split_off(config.line_batch);
        batch(if rng.below(2) == 0 { lines } else { wider }, device)
    }

    fn exams(stock: &Stock, config: &OcrTrainConfig, device: &Device) -> Vec<LineLesson> {
        let mut rng = of_step(config.seed, usize::MAX, 0);
        let count = HELD_OUT_LINES.min(config.lines);
        let mut lines: Vec<DrawnLine> = (0..count)
            .map(|_| readable(stock, config.line_length, &mut rng))
            .collect();
        lines.sort_by_key(|line| line.data.shape()[3]);
        lines
            .chunks(config.line_batch)
            .map(|lines| batch(lines.to_vec(), device))
            .collect()
    }

    fn measured(training: SupervisedTraining<Self>) -> SupervisedTraining<Self> {
        training
            .metric_valid_numeric(characters_right())
            .metric_valid_numeric(lines_right())
    }
}

impl TrainStep for RecognizerStudent {
    type Input = LineLesson;
    type Output = TrainReport;

    fn step(&self, lesson: LineLesson) -> TrainOutput<TrainReport> {
        let device = lesson.input.device();
        let scores = self.recognizer.forward(lesson.input);
        let alphabet = Alphabet::default();
        let encoded = lesson.texts.iter().map(|text| alphabet.encode(text));
        let targets: Vec<Vec<usize>> = encoded
            .map(|text| text.expect("texts are spelled in the alphabet"))
            .collect();
        let longest = targets.iter().map(Vec::len).max().unwrap_or(1);
        let padded = targets.iter().flat_map(|text| {
            let rest = std::iter::repeat_n(0, longest - text.len());
            text.iter().copied().chain(rest)
        });
        let ints = |values: Vec<i32>| {
            let count = values.len();
            Tensor::<1, Int>::from_data(TensorData::new(values, [count]), &device)
        };
        let padded =
            ints(padded.map(|class| class as i32).collect()).reshape([targets.len(), longest]);
        let lengths = ints(targets.iter().map(|text| text.len() as i32).collect());
        let frames = ints(lesson.frames.iter().map(|&frames| frames as i32).collect());
        let loss = CTCLossConfig::new()
            .with_zero_infinity(true)
            .init()
            .forward_with_reduction(
                log_softmax(scores, 2).swap_dims(0, 1),
                padded,
                frames,
                lengths,
                Reduction::Mean,
            );
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

impl InferenceStep for RecognizerStudent {
    type Input = LineLesson;
    type Output = Counted<Edits>;

    fn step(&self, exam: LineLesson) -> Counted<Edits> {
        Counted(sit(&self.recognizer, &exam))
    }
}
