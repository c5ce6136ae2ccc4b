//! Why bytes did not become an image.

use thiserror::Error;

/// Why bytes did not become an image.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the image file is empty; choose another file")]
    Empty,
    /// More bytes than [`Limits::file_bytes`](super::Limits::file_bytes).
    #[error("the image file has {bytes} bytes and at most {limit} are read; save it smaller")]
    FileTooLarge {
        /// Size of the file.
        bytes: usize,
        /// Largest size read.
        limit: usize,
    },
    /// The bytes do not begin as any image format known here.
    #[error("this is not an image; choose a JPEG, PNG, WebP or GIF file")]
    NotAnImage,
    /// An image in a format that is not decoded.
    #[error("{format} images are not read; save it as JPEG, PNG, WebP or GIF")]
    Unsupported {
        /// The format, or the feature of a format.
        format: String,
    },
    /// The header claims zero pixels.
    #[error("the image claims to be {width}×{height} pixels; choose another file")]
    NoPixels {
        /// Width in the header.
        width: u32,
        /// Height in the header.
        height: u32,
    },
    /// The header claims more pixels than [`Limits::side`](super::Limits::side) or [`Limits::pixels`](super::Limits::pixels) allow.
    #[error(
        "the image claims to be {width}×{height} pixels and at most {side} a side and {pixels} \
         in all are read; save it smaller"
    )]
    TooManyPixels {
        /// Width in the header.
        width: u32,
        /// Height in the header.
        height: u32,
        /// Longest side read.
        side: u32,
        /// Most pixels read.
        pixels: u64,
    },
    /// Decoding would need more than [`Limits::allocation`](super::Limits::allocation).
    #[error("decoding the image needs more than {limit} bytes of memory; save it smaller")]
    TooMuchMemory {
        /// Most bytes a decoder may allocate.
        limit: u64,
    },
    /// The file ends before the image does.
    #[error("the {format} file ends before its image does; fetch or save it again")]
    Truncated {
        /// The format the file begins as.
        format: &'static str,
    },
    /// The file begins as an image but does not hold one.
    #[error("the file begins as {format} but is damaged ({detail}); fetch or save it again")]
    Damaged {
        /// The format the file begins as.
        format: &'static str,
        /// What the decoder met.
        detail: String,
    },
}
