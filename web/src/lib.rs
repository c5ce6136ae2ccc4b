//! mner in a browser: `mner_core::recognizer` behind wasm-bindgen, with no logic of its own.
//!
//! One build holds one device: feature `cpu` is burn's Flex with wasm's 128-bit SIMD, feature `gpu` is WebGPU. A panic
//! ends the instance for good (wasm cannot unwind); [`last_panic`] still tells why, and the page starts a fresh Worker.
#![recursion_limit = "256"]

#[cfg(all(feature = "cpu", feature = "gpu"))]
compile_error!("one build holds one device: choose `cpu` or `gpu`");

#[cfg(any(feature = "cpu", feature = "gpu"))]
mod device;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod error;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod file;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod recognizer;

#[cfg(any(feature = "cpu", feature = "gpu"))]
pub use {
    error::last_panic,
    file::FileBuffer,
    recognizer::{EncodedImage, Recognizer, check_image_size},
};
