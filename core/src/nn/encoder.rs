//! The text encoder: BERT and RoBERTa families, one module.

use super::attention::KeyMask;
use super::transformer::{TransformerLayer, TransformerLayerConfig};
use burn::module::{Initializer, Module};
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

/// Everything that fixes an encoder's shape and arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// Word pieces in the vocabulary.
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
    /// Position of the first piece: 0 for BERT, padding id + 1 for RoBERTa.
    pub first_position: usize,
    /// Rows of the token-type table.
    pub token_types: usize,
    /// Rows of the word-shape table; 0 builds none.
    pub shapes: usize,
    /// Epsilon of the layer norms.
    pub epsilon: f64,
    /// Dropout while training.
    pub dropout: f64,
}

impl EncoderConfig {
    /// The longest input in pieces, special pieces included.
    pub fn max_pieces(&self) -> usize {
        self.positions - self.first_position
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
        let layer = TransformerLayerConfig {
            d: self.d,
            heads: self.heads,
            ffn: self.ffn,
            dropout: self.dropout,
            epsilon: self.epsilon,
        };
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
            first_position: self.first_position,
        }
    }
}

/// A BERT-family encoder with an optional word-shape table beside its input tables.
#[derive(Module, Debug)]
pub struct Encoder {
    /// Word-piece table, `[vocab, D]`.
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
    first_position: usize,
}

/// One batch of pieces, padded to a common length.
#[derive(Clone, Debug)]
pub struct EncoderInput {
    /// Piece ids, `[B, P]`; any valid id where `present` is 0.
    pub pieces: Tensor<2, Int>,
    /// Token types, `[B, P]`; `None` means all zero.
    pub token_types: Option<Tensor<2, Int>>,
    /// Word-shape indices, `[B, P]`; ignored by an encoder without the table.
    pub shapes: Option<Tensor<2, Int>>,
    /// 1 for a piece, 0 for padding, `[B, P]`. Padding follows the pieces.
    pub present: Tensor<2>,
}

impl Encoder {
    /// The layer-normed sum of the input embeddings, `[B, P, D]`.
    pub fn embed(&self, input: &EncoderInput) -> Tensor<3> {
        let [batch, pieces] = input.pieces.dims();
        let device = input.pieces.device();
        let first = self.first_position as i64;
        let positions = Tensor::<1, Int>::arange(first..first + pieces as i64, &device);
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
        let mut sum = self.words.forward(input.pieces.clone())
            + self.positions.forward(positions.unsqueeze::<2>())
            + types;
        if let (Some(table), Some(shapes)) = (&self.shapes, &input.shapes) {
            sum = sum + table.forward(shapes.clone());
        }
        debug_assert_eq!(sum.dims()[..2], [batch, pieces]);
        self.dropout.forward(self.norm.forward(sum))
    }

    /// Hidden states of every piece, `[B, P, D]`. What stands at padding is meaningless.
    pub fn forward(&self, input: &EncoderInput) -> Tensor<3> {
        let mask = KeyMask::never_empty(input.present.clone());
        self.layers
            .iter()
            .fold(self.embed(input), |x, layer| layer.forward_self(x, &mask))
    }
}
