//! Views of an image, to learn from beside it: mirrored, nearer or farther, in other light.

use crate::image::{Image, luma};
use crate::splitmix::SplitMix64;

/// How much nearer or farther, in powers of two.
const ZOOM: f64 = 0.5;
/// How far brightness, contrast and saturation change.
const LIGHT: f32 = 0.3;
/// What lies beyond the photograph's edge, as in the letterbox.
const FILL: u8 = 114;

/// A number in `[-1, 1)`.
fn swing(rng: &mut SplitMix64) -> f64 {
    rng.unit() * 2.0 - 1.0
}

/// A view of `image`: a window of its shape that is up to √2 smaller (a crop) or larger (grey
/// beyond the edges), half of them mirrored, brightness, contrast and saturation changed by up to
/// 30 %.
pub fn view(image: &Image, rng: &mut SplitMix64) -> Image {
    let zoom = (ZOOM * swing(rng)).exp2();
    let side = |length: u32| ((f64::from(length) * zoom).round() as u32).max(1);
    let (width, height) = (side(image.width), side(image.height));
    let mut start = |inner: u32, outer: u32| {
        ((f64::from(outer) - f64::from(inner)) * rng.unit()).round() as i64
    };
    let (left, top) = (start(width, image.width), start(height, image.height));
    let mirrored = rng.unit() < 0.5;
    let mut view = window(image, [left, top], [width, height], mirrored);
    let mut factor = || 1.0 + LIGHT * swing(rng) as f32;
    light(&mut view.rgb, factor(), factor(), factor());
    view
}

/// The window of `width` × `height` whose top left corner lies at `left`, `top` of the image.
fn window(
    image: &Image,
    [left, top]: [i64; 2],
    [width, height]: [u32; 2],
    mirrored: bool,
) -> Image {
    let (w, h) = (i64::from(image.width), i64::from(image.height));
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..i64::from(height) {
        for x in 0..i64::from(width) {
            let x = if mirrored {
                i64::from(width) - 1 - x
            } else {
                x
            };
            let (x, y) = (x + left, y + top);
            if (0..w).contains(&x) && (0..h).contains(&y) {
                let at = (y * w + x) as usize * 3;
                rgb.extend_from_slice(&image.rgb[at..at + 3]);
            } else {
                rgb.extend([FILL; 3]);
            }
        }
    }
    Image { width, height, rgb }
}

/// Multiplies the distance of colours from their grey (saturation), of greys from the middle
/// (contrast), and everything (brightness).
fn light(rgb: &mut [u8], saturation: f32, contrast: f32, brightness: f32) {
    for pixel in rgb.as_chunks_mut::<3>().0 {
        let grey = luma(*pixel);
        for byte in pixel {
            let value = f32::from(*byte);
            let value = grey + (value - grey) * saturation;
            let value = 128.0 + (value - 128.0) * contrast;
            *byte = (value * brightness).round().clamp(0.0, 255.0) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        Image {
            width: 3,
            height: 2,
            rgb: (0..18).collect(),
        }
    }

    #[test]
    fn windows_cut_and_mirror_and_are_grey_beyond_the_edge() {
        let cut = window(&image(), [1, 0], [2, 2], true);
        assert_eq!(cut.rgb, [6, 7, 8, 3, 4, 5, 15, 16, 17, 12, 13, 14]);
        let around = window(&image(), [-1, 1], [2, 2], false);
        let grey = FILL;
        let expected = [
            grey, grey, grey, 9, 10, 11, grey, grey, grey, grey, grey, grey,
        ];
        assert_eq!(around.rgb, expected);
    }

    #[test]
    fn factors_of_one_change_nothing_and_the_same_seed_gives_the_same_view() {
        let mut rgb = image().rgb;
        light(&mut rgb, 1.0, 1.0, 1.0);
        assert_eq!(rgb, image().rgb);
        let seen = |seed| view(&image(), &mut SplitMix64(seed));
        assert_eq!(seen(5), seen(5));
        assert!((0..20).any(|seed| seen(seed) != seen(5)));
    }
}
