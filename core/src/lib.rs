//! mner-core: multimodal named entity recognition, from a raw tweet and its image to entities.
//!
//! The crate holds the complete model and decoder and nothing else: no I/O in the library's
//! inference path, no clock, no threads, no browser, and no backend. Whoever uses it picks a
//! `burn` device (CPU, CUDA, Vulkan, WebGPU) and passes it in.
//!
//! `core/ARCHITECTURE.md` leads through the folders, and `core/FORMAT.md` specifies the model file.
//!
//! # Shape legend
//!
//! | letter | meaning |
//! |---|---|
//! | `B` | batch: tweets computed together |
//! | `R` | rows of a batch: windows, almost always one a tweet |
//! | `N` | words of a tweet |
//! | `P` | subwords of a tweet, special tokens included |
//! | `M` | detected objects of an image |
//! | `D` | hidden size of the text encoder |
//! | `W` | hidden size beyond the encoder |
//! | `C` | channels of the image backbone's map |
//! | `L` | labels: 9 (`O`, `B-PER`, ... `I-MISC`), or 3 in the auxiliary set |
#![recursion_limit = "256"]

pub mod bundle;
pub mod caption;
#[cfg(feature = "train")]
pub mod data;
pub mod decode;
#[cfg(feature = "train")]
pub mod evaluate;
pub mod formats;
#[cfg(test)]
pub(crate) mod formula;
pub mod image;
pub mod label;
pub mod nn;
#[cfg(feature = "train")]
pub mod notice;
pub mod ocr;
#[cfg(feature = "train")]
pub mod packing;
pub mod recognizer;
pub mod splitmix;
pub mod systems;
#[cfg(feature = "train")]
pub mod train;
pub mod tweet;
pub mod vision;
