//! A raw tweet becomes words with exact spans, and words become word pieces.
