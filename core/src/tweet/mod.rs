//! A raw tweet becomes words with exact spans, and words become word pieces.

pub mod augmentation;
pub mod pieces;
pub mod sequence;
pub mod shape;
pub mod window;
pub mod words;

pub use pieces::{PiecesError, SpecialIds, WordPieces};
pub use shape::WordShape;
pub use window::{Window, piece_cap, windows};
pub use words::{Sigils, Word, split_words};
