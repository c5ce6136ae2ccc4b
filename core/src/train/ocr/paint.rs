//! Letters on a background, and what cameras, screens and servers do to them.

use crate::image::resize::resize;
use crate::image::{Image, luma};
use crate::ocr::input::cut;
use crate::splitmix::SplitMix64;
use crate::train::ocr::typeset::Mask;
use std::io::Cursor;

/// Red, green and blue.
pub type Colour = [u8; 3];

/// Least difference of letters and what lies around them, in grey from 0 to 255.
const CONTRAST: f32 = 60.0;

/// How letters look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Their colour.
    pub ink: Colour,
    /// A line around them: its colour and how thick it is in pixels.
    pub edge: Option<(Colour, usize)>,
    /// A shadow: how far right and down it lies in pixels.
    pub shadow: Option<usize>,
}

/// A number in `[from, to)`.
pub fn between(from: f32, to: f32, rng: &mut SplitMix64) -> f32 {
    let unit = (rng.next_u64() >> 40) as f32 / (1_u32 << 24) as f32;
    from + (to - from) * unit
}

/// Whether something happens that does in `percent` of cases.
pub fn chance(percent: usize, rng: &mut SplitMix64) -> bool {
    rng.below(100) < percent
}

/// A colour: black, white or any.
pub fn colour(rng: &mut SplitMix64) -> Colour {
    match rng.below(5) {
        0 => [rng.below(30) as u8; 3],
        1 => [255 - rng.below(30) as u8; 3],
        _ => [0; 3].map(|_| rng.below(256) as u8),
    }
}

impl Style {
    /// A style that can be read on a background whose mean grey is `around`, for letters of `size` pixels.
    pub fn readable(around: f32, size: f32, rng: &mut SplitMix64) -> Self {
        let thick = ((size / 14.0).round() as usize).clamp(1, 4);
        if chance(25, rng) {
            // As on memes: the line around them makes them readable anywhere.
            let ink = colour(rng);
            let edge = if luma(ink) > 128.0 {
                [rng.below(40) as u8; 3]
            } else {
                [255 - rng.below(40) as u8; 3]
            };
            return Self {
                ink,
                edge: Some((edge, thick)),
                shadow: None,
            };
        }
        let ink = (0..20)
            .map(|_| colour(rng))
            .find(|&ink| (luma(ink) - around).abs() >= CONTRAST);
        Self {
            ink: ink.unwrap_or(if around > 128.0 { [0; 3] } else { [255; 3] }),
            edge: None,
            shadow: chance(15, rng).then_some(thick),
        }
    }
}

/// The mean grey of a part of an image: left, top, right and bottom within it.
pub fn grey_of(image: &Image, bounds: [u32; 4]) -> f32 {
    let part = cut(image, bounds);
    let (pixels, _) = part.rgb.as_chunks::<3>();
    pixels.iter().map(|&pixel| luma(pixel)).sum::<f32>() / pixels.len().max(1) as f32
}

/// Paints letters whose ink begins at `left`, `top`; what lies beyond the image is lost.
pub fn paint(image: &mut Image, mask: &Mask, [left, top]: [i64; 2], style: Style) {
    if let Some(far) = style.shadow {
        let far = far as i64;
        fill(image, mask, [left + far, top + far], [0; 3]);
    }
    if let Some((edge, thick)) = style.edge {
        let by = thick as i64;
        fill(image, &mask.widened(thick), [left - by, top - by], edge);
    }
    fill(image, mask, [left, top], style.ink);
}

fn fill(image: &mut Image, mask: &Mask, [left, top]: [i64; 2], ink: Colour) {
    let (width, height) = (i64::from(image.width), i64::from(image.height));
    for (y, row) in mask.coverage.chunks_exact(mask.width).enumerate() {
        let y = top + y as i64;
        for (x, &covered) in row.iter().enumerate() {
            let x = left + x as i64;
            if covered > 0.0 && (0..width).contains(&x) && (0..height).contains(&y) {
                let at = 3 * (y * width + x) as usize;
                for (byte, &ink) in image.rgb[at..at + 3].iter_mut().zip(&ink) {
                    let mixed = f32::from(*byte) + covered * (f32::from(ink) - f32::from(*byte));
                    *byte = mixed.round() as u8;
                }
            }
        }
    }
}

/// An image of one colour.
pub fn plain(width: u32, height: u32, colour: Colour) -> Image {
    Image {
        width,
        height,
        rgb: colour.repeat((width * height) as usize),
    }
}

/// A part of a photograph of the asked shape, at any scale.
pub fn backdrop(photograph: &Image, width: u32, height: u32, rng: &mut SplitMix64) -> Image {
    let shrink = f64::from(photograph.width) / f64::from(width);
    let shrink = shrink.min(f64::from(photograph.height) / f64::from(height));
    let share = f64::from(between(0.4, 1.0, rng));
    let [wide, high] =
        [width, height].map(|side| ((f64::from(side) * shrink * share) as u32).max(1));
    let left = rng.below((photograph.width - wide.min(photograph.width) + 1) as usize) as u32;
    let top = rng.below((photograph.height - high.min(photograph.height) + 1) as usize) as u32;
    let right = (left + wide).min(photograph.width);
    let bottom = (top + high).min(photograph.height);
    resize(&cut(photograph, [left, top, right, bottom]), width, height)
}

/// What happens to an image on its way: it is made smaller and larger again, noisy, saved as JPEG; or nothing of it.
pub fn worn(image: Image, rng: &mut SplitMix64) -> Image {
    let (width, height) = (image.width, image.height);
    let mut image = image;
    if chance(30, rng) {
        let factor = between(0.45, 0.9, rng);
        let side = |length: u32| ((length as f32 * factor) as u32).max(4);
        image = resize(&resize(&image, side(width), side(height)), width, height);
    }
    if chance(25, rng) {
        let strength = 1 + rng.below(24);
        for byte in &mut image.rgb {
            let by = rng.below(2 * strength + 1) as i32 - strength as i32;
            *byte = (i32::from(*byte) + by).clamp(0, 255) as u8;
        }
    }
    if chance(30, rng) {
        image = saved(&image, 25 + rng.below(60) as u8).unwrap_or(image);
    }
    image
}

/// The image as a JPEG of this quality gives it back.
fn saved(image: &Image, quality: u8) -> Option<Image> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    let colour = image::ExtendedColorType::Rgb8;
    encoder
        .encode(&image.rgb, image.width, image.height, colour)
        .ok()?;
    Image::decode(bytes.get_ref()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> Mask {
        Mask {
            width: 2,
            height: 2,
            coverage: vec![1.0, 0.5, 0.0, 1.0],
        }
    }

    #[test]
    fn ink_covers_and_mixes_and_is_lost_beyond_the_edge() {
        let mut image = plain(2, 1, [100; 3]);
        let style = Style {
            ink: [200, 100, 0],
            edge: None,
            shadow: None,
        };
        paint(&mut image, &square(), [0, 0], style);
        assert_eq!(image.rgb, [200, 100, 0, 150, 100, 50]);
        paint(&mut image, &square(), [-9, 40], style);
        assert_eq!(image.rgb, [200, 100, 0, 150, 100, 50]);
    }

    #[test]
    fn styles_can_be_read_and_an_edge_lies_around() {
        let mut rng = SplitMix64(5);
        for around in [0.0, 90.0, 128.0, 255.0] {
            for _ in 0..200 {
                let style = Style::readable(around, 20.0, &mut rng);
                let seen = style.edge.map_or(around, |(edge, _)| luma(edge));
                assert!(
                    (luma(style.ink) - seen).abs() >= CONTRAST,
                    "{style:?} on {around}"
                );
            }
        }
        let mut image = plain(4, 4, [9; 3]);
        let style = Style {
            ink: [255; 3],
            edge: Some(([0; 3], 1)),
            shadow: None,
        };
        paint(&mut image, &square(), [1, 1], style);
        let grey: Vec<u8> = image.rgb.chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(grey[4..8], [0, 255, 128, 5]);
    }

    #[test]
    fn backdrops_have_the_asked_shape_whatever_the_photograph_s() {
        let mut rng = SplitMix64(2);
        for (width, height) in [(300, 200), (3, 900), (1, 1)] {
            let photograph = plain(width, height, [7, 8, 9]);
            for _ in 0..50 {
                let back = backdrop(&photograph, 64, 32, &mut rng);
                assert_eq!((back.width, back.height), (64, 32));
                let worn = worn(back, &mut rng);
                assert_eq!(
                    (worn.width, worn.height, worn.rgb.len()),
                    (64, 32, 64 * 32 * 3)
                );
            }
        }
    }
}
