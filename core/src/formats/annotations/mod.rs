//! Annotated texts as other tools write them, in and out.
//!
//! A [`Format`] reads the text of files into [`Document`]s ([`Format::read`]) and writes documents as the text of files
//! ([`Format::write`]); nothing here opens a file. Offsets are counted as each tool counts them. What a format cannot say is
//! left out and named, one [`Loss`] each; nothing is moved, cut or joined to make it fit.
//!
//! One file a format: a reader and a writer. [`labelled`] gives a document's words and labels where words are wanted.

mod brat;
mod columns;
mod conllu;
mod detect;
mod dispatch;
mod doccano;
pub mod document;
pub mod exchange;
pub mod fault;
pub mod format;
mod label_studio;
pub mod lines;
pub(crate) mod mner;
pub mod no_value;
pub mod offsets;
mod prodigy;
mod record;
mod spacy;
mod tagged;
pub mod tags;
pub mod token_lists;
pub mod types;
pub mod words;

pub use document::{Document, Span};
pub use exchange::{ReadOptions, Reading, TextFile, WriteOptions, Writing};
pub use fault::{AnnotationError, Loss};
pub use format::Format;
pub use offsets::Unit;
pub use tags::Scheme;
pub use words::labelled;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
