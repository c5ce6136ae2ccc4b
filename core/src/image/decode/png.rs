//! PNG files, row by row: what is decoded is never held at 16 bits or with transparency, and large images are reduced as their
//! rows come.

use crate::image::Image;
use crate::image::decode::{DecodeError, LONGEST_SIDE, Limits, on_white};
use image::metadata::Orientation;
use png::{BitDepth, ColorType, DecodingError, Transformations};
use std::io::Cursor;

const NAME: &str = "PNG";
/// Most bytes the decoder may take for itself: a few rows and what stands in chunks.
const OWN: usize = 64 << 20;

/// First column and row, and steps across and down, of the passes of an interlaced image.
const PASSES: [[usize; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];
const ONE_PASS: [[usize; 4]; 1] = [[0, 0, 1, 1]];

/// The image and how it is turned.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<(Image, Orientation), DecodeError> {
    let fault = |error| explain(&error, limits);
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: OWN });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(fault)?;
    let info = reader.info();
    let (width, height) = info.size();
    limits.check_size(width, height, limits.pixels)?;
    match pixels_of(bytes) {
        Pack::Cut => return Err(DecodeError::Truncated { format: NAME }),
        Pack::Changed => {
            return Err(DecodeError::Damaged {
                format: NAME,
                detail: "its pixels do not have their checksum".to_owned(),
            });
        }
        Pack::Whole => {}
    }
    // A broken orientation note is no reason to refuse the image.
    let exif = info.exif_metadata.as_ref();
    let orientation = exif.and_then(|exif| Orientation::from_exif_chunk(exif));
    let passes = if info.interlaced {
        &PASSES[..]
    } else {
        &ONE_PASS
    };

    let mut canvas = Canvas::new(width as usize, height as usize, limits)?;
    let (colour, depth) = reader.output_color_type();
    let pixels = Pixels::new(colour, depth)?;
    for &[x0, y0, dx, dy] in passes {
        let count = |side: u32, first: usize, step: usize| {
            (side as usize).saturating_sub(first).div_ceil(step)
        };
        let (columns, rows) = (count(width, x0, dx), count(height, y0, dy));
        if columns == 0 {
            continue;
        }
        for row in 0..rows {
            let data = reader.next_interlaced_row().map_err(fault)?;
            let data = data.ok_or(DecodeError::Truncated { format: NAME })?;
            let data = data.data().chunks_exact(pixels.bytes).take(columns);
            for (column, pixel) in data.enumerate() {
                canvas.put(x0 + column * dx, y0 + row * dy, pixels.rgb(pixel));
            }
        }
    }
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok((canvas.finish(), orientation))
}

/// What became of the chunks of pixels.
enum Pack {
    Whole,
    /// One is cut.
    Cut,
    /// The last one, whose end the decoder need not reach, does not have its checksum. It looks at all others itself.
    Changed,
}

fn pixels_of(bytes: &[u8]) -> Pack {
    let (mut at, mut last) = (8, None);
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        if &head[4..] == b"IDAT" {
            let Some(chunk) = bytes.get(at + 4..end) else {
                return Pack::Cut;
            };
            last = Some((chunk, end));
        }
        at = end.saturating_add(4);
    }
    let checksum = |end: usize| Some(u32::from_be_bytes(*bytes.get(end..)?.first_chunk()?));
    match last {
        Some((chunk, end)) if checksum(end).is_some_and(|sum| sum != crc32fast::hash(chunk)) => {
            Pack::Changed
        }
        _ => Pack::Whole,
    }
}

fn explain(error: &DecodingError, limits: &Limits) -> DecodeError {
    match error {
        DecodingError::IoError(_) => DecodeError::Truncated { format: NAME },
        DecodingError::LimitsExceeded => DecodeError::TooMuchMemory {
            limit: limits.allocation,
        },
        _ if ["unexpected end", "UnexpectedEof", "unexpected EOF"]
            .iter()
            .any(|end| error.to_string().contains(end)) =>
        {
            DecodeError::Truncated { format: NAME }
        }
        _ => DecodeError::Damaged {
            format: NAME,
            detail: error.to_string(),
        },
    }
}

/// How the decoder gives pixels.
struct Pixels {
    channels: usize,
    deep: bool,
    bytes: usize,
}

impl Pixels {
    fn new(colour: ColorType, depth: BitDepth) -> Result<Self, DecodeError> {
        let channels = match colour {
            ColorType::Grayscale => 1,
            ColorType::GrayscaleAlpha => 2,
            ColorType::Rgb => 3,
            ColorType::Rgba => 4,
            ColorType::Indexed => 0,
        };
        let deep = match depth {
            BitDepth::Eight => false,
            BitDepth::Sixteen => true,
            _ => return Err(unsupported()),
        };
        if channels == 0 {
            return Err(unsupported());
        }
        Ok(Self {
            channels,
            deep,
            bytes: channels * if deep { 2 } else { 1 },
        })
    }

    #[inline]
    fn rgb(&self, pixel: &[u8]) -> [u8; 3] {
        let value = |channel: usize| match self.deep {
            false => pixel[channel],
            true => {
                let wide = u16::from_be_bytes([pixel[2 * channel], pixel[2 * channel + 1]]);
                ((u32::from(wide) + 128) / 257) as u8
            }
        };
        match self.channels {
            1 => [value(0); 3],
            2 => [on_white(value(0), value(1)); 3],
            3 => [value(0), value(1), value(2)],
            _ => [0, 1, 2].map(|channel| on_white(value(channel), value(3))),
        }
    }
}

fn unsupported() -> DecodeError {
    DecodeError::Unsupported {
        format: format!("such {NAME}"),
    }
}

/// Where pixels are put, in any order: as they are, or as means of squares.
struct Canvas {
    width: usize,
    height: usize,
    /// Side of a square.
    square: usize,
    /// Of the squares in a row and in a column.
    size: [usize; 2],
    rgb: Vec<u8>,
    sums: Vec<u32>,
}

impl Canvas {
    fn new(width: usize, height: usize, limits: &Limits) -> Result<Self, DecodeError> {
        let pixels = width as u64 * height as u64;
        let square = match pixels > limits.pixels_at_once {
            true => (width.max(height) / (2 * LONGEST_SIDE as usize)).max(2),
            false => 1,
        };
        let size = [width, height].map(|side| side.div_ceil(square));
        let values = size[0] * size[1] * 3;
        let bytes = if square > 1 { 4 * values } else { values };
        if bytes as u64 > limits.allocation {
            return Err(DecodeError::TooMuchMemory {
                limit: limits.allocation,
            });
        }
        let (rgb, sums) = match square {
            1 => (vec![0; values], Vec::new()),
            _ => (Vec::new(), vec![0; values]),
        };
        Ok(Self {
            width,
            height,
            square,
            size,
            rgb,
            sums,
        })
    }

    #[inline]
    fn put(&mut self, x: usize, y: usize, rgb: [u8; 3]) {
        if self.square == 1 {
            let at = (y * self.width + x) * 3;
            self.rgb[at..at + 3].copy_from_slice(&rgb);
            return;
        }
        let at = (y / self.square * self.size[0] + x / self.square) * 3;
        for (sum, value) in self.sums[at..at + 3].iter_mut().zip(rgb) {
            *sum += u32::from(value);
        }
    }

    fn finish(mut self) -> Image {
        let [across, down] = self.size;
        // The last squares of a row and a column may be smaller.
        let part = |i: usize, side: usize| self.square.min(side - i * self.square);
        if self.square > 1 {
            self.rgb = Vec::with_capacity(self.sums.len());
            for y in 0..down {
                for x in 0..across {
                    let count = (part(x, self.width) * part(y, self.height)) as u32;
                    let at = (y * across + x) * 3;
                    let mean = |sum: &u32| ((sum + count / 2) / count) as u8;
                    self.rgb.extend(self.sums[at..at + 3].iter().map(mean));
                }
            }
        }
        Image {
            width: across as u32,
            height: down as u32,
            rgb: self.rgb,
        }
    }
}
