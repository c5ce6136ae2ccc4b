//! Emissions become entities: Viterbi and marginals over the label chain, then spans.

pub mod chain;
pub mod chunks;
pub mod confidence;
pub mod entities;
pub mod fine_types;
pub mod marginals;
