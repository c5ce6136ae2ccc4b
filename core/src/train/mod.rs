//! Training and evaluation: corpora, batches, losses, optimiser groups, scores.

pub mod checkpoint;
pub mod config;
pub mod corpus;
pub mod dataset;
pub mod distill;
pub mod eyes;
pub mod feature_cache;
pub mod gallery;
pub mod history;
pub mod hugging_face;
pub mod image_context;
pub mod known_names;
pub mod learner;
pub mod metric;
pub mod packing;
pub mod progress;
pub mod run;
pub mod schedule;
pub mod scores;
pub mod store;
pub mod tiny;
pub mod tuned;
pub mod word2vec;
