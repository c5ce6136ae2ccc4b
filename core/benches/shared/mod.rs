//! What the benches have in common.

use mner_core::nn::encoder::EncoderConfig;

/// The value after `--name` on the command line.
pub fn flag(name: &str, default: usize) -> usize {
    let mut args = std::env::args().skip_while(|a| a != name);
    args.nth(1)
        .map_or(default, |value| value.parse().expect("a number"))
}

/// An encoder of MiniLM-L6's size; `shapes` is the number of word shapes it embeds.
pub fn minilm(shapes: usize) -> EncoderConfig {
    EncoderConfig {
        vocab: 30522,
        d: 384,
        layers: 6,
        heads: 12,
        ffn: 1536,
        positions: 512,
        first_position: 0,
        token_types: 2,
        shapes,
        distances: 0,
        epsilon: 1e-12,
        dropout: 0.1,
    }
}
