//! Bytes of an image file → an upright RGB image of bounded size.
//!
//! The content decides the format; a file name or declared type is never consulted. Everything
//! a header claims is checked against [`Limits`] before a single pixel is decoded. The same code runs natively and in the browser.

mod animation;
mod error;
mod format;
mod jpeg;
mod limits;
mod png;
mod webp;

pub use error::DecodeError;
pub use limits::Limits;

use crate::image::{Image, resize};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::fmt;
use std::io::Cursor;

/// The longer side of a [`Image`] after decoding: larger images are reduced at once, so that
/// no later stage meets a large one. No network here reads more than 416 pixels.
pub const LONGEST_SIDE: u32 = 1024;

/// An image as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The image.
    pub image: Image,
    /// What is to be known of how it was read.
    pub note: Option<Note>,
}

/// Something to know of an image that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Of an animation whose first frames are of one colour, this one was read.
    Frame {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Frame { number, of } => {
                write!(
                    f,
                    "frame {number} of {of}, the first that is not of one colour"
                )
            }
        }
    }
}

impl Image {
    /// Decodes JPEG, PNG, WebP or GIF under the default [`Limits`] and reduces it so that its longer side is at most
    /// [`LONGEST_SIDE`].
    ///
    /// The EXIF orientation is applied, transparency is laid on white, grey, CMYK and 16-bit images become 8-bit RGB. Colour
    /// profiles are not applied. Of an animation the first frame is read that is not of one colour.
    ///
    /// # Errors
    /// [`DecodeError`]: what is wrong with the bytes. An image whose lower rows are missing is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_within(bytes, &Limits::default())
    }

    /// [`Image::decode`] under other limits.
    ///
    /// # Errors
    /// [`DecodeError`]: what is wrong with the bytes.
    pub fn decode_within(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        Decoded::within(bytes, limits).map(|decoded| decoded.image)
    }
}

impl Decoded {
    /// [`Image::decode`], with what is to be known of how it was read.
    ///
    /// # Errors
    /// [`DecodeError`]: what is wrong with the bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::within(bytes, &Limits::default())
    }

    /// [`Decoded::read`] under other limits.
    ///
    /// # Errors
    /// [`DecodeError`]: what is wrong with the bytes.
    pub fn within(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Empty);
        }
        limits.check_file(bytes.len())?;
        let (format, name) = format::known(bytes)?;
        let (image, orientation) = match format {
            ImageFormat::Png => png::decode(bytes, limits)?,
            ImageFormat::Jpeg => jpeg_pixels(bytes, limits)?,
            ImageFormat::WebP if !webp::is_whole(bytes) => {
                return Err(DecodeError::Truncated { format: name });
            }
            _ => whole(bytes, format, name, limits)?,
        };
        let animated = format != ImageFormat::Jpeg;
        let shown = match animated && animation::is_uniform(&image) {
            true => animation::first_shown(bytes, format, limits),
            false => None,
        };
        let (image, note) = match shown {
            Some((frame, number, of)) if number > 1 => (frame, Some(Note::Frame { number, of })),
            _ => (image, None),
        };
        // Reduced before it is turned: the fewer pixels move, the better.
        let image = turned(bounded(image, LONGEST_SIDE), orientation)?;
        Ok(Self { image, note })
    }
}

/// An image turned as its note says.
fn turned(image: Image, orientation: Orientation) -> Result<Image, DecodeError> {
    let (width, height) = (image.width, image.height);
    let mut image = match image::RgbImage::from_raw(width, height, image.rgb) {
        Some(rgb) => DynamicImage::ImageRgb8(rgb),
        None => return Err(DecodeError::NoPixels { width, height }),
    };
    image.apply_orientation(orientation);
    Ok(Image {
        width: image.width(),
        height: image.height(),
        rgb: image.into_rgb8().into_raw(),
    })
}

/// Decodes an image whole.
fn whole(
    bytes: &[u8],
    format: ImageFormat,
    name: &'static str,
    limits: &Limits,
) -> Result<(Image, Orientation), DecodeError> {
    let fault = |error| explain(error, name, limits);
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format)
        .into_decoder()
        .map_err(fault)?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height, limits.pixels_at_once)?;
    let mut bounds = image::Limits::no_limits();
    bounds.max_image_width = Some(limits.side);
    bounds.max_image_height = Some(limits.side);
    bounds.max_alloc = Some(limits.allocation);
    bounds.reserve(decoder.total_bytes()).map_err(fault)?;
    decoder.set_limits(bounds).map_err(fault)?;
    // A broken orientation note is no reason to refuse the image.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(fault)?;
    Ok((flatten(image), orientation))
}

/// Sides from which a JPEG is decoded at an eighth: what is left is not smaller than [`LONGEST_SIDE`].
const EIGHTH: u32 = 8 * LONGEST_SIDE;

/// Decodes a JPEG, a large one at an eighth of its size.
fn jpeg_pixels(bytes: &[u8], limits: &Limits) -> Result<(Image, Orientation), DecodeError> {
    const NAME: &str = "JPEG";
    let fault = |error| explain(error, NAME, limits);
    if let Some(process) = jpeg::unread(bytes) {
        return Err(DecodeError::Unsupported {
            format: process.to_owned(),
        });
    }
    let (width, height) = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg)
        .into_decoder()
        .map_err(fault)?
        .dimensions();
    limits.check_size(width, height, limits.pixels)?;
    // The coefficients of a progressive image wait in memory for its last scan.
    let at_once = limits.pixels_at_once / if jpeg::is_progressive(bytes) { 2 } else { 1 };
    let reduced = width.max(height) >= EIGHTH || u64::from(width) * u64::from(height) > at_once;
    match jpeg::scan(bytes, [width, height]) {
        Ok(scan) if !scan.complete => Err(DecodeError::Truncated { format: NAME }),
        Ok(scan) if reduced => {
            let (width, height) = bounded_sides(width, height, LONGEST_SIDE);
            let image = match scan.eighth.width > width || scan.eighth.height > height {
                true => resize::resize(&scan.eighth, width, height),
                false => scan.eighth,
            };
            Ok((image, scan.orientation))
        }
        Ok(scan) if scan.ended => whole(bytes, ImageFormat::Jpeg, NAME, limits),
        // Every row is there, only the end mark is not.
        Ok(_) => whole(
            &[bytes, &[0xff, 0xd9]].concat(),
            ImageFormat::Jpeg,
            NAME,
            limits,
        ),
        Err(jpeg::Unclear::Process) if reduced => Err(DecodeError::Unsupported {
            format: format!("such large {NAME}"),
        }),
        Err(jpeg::Unclear::Lost) => Err(DecodeError::Damaged {
            format: NAME,
            detail: "its codes lead nowhere".to_owned(),
        }),
        Err(jpeg::Unclear::Damaged) if reduced => Err(DecodeError::Damaged {
            format: NAME,
            detail: "its parts contradict each other".to_owned(),
        }),
        Err(_) if !jpeg::has_end(bytes) => Err(DecodeError::Truncated { format: NAME }),
        Err(_) => whole(bytes, ImageFormat::Jpeg, NAME, limits),
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
            rgb.extend([r, g, b].map(|value| on_white(value, a)));
        }
        rgb
    } else {
        image.into_rgb8().into_raw()
    };
    Image { width, height, rgb }
}

/// A value of so much opacity laid on white.
#[inline]
fn on_white(value: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// `image` with its longer side at most `longest`, the aspect kept to the nearest pixel.
fn bounded(image: Image, longest: u32) -> Image {
    let (width, height) = bounded_sides(image.width, image.height, longest);
    match (width, height) == (image.width, image.height) {
        true => image,
        false => resize::resize(&image, width, height),
    }
}

/// The sides of an image with the longer one at most `longest`.
fn bounded_sides(width: u32, height: u32, longest: u32) -> (u32, u32) {
    let long = width.max(height);
    if long <= longest {
        return (width, height);
    }
    let scaled = |side: u32| {
        let (side, long, longest) = (u64::from(side), u64::from(long), u64::from(longest));
        ((side * longest + long / 2) / long).max(1) as u32
    };
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests;
