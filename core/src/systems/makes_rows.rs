//! Systems that make rows of an image in a CPU's own memory.

use crate::systems::image_batch::EncodedImage;
use crate::systems::image_rows::ImageRows;
use burn::tensor::Device;
use std::fmt;
use std::sync::Arc;

/// A system that computes in a CPU's own memory.
pub trait MakesRows: fmt::Debug + Send + Sync {
    /// The rows of an image, made once and kept with it; what makes them lies on `device`.
    fn rows(&self, image: &EncodedImage, device: &Device) -> Arc<ImageRows>;
}
