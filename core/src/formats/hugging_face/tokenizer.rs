//! Tokenizers of a folder: `tokenizer.json`, or made of the files that came before it; and what `AutoTokenizer` needs beside it.

use crate::formats::hugging_face::{HuggingFaceError, read};
use crate::tweet::subwords::SubwordTokenizer;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Reads the tokenizer of a folder.
///
/// Without `tokenizer.json` it is made of `vocab.txt` (WordPiece) or of `vocab.json` and `merges.txt` (byte-level BPE), as
/// `transformers` makes it.
///
/// # Errors
/// [`HuggingFaceError`]
pub fn load_tokenizer(folder: &Path) -> Result<SubwordTokenizer, HuggingFaceError> {
    let has = |name: &str| folder.join(name).is_file();
    let others = ["bpe.codes", "sentencepiece.bpe.model", "spiece.model"];
    let (path, json) = if has("tokenizer.json") {
        let path = folder.join("tokenizer.json");
        (path.clone(), read(path)?)
    } else if others.into_iter().any(has) {
        return Err(HuggingFaceError::NoTokenizer(folder.to_owned()));
    } else if has("vocab.txt") {
        (
            folder.to_owned(),
            word_piece(folder)?.to_string().into_bytes(),
        )
    } else if has("vocab.json") && has("merges.txt") {
        (
            folder.to_owned(),
            byte_level(folder)?.to_string().into_bytes(),
        )
    } else {
        return Err(HuggingFaceError::NoTokenizer(folder.to_owned()));
    };
    check_unknown(&path, &json)?;
    SubwordTokenizer::from_bytes(&json)
        .map_err(|source| HuggingFaceError::Tokenizer { path, source })
}

/// Refuses a Unigram tokenizer that has no subword for what it does not know: it fails at the first such word, after the training.
fn check_unknown(path: &Path, json: &[u8]) -> Result<(), HuggingFaceError> {
    let json: Value = serde_json::from_slice(json).unwrap_or_default();
    match json["model"]["type"] == "Unigram" && json["model"]["unk_id"].is_null() {
        false => Ok(()),
        true => Err(HuggingFaceError::Config {
            path: path.to_owned(),
            problem: "the tokenizer has no subword for what it does not know (\"unk_id\" of its Unigram model is null); give the \
                      number of <unk> there"
                .to_owned(),
        }),
    }
}

/// [`load_tokenizer`], refusing a tokenizer with subwords beyond the `rows` of the encoder's table.
///
/// # Errors
/// [`HuggingFaceError`]
pub fn load_tokenizer_of(folder: &Path, rows: usize) -> Result<SubwordTokenizer, HuggingFaceError> {
    let tokenizer = load_tokenizer(folder)?;
    match tokenizer.highest() {
        Some((subword, id)) if id as usize >= rows => Err(HuggingFaceError::BeyondTable {
            path: folder.to_owned(),
            subword,
            id,
            rows,
        }),
        _ => Ok(tokenizer),
    }
}

fn text(folder: &Path, name: &str) -> Result<String, HuggingFaceError> {
    let bytes = read(folder.join(name))?;
    String::from_utf8(bytes).map_err(|e| HuggingFaceError::Config {
        path: folder.join(name),
        problem: e.to_string(),
    })
}

fn object(folder: &Path, name: &str) -> Result<Map<String, Value>, HuggingFaceError> {
    serde_json::from_str(&text(folder, name)?).map_err(|e| HuggingFaceError::Config {
        path: folder.join(name),
        problem: e.to_string(),
    })
}

/// A file that need not be there.
fn optional(folder: &Path, name: &str) -> Result<Map<String, Value>, HuggingFaceError> {
    match folder.join(name).is_file() {
        true => object(folder, name),
        false => Ok(Map::new()),
    }
}

/// The special subwords of a vocabulary and the ones added beside it.
fn added(
    vocabulary: &Map<String, Value>,
    more: &Map<String, Value>,
    special: [&str; 5],
) -> Vec<Value> {
    let entry = |(name, id): (&String, &Value)| {
        let is_special = special.contains(&name.as_str());
        json!({
            "id": id, "content": name, "single_word": false, "lstrip": name == "<mask>", "rstrip": false,
            "normalized": !is_special, "special": is_special,
        })
    };
    let own = vocabulary
        .iter()
        .filter(|(name, _)| special.contains(&name.as_str()));
    let mut all: Vec<Value> = own
        .chain(
            more.iter()
                .filter(|(name, _)| !vocabulary.contains_key(*name)),
        )
        .map(entry)
        .collect();
    all.sort_by_key(|entry| entry["id"].as_u64());
    all
}

/// The tokenizer of a `vocab.txt`, a subword a line.
fn word_piece(folder: &Path) -> Result<Value, HuggingFaceError> {
    let vocabulary: Map<String, Value> = text(folder, "vocab.txt")?
        .lines()
        .enumerate()
        .map(|(id, subword)| (subword.to_owned(), json!(id)))
        .collect();
    let settings = optional(folder, "tokenizer_config.json")?;
    let more = optional(folder, "added_tokens.json")?;
    let special = |subword: &str| subword.starts_with('[') && subword.ends_with(']');
    let cased = vocabulary
        .keys()
        .any(|subword| !special(subword) && subword.chars().any(char::is_uppercase));
    let setting = |name: &str| settings.get(name).filter(|value| value.is_boolean());
    let added = added(
        &vocabulary,
        &more,
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    );
    let ends = ["[SEP]", "[CLS]"].map(|name| vocabulary.get(name).map(|id| json!([name, id])));
    let after = match &ends {
        [Some(sep), Some(cls)] => json!({"type": "BertProcessing", "sep": sep, "cls": cls}),
        _ => Value::Null,
    };
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": setting("tokenize_chinese_chars").unwrap_or(&json!(true)),
            "strip_accents": setting("strip_accents"),
            "lowercase": setting("do_lower_case").unwrap_or(&json!(!cased)),
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": after,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }))
}

/// The tokenizer of `vocab.json` and `merges.txt`.
fn byte_level(folder: &Path) -> Result<Value, HuggingFaceError> {
    let vocabulary = object(folder, "vocab.json")?;
    let more = optional(folder, "added_tokens.json")?;
    let merges = text(folder, "merges.txt")?;
    let merges: Vec<&str> = merges
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("#version"))
        .collect();
    let added = added(
        &vocabulary,
        &more,
        ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    );
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": vocabulary, "merges": merges,
        },
    }))
}

/// `tokenizer_config.json` for a `tokenizer.json`: without it `AutoTokenizer` rebuilds the defaults of a model class and passes over
/// what `tokenizer.json` says, so that a cased encoder is lower-cased and split words lose their leading blanks (transformers 5.24.0,
/// and 4.57.1 for BERT). `add_prefix_space` is for words that are given split (4.57.1).
pub(super) fn settings(tokenizer: &SubwordTokenizer, json: &[u8], longest: usize) -> Value {
    let special = tokenizer.special();
    let name = |id: u32| tokenizer.subword(id);
    let json: Value = serde_json::from_slice(json).unwrap_or_default();
    let mut settings = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": longest,
        "cls_token": name(special.start),
        "sep_token": name(special.end),
        "pad_token": name(special.pad),
        "unk_token": name(special.unknown),
    });
    let mask = ["[MASK]", "<mask>"].into_iter().find(|mask| {
        let added = json["added_tokens"].as_array();
        added.is_some_and(|added| added.iter().any(|entry| entry["content"] == *mask))
    });
    if let Some(mask) = mask {
        settings["mask_token"] = json!(mask);
    }
    if json["pre_tokenizer"].to_string().contains("\"ByteLevel\"") {
        settings["add_prefix_space"] = json!(true);
        settings["bos_token"] = settings["cls_token"].clone();
        settings["eos_token"] = settings["sep_token"].clone();
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn reference(name: &str) -> Value {
        let all: Vec<Value> =
            serde_json::from_str(include_str!("../../../../tests/reference/subwords.json"))
                .unwrap();
        all.into_iter().find(|case| case["name"] == name).unwrap()
    }

    /// Gives the subwords that transformers gives, whichever files they were read from.
    fn assert_subwords(tokenizer: &SubwordTokenizer, case: &Value) {
        let words: Vec<String> = serde_json::from_value(case["words"].clone()).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut ids: Vec<Vec<u32>> = serde_json::from_value(case["ids"].clone()).unwrap();
        for word in ids.iter_mut().filter(|word| word.is_empty()) {
            word.push(tokenizer.special().unknown);
        }
        assert_eq!(tokenizer.encode(&words).unwrap(), ids);
    }

    fn vocabulary(case: &Value) -> Vec<String> {
        let vocabulary = case["tokenizer"]["model"]["vocab"].as_object().unwrap();
        let mut subwords: Vec<_> = vocabulary
            .iter()
            .map(|(subword, id)| (id.as_u64(), subword.clone()))
            .collect();
        subwords.sort();
        subwords.into_iter().map(|(_, subword)| subword).collect()
    }

    #[test]
    fn older_files_make_the_same_tokenizer() {
        let case = reference("bert");
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("vocab.txt", &(vocabulary(&case).join("\r\n") + "\r\n"));
        assert_subwords(&load_tokenizer(folder.path()).unwrap(), &case);
        write(
            "vocab.txt",
            &format!("\u{feff}{}", vocabulary(&case).join("\n")),
        );
        assert_subwords(&load_tokenizer(folder.path()).unwrap(), &case);
        write("tokenizer_config.json", r#"{"do_lower_case": false}"#);
        let cased = load_tokenizer(folder.path()).unwrap();
        let written: Value = serde_json::from_slice(&cased.bytes().unwrap()).unwrap();
        assert_eq!(written["normalizer"]["lowercase"], false);
        write("added_tokens.json", r#"{"[TWEET]": 102}"#);
        assert_eq!(
            load_tokenizer(folder.path()).unwrap().highest(),
            Some(("[TWEET]".to_owned(), 102))
        );
        let error = load_tokenizer_of(folder.path(), 102)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("\"[TWEET]\"") && error.contains("resize_token_embeddings"),
            "{error}"
        );
        assert!(load_tokenizer_of(folder.path(), 103).is_ok());
        write("bpe.codes", "");
        assert!(
            load_tokenizer(folder.path())
                .unwrap_err()
                .to_string()
                .contains("save_pretrained")
        );

        let case = reference("roberta");
        let folder = tempfile::tempdir().unwrap();
        let model = &case["tokenizer"]["model"];
        let merge = |merge: &Value| match merge {
            Value::String(merge) => merge.clone(),
            pair => format!(
                "{} {}",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            ),
        };
        let merges: Vec<String> = model["merges"]
            .as_array()
            .unwrap()
            .iter()
            .map(merge)
            .collect();
        let file = |name: &str| folder.path().join(name);
        fs::write(file("vocab.json"), model["vocab"].to_string()).unwrap();
        fs::write(
            file("merges.txt"),
            format!("#version: 0.2\n{}\n", merges.join("\n")),
        )
        .unwrap();
        assert_subwords(&load_tokenizer(folder.path()).unwrap(), &case);
    }

    #[test]
    fn a_vocabulary_with_capitals_is_cased() {
        let folder = tempfile::tempdir().unwrap();
        let subwords = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Ob", "##ama", "ob",
        ];
        fs::write(folder.path().join("vocab.txt"), subwords.join("\n")).unwrap();
        let tokenizer = load_tokenizer(folder.path()).unwrap();
        assert_eq!(tokenizer.encode(&["Obama"]).unwrap(), [[5, 6]]);
    }

    /// `tests/reference/auto_tokenizer.py` shows that `AutoTokenizer` gives the reference's subwords with these settings.
    #[test]
    fn settings_are_those_that_transformers_was_tried_with() {
        let tried: Value = serde_json::from_str(include_str!(
            "../../../../tests/reference/auto_tokenizer.json"
        ))
        .unwrap();
        for name in ["bert", "bert-cased", "roberta"] {
            let mut case = reference(if name == "bert-cased" { "bert" } else { name });
            if name == "bert-cased" {
                case["tokenizer"]["normalizer"]["lowercase"] = json!(false);
            }
            let tokenizer =
                SubwordTokenizer::from_bytes(case["tokenizer"].to_string().as_bytes()).unwrap();
            let json = tokenizer.bytes().unwrap();
            assert_eq!(settings(&tokenizer, &json, 64), tried[name], "{name}");
        }
    }
}
