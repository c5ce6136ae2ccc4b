//! What learns: the projector of images, and where a system's own states lie in the space of sentences.

use crate::nn::linear::{Linear, linear};
use crate::nn::projector::{Projector, ProjectorConfig, unit};
use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// Projector and map of states, learning.
#[derive(Module, Debug)]
pub struct Matcher {
    /// Of images, into the space.
    pub projector: Projector,
    /// `W_s`, of mean states, into the space.
    pub sentence: Linear,
}

/// A step's texts and images, row by row one pair.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// What the projector reads, standardised, `[B, 2 C + classes]`.
    pub images: Tensor<2>,
    /// Sentence vectors of length 1, `[B, S]`.
    pub sentences: Tensor<2>,
    /// Mean states, `[B, D]`.
    pub states: Tensor<2>,
    /// Sentence vectors of texts without image, `[T, S]`, and their mean states, `[T, D]`.
    pub alone: Option<[Tensor<2>; 2]>,
    /// Sentence vectors of captions, `[T, S]`, and the mean states of the texts whose images they tell, `[T, D]`.
    pub told: Option<[Tensor<2>; 2]>,
}

/// Rows as a tensor, `[rows, columns]`.
///
/// # Panics
/// If there is no row, or one is of another length.
pub fn stack<'a>(rows: impl Iterator<Item = &'a [f32]>, device: &Device) -> Tensor<2> {
    let rows: Vec<&[f32]> = rows.collect();
    let shape = [rows.len(), rows[0].len()];
    Tensor::from_data(TensorData::new(rows.concat(), shape), device)
}

/// Symmetric cross-entropy of each row with its own partner among all partners of the step (InfoNCE in both directions,
/// as CLIP has it), `[1]`.
///
/// # Shapes
/// - `one`, `other`: `[B, S]`, rows of length 1
pub fn contrast(one: Tensor<2>, other: Tensor<2>, temperature: f64) -> Tensor<1> {
    let [rows, _] = one.dims();
    let logits = one.matmul(other.transpose()) / temperature;
    let own = Tensor::<2>::eye(rows, &logits.device());
    let likelihood = log_softmax(logits.clone(), 1) + log_softmax(logits, 0);
    (likelihood * own).sum() / (-2.0 * rows as f64)
}

/// How far `found` is from the directions `wanted`: 1 - cosine, the mean over the rows, `[1]`.
fn off(found: Tensor<2>, wanted: Tensor<2>) -> Tensor<1> {
    let [rows, _] = found.dims();
    (found * wanted).sum() / -(rows as f64) + 1.0
}

impl Matcher {
    /// Fresh weights for states of `d` values.
    pub fn new(sizes: &ProjectorConfig, d: usize, dropout: f64, device: &Device) -> Self {
        Self {
            projector: sizes.init(dropout, device),
            sentence: linear(d, sizes.size, device),
        }
    }

    /// Mean states in the space, `[B, D]` to `[B, S]`, rows of length 1.
    pub fn sentences(&self, states: Tensor<2>) -> Tensor<2> {
        unit(self.sentence.forward(states))
    }

    /// The loss of a step, `[1]`: images are told apart by sentences and by states, and states say what sentences are; captions
    /// are told apart by states as images are.
    pub fn loss(&self, lesson: Lesson, temperature: f64) -> Tensor<1> {
        let images = self.projector.forward(lesson.images);
        let states = self.sentences(lesson.states);
        let loss = contrast(images.clone(), lesson.sentences.clone(), temperature)
            + contrast(images, states.clone(), temperature)
            + off(states, lesson.sentences);
        let loss = match lesson.alone {
            Some([sentences, states]) => loss + off(self.sentences(states), sentences),
            None => loss,
        };
        match lesson.told {
            Some([captions, states]) => {
                loss + contrast(captions, self.sentences(states), temperature)
            }
            None => loss,
        }
    }
}
