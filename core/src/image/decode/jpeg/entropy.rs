//! The entropy-coded data of one scan, followed to their end.

use crate::image::decode::jpeg::bits::{Bits, Stop, Table};
use crate::image::decode::jpeg::{Component, File, Unclear};

/// What a scan tells of.
pub(super) struct Part {
    /// Places of the components, with their tables.
    pub(super) components: Vec<(usize, usize, usize)>,
    /// The first and the last coefficient.
    pub(super) first: u32,
    pub(super) last: u32,
    /// The lowest bit told before, 0 where there is none, and the one told now.
    pub(super) high: u8,
    pub(super) low: u8,
}

impl File<'_> {
    /// Follows the codes of a scan.
    pub(super) fn entropy(&mut self, part: &Part) -> Result<(), Unclear> {
        let mut components = std::mem::take(&mut self.components);
        let mut bits = Bits::new(self.bytes, self.at);
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
                // Data are missing before a restart marker, or the interval is not what the header says: what follows is out of place.
                if bits.restart() {
                    return Err(Unclear::Lost);
                }
                self.cut = true;
                Ok(())
            }
            Err(Stop::Bad) => Err(Unclear::Lost),
            Err(Stop::NoTable) => Err(Unclear::Damaged),
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
            |class: usize, place: usize| self.tables[class][place].as_ref().ok_or(Stop::NoTable);
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
