//! The means of a file's blocks as an image.

use crate::image::Image;
use crate::image::decode::jpeg::{Component, File};

impl File<'_> {
    /// The means of the blocks as an image.
    pub(super) fn eighth(&self) -> Image {
        let [width, height] = self.size.map(|side| side.div_ceil(8));
        let most =
            |side: fn(&Component) -> usize| self.components.iter().map(side).max().unwrap_or(1);
        let (across, down) = (most(|c| c.across), most(|c| c.down));
        let colours = self.colours();
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let mut values = [0i32; 4];
                for (value, c) in values.iter_mut().zip(&self.components) {
                    let (bx, by) = (x * c.across / across, y * c.down / down);
                    let mean = i32::from(c.means[by * c.blocks[0] + bx]);
                    let sum = mean * i32::from(self.quantisers[c.quantiser]);
                    *value = ((sum + 4).div_euclid(8) + 128).clamp(0, 255);
                }
                rgb.extend(colours.rgb(values));
            }
        }
        Image {
            width: width as u32,
            height: height as u32,
            rgb,
        }
    }

    fn colours(&self) -> Colours {
        let ids: Vec<u8> = self.components.iter().map(|c| c.id).collect();
        match (self.components.len(), self.adobe) {
            (1, _) => Colours::Grey,
            (3, Some(0)) => Colours::Rgb,
            (3, None) if ids == *b"RGB" => Colours::Rgb,
            (3, _) => Colours::YCbCr,
            (_, Some(2)) => Colours::Ycck,
            _ => Colours::Cmyk,
        }
    }
}

/// What the components are.
#[derive(Clone, Copy)]
enum Colours {
    Grey,
    Rgb,
    YCbCr,
    /// Inverted, as Adobe writes it.
    Cmyk,
    Ycck,
}

impl Colours {
    fn rgb(self, [a, b, c, k]: [i32; 4]) -> [u8; 3] {
        let ycc = || {
            let (blue, red) = (f64::from(b - 128), f64::from(c - 128));
            let y = f64::from(a);
            [
                y + 1.402 * red,
                y - 0.344_136 * blue - 0.714_136 * red,
                y + 1.772 * blue,
            ]
            .map(|v| v.round().clamp(0.0, 255.0) as i32)
        };
        let on_black = |rgb: [i32; 3]| rgb.map(|v| ((v * k + 127) / 255) as u8);
        match self {
            Self::Grey => [a as u8; 3],
            Self::Rgb => [a, b, c].map(|v| v as u8),
            Self::YCbCr => ycc().map(|v| v as u8),
            Self::Cmyk => on_black([a, b, c]),
            // Stored inverted too: what comes out of the conversion is 255 less a colour's share of ink.
            Self::Ycck => on_black(ycc()),
        }
    }
}
