//! How good a model is: entity-level scores and those of unseen entities, calibration, mistakes, and all of it as a page.

pub mod calibration;
pub mod confusion;
pub mod contrast;
pub mod fine_types;
pub mod logistic;
pub mod mistakes;
pub mod platt;
pub mod report;
pub mod scores;
pub mod seen_entities;
pub mod temperature;
pub mod user_names;
