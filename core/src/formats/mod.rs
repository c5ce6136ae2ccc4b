//! Files of other programs: annotation tools, Hugging Face folders, PyTorch state dicts, word vectors, safetensors.

pub mod annotations;
#[cfg(any(test, feature = "train"))]
pub mod encoding;
#[cfg(feature = "train")]
pub mod features;
#[cfg(feature = "train")]
pub mod hugging_face;
#[cfg(any(test, feature = "train"))]
pub mod levels;
pub mod lone_surrogates;
#[cfg(any(test, feature = "train"))]
mod megvii;
#[cfg(any(test, feature = "train"))]
pub mod packed;
#[cfg(any(test, feature = "train"))]
pub mod state_dict;
#[cfg(any(test, feature = "train"))]
mod torchvision;
#[cfg(feature = "train")]
pub mod vision_networks;
#[cfg(feature = "train")]
pub mod word2vec;
