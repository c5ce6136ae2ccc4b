//! A tokenizer small enough to make on the fly: for tests and for models of random weights.

use super::subwords::{SubwordTokenizer, TokenizerError};
use serde_json::json;

/// A WordPiece tokenizer whose subwords are single characters.
///
/// # Errors
/// If the tokenizers crate refuses it.
pub fn tokenizer() -> Result<SubwordTokenizer, TokenizerError> {
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
        .map(|(id, subword)| (subword.clone(), json!(id)))
        .collect();
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    });
    SubwordTokenizer::from_bytes(json.to_string().as_bytes())
}
