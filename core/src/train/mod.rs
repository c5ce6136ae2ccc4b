//! Training and evaluation: corpora, batches, losses, optimiser groups, scores.
