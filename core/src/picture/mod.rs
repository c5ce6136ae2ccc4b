//! Image bytes become a bounded, upright picture, and the picture becomes network input.
//!
//! The walk of an image: [`decode`] → [`resize`] → [`input`] → networks → [`detect`] →
//! [`features`]. [`spatial`] relates boxes to each other and [`tags`] names what is seen.

pub mod decode;
pub mod detect;
pub mod eyes;
pub mod features;
pub mod input;
pub mod resize;
pub mod spatial;
pub mod tags;

pub use decode::{Picture, PictureError};
pub use features::PictureFeatures;
