//! What an image file may cost.

use crate::image::decode::error::DecodeError;

/// What an image file may cost.
///
/// A PNG is reduced as its rows come, and of a JPEG with a side of 8192 pixels or more only the means of its blocks are decoded, an
/// eighth of its size; other images are decoded whole. Beside the file's own bytes that takes at most `allocation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub file_bytes: usize,
    /// Longest side the header may claim, in pixels.
    pub side: u32,
    /// Most pixels the header may claim: width × height.
    pub pixels: u64,
    /// Most pixels of an image that is decoded whole.
    pub pixels_at_once: u64,
    /// Most memory the decoder may allocate at once, in bytes.
    pub allocation: u64,
}

impl Default for Limits {
    /// 128 MiB of file, 65535 pixels a side, 250 million pixels, 64 million of an image that is decoded whole, 512 MiB of memory:
    /// above what any phone writes and any social network serves, and inside what a browser tab can hold.
    fn default() -> Self {
        Self {
            file_bytes: 128 << 20,
            side: 65_535,
            pixels: 250_000_000,
            pixels_at_once: 64_000_000,
            allocation: 512 << 20,
        }
    }
}

impl Limits {
    /// Refuses a file by its size, before its bytes are read.
    ///
    /// # Errors
    /// [`DecodeError::FileTooLarge`]
    pub fn check_file(&self, bytes: usize) -> Result<(), DecodeError> {
        match bytes > self.file_bytes {
            true => Err(DecodeError::FileTooLarge {
                bytes,
                limit: self.file_bytes,
            }),
            false => Ok(()),
        }
    }
    /// Refuses what a header claims before anything is allocated for it. `pixels`: most of an image that is decoded so.
    pub(super) fn check_size(
        &self,
        width: u32,
        height: u32,
        pixels: u64,
    ) -> Result<(), DecodeError> {
        if width == 0 || height == 0 {
            return Err(DecodeError::NoPixels { width, height });
        }
        let (side, pixels) = (self.side, pixels.min(self.pixels));
        if width.max(height) > side || u64::from(width) * u64::from(height) > pixels {
            return Err(DecodeError::TooManyPixels {
                width,
                height,
                side,
                pixels,
            });
        }
        Ok(())
    }
}
