//! Training and evaluation: corpora, batches, losses, optimiser groups, scores.
pub mod feature_cache;
