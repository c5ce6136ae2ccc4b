//! Fine types of entities, such as athlete or festival: a second head over the spans that the chain finds.
//!
//! ```text
//! s(span) = W_f h_first + W_l h_last + W_m mean(h) + V[type],   p = softmax(s)
//! ```
//!
//! `h` are the text encoder's states at the words' first subwords (MGCMT: with the augmentation). The scores are linear in them, so each
//! word's share is computed beside its emissions, before any span is known, and the host adds up what a span needs.
//!
//! Fine types under coarse ones and spans on benchmark tweets: FMNERG (Wang et al., "Fine-Grained Multimodal Named Entity
//! Recognition and Grounding with a Generative Framework", ACM MM 2023). The head is our own.

use crate::decode::fine_types::{FineSpan, FineType, FineTypeTable, columns};
use crate::label::EntityType;
use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::linear::{Linear, linear};
use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, ExecutionError, Int, Tensor, TensorData};
use std::ops::Range;

/// Weight of the head's loss beside 1 for the chain's.
const WEIGHT: f64 = 0.5;

/// The head with its weights.
#[derive(Module, Debug)]
pub struct FineTypeHead {
    dropout: Dropout,
    /// `W_f`, `W_l`, `W_m` side by side, `D -> 3F` and what fills up to a multiple of 8.
    pub words: Linear,
    /// `V`, `[4, F]`.
    pub types: Param<Tensor<2>>,
}

impl FineTypeHead {
    /// A fresh head over states of `d` values; none for no types.
    pub fn new(types: &[FineType], d: usize, dropout: f64, device: &Device) -> Option<Self> {
        (!types.is_empty()).then(|| Self {
            dropout: DropoutConfig::new(dropout).init(),
            words: linear(d, columns(types.len()), device),
            types: Initializer::Zeros.init([EntityType::ALL.len(), types.len()], device),
        })
    }

    /// The same head, whose scores a CPU computes in its own memory.
    #[must_use]
    pub fn on_host(self) -> Self {
        Self {
            words: self.words.on_host(),
            ..self
        }
    }

    /// Each word's share in the scores of the spans that it is in, `[R, N, C]`, from the words' states, `[R, N, D]`.
    pub fn scores(&self, words: Tensor<3>) -> Tensor<3> {
        self.words.forward(self.dropout.forward(words))
    }

    /// What tells `types` from the scores, on the host.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn to_host(&self, types: &[FineType]) -> Result<FineTypeTable, ExecutionError> {
        let kinds = self.types.val().into_data_async().await?;
        let kinds = kinds.iter::<f32>().map(f64::from).collect();
        Ok(FineTypeTable::new(types.to_vec(), kinds))
    }

    /// Cross-entropy of the gold spans, summed over them, mean over the batch's rows, weighted, `[1]`, from the words' states, `[R, N, D]`.
    pub fn loss(&self, words: Tensor<3>, gold: &FineTargets) -> Tensor<1> {
        let [rows, n, _] = words.dims();
        let scores = self.scores(words);
        let [.., columns] = scores.dims();
        let [_, types] = self.types.dims();
        let scores = scores.reshape([rows * n, columns]);
        let part = |part: usize| scores.clone().narrow(1, part * types, types);
        let first = part(0).select(0, gold.first.clone());
        let last = part(1).select(0, gold.last.clone());
        let mean = gold.mean.clone().matmul(part(2));
        let kinds = self.types.val().select(0, gold.kinds.clone());
        let believed = log_softmax(first + last + mean + kinds, 1);
        let right = believed.gather(1, gold.fine.clone());
        right.sum() * (-WEIGHT / rows as f64)
    }
}

/// The gold spans of a batch, `K` of them, on the device.
#[derive(Clone, Debug)]
pub struct FineTargets {
    /// Places of the first words among the `R * N`, `[K]`.
    first: Tensor<1, Int>,
    /// Places of the last words, `[K]`.
    last: Tensor<1, Int>,
    /// What takes the mean over the words of each span, `[K, R * N]`.
    mean: Tensor<2>,
    /// Types, `[K]`.
    kinds: Tensor<1, Int>,
    /// Fine types, `[K, 1]`.
    fine: Tensor<2, Int>,
}

impl FineTargets {
    /// Of rows of `n` words each; a span's words are counted within its row. None where there is no span.
    ///
    /// # Panics
    /// If a span is empty or reaches beyond its row.
    pub fn new(rows: &[Vec<FineSpan>], n: usize, device: &Device) -> Option<Self> {
        let spans = rows.iter().enumerate();
        let spans: Vec<FineSpan> = spans
            .flat_map(|(row, spans)| {
                spans.iter().map(move |span| {
                    let Range { start, end } = span.words;
                    assert!(start < end && end <= n, "a span within its row");
                    FineSpan {
                        words: row * n + start..row * n + end,
                        ..span.clone()
                    }
                })
            })
            .collect();
        if spans.is_empty() {
            return None;
        }
        let count = spans.len();
        let mut mean = vec![0f32; count * rows.len() * n];
        for (k, span) in spans.iter().enumerate() {
            let share = 1.0 / span.words.len() as f32;
            mean[k * rows.len() * n..][span.words.clone()].fill(share);
        }
        let column = |of: fn(&FineSpan) -> usize| {
            let values: Vec<i32> = spans.iter().map(|span| of(span) as i32).collect();
            Tensor::from_data(TensorData::new(values, [count]), device)
        };
        Some(Self {
            first: column(|span| span.words.start),
            last: column(|span| span.words.end - 1),
            mean: Tensor::from_data(TensorData::new(mean, [count, rows.len() * n]), device),
            kinds: column(|span| span.kind as usize),
            fine: column(|span| span.fine).unsqueeze_dim(1),
        })
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::decode::fine_types::tests::types;

    /// The loss that training sees is that of the probabilities that the host tells.
    #[test]
    fn host_and_device_agree() {
        let device = Device::flex();
        device.seed(4);
        let types = types();
        let mut head = FineTypeHead::new(&types, 8, 0.1, &device).unwrap();
        head.types = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        }
        .init([4, 3], &device);
        let words = Tensor::<3>::random(
            [2, 4, 8],
            burn::tensor::Distribution::Normal(0.0, 1.0),
            &device,
        );
        let span = |words: Range<usize>, kind, fine| FineSpan { words, kind, fine };
        let gold = [
            vec![
                span(0..1, EntityType::Per, 1),
                span(1..4, EntityType::Misc, 2),
            ],
            vec![span(2..4, EntityType::Loc, 0)],
        ];
        let targets = FineTargets::new(&gold, 4, &device).unwrap();
        let loss = head.loss(words.clone(), &targets).into_scalar::<f64>();
        let table = pollster::block_on(head.to_host(&types)).unwrap();
        let scores = head.scores(words);
        assert_eq!(scores.dims(), [2, 4, table.columns()]);
        let scores: Vec<f64> = scores.into_data().iter::<f64>().collect();
        let mut expected = 0.0;
        for (row, spans) in gold.iter().enumerate() {
            let scores = &scores[row * 4 * table.columns()..];
            for span in spans {
                let believed = table.log_probabilities(scores, span.words.clone(), span.kind);
                let all: f64 = believed.iter().map(|log| log.exp()).sum();
                assert!((all - 1.0).abs() < 1e-9);
                expected -= WEIGHT / 2.0 * believed[span.fine];
            }
        }
        assert!((loss - expected).abs() < 1e-4, "{loss} against {expected}");
        assert!(FineTargets::new(&[Vec::new(), Vec::new()], 4, &device).is_none());
    }
}
