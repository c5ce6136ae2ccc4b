//! What can be wrong with a file of annotations, and what a format cannot say.

use crate::formats::annotations::format::Format;
use crate::formats::annotations::offsets::Unit;
use thiserror::Error;

/// A file that is not what its format asks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnnotationError {
    /// The text is no JSON.
    #[error("{place}: not JSON: {message}")]
    Json {
        /// Where.
        place: String,
        /// What the parser said.
        message: String,
    },
    /// A record has not the shape of its format.
    #[error("{place}: found {found}; expected {expected}")]
    Shape {
        /// Where.
        place: String,
        /// What stands there.
        found: String,
        /// What ought to.
        expected: &'static str,
    },
    /// Offsets that are no span of the text.
    #[error(
        "{place}: the span {start} to {end} ({kind}) is none of this text of {length} {}: it is empty, ends behind the text or \
         cuts a character; if the offsets count something else, say what: chars, utf16, graphemes or bytes",
        .unit.name()
    )]
    Offsets {
        /// Where.
        place: String,
        /// The span's type.
        kind: String,
        /// Its start.
        start: u64,
        /// Its end.
        end: u64,
        /// Length of the text.
        length: usize,
        /// What was counted.
        unit: Unit,
    },
    /// The words that the record gives for a span are not those at its offsets.
    #[error(
        "{place}: the span {start} to {end} is {found:?} in the text, but annotated as {expected:?}; the text was changed after \
         it was annotated, or the offsets count something else (chars, utf16, graphemes or bytes)"
    )]
    OtherText {
        /// Where.
        place: String,
        /// The span's start as it was written.
        start: u64,
        /// Its end.
        end: u64,
        /// What lies between them.
        found: String,
        /// What the record says.
        expected: String,
    },
    /// A tag of no scheme, or of another than the one asked for.
    #[error("{place}: found the tag `{found}`; expected {expected}")]
    Tag {
        /// Where.
        place: String,
        /// The tag.
        found: String,
        /// The tags of the scheme.
        expected: &'static str,
    },
    /// Tags as numbers without their names.
    #[error(
        "{place}: found the number {found} for a tag, and {known} names; give the names in the order of their numbers \
         (`--names O,B-PER,I-PER,...`), or put the dataset's dataset_info.json beside the file"
    )]
    Number {
        /// Where.
        place: String,
        /// The number.
        found: String,
        /// How many names are known.
        known: usize,
    },
    /// Tokens that do not lie in the text one after the other.
    #[error(
        "{place}: the token {token:?} does not follow in the text; expected tokens in the order of the text"
    )]
    Token {
        /// Where.
        place: String,
        /// The token.
        token: String,
    },
    /// Text that is no token's.
    #[error(
        "{place}: {text:?} in the text is in none of its tokens; expected tokens that hold all of it but white space, or none at all"
    )]
    NoToken {
        /// Where.
        place: String,
        /// The text.
        text: String,
    },
    /// A document of two files of which one is missing.
    #[error("{place}: there is no {missing} beside it; brat keeps a document in both")]
    Half {
        /// The file that is there.
        place: String,
        /// The one that is not.
        missing: String,
    },
    /// No document at all.
    #[error("there is no document in it; expected {}", .0.shape())]
    Empty(Format),
}

/// Something that a format could not say, or that a reader left out. Everything else is kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Loss {
    /// A span in several pieces.
    #[error(
        "{place}: the span {span} ({kind}, {text:?}) is in several pieces, which only brat can say; left out"
    )]
    Discontinuous {
        /// Where.
        place: String,
        /// The type.
        kind: String,
        /// The offsets as they were written.
        span: String,
        /// The text as it was written.
        text: String,
    },
    /// A span that is not made of whole words.
    #[error("{place}: the span {text:?} ({kind}, code points {} to {}) {why}; left out", .chars[0], .chars[1])]
    Words {
        /// Where.
        place: String,
        /// The type.
        kind: String,
        /// What the span holds.
        text: String,
        /// Its start and end in Unicode scalar values.
        chars: [usize; 2],
        /// What is wrong with it.
        why: Unfit,
    },
    /// A span that a format cannot say for a reason of its own.
    #[error("{place}: the span {text:?} ({kind}) {why}; left out")]
    Span {
        /// Where.
        place: String,
        /// The type.
        kind: String,
        /// What the span holds.
        text: String,
        /// Why not.
        why: &'static str,
    },
    /// Something beside the spans.
    #[error("{place}: {what}")]
    Beside {
        /// Where it was first.
        place: String,
        /// What is not kept.
        what: String,
    },
}

/// Why a span is no row of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// One of its ends lies inside a word.
    #[error("cuts a word")]
    CutsWord,
    /// It holds none.
    #[error("holds no word")]
    NoWord,
    /// Its type is no part of a tag.
    #[error("has no type, or one with a tab or a line break, which no tag can hold")]
    Kind,
    /// Another span has some of its words.
    #[error("overlaps another, and a word has one label")]
    Overlaps,
}

impl Loss {
    /// Whether an annotation is lost, and not only what stands beside it.
    pub fn is_span(&self) -> bool {
        !matches!(self, Self::Beside { .. })
    }
}
