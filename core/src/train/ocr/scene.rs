//! An image with lines of text at known places.

use crate::image::Image;
use crate::ocr::regions::Bounds;
use crate::splitmix::SplitMix64;
use crate::train::ocr::Stock;
use crate::train::ocr::paint::{
    Style, backdrop, between, chance, colour, grey_of, paint, plain, worn,
};
use crate::train::ocr::typeset::{Mask, Setting, typeset};

/// Most blocks of lines in a scene.
const BLOCKS: usize = 5;
/// Pixels that lines keep from each other and from the edge.
const GAP: i64 = 3;

/// An image and where its lines are.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The image, as high as wide.
    pub image: Image,
    /// The boxes of ink of its lines, in pixels.
    pub lines: Vec<Bounds>,
}

/// Draws a scene of `side` pixels.
pub fn draw(stock: &Stock, side: u32, rng: &mut SplitMix64) -> Scene {
    let mut image = match chance(75, rng) {
        true => backdrop(
            &stock.photographs[rng.below(stock.photographs.len())],
            side,
            side,
            rng,
        ),
        false => plain(side, side, colour(rng)),
    };
    let mut lines = Vec::new();
    for _ in 0..rng.below(BLOCKS + 1) {
        block(stock, &mut image, &mut lines, rng);
    }
    Scene {
        image: worn(image, rng),
        lines,
    }
}

/// One to four lines below each other in one font and style, where there is room.
fn block(stock: &Stock, image: &mut Image, lines: &mut Vec<Bounds>, rng: &mut SplitMix64) {
    let side = i64::from(image.width);
    let font = &stock.fonts[rng.below(stock.fonts.len())];
    // As many small sizes as large ones, by their ratio.
    let size = between(10.0_f32.ln(), 80.0_f32.ln(), rng).exp();
    let slope = if chance(25, rng) {
        between(-0.06, 0.06, rng)
    } else {
        0.0
    };
    let spacing = if chance(15, rng) {
        between(0.0, 0.15, rng) * size
    } else {
        0.0
    };
    let setting = Setting {
        size,
        stretch: 1.0,
        spacing,
        slope,
    };
    let fits =
        |mask: &Mask| (mask.width as i64) < side - 2 * GAP && (mask.height as i64) < side / 2;
    let most = ((1.6 * side as f32 / size) as usize).clamp(1, 40);
    let texts = (0..1 + rng.below(4))
        .map(|_| stock.texts.some(most, rng))
        .collect::<Vec<_>>();
    let masks = texts.iter().filter_map(|text| typeset(font, text, setting));
    // A dash is no line that one could find.
    let masks: Vec<Mask> = masks
        .filter(|mask| fits(mask) && mask.height as f32 >= 0.3 * size && mask.height >= 5)
        .collect();
    let gap = (between(0.2, 0.7, rng) * size) as i64 + 2;
    let wide = masks
        .iter()
        .map(|mask| mask.width as i64)
        .max()
        .unwrap_or(0);
    let high: i64 = masks
        .iter()
        .map(|mask| mask.height as i64 + gap)
        .sum::<i64>()
        - gap;
    if masks.is_empty() || high >= side - 2 * GAP {
        return;
    }
    let free = |length: i64| (side - 2 * GAP - length).max(1) as usize;
    let left = GAP + rng.below(free(wide)) as i64;
    let top = GAP + rng.below(free(high)) as i64;
    let around = [left - GAP, top - GAP, left + wide + GAP, top + high + GAP];
    if lines.iter().any(|line| overlap(line, around)) {
        return;
    }
    let inside = around.map(|at| at.clamp(0, side) as u32);
    if chance(25, rng) {
        panel(image, inside, rng);
    }
    let style = Style::readable(grey_of(image, inside), size, rng);
    let centred = chance(50, rng);
    let mut y = top;
    for mask in masks {
        let (width, height) = (mask.width as i64, mask.height as i64);
        let x = if centred {
            left + (wide - width) / 2
        } else {
            left
        };
        paint(image, &mask, [x, y], style);
        lines.push([x, y, x + width, y + height].map(|at| at as f32));
        y += height + gap;
    }
}

fn overlap(line: &Bounds, [left, top, right, bottom]: [i64; 4]) -> bool {
    let [a, b, c, d] = line.map(|at| at as i64);
    a < right && left < c && b < bottom && top < d
}

/// A rectangle of one colour below the text.
fn panel(image: &mut Image, [left, top, right, bottom]: [u32; 4], rng: &mut SplitMix64) {
    let colour = colour(rng);
    let width = image.width as usize;
    for y in top as usize..bottom as usize {
        let row = &mut image.rgb[3 * (y * width + left as usize)..3 * (y * width + right as usize)];
        row.as_chunks_mut::<3>().0.fill(colour);
    }
}
