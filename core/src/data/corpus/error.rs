//! What can be wrong with a corpus file.

use crate::data::corpus::labels::remedy;
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// A corpus file that cannot be used.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// The file cannot be opened, or reading stopped half-way.
    #[error("{}: cannot be read: {cause}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file holds no tweet.
    #[error("{}: holds no labelled tweet; expected at least one", .file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A file of an annotation tool is not what its format asks for.
    #[error("{}: {cause}", .file.display())]
    Annotations {
        /// The file, or a folder of brat's.
        file: PathBuf,
        /// What is wrong with it.
        cause: AnnotationError,
    },
    /// Annotated spans that are no words, or several at one place.
    #[error(
        "{}: {count} annotated span(s) cannot be labels of words: {}; correct them, or leave them out with \
         \"unfit_spans\": \"drop\" (`--unfit-spans drop`)",
        .file.display(), sentences(.first)
    )]
    Unfit {
        /// The file.
        file: PathBuf,
        /// How many there are.
        count: usize,
        /// The first of them.
        first: Vec<Loss>,
    },
    /// A document of an annotation tool cannot be used.
    #[error("{}: {place}: {fault}", .file.display())]
    Document {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: String,
        /// What is wrong.
        fault: Fault,
    },
    /// A line is not what its format asks for.
    #[error("{}:{line}: {fault}", .file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with one line: what was found, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The first line with content resembles none of the formats.
    #[error(
        "found `{found}`; expected `IMGID:<id>`, a JSON object, `word<TAB>label`, \
         or `word - - label`; name the format if this is one of them"
    )]
    UnknownFormat {
        /// The line, shortened.
        found: String,
    },
    /// A format that is not read here.
    #[error("found {name}; {remedy}")]
    Foreign {
        /// The format.
        name: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A format that is not read line by line among lines.
    #[error(
        "found {}; if all of the file is such, name its format, as in \"format\": \"doccano\" (`--format doccano`), else part the two",
        .format.shape()
    )]
    Tool {
        /// The format.
        format: Format,
    },
    /// The text is in another encoding.
    #[error("found {name}; save the file as UTF-8, for example by `{command}`")]
    Encoding {
        /// The encoding.
        name: &'static str,
        /// The command that makes UTF-8 of it.
        command: &'static str,
    },
    /// The file is compressed or an archive.
    #[error(
        "found a file that is {name}, which is not read as a corpus; unpack it first, with `{unpack}`"
    )]
    Packed {
        /// By what.
        name: &'static str,
        /// The command that unpacks it.
        unpack: &'static str,
    },
    /// The bytes are not UTF-8.
    #[error("found bytes that are not UTF-8 in `{found}`; expected a UTF-8 file")]
    NotUtf8 {
        /// The line with the bad bytes replaced, shortened.
        found: String,
    },
    /// A line has too few or too many columns; a missing label is the usual reason.
    #[error("found {columns} column(s) in `{found}`; expected {}", .format.shape())]
    Columns {
        /// The line, shortened.
        found: String,
        /// How many columns it has.
        columns: usize,
        /// The format being read.
        format: Format,
    },
    /// A label is neither `O` nor `B-` or `I-` with a type.
    #[error(
        "found the label `{found}`; expected `O`, `B-<type>` or `I-<type>`{}",
        remedy(.found).map_or_else(String::new, |remedy| format!("; {remedy}"))
    )]
    UnknownLabel {
        /// The label.
        found: String,
    },
    /// A label's type is neither an entity type nor in the label map.
    #[error(
        "found the type `{found}`; expected one of {expected}; \
         other types need an entry in the corpus's label map"
    )]
    UnknownType {
        /// The type.
        found: String,
        /// The types known here.
        expected: String,
    },
    /// An empty word carries an entity label.
    #[error("found an empty word labelled `{label}`; expected a word, or the label `O`")]
    EmptyWord {
        /// The label.
        label: String,
    },
    /// A word stands where an image id was due.
    #[error("found `{found}`; expected `IMGID:<id>` before the words of a tweet")]
    NoImageId {
        /// The line, shortened.
        found: String,
    },
    /// A tweet without words.
    #[error("found a tweet without words; expected at least one word")]
    NoWords,
    /// The line is no JSON object of the expected shape.
    #[error(
        "found {message} (column {column}); expected one JSON object \
         {{\"tokens\": [..], \"labels\": [..], \"image\": \"..\"}} on the line, image optional"
    )]
    Json {
        /// What the parser said.
        message: String,
        /// Where it said it, from 1.
        column: usize,
    },
    /// A span that holds no word, or cuts one.
    #[error(
        "the entity {found:?} ({start} to {end}) cuts a word or holds none; expected spans of whole words, counted in \
         Unicode scalar values"
    )]
    Span {
        /// What lies between its ends.
        found: String,
        /// Its start.
        start: usize,
        /// Its end.
        end: usize,
    },
    /// A raw tweet in a corpus that labels something.
    #[error(
        "found a raw \"text\" without labels; expected \"tokens\" and \"labels\", or a corpus whose four types \
         are all named in its \"unlabelled\""
    )]
    Unlabelled,
    /// `tokens` and `labels` differ in length.
    #[error("found {tokens} tokens and {labels} labels; expected one label a token")]
    Lengths {
        /// Number of tokens.
        tokens: usize,
        /// Number of labels.
        labels: usize,
    },
}

/// Losses one after the other.
fn sentences(losses: &[Loss]) -> String {
    let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
    losses.join("; ")
}
