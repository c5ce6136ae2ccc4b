//! A line of text as the detector would cut it out, with what it says.

use crate::image::Image;
use crate::ocr::input::grey;
use crate::splitmix::SplitMix64;
use crate::train::ocr::Stock;
use crate::train::ocr::paint::{
    Style, backdrop, between, chance, colour, grey_of, paint, plain, worn,
};
use crate::train::ocr::typeset::{Setting, typeset};
use burn::tensor::TensorData;

/// A line to read.
#[derive(Clone, Debug)]
pub struct DrawnLine {
    /// What it says.
    pub text: String,
    /// The recogniser's input, `[1, 1, 32, W]`.
    pub data: TensorData,
}

/// Draws a line of at most `most` characters.
///
/// # Panics
/// If the stock has no font that draws any text.
pub fn draw(stock: &Stock, most: usize, rng: &mut SplitMix64) -> DrawnLine {
    let (image, text) = (0..1000)
        .find_map(|_| attempt(stock, most, rng))
        .expect("fonts draw the alphabet's characters");
    DrawnLine {
        text,
        data: grey(&image),
    }
}

fn attempt(stock: &Stock, most: usize, rng: &mut SplitMix64) -> Option<(Image, String)> {
    let text = stock.texts.some(most, rng);
    let font = &stock.fonts[rng.below(stock.fonts.len())];
    let size = between(14.0, 60.0, rng);
    let spacing = if chance(20, rng) {
        between(-0.03, 0.15, rng) * size
    } else {
        0.0
    };
    // Posters like narrow letters, of which there are few fonts.
    let stretch = if chance(40, rng) {
        between(0.6, 1.2, rng)
    } else {
        1.0
    };
    let slope = if chance(30, rng) {
        between(-0.04, 0.04, rng)
    } else {
        0.0
    };
    let mask = typeset(
        font,
        &text,
        Setting {
            size,
            stretch,
            spacing,
            slope,
        },
    )?;
    // Dots and dashes alone do not show how high the line is.
    if (mask.height as f32) < 0.25 * size {
        return None;
    }
    let height = mask.height as f32;
    let margin = |low: f32, high: f32, rng: &mut SplitMix64| {
        (between(low, high, rng) * height).round() as i64
    };
    // The detector's boxes are a little off, at times too small, and are cut with a margin for the tail of a single letter.
    let above = margin(-0.04, 0.35, rng);
    let below = margin(-0.04, 0.45, rng);
    let [before, behind] = [0; 2].map(|_| margin(-0.02, 0.6, rng));
    let width = (mask.width as i64 + before + behind).max(4) as u32;
    let height = (mask.height as i64 + above + below).max(4) as u32;
    let mut image = if chance(45, rng) {
        backdrop(
            &stock.photographs[rng.below(stock.photographs.len())],
            width,
            height,
            rng,
        )
    } else {
        plain(width, height, colour(rng))
    };
    let around = grey_of(&image, [0, 0, width, height]);
    let style = Style::readable(around, size, rng);
    paint(&mut image, &mask, [before, above], style);
    Some((worn(image, rng), text))
}
