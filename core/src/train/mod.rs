//! Training: configuration, run, learner, losses, optimiser groups, checkpoints, distillation.

pub mod checkpoint;
pub mod config;
pub mod distill;
pub mod history;
pub mod learner;
pub mod metric;
pub mod progress;
pub mod run;
pub mod schedule;
pub mod tuned_backbone;
