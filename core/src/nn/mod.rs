//! Building blocks: every layer and network the systems are made of.

pub mod attention;
pub mod caption_decoder;
pub mod conv_block;
pub mod crf;
pub mod dropout;
pub mod encoder;
pub mod feature_map;
pub mod gelu;
pub mod geometry_bias;
pub mod graph_attention;
pub mod host;
pub mod linear;
pub mod linear_inputs;
pub mod mobilenet;
pub mod projector;
pub mod relative_position;
pub mod resnet;
pub mod roi_align;
pub mod text_detector;
pub mod text_recognizer;
pub mod transformer;
pub mod values;
pub mod yolox;
