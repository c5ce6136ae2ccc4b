//! Entropy-coded data bit by bit, and the Huffman tables that read them.

/// Why the codes of a scan stop.
pub(super) enum Stop {
    /// The data end, or a marker follows.
    End,
    /// There is no such code.
    Bad,
    /// The file has no table to read them by.
    NoTable,
}

/// Bits of the codes looked up at once; longer ones take the large table.
const SHORT: u32 = 10;

/// A Huffman table: `length << 8 | symbol` by the next bits, 0 where there is no code.
pub(super) struct Table {
    short: Vec<u16>,
    long: Vec<u16>,
}

impl Table {
    /// From how many codes there are of each length, 1 to 16, and their symbols; `None` where these are not a table.
    pub(super) fn new(counts: &[u8], symbols: &[u8]) -> Option<Self> {
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
pub(super) struct Bits<'a> {
    /// The whole file.
    pub(super) bytes: &'a [u8],
    /// The next byte.
    pub(super) at: usize,
    /// Bits taken out of the bytes and not yet read, the last `count`.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Those of a file from byte `at` on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            held: 0,
            count: 0,
        }
    }

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

    /// The next `count` bits as a number.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Stop> {
        if self.count < count {
            self.fill();
            if self.count < count {
                return Err(Stop::End);
            }
        }
        self.count -= count;
        Ok((self.held >> self.count) as u32 & ((1 << count) - 1))
    }

    /// The symbol whose code is next.
    pub(super) fn symbol(&mut self, table: &Table) -> Result<u8, Stop> {
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
    pub(super) fn difference(&mut self, bits: u8) -> Result<i32, Stop> {
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
    pub(super) fn restart(&mut self) -> bool {
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
