//! What goes into readers and writers, and what comes out.

use crate::formats::annotations::document::Document;
use crate::formats::annotations::fault::Loss;
use crate::formats::annotations::offsets::Unit;
use crate::formats::annotations::tags::Scheme;

/// The text of a file and its name without folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFile {
    /// The name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What is asked of a reader beyond what the format itself says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// What offsets count, if not [what the tool counts](crate::formats::annotations::Format::unit).
    pub offsets: Option<Unit>,
    /// The scheme of tags; told from the tags unless given, and kept to if given.
    pub scheme: Option<Scheme>,
    /// The names of tags that are numbers, in the order of the numbers.
    pub names: Vec<String>,
}

/// What is asked of a writer beyond what the format itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// What offsets count, if not [what the tool counts](crate::formats::annotations::Format::unit).
    pub offsets: Option<Unit>,
    /// The scheme of tags.
    pub scheme: Scheme,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            offsets: None,
            scheme: Scheme::Iob2,
        }
    }
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// At least one.
    pub documents: Vec<Document>,
    /// What was left out, in the order of the file.
    pub losses: Vec<Loss>,
    /// The scheme of its tags, if it has any.
    pub scheme: Option<Scheme>,
}

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    /// One file, called `annotations` with the format's own ending, or for brat two a document and its `annotation.conf`.
    pub files: Vec<TextFile>,
    /// What the format could not say.
    pub losses: Vec<Loss>,
}
