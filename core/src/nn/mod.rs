//! Building blocks: every layer and network the systems are made of.

pub mod attention;
pub mod conv_block;
pub mod crf;
pub mod encoder;
#[cfg(all(test, feature = "train", feature = "flex"))]
mod encoder_parity;
#[cfg(test)]
pub(crate) mod formula;
pub mod geometry_bias;
pub mod graph_attention;
pub mod host;
pub mod linear;
pub mod mobilenet;
pub mod resnet;
pub mod roi_align;
#[cfg(any(feature = "train", test))]
pub mod torch_file;
pub mod transformer;
pub mod yolox;
