//! Files of other programs: Hugging Face folders, PyTorch state dicts, word vectors.

#[cfg(feature = "train")]
pub mod hugging_face;
pub mod lone_surrogates;
mod megvii;
pub mod packed;
pub mod state_dict;
mod torchvision;
#[cfg(feature = "train")]
pub mod vision_networks;
#[cfg(feature = "train")]
pub mod word2vec;
