//! A bundle of random weights, small enough to make on the fly: for tests, and to try a page or
//! a pipeline without a trained model.

use super::packing::pack_with_answer;
use crate::bundle::manifest::About;
use crate::bundle::{BundleError, BundleFiles, Parts};
use crate::nn::encoder::EncoderConfig;
use crate::recognizer::LoadError;
use crate::systems::SystemConfig;
use crate::systems::text::TextConfig;
use crate::tweet::pieces::WordPieces;
use crate::tweet::shape::WordShape;
use burn::tensor::Device;
use serde_json::json;

/// The tweet of the bundle's known answer.
const KNOWN: &str = "Hello from Houston";

/// A WordPiece tokenizer whose pieces are single characters.
///
/// # Errors
/// If the tokenizers crate refuses it.
pub fn tokenizer() -> Result<WordPieces, BundleError> {
    let mut vocab: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        .map(str::to_owned)
        .to_vec();
    let characters = || {
        (b'!'..=b'~')
            .map(char::from)
            .filter(|c| !c.is_ascii_uppercase())
    };
    vocab.extend(characters().map(String::from));
    vocab.extend(characters().map(|c| format!("##{c}")));
    let added: Vec<_> = vocab[..4]
        .iter()
        .enumerate()
        .map(|(id, content)| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
        })
        .collect();
    let ids: serde_json::Map<_, _> = vocab
        .iter()
        .enumerate()
        .map(|(id, piece)| (piece.clone(), json!(id)))
        .collect();
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    });
    Ok(WordPieces::from_bytes(json.to_string().as_bytes())?)
}

/// A text system of 2 layers and 24 dimensions over the [`tokenizer`].
pub fn config(tokenizer: &WordPieces) -> SystemConfig {
    let encoder = EncoderConfig {
        vocab: tokenizer.vocab_size(),
        d: 24,
        layers: 2,
        heads: 2,
        ffn: 48,
        positions: 64,
        first_position: 0,
        token_types: 2,
        shapes: WordShape::COUNT,
        epsilon: 1e-12,
        dropout: 0.1,
    };
    SystemConfig::Text(TextConfig { encoder })
}

/// The bundle, computed on `device`.
///
/// # Errors
/// If the device fails.
pub fn bundle(seed: u64, device: &Device) -> Result<BundleFiles, LoadError> {
    device.seed(seed);
    let tokenizer = tokenizer()?;
    let config = config(&tokenizer);
    let system = config.init(device);
    let parts = Parts {
        max_pieces: config.encoder().max_pieces(),
        config,
        eyes: None,
        augmentation: None,
        about: About {
            name: "mner-random".to_owned(),
            ..About::default()
        },
    };
    pack_with_answer(system, &tokenizer, parts, KNOWN, device)
}
