//! Words to the text encoder's subwords.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

/// Why a tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The bytes are no tokenizer.json.
    #[error(
        "the tokenizer file cannot be read ({0}); it must be the tokenizer.json of a Hugging Face fast tokenizer"
    )]
    Unreadable(String),
    /// The vocabulary has none of the subwords that could play a part every encoder needs.
    #[error("the tokenizer has no {role} subword (looked for {}); only the BERT, RoBERTa and XLM-R families are supported", .tried.join(" and "))]
    NoSpecial {
        /// `start`, `end`, `padding` or `unknown`.
        role: &'static str,
        /// The names looked for.
        tried: [&'static str; 2],
    },
    /// The tokenizer failed on a word.
    #[error("the tokenizer cannot split the word {word:?}: {cause}")]
    Word {
        /// The word.
        word: String,
        /// What the tokenizer says.
        cause: String,
    },
    /// The tokenizer cannot be written back.
    #[error("the tokenizer cannot be written as tokenizer.json: {0}")]
    Unwritable(String),
}

/// Ids of the subwords that are not part of any word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialIds {
    /// First subword of every sequence: `[CLS]` or `<s>`.
    pub start: u32,
    /// Last subword of every sequence, and what separates two: `[SEP]` or `</s>`.
    pub end: u32,
    /// Fills shorter sequences of a batch: `[PAD]` or `<pad>`.
    pub pad: u32,
    /// Stands for what the vocabulary does not have: `[UNK]` or `<unk>`.
    pub unknown: u32,
}

/// A Hugging Face tokenizer applied word by word.
///
/// Gives the ids that `transformers`' fast tokenizers give with `is_split_into_words=True` (and
/// `add_prefix_space=True`, which RoBERTa needs for that). The file's own truncation and padding are
/// switched off: nothing here cuts a tweet.
#[derive(Clone, Debug)]
pub struct SubwordTokenizer {
    tokenizer: Tokenizer,
    special: SpecialIds,
}

/// What must be JSON throughout: where the decoder is not, tokenizers (0.23.2) ends the program.
#[derive(Deserialize)]
struct Parsed {
    #[serde(rename = "decoder", default)]
    _decoder: Value,
}

impl SubwordTokenizer {
    /// Reads the content of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::Unreadable`], [`TokenizerError::NoSpecial`].
    pub fn from_bytes(json: &[u8]) -> Result<Self, TokenizerError> {
        let unreadable = |e: tokenizers::Error| TokenizerError::Unreadable(e.to_string());
        serde_json::from_slice::<Parsed>(json).map_err(|e| unreadable(e.into()))?;
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(unreadable)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(unreadable)?;
        if let Some(mut before) = tokenizer.get_pre_tokenizer().cloned() {
            add_prefix_space(&mut before);
            tokenizer.with_pre_tokenizer(Some(before));
        }
        let find = |role, tried: [&'static str; 2]| {
            tried
                .iter()
                .find_map(|name| tokenizer.token_to_id(name))
                .ok_or(TokenizerError::NoSpecial { role, tried })
        };
        let special = SpecialIds {
            start: find("start", ["[CLS]", "<s>"])?,
            end: find("end", ["[SEP]", "</s>"])?,
            pad: find("padding", ["[PAD]", "<pad>"])?,
            unknown: find("unknown", ["[UNK]", "<unk>"])?,
        };
        Ok(Self { tokenizer, special })
    }

    /// The subword ids of each word, at least one a word and in the order of the words.
    ///
    /// A word that normalisation leaves nothing of (a lone variation selector) is the unknown subword.
    /// No start or end subword is added.
    ///
    /// # Errors
    /// [`TokenizerError::Word`], from a tokenizer without an unknown subword in its model.
    pub fn encode(&self, words: &[&str]) -> Result<Vec<Vec<u32>>, TokenizerError> {
        words.iter().map(|word| self.encode_word(word)).collect()
    }

    fn encode_word(&self, word: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoding =
            self.tokenizer
                .encode_fast(word, false)
                .map_err(|e| TokenizerError::Word {
                    word: word.to_owned(),
                    cause: e.to_string(),
                })?;
        Ok(match encoding.get_ids() {
            [] => vec![self.special.unknown],
            ids => ids.to_vec(),
        })
    }

    /// Ids of the subwords that are not part of any word.
    pub fn special(&self) -> SpecialIds {
        self.special
    }

    /// The subword that hides another in pretraining: `[MASK]` or `<mask>`.
    pub fn mask(&self) -> Option<u32> {
        let find = |name| self.tokenizer.token_to_id(name);
        find("[MASK]").or_else(|| find("<mask>"))
    }

    /// Number of subwords, added ones included: every id is below it in the supported families.
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The subword with the highest id, added ones included.
    pub fn highest(&self) -> Option<(String, u32)> {
        let vocabulary = self.tokenizer.get_vocab(true);
        vocabulary.into_iter().max_by_key(|(_, id)| *id)
    }

    /// The subword with this id, as the vocabulary writes it.
    pub fn subword(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// The number of a subword as the vocabulary writes it.
    pub fn id(&self, subword: &str) -> Option<u32> {
        self.tokenizer.token_to_id(subword)
    }

    /// The `tokenizer.json` of the tokenizer as it is used here: without truncation and padding.
    ///
    /// # Errors
    /// [`TokenizerError::Unwritable`].
    pub fn bytes(&self) -> Result<Vec<u8>, TokenizerError> {
        self.tokenizer
            .to_string(false)
            .map(String::into_bytes)
            .map_err(|e| TokenizerError::Unwritable(e.to_string()))
    }
}

/// Makes a byte-level tokenizer treat each word as one that follows a space, as all but the first do
/// in running text.
fn add_prefix_space(before: &mut PreTokenizerWrapper) {
    match before {
        PreTokenizerWrapper::ByteLevel(bytes) => bytes.add_prefix_space = true,
        PreTokenizerWrapper::Sequence(all) => all.as_mut().iter_mut().for_each(add_prefix_space),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = include_str!("../../../tests/reference/subwords.json");

    fn reference() -> Vec<Value> {
        serde_json::from_str(REFERENCE).unwrap()
    }

    fn ids<T: serde::de::DeserializeOwned>(value: &Value) -> T {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn load(case: &Value) -> SubwordTokenizer {
        SubwordTokenizer::from_bytes(case["tokenizer"].to_string().as_bytes()).unwrap()
    }

    #[test]
    fn ids_are_those_of_transformers() {
        for case in reference() {
            let subwords = load(&case);
            let special = subwords.special();
            let words: Vec<String> = ids(&case["words"]);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut expected: Vec<Vec<u32>> = ids(&case["ids"]);
            for word in expected.iter_mut().filter(|w| w.is_empty()) {
                word.push(special.unknown);
            }
            assert_eq!(
                subwords.encode(&words).unwrap(),
                expected,
                "{}",
                case["name"]
            );
            assert_eq!(
                [special.start, special.end, special.pad, special.unknown],
                ids::<[u32; 4]>(&case["special"])
            );
            assert_eq!(subwords.vocab_size(), ids::<usize>(&case["vocab_size"]));
        }
    }

    #[test]
    fn written_and_read_again_it_is_the_same_and_neither_cuts_nor_pads() {
        for case in reference() {
            let subwords = load(&case);
            let bytes = subwords.bytes().unwrap();
            let written: Value = serde_json::from_slice(&bytes).unwrap();
            assert!(written["truncation"].is_null() && written["padding"].is_null());
            let again = SubwordTokenizer::from_bytes(&bytes).unwrap();
            assert_eq!(again.bytes().unwrap(), bytes);
            let words = ["Houston", "@nasa", "👩🏽‍🚀"];
            assert_eq!(
                again.encode(&words).unwrap(),
                subwords.encode(&words).unwrap()
            );
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |json: &[u8]| SubwordTokenizer::from_bytes(json).unwrap_err();
        assert!(matches!(error(b"{"), TokenizerError::Unreadable(_)));
        assert!(matches!(error(b""), TokenizerError::Unreadable(_)));
        // Every half of a file that is none.
        let whole = reference()[0]["tokenizer"].to_string().into_bytes();
        for end in (0..whole.len()).step_by(7) {
            assert!(matches!(
                error(&whole[..end]),
                TokenizerError::Unreadable(_)
            ));
        }
        let lone = br#"{"version":"1.0","decoder":{"type":"\ud83d"}}"#;
        assert!(matches!(error(lone), TokenizerError::Unreadable(_)));
        let bare = r#"{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,
            "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"[##]","max_input_chars_per_word":9,"vocab":{"[CLS]":0,"[SEP]":1,"[UNK]":2}}}"#;
        let message = error(bare.as_bytes()).to_string();
        assert!(
            message.contains("no padding subword (looked for [PAD] and <pad>)"),
            "{message}"
        );
    }
}
