//! JPEG files read as far as their entropy-coded data: which rows are there, and the image at an eighth of its size.
//!
//! The decoder that gives the pixels (zune-jpeg 0.5) fills rows that are not in the file with grey and says nothing. So the
//! Huffman codes are followed here to the end of every scan. A block's first coefficient is its mean: the means alone are the
//! image reduced by eight, at a 64th of the memory.

mod bits;
mod entropy;
mod means;

use crate::image::Image;
use crate::image::decode::jpeg::bits::Table;
use crate::image::decode::jpeg::entropy::Part;
use image::metadata::Orientation;

/// What a JPEG file holds.
pub(super) struct Scan {
    /// Whether all that its header promises is there.
    pub complete: bool,
    /// Whether its end marker is.
    pub ended: bool,
    /// From its EXIF note.
    pub orientation: Orientation,
    /// The image at an eighth of its size, rounded up.
    pub eighth: Image,
}

/// Why a file cannot be followed. But for [`Unclear::Lost`], its decoder may still make something of it.
#[derive(Debug)]
pub(super) enum Unclear {
    /// A process other than Huffman-coded sequential or progressive, of 8 bits.
    Process,
    /// Tables or markers that contradict each other.
    Damaged,
    /// Codes that lead nowhere: from there on, whatever a decoder makes of them is not the image.
    Lost,
}

/// Follows a file from its first marker to its last. Its frame must be of the `size` that its decoder found, which the caller has
/// checked: of another, no memory is taken.
pub(super) fn scan(bytes: &[u8], size: [u32; 2]) -> Result<Scan, Unclear> {
    let mut file = File {
        bytes: without_trailing_zeros(bytes),
        known: size.map(|side| side as usize),
        at: 2,
        ..File::default()
    };
    file.follow()?;
    file.scan()
}

/// Whether the frame is a progressive one; `false` where there is none.
pub(super) fn is_progressive(bytes: &[u8]) -> bool {
    frame(bytes).is_some_and(|(marker, _)| marker & 3 == 2)
}

/// The name of a process that is not read, if the frame is of one.
pub(super) fn unread(bytes: &[u8]) -> Option<&'static str> {
    match frame(bytes)? {
        (0xf7, _) => Some("JPEG-LS"),
        (0xc3 | 0xcb, _) => Some("lossless JPEG"),
        (0xc5..=0xc7 | 0xcd..=0xcf, _) => Some("hierarchical JPEG"),
        (0xc9 | 0xca, _) => Some("arithmetically coded JPEG"),
        (_, 12) => Some("12-bit JPEG"),
        _ => None,
    }
}

/// The marker of the frame, which tells its process, and its bits a sample.
fn frame(bytes: &[u8]) -> Option<(u8, u8)> {
    first_marker(bytes, |marker, rest| match marker {
        0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
            Some(rest.get(2).map(|&bits| (marker, bits)))
        }
        0xd9 | 0xda => Some(None),
        _ => None,
    })?
}

/// Whether a file has its end marker after its first scan began.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    let found = first_marker(bytes, |marker, rest| match marker {
        0xd9 => Some(false),
        0xda => {
            let scans = rest.get(length(rest)?..)?;
            Some(scans.windows(2).any(|pair| pair == [0xff, 0xd9]))
        }
        _ => None,
    });
    found.unwrap_or(false)
}

/// What `look` makes of the first marker that it knows: it is given each marker up to the first scan, and what follows it.
/// Segments are skipped by their length: a thumbnail inside one has markers of its own.
fn first_marker<T>(bytes: &[u8], look: impl Fn(u8, &[u8]) -> Option<T>) -> Option<T> {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        let rest = &bytes[at + 2..];
        let found = look(marker, rest);
        if found.is_some() || marker == 0xda {
            return found;
        }
        at += match marker {
            0xff => 1,
            0x01 | 0xd0..=0xd8 => 2,
            _ => 2 + length(rest)?,
        };
    }
    None
}

/// The length of the segment whose marker `rest` follows.
fn length(rest: &[u8]) -> Option<usize> {
    let bytes = rest.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*bytes)))
}

/// A file whose fetching stopped half-way may have zeros where the rest belongs.
fn without_trailing_zeros(bytes: &[u8]) -> &[u8] {
    const FEW: usize = 256;
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |at| at + 1);
    match bytes.len() - end < FEW {
        true => bytes,
        false => &bytes[..end],
    }
}

const MOST_SCANS: usize = 256;

#[derive(Default)]
struct Component {
    id: u8,
    across: usize,
    down: usize,
    quantiser: usize,
    /// Blocks in a row and in a column, of whole units of all components.
    blocks: [usize; 2],
    /// Blocks that are part of the image.
    own: [usize; 2],
    /// First coefficients.
    means: Vec<i16>,
    /// Which coefficients of a block are not zero; progressive frames alone need it.
    nonzero: Vec<u64>,
    /// Coefficients that scans have told of, and those of which the last bit is known.
    told: u64,
    exact: u64,
}

#[derive(Default)]
struct File<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What its frame must say.
    known: [usize; 2],
    size: [usize; 2],
    progressive: bool,
    components: Vec<Component>,
    quantisers: [u16; 4],
    /// For first and other coefficients.
    tables: [[Option<Table>; 4]; 2],
    interval: usize,
    adobe: Option<u8>,
    orientation: Option<Orientation>,
    /// Scans met; no encoder writes as many as would keep a decoder busy for long.
    scans: usize,
    /// A scan stopped early.
    cut: bool,
    ended: bool,
}

impl File<'_> {
    fn follow(&mut self) -> Result<(), Unclear> {
        while let Some(&byte) = self.bytes.get(self.at) {
            // What stands between segments is passed over, as decoders do.
            let marker = match (byte, self.bytes.get(self.at + 1)) {
                (0xff, Some(&marker)) if marker != 0 && marker != 0xff => marker,
                _ => {
                    self.at += 1;
                    continue;
                }
            };
            self.at += 2;
            match marker {
                0x01 | 0xd0..=0xd8 => continue,
                0xd9 => {
                    self.ended = true;
                    return Ok(());
                }
                _ => {}
            }
            let body = self
                .bytes
                .get(self.at..self.at + 2)
                .map(|size| usize::from(u16::from_be_bytes([size[0], size[1]])))
                .and_then(|size| self.bytes.get(self.at + 2..self.at + size.max(2)));
            let Some(body) = body else {
                return Ok(());
            };
            self.at += 2 + body.len();
            match marker {
                0xc0..=0xc2 => self.frame(body, marker == 0xc2)?,
                0xc4 => self.huffman(body).ok_or(Unclear::Damaged)?,
                0xc3 | 0xc5..=0xcf => return Err(Unclear::Process),
                0xda => {
                    self.scans += 1;
                    if self.scans > MOST_SCANS {
                        return Err(Unclear::Damaged);
                    }
                    let part = self.part(body).ok_or(Unclear::Damaged)?;
                    self.entropy(&part)?;
                    if self.cut {
                        return Ok(());
                    }
                }
                0xdb => self.quantisers(body).ok_or(Unclear::Damaged)?,
                0xdd => match body {
                    [high, low, ..] => {
                        self.interval = usize::from(u16::from_be_bytes([*high, *low]))
                    }
                    _ => return Err(Unclear::Damaged),
                },
                0xe1 if self.orientation.is_none() => {
                    let exif = body.strip_prefix(b"Exif\0\0");
                    self.orientation = exif.and_then(Orientation::from_exif_chunk);
                }
                0xee => {
                    if let Some(rest) = body.strip_prefix(b"Adobe") {
                        self.adobe = rest.get(6).copied();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn frame(&mut self, body: &[u8], progressive: bool) -> Result<(), Unclear> {
        let [precision, h1, h0, w1, w0, count, rest @ ..] = body else {
            return Err(Unclear::Damaged);
        };
        if *precision != 8 || !self.components.is_empty() {
            return Err(Unclear::Process);
        }
        let size = [[*w1, *w0], [*h1, *h0]].map(|side| usize::from(u16::from_be_bytes(side)));
        let count = usize::from(*count);
        if size != self.known {
            return Err(Unclear::Damaged);
        }
        if ![1, 3, 4].contains(&count) || rest.len() < 3 * count || size.contains(&0) {
            return Err(Unclear::Process);
        }
        let mut components: Vec<Component> = rest[..3 * count]
            .chunks_exact(3)
            .map(|c| Component {
                id: c[0],
                across: usize::from(c[1] >> 4),
                down: usize::from(c[1] & 15),
                quantiser: usize::from(c[2]),
                ..Component::default()
            })
            .collect();
        if components
            .iter()
            .any(|c| !(1..=4).contains(&c.across) || !(1..=4).contains(&c.down) || c.quantiser > 3)
        {
            return Err(Unclear::Damaged);
        }
        // The one component of a grey image has units of one block, whatever it says.
        if let [only] = components.as_mut_slice() {
            (only.across, only.down) = (1, 1);
        }
        let most = |side: fn(&Component) -> usize| components.iter().map(side).max().unwrap_or(1);
        let most = [most(|c| c.across), most(|c| c.down)];
        let units = [0, 1].map(|i| size[i].div_ceil(8 * most[i]));
        for component in &mut components {
            let factors = [component.across, component.down];
            component.blocks = [0, 1].map(|i| units[i] * factors[i]);
            component.own = [0, 1].map(|i| (size[i] * factors[i]).div_ceil(8 * most[i]));
            let blocks = component.blocks[0] * component.blocks[1];
            component.means = vec![0; blocks];
            if progressive {
                component.nonzero = vec![0; blocks];
            }
        }
        (self.size, self.progressive, self.components) = (size, progressive, components);
        Ok(())
    }

    fn huffman(&mut self, mut body: &[u8]) -> Option<()> {
        while let [place, rest @ ..] = body {
            let (counts, rest) = rest.split_at_checked(16)?;
            let many = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(many)?;
            let tables = self.tables.get_mut(usize::from(place >> 4))?;
            *tables.get_mut(usize::from(place & 15))? = Some(Table::new(counts, symbols)?);
            body = rest;
        }
        Some(())
    }

    fn quantisers(&mut self, mut body: &[u8]) -> Option<()> {
        while let [place, rest @ ..] = body {
            let wide = place >> 4 != 0;
            let (values, rest) = rest.split_at_checked(if wide { 128 } else { 64 })?;
            *self.quantisers.get_mut(usize::from(place & 15))? = match wide {
                true => u16::from_be_bytes([values[0], values[1]]),
                false => u16::from(values[0]),
            };
            body = rest;
        }
        Some(())
    }

    fn part(&self, body: &[u8]) -> Option<Part> {
        let (&count, rest) = body.split_first()?;
        let (list, rest) = rest.split_at_checked(2 * usize::from(count))?;
        let &[first, last, approximation, ..] = rest else {
            return None;
        };
        let components: Vec<(usize, usize, usize)> = list
            .chunks_exact(2)
            .map(|c| {
                let place = self.components.iter().position(|known| known.id == c[0])?;
                Some((place, usize::from(c[1] >> 4), usize::from(c[1] & 15)))
            })
            .collect::<Option<_>>()?;
        let (first, last) = match self.progressive {
            true => (u32::from(first), u32::from(last)),
            false => (0, 63),
        };
        let (high, low) = match self.progressive {
            true => (approximation >> 4, approximation & 15),
            false => (0, 0),
        };
        let fits = first <= last
            && last < 64
            && low < 14
            && !components.is_empty()
            && components.iter().all(|c| c.1 < 4 && c.2 < 4)
            && (!self.progressive || first > 0 || last == 0)
            && (first == 0 || components.len() == 1);
        fits.then_some(Part {
            components,
            first,
            last,
            high,
            low,
        })
    }

    fn scan(self) -> Result<Scan, Unclear> {
        if self.components.is_empty() {
            return Err(Unclear::Damaged);
        }
        // A progressive file that ends between two scans has every row; one that breaks off there has lost some of each.
        let all = |coefficients: fn(&Component) -> u64| {
            self.components.iter().all(|c| coefficients(c) == u64::MAX)
        };
        let complete = !self.cut && all(|c| c.told) && (self.ended || all(|c| c.exact));
        Ok(Scan {
            complete,
            ended: self.ended,
            orientation: self.orientation.unwrap_or(Orientation::NoTransforms),
            eighth: self.eighth(),
        })
    }
}
