//! JPEG files read as far as their entropy-coded data: which rows are there, and the image at an eighth of its size.
//!
//! The decoder that gives the pixels (zune-jpeg 0.5) fills rows that are not in the file with grey and says nothing. So the
//! Huffman codes are followed here to the end of every scan. A block's first coefficient is its mean: the means alone are the
//! image reduced by eight, at a 64th of the memory.

use crate::image::Image;
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

/// Why a file cannot be followed: its decoder may still make something of it.
#[derive(Debug)]
pub(super) enum Unclear {
    /// A process other than Huffman-coded sequential or progressive, of 8 bits.
    Process,
    /// Codes, tables or markers that contradict each other.
    Damaged,
}

/// Why the codes of a scan stop.
enum Stop {
    /// The data end, or a marker follows.
    End,
    /// There is no such code.
    Bad,
}

/// Follows a file from its first marker to its last. No memory is taken before its size is known to the caller.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan, Unclear> {
    let mut file = File {
        bytes: without_trailing_zeros(bytes),
        at: 2,
        ..File::default()
    };
    file.follow()?;
    file.scan()
}

/// Whether the frame is a progressive one; `false` where there is none.
pub(super) fn is_progressive(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => return marker & 3 == 2,
            0xd9 | 0xda => return false,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
    false
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

/// Bits of the codes looked up at once; longer ones take the large table.
const SHORT: u32 = 10;

/// A Huffman table: `length << 8 | symbol` by the next bits, 0 where there is no code.
struct Table {
    short: Vec<u16>,
    long: Vec<u16>,
}

impl Table {
    fn new(counts: &[u8], symbols: &[u8]) -> Option<Self> {
        let mut long = vec![0u16; 1 << 16];
        let (mut code, mut next) = (0usize, 0);
        for (length, &count) in (1u32..=16).zip(counts) {
            for _ in 0..count {
                let entry = (length as u16) << 8 | u16::from(*symbols.get(next)?);
                let (first, many) = (code << (16 - length), 1usize << (16 - length));
                long.get_mut(first..first + many)?.fill(entry);
                code += 1;
                next += 1;
            }
            code <<= 1;
        }
        let short = (0..1usize << SHORT)
            .map(|at| {
                let entry = long[at << (16 - SHORT)];
                if u32::from(entry >> 8) <= SHORT {
                    entry
                } else {
                    0
                }
            })
            .collect();
        Some(Self { short, long })
    }
}

/// Bits of entropy-coded data, up to a marker.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at) {
                Some(0xff) => match self.bytes.get(self.at + 1) {
                    Some(0) => {
                        self.at += 2;
                        0xff
                    }
                    // A fill byte before a marker.
                    Some(0xff) => {
                        self.at += 1;
                        continue;
                    }
                    _ => return,
                },
                Some(&byte) => {
                    self.at += 1;
                    byte
                }
                None => return,
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    fn take(&mut self, count: u32) -> Result<u32, Stop> {
        if self.count < count {
            self.fill();
            if self.count < count {
                return Err(Stop::End);
            }
        }
        self.count -= count;
        Ok((self.held >> self.count) as u32 & ((1 << count) - 1))
    }

    fn symbol(&mut self, table: &Table) -> Result<u8, Stop> {
        if self.count < 16 {
            self.fill();
        }
        let next = match self.count.checked_sub(16) {
            Some(rest) => (self.held >> rest) as u16,
            None => (self.held << (16 - self.count)) as u16,
        };
        let mut entry = table.short[usize::from(next >> (16 - SHORT))];
        if entry == 0 {
            entry = table.long[usize::from(next)];
        }
        let length = u32::from(entry >> 8);
        if length > self.count || (entry == 0 && self.count < 16) {
            return Err(Stop::End);
        }
        if entry == 0 {
            return Err(Stop::Bad);
        }
        self.count -= length;
        Ok(entry as u8)
    }

    /// A difference of so many bits.
    fn difference(&mut self, bits: u8) -> Result<i32, Stop> {
        if bits == 0 {
            return Ok(0);
        }
        if bits > 15 {
            return Err(Stop::Bad);
        }
        let value = self.take(u32::from(bits))? as i32;
        let half = 1 << (bits - 1);
        Ok(if value < half {
            value - 2 * half + 1
        } else {
            value
        })
    }

    /// Goes on behind a restart marker, if one is next.
    fn restart(&mut self) -> bool {
        (self.held, self.count) = (0, 0);
        while self.bytes.get(self.at..self.at + 2) == Some(&[0xff, 0xff]) {
            self.at += 1;
        }
        match self.bytes.get(self.at..self.at + 2) {
            Some(&[0xff, 0xd0..=0xd7]) => {
                self.at += 2;
                true
            }
            _ => false,
        }
    }
}

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

/// What a scan tells of.
struct Part {
    /// Places of the components, with their tables.
    components: Vec<(usize, usize, usize)>,
    first: u32,
    last: u32,
    high: u8,
    low: u8,
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

    /// Follows the codes of a scan.
    fn entropy(&mut self, part: &Part) -> Result<(), Unclear> {
        let mut components = std::mem::take(&mut self.components);
        let mut bits = Bits {
            bytes: self.bytes,
            at: self.at,
            held: 0,
            count: 0,
        };
        let outcome = self.units(part, &mut components, &mut bits);
        let span = |first: u32, last: u32| (u64::MAX >> (63 - last)) & (u64::MAX << first);
        for &(place, ..) in &part.components {
            let told = span(part.first, part.last);
            components[place].told |= told;
            components[place].exact |= if part.low == 0 { told } else { 0 };
        }
        self.components = components;
        self.at = bits.at;
        match outcome {
            Ok(()) => Ok(()),
            Err(Stop::End) => {
                // Data are missing before a restart marker, where others go on.
                if bits.restart() {
                    return Err(Unclear::Damaged);
                }
                self.cut = true;
                Ok(())
            }
            Err(Stop::Bad) => Err(Unclear::Damaged),
        }
    }

    fn units(
        &self,
        part: &Part,
        components: &mut [Component],
        bits: &mut Bits,
    ) -> Result<(), Stop> {
        let alone = part.components.len() == 1;
        let first = &components[part.components[0].0];
        let [across, down] = match alone {
            true => first.own,
            false => [0, 1].map(|i| first.blocks[i] / [first.across, first.down][i]),
        };
        let mut before = [0i32; 4];
        let mut run = 0u32;
        for unit in 0..across * down {
            if self.interval > 0 && unit > 0 && unit % self.interval == 0 {
                if !bits.restart() {
                    // Without its marker nothing tells what follows from what is lost.
                    return Err(match bits.bytes.get(bits.at..) {
                        Some([0xff, ..]) | Some([]) | None => Stop::End,
                        Some(_) => Stop::Bad,
                    });
                }
                (before, run) = ([0; 4], 0);
            }
            let (x, y) = (unit % across, unit / across);
            for (slot, &(place, dc, ac)) in part.components.iter().enumerate() {
                let component = &mut components[place];
                let [wide, high] = match alone {
                    true => [1, 1],
                    false => [component.across, component.down],
                };
                for block in 0..wide * high {
                    let at =
                        (y * high + block / wide) * component.blocks[0] + x * wide + block % wide;
                    self.block(
                        part,
                        [dc, ac],
                        component,
                        at,
                        &mut before[slot],
                        &mut run,
                        bits,
                    )?;
                }
            }
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of a scan, in the innermost loop"
    )]
    fn block(
        &self,
        part: &Part,
        [dc, ac]: [usize; 2],
        component: &mut Component,
        at: usize,
        before: &mut i32,
        run: &mut u32,
        bits: &mut Bits,
    ) -> Result<(), Stop> {
        let table =
            |class: usize, place: usize| self.tables[class][place].as_ref().ok_or(Stop::Bad);
        if part.first == 0 {
            if part.high == 0 {
                let size = bits.symbol(table(0, dc)?)?;
                *before = before.wrapping_add(bits.difference(size)?);
                component.means[at] = (*before << part.low) as i16;
            } else if bits.take(1)? == 1 {
                component.means[at] |= 1 << part.low;
            }
        }
        if part.last == 0 {
            return Ok(());
        }
        let table = table(1, ac)?;
        if !self.progressive {
            let mut k = 1;
            while k < 64 {
                let symbol = bits.symbol(table)?;
                match (symbol >> 4, symbol & 15) {
                    (15, 0) => k += 16,
                    (_, 0) => break,
                    (zeros, size) => {
                        bits.take(u32::from(size))?;
                        k += u32::from(zeros) + 1;
                    }
                }
            }
            return if k > 64 { Err(Stop::Bad) } else { Ok(()) };
        }
        let nonzero = &mut component.nonzero[at];
        match part.high {
            0 => first_pass(part, table, nonzero, run, bits),
            _ => refinement(part, table, nonzero, run, bits),
        }
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

    /// The means of the blocks as an image.
    fn eighth(&self) -> Image {
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

/// Coefficients told of for the first time.
fn first_pass(
    part: &Part,
    table: &Table,
    nonzero: &mut u64,
    run: &mut u32,
    bits: &mut Bits,
) -> Result<(), Stop> {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut k = part.first;
    while k <= part.last {
        let symbol = bits.symbol(table)?;
        match (u32::from(symbol >> 4), symbol & 15) {
            (15, 0) => k += 16,
            (zeros, 0) => {
                *run = (1 << zeros) - 1 + bits.take(zeros)?;
                break;
            }
            (zeros, size) => {
                k += zeros;
                if k > 63 {
                    return Err(Stop::Bad);
                }
                bits.take(u32::from(size))?;
                *nonzero |= 1 << k;
                k += 1;
            }
        }
    }
    Ok(())
}

/// One more bit of coefficients told of before.
fn refinement(
    part: &Part,
    table: &Table,
    nonzero: &mut u64,
    run: &mut u32,
    bits: &mut Bits,
) -> Result<(), Stop> {
    let mut k = part.first;
    if *run == 0 {
        while k <= part.last {
            let symbol = bits.symbol(table)?;
            let (mut zeros, size) = (u32::from(symbol >> 4), symbol & 15);
            if size == 0 && zeros < 15 {
                *run = (1 << zeros) + bits.take(zeros)?;
                break;
            }
            if size > 0 {
                bits.take(1)?;
            }
            // Those that are not zero yet each have a bit here and do not count.
            while k <= part.last {
                if *nonzero >> k & 1 == 1 {
                    bits.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if size > 0 && k <= part.last {
                *nonzero |= 1 << k;
            }
            k += 1;
        }
    }
    if *run > 0 {
        for k in k..=part.last {
            if *nonzero >> k & 1 == 1 {
                bits.take(1)?;
            }
        }
        *run -= 1;
    }
    Ok(())
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
