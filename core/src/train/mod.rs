//! Training: configuration, run, learner, losses, optimiser groups, checkpoints, distillation.

mod adamw;
mod average;
pub mod best_bundle;
pub mod caption;
pub mod checkpoint;
pub mod config;
pub mod distill;
pub mod error;
mod examples;
pub mod history;
pub mod imitation;
pub mod learner;
mod lessons;
mod loss;
pub mod matching;
pub mod metric;
pub mod ocr;
pub mod plot;
pub mod pretrain;
pub mod progress;
pub mod run;
pub mod schedule;
pub mod soup;
mod start;
pub mod supervised;
pub mod tuned_backbone;
