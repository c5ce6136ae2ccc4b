//! Image bytes become a bounded, upright image, and the image becomes network input.
//!
//! The walk of an image: [`decode`] → [`resize`] → [`input`] → [`crate::vision`]. [`spatial`] relates
//! boxes to each other.

pub mod decode;
pub mod input;
pub mod resize;
pub mod spatial;
#[cfg(feature = "train")]
pub mod view;

pub use decode::DecodeError;

/// The grey of a pixel, red, green and blue, from 0 to 255 (Rec. 601).
pub fn luma([r, g, b]: [u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// An upright image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
    /// `height * width * 3` bytes: rows top to bottom, pixels left to right, red, green, blue.
    pub rgb: Vec<u8>,
}
