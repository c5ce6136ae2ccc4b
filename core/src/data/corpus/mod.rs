//! Corpora: labelled tweets read from files, mixed with weights, and cut into batches.
//!
//! A [`Source`] says which file to read and how; it is the entry a training configuration holds per
//! corpus. [`read`] is for a file in one of the benchmarks' own forms, which needs no settings. Columns and mner's JSONL are read
//! by [`Reader`], line by line; what other annotation tools write through `formats::annotations`, in `annotated.rs`.
//!
//! # What a reader does to the text
//!
//! * Carriage returns, a byte order mark and blanks (space, tab) around words and labels go away.
//!   Any other character stays, no-break and zero-width spaces included: the published entity
//!   counts and token positions depend on the words being what the file says. A word may therefore
//!   be invisible, or hold a space; whoever cuts words into subwords must give such a word a subword.
//! * A line that is empty but for blanks ends a tweet. A `-DOCSTART-` line, alone or followed by a blank line, is no word.
//! * Comment lines (`# sent_id = 3`) are passed over.
//! * A word that is empty but for blanks is dropped if its label is `O`, and is a fault otherwise.
//! * Labels are taken as written, also an `I-` that continues nothing: Twitter-2015 has them. BIOES becomes BIO, and so does IOB1
//!   where all labels of a file are as IOB1 writes them.

mod annotated;
pub mod buckets;
mod error;
mod foreign;
mod iob1;
mod labels;
mod lines;
pub mod mixture;
mod prefixes;
mod reader;
mod records;
mod rng;
mod source;
mod stats;

pub use crate::formats::annotations::format::Format;
pub use error::{CorpusError, Fault};
pub use labels::{LabelMap, remedy};
pub use prefixes::Prefixes;
pub use reader::Reader;
pub use source::{Source, UnfitSpans};
pub use stats::Stats;

use crate::label::Label;
use std::path::Path;

/// One labelled tweet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Image id: what follows `IMGID:`, or `id` of a JSONL record.
    pub id: Option<String>,
    /// The words, never empty.
    pub tokens: Vec<String>,
    /// One label a word.
    pub labels: Vec<Label>,
    /// Path of the image as a JSONL record gives it; what it is relative to is the caller's matter.
    pub image: Option<String>,
}

impl Sample {
    /// Whether it says which image it came with, so that one can be looked for.
    pub fn names_image(&self) -> bool {
        self.id.is_some() || self.image.is_some()
    }
}

/// Reads a whole file whose format shows in its content and whose types are the four entity types
/// (or `OTHER`).
///
/// # Errors
/// See [`CorpusError`].
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Sample>, CorpusError> {
    Source::new(path.as_ref()).read()
}

#[cfg(test)]
mod tests;
