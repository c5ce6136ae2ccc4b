//! An image with what a model made of it: boxes, where the entities' words looked, relevance.

use image::{Rgb, RgbImage};
use mner_core::image::Image;
use mner_core::recognizer::Recognition;
use mner_core::vision::features::GRID_SIDE;

/// Height of a line of text in glyph dots.
const LINE: u32 = 10;
/// Width of a glyph with its gap in glyph dots.
const ADVANCE: u32 = 6;
const INK: Rgb<u8> = Rgb([255, 255, 255]);
const PAPER: Rgb<u8> = Rgb([24, 24, 24]);
/// One colour an object, over and over.
const COLOURS: [Rgb<u8>; 6] = [
    Rgb([66, 133, 244]),
    Rgb([15, 157, 88]),
    Rgb([244, 180, 0]),
    Rgb([171, 71, 188]),
    Rgb([0, 172, 193]),
    Rgb([255, 112, 67]),
];

/// The image, its heat in red and its objects framed and named; under it the relevance of each
/// grain and the entities. The heat is the
/// entities' attention above its mean.
pub fn draw(image: &Image, found: &Recognition) -> RgbImage {
    let dot = if image.width >= 480 { 2 } else { 1 };
    let mut lines = Vec::new();
    if let Some(r) = found.image.as_ref().and_then(|seen| seen.relevance) {
        lines.push(format!("GLOBAL {:.2}  OBJECT {:.2}", r.global, r.object));
        lines.push(format!(
            "SEMANTIC {:.2}  SPATIAL {:.2}",
            r.semantic, r.spatial
        ));
    }
    for entity in &found.entities {
        lines.push(format!(
            "{} {:.0}: {}",
            entity.kind.name(),
            100.0 * entity.confidence,
            entity.text
        ));
    }
    let strip = (lines.len() as u32 * LINE + 4) * dot;
    let mut canvas = RgbImage::from_pixel(image.width, image.height + strip, PAPER);
    let heat = mean_heat(found);
    for y in 0..image.height {
        for x in 0..image.width {
            let at = 3 * (y as usize * image.width as usize + x as usize);
            let share = heat.as_ref().map_or(0.0, |heat| {
                let place = |i: u32, side: u32| {
                    (f64::from(i) + 0.5) / f64::from(side) * GRID_SIDE as f64 - 0.5
                };
                between(heat, place(x, image.width), place(y, image.height))
            });
            let mixed = |value: u8, red: f64| {
                (f64::from(value) * (1.0 - 0.6 * share) + red * 0.6 * share) as u8
            };
            let [red, green, blue] = [0, 1, 2].map(|c| image.rgb[at + c]);
            let pixel = Rgb([mixed(red, 255.0), mixed(green, 0.0), mixed(blue, 0.0)]);
            canvas.put_pixel(x, y, pixel);
        }
    }
    let objects = found.image.iter().flat_map(|evidence| &evidence.objects);
    for (object, colour) in objects.zip(COLOURS.iter().cycle()) {
        let [x1, y1, x2, y2] = object.bounds.map(|v| v.max(0.0) as u32);
        for inset in 0..dot {
            frame(
                &mut canvas,
                [
                    x1 + inset,
                    y1 + inset,
                    x2.saturating_sub(inset),
                    y2.saturating_sub(inset),
                ],
                *colour,
            );
        }
        let name = format!("{} {:.0}", object.name, 100.0 * object.score);
        let width = name.chars().count() as u32 * ADVANCE * dot;
        let place = (x1, y1.saturating_sub(LINE * dot));
        fill(&mut canvas, place, (width + dot, LINE * dot), *colour);
        write(&mut canvas, &name, (place.0 + dot, place.1 + dot), dot);
    }
    for (line, text) in (0..).zip(&lines) {
        let y = image.height + (4 + line * LINE) * dot;
        write(&mut canvas, text, (4 * dot, y), dot);
    }
    canvas
}

/// How far each cell is above the map's mean, in largest cells: an even map shows nothing. None
/// without entities.
fn mean_heat(found: &Recognition) -> Option<Vec<f64>> {
    let maps: Vec<&Vec<f64>> = found
        .entities
        .iter()
        .filter_map(|entity| entity.evidence.as_ref())
        .map(|evidence| &evidence.heat)
        .collect();
    let cells = maps.first()?.len();
    let sums: Vec<f64> = (0..cells)
        .map(|c| maps.iter().map(|map| map[c]).sum())
        .collect();
    let largest = sums.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mean = sums.iter().sum::<f64>() / cells as f64;
    let above = |sum: f64| (sum - mean).max(0.0) / largest;
    Some(sums.into_iter().map(above).collect())
}

/// The map between its cells' centres, `x` and `y` in cells.
fn between(map: &[f64], x: f64, y: f64) -> f64 {
    let last = (GRID_SIDE - 1) as f64;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (left, top) = (x.floor() as usize, y.floor() as usize);
    let (right, bottom) = ((left + 1).min(GRID_SIDE - 1), (top + 1).min(GRID_SIDE - 1));
    let (across, down) = (x - left as f64, y - top as f64);
    let row =
        |y: usize| map[y * GRID_SIDE + left] * (1.0 - across) + map[y * GRID_SIDE + right] * across;
    row(top) * (1.0 - down) + row(bottom) * down
}

fn put(canvas: &mut RgbImage, x: u32, y: u32, colour: Rgb<u8>) {
    if let Some(pixel) = canvas.get_pixel_mut_checked(x, y) {
        *pixel = colour;
    }
}

fn frame(canvas: &mut RgbImage, [x1, y1, x2, y2]: [u32; 4], colour: Rgb<u8>) {
    for x in x1..=x2.max(x1) {
        put(canvas, x, y1, colour);
        put(canvas, x, y2, colour);
    }
    for y in y1..=y2.max(y1) {
        put(canvas, x1, y, colour);
        put(canvas, x2, y, colour);
    }
}

fn fill(canvas: &mut RgbImage, (x, y): (u32, u32), (width, height): (u32, u32), colour: Rgb<u8>) {
    for row in y..y + height {
        for column in x..x + width {
            put(canvas, column, row, colour);
        }
    }
}

/// Writes in capitals; `dot` pixels a glyph dot.
fn write(canvas: &mut RgbImage, text: &str, (x, y): (u32, u32), dot: u32) {
    for (at, c) in (0..).zip(text.chars()) {
        for (column, bits) in (0..).zip(glyph(c.to_ascii_uppercase())) {
            for row in (0..8).filter(|row| bits >> row & 1 == 1) {
                let place = (x + (at * ADVANCE + column) * dot, y + row * dot);
                fill(canvas, place, (dot, dot), INK);
            }
        }
    }
}

/// Five columns of seven dots, the lowest bit at the top; a box for what has no glyph.
fn glyph(c: char) -> [u8; 5] {
    const DIGITS: [[u8; 5]; 10] = [
        [0x3E, 0x51, 0x49, 0x45, 0x3E],
        [0x00, 0x42, 0x7F, 0x40, 0x00],
        [0x62, 0x51, 0x49, 0x49, 0x46],
        [0x22, 0x41, 0x49, 0x49, 0x36],
        [0x18, 0x14, 0x12, 0x7F, 0x10],
        [0x27, 0x45, 0x45, 0x45, 0x39],
        [0x3C, 0x4A, 0x49, 0x49, 0x30],
        [0x01, 0x71, 0x09, 0x05, 0x03],
        [0x36, 0x49, 0x49, 0x49, 0x36],
        [0x06, 0x49, 0x49, 0x29, 0x1E],
    ];
    const LETTERS: [[u8; 5]; 26] = [
        [0x7C, 0x12, 0x11, 0x12, 0x7C],
        [0x7F, 0x49, 0x49, 0x49, 0x36],
        [0x3E, 0x41, 0x41, 0x41, 0x22],
        [0x7F, 0x41, 0x41, 0x41, 0x3E],
        [0x7F, 0x49, 0x49, 0x49, 0x41],
        [0x7F, 0x09, 0x09, 0x09, 0x01],
        [0x3E, 0x41, 0x49, 0x49, 0x3A],
        [0x7F, 0x08, 0x08, 0x08, 0x7F],
        [0x00, 0x41, 0x7F, 0x41, 0x00],
        [0x20, 0x40, 0x41, 0x3F, 0x01],
        [0x7F, 0x08, 0x14, 0x22, 0x41],
        [0x7F, 0x40, 0x40, 0x40, 0x40],
        [0x7F, 0x02, 0x0C, 0x02, 0x7F],
        [0x7F, 0x04, 0x08, 0x10, 0x7F],
        [0x3E, 0x41, 0x41, 0x41, 0x3E],
        [0x7F, 0x09, 0x09, 0x09, 0x06],
        [0x3E, 0x41, 0x51, 0x21, 0x5E],
        [0x7F, 0x09, 0x19, 0x29, 0x46],
        [0x26, 0x49, 0x49, 0x49, 0x32],
        [0x01, 0x01, 0x7F, 0x01, 0x01],
        [0x3F, 0x40, 0x40, 0x40, 0x3F],
        [0x1F, 0x20, 0x40, 0x20, 0x1F],
        [0x3F, 0x40, 0x38, 0x40, 0x3F],
        [0x63, 0x14, 0x08, 0x14, 0x63],
        [0x07, 0x08, 0x70, 0x08, 0x07],
        [0x61, 0x51, 0x49, 0x45, 0x43],
    ];
    match c {
        '0'..='9' => DIGITS[c as usize - '0' as usize],
        'A'..='Z' => LETTERS[c as usize - 'A' as usize],
        ' ' => [0; 5],
        '.' => [0x00, 0x60, 0x60, 0x00, 0x00],
        ':' => [0x00, 0x36, 0x36, 0x00, 0x00],
        '-' => [0x08; 5],
        '\'' => [0x00, 0x04, 0x03, 0x00, 0x00],
        '#' => [0x14, 0x7F, 0x14, 0x7F, 0x14],
        '&' => [0x36, 0x49, 0x55, 0x22, 0x50],
        _ => [0x7F, 0x41, 0x41, 0x41, 0x7F],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mner_core::recognizer::evidence::{ImageEvidence, RelevanceScores, SeenObject};

    #[test]
    fn boxes_are_framed_and_the_rest_of_the_image_stays() {
        let (width, height) = (100, 80);
        let image = Image {
            width,
            height,
            rgb: vec![90; (width * height * 3) as usize],
        };
        let mut found = Recognition {
            entities: Vec::new(),
            image: None,
        };
        let plain = draw(&image, &found);
        assert!((0..height).all(|y| (0..width).all(|x| *plain.get_pixel(x, y) == Rgb([90; 3]))));
        found.image = Some(ImageEvidence {
            relevance: Some(RelevanceScores::default()),
            objects: vec![SeenObject {
                name: "kite".to_owned(),
                score: 0.87,
                // Ends beyond the image, as rounding may have it.
                bounds: [40.0, 30.0, 100.0, 60.0],
            }],
            tags: Vec::new(),
            width,
            height,
        });
        let drawn = draw(&image, &found);
        assert!(
            drawn.height() > plain.height(),
            "the relevance is written below"
        );
        assert_eq!(*drawn.get_pixel(60, 30), COLOURS[0]);
        assert_eq!(*drawn.get_pixel(40, 45), COLOURS[0]);
        assert_eq!(*drawn.get_pixel(60, 45), Rgb([90; 3]));
        assert_eq!(*drawn.get_pixel(10, 10), Rgb([90; 3]));
        let inked = |canvas: &RgbImage| canvas.pixels().filter(|&&pixel| pixel == INK).count();
        assert!(inked(&drawn) > inked(&plain) + 50);
    }

    #[test]
    fn heat_is_the_cell_itself_at_its_centre() {
        let map: Vec<f64> = (0..49).map(f64::from).collect();
        assert_eq!(between(&map, 3.0, 2.0), 17.0);
        assert_eq!(between(&map, 3.5, 2.0), 17.5);
        assert_eq!(between(&map, -0.5, 6.5), 42.0);
    }
}
