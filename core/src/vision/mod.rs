//! The vision encoder: what the networks see in an image, as plain data.
//!
//! [`encoder`] runs backbone and detector; [`detections`] are the boxes that the detector's output
//! stands for, [`tags`] names of what is seen, [`features`] all that the systems read of an image.

pub mod detections;
pub mod encoder;
pub mod features;
pub mod tags;
#[cfg(any(test, feature = "train"))]
pub mod tiny;

pub use encoder::VisionEncoder;
pub use features::ImageFeatures;
