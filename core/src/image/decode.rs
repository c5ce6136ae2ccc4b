//! Bytes of an image file → an upright RGB image of bounded size.
//!
//! The content decides the format; a file name or declared type is never consulted. Everything
//! a header claims is checked against [`Limits`] before a single pixel is decoded.

use crate::image::{Image, resize};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::io::Cursor;
use thiserror::Error;

/// The longer side of a [`Image`] after decoding: larger images are reduced at once, so that
/// no later stage meets a large one. No network here reads more than 416 pixels.
pub const LONGEST_SIDE: u32 = 1024;

/// What an image file may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub file_bytes: usize,
    /// Longest side the header may claim, in pixels.
    pub side: u32,
    /// Most pixels the header may claim: width × height.
    pub pixels: u64,
    /// Most memory the decoder may allocate at once, in bytes.
    pub allocation: u64,
}

impl Default for Limits {
    /// 32 MiB of file, 16384 pixels a side, 64 million pixels, 512 MiB of memory: above what any
    /// phone writes and any social network serves, and inside what a browser tab can hold.
    fn default() -> Self {
        Self {
            file_bytes: 32 << 20,
            side: 16384,
            pixels: 64_000_000,
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
}

/// Why bytes did not become an image.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the image file is empty; choose another file")]
    Empty,
    /// More bytes than [`Limits::file_bytes`].
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
    /// The header claims more pixels than [`Limits::side`] or [`Limits::pixels`] allow.
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
    /// Decoding would need more than [`Limits::allocation`].
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

impl Image {
    /// Decodes JPEG, PNG, WebP or GIF (first frame) under the default [`Limits`] and reduces it
    /// so that its longer side is at most [`LONGEST_SIDE`].
    ///
    /// The EXIF orientation is applied, transparency is laid on white, grey, CMYK and 16-bit
    /// images become 8-bit RGB. Colour profiles are not applied.
    ///
    /// # Errors
    /// [`DecodeError`]: what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_within(bytes, &Limits::default())
    }

    /// [`Image::decode`] under other limits.
    ///
    /// # Errors
    /// [`DecodeError`]: what is wrong with the bytes.
    pub fn decode_within(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Empty);
        }
        limits.check_file(bytes.len())?;
        let (format, name) = known_format(bytes)?;
        let fault = |error| explain(error, name, limits);

        let mut decoder = ImageReader::with_format(Cursor::new(bytes), format)
            .into_decoder()
            .map_err(fault)?;
        let (width, height) = decoder.dimensions();
        check_size(width, height, limits)?;
        let whole = match format {
            ImageFormat::Jpeg => jpeg_is_whole(bytes),
            ImageFormat::WebP => webp_is_whole(bytes),
            _ => true,
        };
        if !whole {
            return Err(DecodeError::Truncated { format: name });
        }
        let mut bounds = image::Limits::no_limits();
        bounds.max_image_width = Some(limits.side);
        bounds.max_image_height = Some(limits.side);
        bounds.max_alloc = Some(limits.allocation);
        bounds.reserve(decoder.total_bytes()).map_err(fault)?;
        decoder.set_limits(bounds).map_err(fault)?;
        // A broken orientation note is no reason to refuse the image.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let image = DynamicImage::from_decoder(decoder).map_err(fault)?;

        // Reduced before it is turned: the fewer pixels move, the better.
        let image = bounded(flatten(image), LONGEST_SIDE);
        let mut image = match image::RgbImage::from_raw(image.width, image.height, image.rgb) {
            Some(rgb) => DynamicImage::ImageRgb8(rgb),
            None => return Err(DecodeError::NoPixels { width, height }),
        };
        image.apply_orientation(orientation);
        Ok(Self {
            width: image.width(),
            height: image.height(),
            rgb: image.into_rgb8().into_raw(),
        })
    }
}

/// The decoder for the bytes, or why there is none.
fn known_format(bytes: &[u8]) -> Result<(ImageFormat, &'static str), DecodeError> {
    let unsupported = |format: &str| {
        Err(DecodeError::Unsupported {
            format: format.to_owned(),
        })
    };
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => Ok((ImageFormat::Jpeg, "JPEG")),
        Ok(ImageFormat::Png) => Ok((ImageFormat::Png, "PNG")),
        Ok(ImageFormat::WebP) => Ok((ImageFormat::WebP, "WebP")),
        Ok(ImageFormat::Gif) => Ok((ImageFormat::Gif, "GIF")),
        Ok(ImageFormat::Bmp) => unsupported("BMP"),
        Ok(ImageFormat::Tiff) => unsupported("TIFF"),
        Ok(ImageFormat::Avif) => unsupported("AVIF"),
        Ok(ImageFormat::Ico) => unsupported("icon"),
        Ok(_) => Err(DecodeError::NotAnImage),
        Err(_) => match bytes.get(4..12) {
            Some(b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypmsf1") => unsupported("HEIC"),
            _ => Err(DecodeError::NotAnImage),
        },
    }
}

/// Refuses what the header claims before anything is allocated for it.
fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), DecodeError> {
    if width == 0 || height == 0 {
        return Err(DecodeError::NoPixels { width, height });
    }
    if width > limits.side
        || height > limits.side
        || u64::from(width) * u64::from(height) > limits.pixels
    {
        return Err(DecodeError::TooManyPixels {
            width,
            height,
            side: limits.side,
            pixels: limits.pixels,
        });
    }
    Ok(())
}

/// Whether a JPEG has its end marker after its first scan began. The decoder would fill the
/// missing rows with grey and say nothing.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Segments up to the first scan are skipped by their length: a thumbnail inside one has an
    // end marker of its own.
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 => return false,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
                if marker == 0xda {
                    let scans = bytes.get(at..).unwrap_or_default();
                    return scans.windows(2).any(|pair| pair == [0xff, 0xd9]);
                }
            }
        }
    }
    false
}

/// Whether a WebP has the bytes its header promises, but for a last padding byte. The decoder
/// makes up what little is missing.
fn webp_is_whole(bytes: &[u8]) -> bool {
    match bytes.get(4..8).and_then(|size| size.first_chunk::<4>()) {
        Some(&size) => bytes.len() as u64 + 1 >= u64::from(u32::from_le_bytes(size)) + 8,
        None => false,
    }
}

fn explain(error: ImageError, format: &'static str, limits: &Limits) -> DecodeError {
    let text = error.to_string();
    match error {
        ImageError::Limits(_) => DecodeError::TooMuchMemory {
            limit: limits.allocation,
        },
        ImageError::Unsupported(_) => DecodeError::Unsupported {
            format: format!("such {format}"),
        },
        ImageError::IoError(_) => DecodeError::Truncated { format },
        // The decoders wrap the early end of the bytes in their own errors.
        _ if [
            "unexpected end",
            "unexpectedly ended",
            "unexpected EOF",
            "Not enough bytes",
            "UnexpectedEof",
        ]
        .iter()
        .any(|end| text.contains(end)) =>
        {
            DecodeError::Truncated { format }
        }
        _ => DecodeError::Damaged {
            format,
            detail: text,
        },
    }
}

/// 8-bit RGB, transparency laid on white, rounded to nearest.
fn flatten(image: DynamicImage) -> Image {
    let (width, height) = (image.width(), image.height());
    let rgb = if image.color().has_alpha() {
        let rgba = image.into_rgba8();
        let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
        for &image::Rgba([r, g, b, a]) in rgba.pixels() {
            let on_white = |c: u8| {
                let a = u32::from(a);
                ((u32::from(c) * a + 255 * (255 - a) + 127) / 255) as u8
            };
            rgb.extend([on_white(r), on_white(g), on_white(b)]);
        }
        rgb
    } else {
        image.into_rgb8().into_raw()
    };
    Image { width, height, rgb }
}

/// `image` with its longer side at most `longest`, the aspect kept to the nearest pixel.
fn bounded(image: Image, longest: u32) -> Image {
    let long = image.width.max(image.height);
    if long <= longest {
        return image;
    }
    let scaled = |side: u32| {
        let (side, long, longest) = (u64::from(side), u64::from(long), u64::from(longest));
        ((side * longest + long / 2) / long).max(1) as u32
    };
    let (width, height) = (scaled(image.width), scaled(image.height));
    resize::resize(&image, width, height)
}

#[cfg(test)]
mod tests;
