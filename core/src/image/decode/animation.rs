//! The frame of an animation that is looked at: the first one that shows something.

use crate::image::Image;
use crate::image::decode::{Limits, flatten};
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageFormat};
use std::io::Cursor;

/// Most pixels of frames that are looked through.
const PIXELS: u64 = 128_000_000;
/// Most a colour may vary in an image of one colour: lossy WebP is not exact.
const VARIES: u8 = 8;

/// Whether an image is of one colour.
pub(super) fn is_uniform(image: &Image) -> bool {
    let mut least = [255u8; 3];
    let mut most = [0u8; 3];
    for pixel in image.rgb.chunks_exact(3) {
        for ((&value, least), most) in pixel.iter().zip(&mut least).zip(&mut most) {
            (*least, *most) = ((*least).min(value), (*most).max(value));
        }
        if least
            .iter()
            .zip(most)
            .any(|(&least, most)| most - least > VARIES)
        {
            return false;
        }
    }
    true
}

/// The first frame that is not of one colour, its number from 1, and how many there are; none where there is no such frame among
/// those that are looked through.
pub(super) fn first_shown(
    bytes: &[u8],
    format: ImageFormat,
    limits: &Limits,
) -> Option<(Image, usize, usize)> {
    let count = match format {
        ImageFormat::Gif => gif_frames(bytes),
        ImageFormat::Png => png_frames(bytes),
        _ => webp_frames(bytes),
    };
    if count < 2 {
        return None;
    }
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.allocation);
    let frames: Frames = match format {
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(Cursor::new(bytes)).ok()?;
            decoder.set_limits(bounds).ok()?;
            decoder.into_frames()
        }
        ImageFormat::Png => {
            let mut decoder = PngDecoder::with_limits(Cursor::new(bytes), bounds.clone()).ok()?;
            let (width, height) = decoder.dimensions();
            // A still image of any size is read row by row; frames are held whole.
            if u64::from(width) * u64::from(height) > limits.pixels_at_once {
                return None;
            }
            decoder.set_limits(bounds).ok()?;
            decoder.apng().ok()?.into_frames()
        }
        _ => {
            let mut decoder = WebPDecoder::new(Cursor::new(bytes)).ok()?;
            decoder.set_limits(bounds).ok()?;
            decoder.into_frames()
        }
    };
    let mut seen = 0;
    for (i, frame) in frames.enumerate() {
        let pixels = frame.ok()?.into_buffer();
        seen += u64::from(pixels.width()) * u64::from(pixels.height());
        let image = flatten(DynamicImage::ImageRgba8(pixels));
        if !is_uniform(&image) {
            return Some((image, i + 1, count));
        }
        if seen > PIXELS {
            return None;
        }
    }
    None
}

/// How many frames a GIF has, as far as its blocks can be followed.
fn gif_frames(bytes: &[u8]) -> usize {
    let colours = |flags: u8| {
        if flags & 0x80 != 0 {
            3 << ((flags & 7) + 1)
        } else {
            0
        }
    };
    let sub_blocks = |mut at: usize| loop {
        match bytes.get(at) {
            Some(0) => return at + 1,
            Some(&size) => at += 1 + usize::from(size),
            None => return at,
        }
    };
    let mut count = 0;
    let mut at = 13 + bytes.get(10).map_or(0, |&flags| colours(flags));
    loop {
        match bytes.get(at) {
            Some(0x21) => at = sub_blocks(at + 2),
            Some(0x2c) => {
                let Some(&flags) = bytes.get(at + 9) else {
                    return count;
                };
                count += 1;
                at = sub_blocks(at + 11 + colours(flags));
            }
            _ => return count,
        }
    }
}

/// How many frames a PNG has, as far as its chunks can be followed. An image before the first of them is none.
fn png_frames(bytes: &[u8]) -> usize {
    let (mut animated, mut count) = (false, 0);
    let mut at = 8usize;
    while let Some(head) = bytes.get(at..at.saturating_add(8)) {
        animated |= &head[4..] == b"acTL";
        count += usize::from(&head[4..] == b"fcTL");
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        at = at.saturating_add(12).saturating_add(size);
    }
    if animated { count.max(1) } else { 1 }
}

/// How many frames a WebP has.
fn webp_frames(bytes: &[u8]) -> usize {
    let mut count = 0;
    let mut at = 12usize;
    while let Some(head) = bytes.get(at..at.saturating_add(8)) {
        count += usize::from(&head[..4] == b"ANMF");
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        at = at
            .saturating_add(8)
            .saturating_add(size)
            .saturating_add(size & 1);
    }
    count.max(1)
}
