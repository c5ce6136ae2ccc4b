//! Words as the encoder reads them: subword sequences between special tokens, in windows.

use crate::tweet::reading::fold_words;
use crate::tweet::shape::WordShape;
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::tweet::window::{Window, subword_cap, windows};

/// One window of a tweet as the encoder reads it: `[CLS]`, the subwords of its words, `[SEP]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SubwordSequence {
    /// Piece ids, special tokens included, `[P]`.
    pub subwords: Vec<u32>,
    /// Word-shape index of every subword, `[P]`.
    pub shapes: Vec<usize>,
    /// Place of each word's first subword, `[N]`.
    pub first: Vec<usize>,
    /// Which words of the tweet these are, and which of them count.
    pub window: Window,
}

/// Cuts a tweet's words into subword sequences of at most `limit` subwords each; almost always one.
///
/// The encoder sees what is read of a word, styled letters as plain ones: see [`fold_words`]. A tweet
/// without words gives none. A word of more subwords than a window holds is read by its first
/// `limit - 2` subwords.
///
/// # Errors
/// If the tokenizer fails on a word.
pub fn sequences<S: AsRef<str>>(
    words: &[S],
    tokenizer: &SubwordTokenizer,
    limit: usize,
) -> Result<Vec<SubwordSequence>, TokenizerError> {
    let folded = fold_words(words);
    let texts: Vec<&str> = folded.iter().map(AsRef::as_ref).collect();
    let mut subwords = tokenizer.encode(&texts)?;
    for word in &mut subwords {
        word.truncate(subword_cap(limit));
    }
    let counts: Vec<usize> = subwords.iter().map(Vec::len).collect();
    let marks: Vec<u64> = subwords.iter().map(|word| mark(word)).collect();
    let ids = tokenizer.special();
    Ok(windows(&counts, &marks, limit)
        .into_iter()
        .map(|window| {
            let special = WordShape::Special.index();
            let mut sequence = SubwordSequence {
                subwords: vec![ids.start],
                shapes: vec![special],
                first: Vec::with_capacity(window.words.len()),
                window: window.clone(),
            };
            for word in window.words {
                sequence.first.push(sequence.subwords.len());
                sequence.subwords.extend(&subwords[word]);
                sequence
                    .shapes
                    .resize(sequence.subwords.len(), WordShape::of(texts[word]).index());
            }
            sequence.subwords.push(ids.end);
            sequence.shapes.push(special);
            sequence
        })
        .collect())
}

/// A number for a word by its subwords: FNV-1a.
fn mark(subwords: &[u32]) -> u64 {
    subwords.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &id| {
        (hash ^ u64::from(id)).wrapping_mul(0x0100_0000_01b3)
    })
}
