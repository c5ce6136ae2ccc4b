//! mner in a browser: `mner_core::recognizer` behind wasm-bindgen, with no logic of its own.
//!
//! One build holds one device: feature `cpu` is burn's Flex with wasm's 128-bit SIMD. A panic ends the instance for good
//! (wasm cannot unwind); [`last_panic`] still tells why, and the page starts a fresh Worker.
#![recursion_limit = "256"]

#[cfg(feature = "cpu")]
mod error;
#[cfg(feature = "cpu")]
mod recognizer;

#[cfg(feature = "cpu")]
pub use error::last_panic;
#[cfg(feature = "cpu")]
pub use recognizer::Recognizer;
