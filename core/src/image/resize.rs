//! The one resize routine: native and web see the same pixels.
//!
//! Separable triangle filter, widened when reducing (antialiased), in the fixed-point arithmetic
//! of Pillow's `Image.resize(..., BILINEAR)` (`src/libImaging/Resample.c`), which it reproduces
//! exactly. Only IEEE additions, multiplications and divisions decide the integer weights, so
//! the result is the same on every platform.

use crate::image::Image;

/// Fraction bits of a weight: 32 bits less 8 of the pixel and 2 of head room.
const PRECISION: u32 = 32 - 8 - 2;

/// The input positions and integer weights that make one output position.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Resizes `image` to `width` × `height`, both at least 1.
///
/// # Panics
/// If a side is 0 or `image.rgb` does not have the length its sides imply.
pub fn resize(image: &Image, width: u32, height: u32) -> Image {
    assert!(width > 0 && height > 0, "{width}×{height} has no pixels");
    let (w, h) = (image.width as usize, image.height as usize);
    assert_eq!(image.rgb.len(), w * h * 3, "{w}×{h} image");
    let (new_w, new_h) = (width as usize, height as usize);

    // Columns first, then rows, rounding to bytes in between, as Pillow does.
    let rgb = if new_w == w {
        image.rgb.clone()
    } else {
        resize_columns(&image.rgb, w, &taps(w, new_w))
    };
    let rgb = if new_h == h {
        rgb
    } else {
        resize_rows(&rgb, new_w * 3, &taps(h, new_h))
    };
    Image { width, height, rgb }
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    let sharpness = 1.0 / support;
    (0..to)
        .map(|x| {
            let center = (x as f64 + 0.5) * scale;
            // A cast to an integer drops the fraction and turns what is negative into 0.
            let first = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(from);
            let raw: Vec<f64> = (first..end)
                .map(|i| {
                    let distance = (i as f64 - center + 0.5) * sharpness;
                    (1.0 - distance.abs()).max(0.0)
                })
                .collect();
            let sum: f64 = raw.iter().sum();
            let weights = raw
                .iter()
                .map(|w| (0.5 + w / sum * f64::from(1 << PRECISION)) as i32)
                .collect();
            Taps { first, weights }
        })
        .collect()
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (PRECISION - 1);

fn resize_columns(rgb: &[u8], width: usize, taps: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rgb.len() / width * taps.len());
    for row in rgb.chunks_exact(width * 3) {
        for tap in taps {
            let mut sum = [HALF; 3];
            let pixels = row[tap.first * 3..].chunks_exact(3);
            for (pixel, &weight) in pixels.zip(&tap.weights) {
                for (sum, &value) in sum.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            out.extend(sum.map(to_byte));
        }
    }
    out
}

fn resize_rows(rgb: &[u8], row_bytes: usize, taps: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(row_bytes * taps.len());
    let mut sums = vec![HALF; row_bytes];
    for tap in taps {
        sums.fill(HALF);
        let rows = rgb[tap.first * row_bytes..].chunks_exact(row_bytes);
        for (row, &weight) in rows.zip(&tap.weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| to_byte(sum)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// FNV-1a, 64 bits: what `tests/reference/resize.py` prints for Pillow's result.
    fn fnv1a(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// The image both sides make: high bits of a multiplicative hash of the byte's position.
    fn noise(width: u32, height: u32) -> Image {
        let rgb = (0..width * height * 3)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        Image { width, height, rgb }
    }

    #[test]
    fn every_pixel_is_pillows() {
        let reference = include_str!("../../../tests/reference/resize.tsv");
        let mut cases = 0;
        for line in reference.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let side = |i: usize| fields[i].parse::<u32>().unwrap();
            let out = resize(&noise(side(0), side(1)), side(2), side(3));
            assert_eq!(format!("{:016x}", fnv1a(&out.rgb)), fields[4], "{line}");
            let start: Vec<String> = out.rgb.iter().take(6).map(u8::to_string).collect();
            assert_eq!(start.join(" "), fields[5], "{line}");
            cases += 1;
        }
        assert_eq!(cases, 12);
    }

    proptest! {
        #[test]
        fn one_colour_stays_one_colour(
            w in 1u32..40, h in 1u32..40, to_w in 1u32..40, to_h in 1u32..40,
            colour in any::<[u8; 3]>(),
        ) {
            let rgb = colour.repeat((w * h) as usize);
            let out = resize(&Image { width: w, height: h, rgb }, to_w, to_h);
            prop_assert_eq!(out.rgb, colour.repeat((to_w * to_h) as usize));
        }
    }
}
