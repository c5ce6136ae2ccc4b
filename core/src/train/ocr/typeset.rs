//! A line of text as a mask: how much of each pixel the letters cover.

use ab_glyph::{Font, FontVec, PxScale, ScaleFont, point};

/// How much of each pixel is covered.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `[height, width]`, from 0 to 1; letters reach every edge.
    pub coverage: Vec<f32>,
}

/// How a line is set.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Height of the font in pixels.
    pub size: f32,
    /// Width of the letters, of what the font says.
    pub stretch: f32,
    /// Pixels between two letters beyond what the font says.
    pub spacing: f32,
    /// Pixels down for each pixel to the right.
    pub slope: f32,
}

/// Sets `text`; nothing where it leaves no ink, or more than a million pixels.
pub fn typeset(font: &FontVec, text: &str, setting: Setting) -> Option<Mask> {
    let scale = PxScale {
        x: setting.stretch * setting.size,
        y: setting.size,
    };
    let scaled = font.as_scaled(scale);
    let (mut x, mut before) = (0.0_f32, None);
    let mut outlines = Vec::new();
    for c in text.chars() {
        let id = scaled.glyph_id(c);
        if let Some(before) = before {
            x += scaled.kern(before, id) + setting.spacing;
        }
        let glyph =
            id.with_scale_and_position(scale, point(x, scaled.ascent() + setting.slope * x));
        outlines.extend(font.outline_glyph(glyph));
        x += scaled.h_advance(id);
        before = Some(id);
    }
    let bounds = outlines.iter().map(|outline| outline.px_bounds());
    let all = bounds.reduce(|mut all, one| {
        all.min = point(all.min.x.min(one.min.x), all.min.y.min(one.min.y));
        all.max = point(all.max.x.max(one.max.x), all.max.y.max(one.max.y));
        all
    })?;
    let (width, height) = (all.width() as usize, all.height() as usize);
    if width == 0 || height == 0 || width * height > 1 << 20 {
        return None;
    }
    let mut coverage = vec![0.0_f32; width * height];
    for outline in outlines {
        let from = outline.px_bounds().min - all.min;
        outline.draw(|x, y, covered| {
            let (x, y) = (from.x as usize + x as usize, from.y as usize + y as usize);
            if x < width && y < height {
                let pixel = &mut coverage[y * width + x];
                *pixel = (*pixel + covered).min(1.0);
            }
        });
    }
    Some(Mask {
        width,
        height,
        coverage,
    })
}

impl Mask {
    /// The mask that reaches `radius` pixels farther on every side.
    #[must_use]
    pub fn widened(&self, radius: usize) -> Self {
        let (width, height) = (self.width + 2 * radius, self.height + 2 * radius);
        let mut coverage = vec![0.0_f32; width * height];
        for (at, &covered) in self
            .coverage
            .iter()
            .enumerate()
            .filter(|(_, covered)| **covered > 0.0)
        {
            let (x, y) = (at % self.width, at / self.width);
            for (dx, dy) in around(radius) {
                let pixel = &mut coverage[(y + dy) * width + x + dx];
                *pixel = pixel.max(covered);
            }
        }
        Self {
            width,
            height,
            coverage,
        }
    }
}

/// Places within a circle, from 0 to twice its radius.
fn around(radius: usize) -> impl Iterator<Item = (usize, usize)> {
    let side = 2 * radius + 1;
    let inside = move |x: usize, y: usize| {
        let (x, y) = (x.abs_diff(radius), y.abs_diff(radius));
        x * x + y * y <= radius * radius + radius / 2
    };
    (0..side * side)
        .map(move |i| (i % side, i / side))
        .filter(move |&(x, y)| inside(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_widened_mask_reaches_farther_on_all_sides() {
        let dot = Mask {
            width: 1,
            height: 1,
            coverage: vec![0.5],
        };
        let wide = dot.widened(1);
        assert_eq!((wide.width, wide.height), (3, 3));
        assert_eq!(wide.coverage, [0.0, 0.5, 0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.0]);
        assert_eq!(dot.widened(0), dot);
        assert_eq!(dot.widened(4).coverage.len(), 81);
    }
}
