//! Sizes of a system small enough to make on the fly: for tests and for models of random weights.

use super::SystemConfig;
use super::text::TextConfig;
use crate::nn::encoder::EncoderConfig;
use crate::tweet::WordShape;
use crate::tweet::subwords::SubwordTokenizer;

/// A text system of 2 layers and 32 dimensions, the fewest that are quantised, over the [`crate::tweet::tiny::tokenizer`].
pub fn config(tokenizer: &SubwordTokenizer) -> SystemConfig {
    SystemConfig::Text(TextConfig::new(encoder(tokenizer)))
}

/// Its text encoder.
pub fn encoder(tokenizer: &SubwordTokenizer) -> EncoderConfig {
    EncoderConfig {
        vocab: tokenizer.vocab_size(),
        d: 32,
        layers: 2,
        heads: 2,
        ffn: 64,
        positions: 64,
        first_position: 0,
        token_types: 2,
        shapes: WordShape::COUNT,
        distances: 0,
        epsilon: 1e-12,
        dropout: 0.1,
    }
}
