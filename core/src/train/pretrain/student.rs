//! An encoder that says what is hidden.

use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::nn::gelu::gelu;
use crate::nn::linear::{Linear, linear};
use crate::train::learner::{TrainReport, clipped_step};
use crate::train::metric::{Counted, Percentage, Tally};
use crate::train::pretrain::masking::MaskedBatch;
use burn::module::{Initializer, Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use burn::train::{InferenceStep, TrainOutput, TrainStep};
use serde::Serialize;

/// Largest global norm of a step's gradient.
const CLIP: f64 = 1.0;

/// Name of the metric.
pub(super) const RIGHT: &str = "Hidden subwords right";

/// An encoder with BERT's head for hidden words (`BertForMaskedLM` of transformers): a layer, and the table of subwords once more.
#[derive(Module, Debug)]
pub struct MaskedLanguageModel {
    /// The encoder.
    pub encoder: Encoder,
    transform: Linear,
    norm: LayerNorm,
    /// Added to the logits, `[V]`.
    bias: Param<Tensor<1>>,
}

impl MaskedLanguageModel {
    /// A fresh head on an encoder.
    pub fn new(encoder: Encoder, config: &EncoderConfig, device: &Device) -> Self {
        Self {
            encoder,
            transform: linear(config.d, config.d, device),
            norm: LayerNormConfig::new(config.d)
                .with_epsilon(config.epsilon)
                .init(device),
            bias: Initializer::Zeros.init([config.vocab], device),
        }
    }

    /// Log probabilities of every subword at each hidden place, `[K, V]`.
    pub fn forward(&self, batch: &MaskedBatch) -> Tensor<2> {
        let states = self.encoder.forward(&batch.input);
        let [rows, length, d] = states.dims();
        let states = states
            .reshape([rows * length, d])
            .select(0, batch.places.clone());
        let states = self.norm.forward(gelu(self.transform.forward(states)));
        let table = self.encoder.words.weight.val();
        let logits = states.matmul(table.swap_dims(0, 1)) + self.bias.val().unsqueeze();
        log_softmax(logits, 1)
    }
}

/// How well hidden subwords are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Guessed {
    /// Hidden subwords.
    pub count: usize,
    /// Those whose likeliest guess is right.
    pub right: usize,
    /// Sum of `-ln p` of the right ones.
    pub nll: f64,
}

impl Guessed {
    /// `e` to the mean of `-ln p`.
    pub fn perplexity(&self) -> f64 {
        (self.nll / self.count.max(1) as f64).exp()
    }

    /// The part that is guessed right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.count.max(1) as f64
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            right: self.right + other.right,
            nll: self.nll + other.nll,
        }
    }
}

impl Tally for Guessed {
    type Report = Self;

    fn add(&mut self, report: &Self) {
        *self = self.plus(*report);
    }
}

/// Hidden subwords whose likeliest guess is right.
pub(super) fn right() -> Percentage<Guessed> {
    Percentage::new(RIGHT, Guessed::accuracy)
}

/// What a model makes of a batch.
pub(super) fn guessed(model: &MaskedLanguageModel, batch: &MaskedBatch) -> Guessed {
    let logs = model.forward(batch);
    let [count, _] = logs.dims();
    let best = logs.clone().argmax(1).equal(batch.hidden.clone());
    let told = logs.gather(1, batch.hidden.clone());
    Guessed {
        count,
        right: best.int().sum().into_scalar::<i64>() as usize,
        nll: -told.sum().into_scalar::<f64>(),
    }
}

impl TrainStep for MaskedLanguageModel {
    type Input = MaskedBatch;
    type Output = TrainReport;

    fn step(&self, batch: MaskedBatch) -> TrainOutput<TrainReport> {
        let told = self.forward(&batch).gather(1, batch.hidden);
        let loss = -told.mean();
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

impl InferenceStep for MaskedLanguageModel {
    type Input = MaskedBatch;
    type Output = Counted<Guessed>;

    fn step(&self, batch: MaskedBatch) -> Counted<Guessed> {
        Counted(guessed(self, &batch))
    }
}
