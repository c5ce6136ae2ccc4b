//! Words as the encoder reads them: piece sequences between special pieces, in windows.

use super::pieces::{PiecesError, WordPieces};
use super::shape::WordShape;
use super::window::{Window, piece_cap, windows};

/// One window of a tweet as the encoder reads it: `[CLS]`, the pieces of its words, `[SEP]`.
#[derive(Clone, Debug, PartialEq)]
pub struct PieceSequence {
    /// Piece ids, special pieces included, `[P]`.
    pub pieces: Vec<u32>,
    /// Word-shape index of every piece, `[P]`.
    pub shapes: Vec<usize>,
    /// Place of each word's first piece, `[N]`.
    pub first: Vec<usize>,
    /// Which words of the tweet these are, and which of them count.
    pub window: Window,
}

/// Cuts a tweet's words into piece sequences of at most `limit` pieces each; almost always one.
///
/// A tweet without words gives none. A word of more pieces than a window holds is read by its
/// first `limit - 2` pieces.
///
/// # Errors
/// If the tokenizer fails on a word.
pub fn sequences<S: AsRef<str>>(
    words: &[S],
    tokenizer: &WordPieces,
    limit: usize,
) -> Result<Vec<PieceSequence>, PiecesError> {
    let texts: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut pieces = tokenizer.encode(&texts)?;
    for word in &mut pieces {
        word.truncate(piece_cap(limit));
    }
    let counts: Vec<usize> = pieces.iter().map(Vec::len).collect();
    let ids = tokenizer.special();
    Ok(windows(&counts, limit)
        .into_iter()
        .map(|window| {
            let special = WordShape::Special.index();
            let mut sequence = PieceSequence {
                pieces: vec![ids.start],
                shapes: vec![special],
                first: Vec::with_capacity(window.words.len()),
                window: window.clone(),
            };
            for word in window.words {
                sequence.first.push(sequence.pieces.len());
                sequence.pieces.extend(&pieces[word]);
                sequence
                    .shapes
                    .resize(sequence.pieces.len(), WordShape::of(texts[word]).index());
            }
            sequence.pieces.push(ids.end);
            sequence.shapes.push(special);
            sequence
        })
        .collect())
}
