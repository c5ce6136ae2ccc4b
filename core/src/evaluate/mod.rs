//! How good a model is: entity-level scores, and those of unseen entities.

pub mod calibration;
pub mod contrast;
pub mod scores;
pub mod seen_entities;
pub mod user_names;
