//! Training and evaluation: corpora, batches, losses, optimiser groups, scores.

pub mod corpus;
pub mod scores;
