//! A raw tweet becomes words with exact spans, and words become subwords.

pub mod augmentation;
pub mod bounds;
pub mod reading;
pub mod sequence;
pub mod shape;
pub mod subwords;
#[cfg(any(test, feature = "train"))]
pub mod tiny;
pub mod window;
pub mod words;

pub use bounds::{Bound, Bounds, Part};
pub use reading::{fold, read};
pub use shape::WordShape;
pub use subwords::{SpecialIds, SubwordTokenizer, TokenizerError};
pub use window::{Window, subword_cap, windows};
pub use words::{Sigils, Word, split_words};
