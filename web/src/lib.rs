//! mner in a browser: `mner_core::recognizer` behind wasm-bindgen, with no logic of its own.
//!
//! One build holds one device: feature `cpu` is burn's Flex with wasm's 128-bit SIMD, feature `gpu` is WebGPU. A panic
//! ends the instance for good (wasm cannot unwind); [`last_panic`] still tells why, and the page starts a fresh Worker.
//! Natively it computes nothing: it compiles, so that lints read its lines.
#![recursion_limit = "256"]

#[cfg(all(feature = "cpu", feature = "gpu"))]
compile_error!("one build holds one device: choose `cpu` or `gpu`");

#[cfg(any(feature = "cpu", feature = "gpu"))]
mod annotations;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod caption;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod clock;
#[cfg(any(feature = "cpu", feature = "gpu"))]
pub mod device;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod error;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod file;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod image_file;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod ocr;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod recognizer;
#[cfg(feature = "cpu")]
mod relaxed;
#[cfg(any(feature = "cpu", feature = "gpu"))]
mod start;

#[cfg(feature = "cpu")]
pub use relaxed::choose_loops;
#[cfg(any(feature = "cpu", feature = "gpu"))]
pub use {
    annotations::annotations,
    caption::Captioner,
    error::last_panic,
    file::FileBuffer,
    image_file::check_image_size,
    ocr::Ocr,
    recognizer::{EncodedImage, Recognizer},
};
