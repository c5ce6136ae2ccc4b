//! The text encoder: BERT, RoBERTa, DistilBERT and MPNet families, one module.

use crate::nn::attention::KeyMask;
use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::host::{HostEncoder, HostPiece, Precision};
use crate::nn::relative_position::RelativePositions;
use crate::nn::transformer::{TransformerLayer, TransformerLayerConfig};
use crate::nn::values::values;
use burn::module::{Initializer, Module};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Everything that fixes an encoder's shape and arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// Subwords in the vocabulary.
    pub vocab: usize,
    /// Hidden size `D`.
    pub d: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Feed-forward size.
    pub ffn: usize,
    /// Rows of the position table.
    pub positions: usize,
    /// Position of the first subword: 0 for BERT, padding id + 1 for RoBERTa.
    pub first_position: usize,
    /// Rows of the token-type table.
    pub token_types: usize,
    /// Rows of the word-shape table; 0 builds none.
    pub shapes: usize,
    /// Buckets of the distance between two subwords, each with a bias a head, as MPNet has them; 0 builds none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub distances: usize,
    /// Epsilon of the layer norms.
    pub epsilon: f64,
    /// Dropout while training.
    pub dropout: f64,
}

impl EncoderConfig {
    /// The sizes of one of its layers.
    pub fn layer(&self) -> TransformerLayerConfig {
        TransformerLayerConfig {
            d: self.d,
            heads: self.heads,
            ffn: self.ffn,
            dropout: self.dropout,
            epsilon: self.epsilon,
        }
    }

    /// The longest input in subwords, special tokens included.
    pub fn max_subwords(&self) -> usize {
        self.positions - self.first_position
    }

    /// How many values its tables and matrices have together, biases and norms left out.
    pub fn values(&self) -> u128 {
        let [d, ffn, layers] = [self.d, self.ffn, self.layers].map(|size| size as u128);
        let rows =
            [self.vocab, self.positions, self.token_types, self.shapes].map(|size| size as u128);
        rows.iter().sum::<u128>() * d + layers * (4 * d * d + 2 * d * ffn)
    }

    /// A fresh encoder on `device`. The word-shape table starts at zero, so that a pretrained
    /// encoder starts unchanged.
    pub fn init(&self, device: &Device) -> Encoder {
        let table = |rows: usize| {
            EmbeddingConfig::new(rows, self.d)
                .with_initializer(Initializer::Normal {
                    mean: 0.0,
                    std: 0.02,
                })
                .init(device)
        };
        let layer = self.layer();
        Encoder {
            words: table(self.vocab),
            positions: table(self.positions),
            token_types: table(self.token_types),
            shapes: (self.shapes > 0).then(|| {
                EmbeddingConfig::new(self.shapes, self.d)
                    .with_initializer(Initializer::Zeros)
                    .init(device)
            }),
            norm: LayerNormConfig::new(self.d)
                .with_epsilon(self.epsilon)
                .init(device),
            dropout: DropoutConfig::new(self.dropout).init(),
            layers: (0..self.layers).map(|_| layer.init(device)).collect(),
            distances: (self.distances > 0)
                .then(|| RelativePositions::new(self.distances, self.heads, device)),
            first_position: self.first_position,
            host: None,
        }
    }
}

/// A BERT-family encoder with an optional word-shape table beside its input tables.
///
/// Where a [`HostEncoder`] stands in for it, its own parameters have no values and are not read.
#[derive(Module, Debug)]
pub struct Encoder {
    /// Word-subword table, `[vocab, D]`.
    pub words: Embedding,
    /// Position table, `[positions, D]`.
    pub positions: Embedding,
    /// Token-type table, `[token_types, D]`.
    pub token_types: Embedding,
    /// Word-shape table, `[shapes, D]`, added before the layer norm.
    pub shapes: Option<Embedding>,
    /// Norm of the summed input embeddings.
    pub norm: LayerNorm,
    dropout: Dropout,
    /// The transformer layers.
    pub layers: Vec<TransformerLayer>,
    /// Bias of the attention by distance, the same in every layer.
    pub distances: Option<RelativePositions>,
    first_position: usize,
    #[module(skip)]
    host: Option<Arc<HostEncoder>>,
}

/// One batch of subwords, padded to a common length.
#[derive(Clone, Debug)]
pub struct EncoderInput {
    /// Subword ids, `[B, P]`; any valid id where `present` is 0.
    pub subwords: Tensor<2, Int>,
    /// Token types, `[B, P]`; `None` means all zero.
    pub token_types: Option<Tensor<2, Int>>,
    /// Word-shape indices, `[B, P]`; ignored by an encoder without the table.
    pub shapes: Option<Tensor<2, Int>>,
    /// 1 for a subword, 0 for padding, `[B, P]`. Padding follows the subwords.
    pub present: Tensor<2>,
}

impl Encoder {
    /// The same encoder, computed by `host`. The device should be a CPU: inputs are read back from
    /// it at once.
    #[must_use]
    pub fn computed_by(self, host: HostEncoder) -> Self {
        Self {
            host: Some(Arc::new(host)),
            ..self
        }
    }

    /// Whether a [`HostEncoder`] stands in, so that the parameters have no values.
    pub fn is_on_host(&self) -> bool {
        self.host.is_some()
    }

    /// How finely the inputs of the linear layers are rounded where a [`HostEncoder`] stands in.
    pub fn precision(&self) -> Option<Precision> {
        self.host.as_ref().map(|host| host.precision)
    }

    /// The same encoder whose input tables and first `layers` layers do not learn; 0 lets all learn. The word shapes,
    /// which a pretrained encoder does not have, learn always.
    #[must_use]
    pub fn frozen_below(mut self, layers: usize) -> Self {
        if layers > 0 {
            self.words = self.words.no_grad();
            self.positions = self.positions.no_grad();
            self.token_types = self.token_types.no_grad();
            self.norm = self.norm.no_grad();
            self.distances = self.distances.map(Module::no_grad);
        }
        let own = self.layers.into_iter().enumerate();
        self.layers = own
            .map(|(at, layer)| if at < layers { layer.no_grad() } else { layer })
            .collect();
        self
    }

    /// Rows of the table of subwords, `[B, K]` to `[B, K, D]`.
    pub fn word_vectors(&self, subwords: Tensor<2, Int>) -> Tensor<3> {
        let Some(host) = &self.host else {
            return self.words.forward(subwords);
        };
        let ([batch, n], device) = (subwords.dims(), subwords.device());
        let mut vectors = vec![0.0; batch * n * host.d()];
        for (index, vector) in indices(subwords).zip(vectors.chunks_exact_mut(host.d())) {
            host.words.add_row(index, vector);
        }
        Tensor::from_data(TensorData::new(vectors, [batch, n, host.d()]), &device)
    }

    /// The layer-normed sum of the input embeddings, `[B, P, D]`.
    fn embed(&self, input: &EncoderInput) -> Tensor<3> {
        let [batch, subwords] = input.subwords.dims();
        let device = input.subwords.device();
        let first = self.first_position as i64;
        let positions = Tensor::<1, Int>::arange(first..first + subwords as i64, &device);
        let types = match &input.token_types {
            Some(types) => self.token_types.forward(types.clone()),
            None => {
                let d = self.token_types.weight.dims()[1];
                self.token_types
                    .weight
                    .val()
                    .slice([0..1, 0..d])
                    .unsqueeze::<3>()
            }
        };
        let mut sum = self.words.forward(input.subwords.clone())
            + self.positions.forward(positions.unsqueeze::<2>())
            + types;
        if let (Some(table), Some(shapes)) = (&self.shapes, &input.shapes) {
            sum = sum + table.forward(shapes.clone());
        }
        debug_assert_eq!(sum.dims()[..2], [batch, subwords]);
        self.dropout.forward(self.norm.forward(sum))
    }

    /// Hidden states of every subword, `[B, P, D]`. What stands at padding is meaningless.
    pub fn forward(&self, input: &EncoderInput) -> Tensor<3> {
        if let Some(host) = &self.host {
            return self.forward_on(host, input);
        }
        let mask = KeyMask::never_empty(input.present.clone());
        let bias = self.distances.as_ref();
        let bias = bias.map(|distances| distances.forward(input.present.dims()[1]));
        self.layers.iter().fold(self.embed(input), |x, layer| {
            layer.forward(x.clone(), x, &mask, bias.clone()).0
        })
    }

    /// Hidden states of some subwords, `[B, N, D]`, where a [`HostEncoder`] stands in, which computes no others in its last layer; else
    /// none.
    ///
    /// `places`: of each row as many, counted within the row, `[B * N]`
    pub fn forward_at(&self, input: &EncoderInput, places: &[usize]) -> Option<Tensor<3>> {
        let host = self.host.as_ref()?;
        let ([batch, _], device) = (input.subwords.dims(), input.subwords.device());
        let n = places.len() / batch;
        let sequences = self.sequences(input).into_iter().enumerate();
        let states: Vec<f32> = sequences
            .flat_map(|(row, sequence)| host.forward_at(&sequence, &places[row * n..][..n]))
            .collect();
        let shape = [batch, n, host.d()];
        Some(Tensor::from_data(TensorData::new(states, shape), &device))
    }

    /// Row by row and without padding, which stays 0.
    fn forward_on(&self, host: &HostEncoder, input: &EncoderInput) -> Tensor<3> {
        let ([batch, subwords], device, d) =
            (input.subwords.dims(), input.subwords.device(), host.d());
        let mut states = vec![0.0; batch * subwords * d];
        let rows = states.chunks_exact_mut(subwords * d);
        for (row, sequence) in rows.zip(self.sequences(input)) {
            row[..sequence.len() * d].copy_from_slice(&host.forward(&sequence));
        }
        Tensor::from_data(TensorData::new(states, [batch, subwords, d]), &device)
    }

    /// The rows of a batch without their padding, which follows the subwords.
    fn sequences(&self, input: &EncoderInput) -> Vec<Vec<HostPiece>> {
        let [batch, subwords] = input.subwords.dims();
        let all = |tensor: &Tensor<2, Int>| indices(tensor.clone()).collect::<Vec<_>>();
        let words = all(&input.subwords);
        let token_types = input.token_types.as_ref().map(all);
        let shapes = input.shapes.as_ref().map(all);
        let present = values(input.present.clone());
        let piece = |at: usize| HostPiece {
            word: words[at],
            position: self.first_position + at % subwords,
            token_type: token_types.as_ref().map_or(0, |types| types[at]),
            shape: shapes.as_ref().map(|shapes| shapes[at]),
        };
        let row = |row: usize| {
            let there = (row * subwords..(row + 1) * subwords).take_while(|&at| present[at] > 0.5);
            there.map(piece).collect()
        };
        (0..batch).map(row).collect()
    }
}

fn indices(tensor: Tensor<2, Int>) -> impl Iterator<Item = usize> {
    let indices: Vec<usize> = tensor
        .into_data()
        .iter::<i64>()
        .map(|i| i as usize)
        .collect();
    indices.into_iter()
}
