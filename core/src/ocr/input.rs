//! Images as the two networks read them.

use super::regions::Bounds;
use crate::image::resize::resize;
use crate::image::{Image, luma};
use crate::nn::text_detector::MULTIPLE;
use crate::nn::text_recognizer::{HEIGHT, STRIDE};
use burn::tensor::TensorData;

/// No image is enlarged by more for the detector: its letters would only blur.
const MOST_ENLARGED: f64 = 2.0;

/// A line is cut out with this share of its height around it, and with more below: the detector takes a single tail, as that of a y,
/// for no part of it.
const MARGIN: f32 = 0.1;
const BELOW: f32 = 0.2;

/// The longest line in pixels of the recogniser's input: what is longer is squeezed.
const LONGEST: usize = 2048;

/// What the detector reads.
#[derive(Clone, Debug)]
pub struct Whole {
    /// `[1, 3, H, W]`, red, green, blue in `[-1, 1]`, grey beyond the image.
    pub data: TensorData,
    /// Pixels of the input for each of the image.
    pub scale: f64,
}

/// What the recogniser reads.
#[derive(Clone, Debug)]
pub struct Line {
    /// `[1, 1, 32, W]`, grey in `[-1, 1]`.
    pub data: TensorData,
    /// Pixels of the image for each frame.
    pub frame: f32,
}

/// An image for the detector, its longer side `side` pixels.
pub fn whole(image: &Image, side: u32) -> Whole {
    let longer = f64::from(image.width.max(image.height));
    let scale = (f64::from(side) / longer).min(MOST_ENLARGED);
    let scaled = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    let small = resize(image, scaled(image.width), scaled(image.height));
    Whole {
        data: planes(&small),
        scale,
    }
}

/// The planes of an image, `[1, 3, H, W]`, at the top left of a grey canvas whose sides are multiples of 32.
pub fn planes(image: &Image) -> TensorData {
    let (width, height) = (image.width as usize, image.height as usize);
    let [wide, high] = [width, height].map(|side| side.next_multiple_of(MULTIPLE));
    let mut data = vec![0.0; 3 * high * wide];
    for (channel, plane) in data.chunks_exact_mut(high * wide).enumerate() {
        let rows = plane.chunks_exact_mut(wide);
        for (row, pixels) in rows.zip(image.rgb.chunks_exact(3 * width)) {
            let values = pixels.iter().skip(channel).step_by(3);
            row.iter_mut()
                .zip(values)
                .for_each(|(value, &byte)| *value = centred(byte.into()));
        }
    }
    TensorData::new(data, [1, 3, high, wide])
}

/// A line of an image for the recogniser, with a margin; nothing if less than two pixels of it are in the image.
pub fn line(image: &Image, &[left, top, right, bottom]: &Bounds) -> Option<Line> {
    let [margin, below] = [MARGIN, BELOW].map(|share| share * (bottom - top));
    let inside = |at: f32, length: u32| at.clamp(0.0, length as f32) as u32;
    let [from_x, to_x] = [(left - margin).floor(), (right + margin).ceil()];
    let [from_y, to_y] = [(top - margin).floor(), (bottom + below).ceil()];
    let [from_x, to_x] = [from_x, to_x].map(|at| inside(at, image.width));
    let [from_y, to_y] = [from_y, to_y].map(|at| inside(at, image.height));
    if to_x < from_x + 2 || to_y < from_y + 2 {
        return None;
    }
    let cut = cut(image, [from_x, from_y, to_x, to_y]);
    let data = grey(&cut);
    let frames = data.shape()[3] / STRIDE;
    Some(Line {
        data,
        frame: cut.width as f32 / frames as f32,
    })
}

/// A part of an image: left, top, right and bottom in pixels, within it and not empty.
pub fn cut(image: &Image, [left, top, right, bottom]: [u32; 4]) -> Image {
    let row = image.width as usize * 3;
    let rows = image.rgb.chunks_exact(row).skip(top as usize);
    let columns = left as usize * 3..right as usize * 3;
    let rgb = rows.take((bottom - top) as usize);
    Image {
        width: right - left,
        height: bottom - top,
        rgb: rgb.flat_map(|row| &row[columns.clone()]).copied().collect(),
    }
}

/// A line at the recogniser's height in grey, `[1, 1, 32, W]`, `W` a multiple of 4.
pub fn grey(line: &Image) -> TensorData {
    let width = f64::from(line.width) * HEIGHT as f64 / f64::from(line.height);
    let width = (width.round() as usize)
        .next_multiple_of(STRIDE)
        .clamp(2 * STRIDE, LONGEST);
    let small = resize(line, width as u32, HEIGHT as u32);
    let (pixels, _) = small.rgb.as_chunks::<3>();
    let values: Vec<f32> = pixels.iter().map(|pixel| centred(luma(*pixel))).collect();
    TensorData::new(values, [1, 1, HEIGHT, width])
}

fn centred(value: f32) -> f32 {
    value / 127.5 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, height: u32) -> Image {
        let rgb = (0..width * height * 3).map(|i| (i % 251) as u8).collect();
        Image { width, height, rgb }
    }

    #[test]
    fn the_detector_sees_multiples_of_32_at_the_top_left_and_nothing_much_enlarged() {
        let seen = whole(&image(100, 50), 640);
        assert_eq!(seen.scale, 2.0);
        assert_eq!(seen.data.shape()[..], [1, 3, 128, 224]);
        let values: Vec<f32> = seen.data.try_to_vec().unwrap();
        assert_eq!(values[127 * 224], 0.0, "beyond the image");
        assert_eq!(
            whole(&image(800, 400), 320).data.shape()[..],
            [1, 3, 160, 320]
        );
        assert_eq!(
            whole(&image(1, 3000), 320).data.shape()[..],
            [1, 3, 320, 32]
        );
    }

    #[test]
    fn planes_are_red_first_and_centred() {
        let image = Image {
            width: 1,
            height: 1,
            rgb: vec![0, 255, 127],
        };
        let values: Vec<f32> = planes(&image).try_to_vec().unwrap();
        let each: Vec<f32> = values.chunks(32 * 32).map(|plane| plane[0]).collect();
        assert_eq!(each[..2], [-1.0, 1.0]);
        assert!(each[2].abs() < 0.01);
    }

    #[test]
    fn lines_are_cut_with_a_margin_and_32_pixels_high() {
        let cut = line(&image(200, 100), &[20.0, 40.0, 120.0, 60.0]).unwrap();
        // 104 x 26 pixels.
        assert_eq!(cut.data.shape()[..], [1, 1, 32, 128]);
        assert!((cut.frame - 104.0 / 32.0).abs() < 1e-5);
        assert!(line(&image(200, 100), &[250.0, 0.0, 300.0, 20.0]).is_none());
        let long = line(&image(4000, 20), &[0.0, 0.0, 4000.0, 20.0]).unwrap();
        assert_eq!(long.data.shape()[3], LONGEST);
    }

    #[test]
    fn cuts_are_the_pixels() {
        let whole = image(4, 3);
        let part = cut(&whole, [1, 1, 3, 2]);
        assert_eq!((part.width, part.height), (2, 1));
        assert_eq!(part.rgb, whole.rgb[(4 + 1) * 3..(4 + 3) * 3]);
    }
}
