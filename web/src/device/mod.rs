//! The device of this build: of burn, and what is known of it beforehand.

#[cfg(feature = "cpu")]
pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;

#[cfg(feature = "cpu")]
pub(crate) use cpu::{COMPILES, COMPUTE, open};
#[cfg(feature = "gpu")]
pub(crate) use gpu::{COMPILES, COMPUTE, open};
