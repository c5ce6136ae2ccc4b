//! What is learnt from and scored on: corpora, their images, and batches of examples.

pub mod annotation_files;
pub mod contrast;
pub mod corpus;
pub mod corpus_images;
pub mod example;
pub mod feature_cache;
pub mod fine_types;
pub mod image_text_files;
pub mod loader;
pub mod pairs;
pub mod posteriors;
