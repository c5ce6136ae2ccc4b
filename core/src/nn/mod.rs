//! Building blocks: every layer the systems are made of.

pub mod attention;
pub mod crf;
pub mod encoder;
#[cfg(all(test, feature = "train", feature = "flex"))]
mod encoder_parity;
pub mod transformer;
