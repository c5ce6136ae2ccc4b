//! The outputs of a linear layer for some rows, given as addresses: what a loop outside of this program can compute that shares its
//! memory.

use super::panel::{Inputs, PANEL, Panel, Products, ROWS, Step};
use core::hint::assert_unchecked;
use core::slice::from_raw_parts;

/// Adds a linear layer's products to the outputs.
#[derive(Debug)]
#[repr(C)]
pub struct Job {
    /// Steps of the panels, one panel after the other.
    pub steps: *const Step,
    /// Scales of the panels' blocks.
    pub scales: *const [f32; PANEL],
    /// What the sums of the blocks start from, or nothing.
    pub starts: *const [i32; PANEL],
    /// Of a panel, 0 or as many as blocks.
    pub starts_length: usize,
    /// Steps of a panel, and of a row.
    pub length: usize,
    /// Steps of a block, at least 1.
    pub block: usize,
    /// How many panels.
    pub panels: usize,
    /// Groups of rows.
    pub inputs: *const Inputs,
    /// The scale of each row.
    pub row_scales: *const f32,
    /// How many rows.
    pub rows: usize,
    /// `[rows, panels * PANEL]`
    pub outputs: *mut f32,
}

impl Job {
    /// Does it by a loop. No bound is checked: a module that computes nothing else has no place for a panic's words.
    ///
    /// # Safety
    /// Everything that is pointed to must be there and laid out for the loop, `length` a multiple of `block`, which is above 0, and
    /// the outputs must not be used meanwhile.
    #[inline(always)]
    pub unsafe fn compute(&self, products: impl Fn(Panel<'_>, &[Inputs]) -> Products) {
        let (length, rows, width) = (self.length, self.rows, self.panels * PANEL);
        // SAFETY: the caller's.
        unsafe {
            assert_unchecked(self.block > 0);
            let blocks = length / self.block;
            for p in 0..self.panels {
                let panel = Panel {
                    steps: from_raw_parts(self.steps.add(p * length), length),
                    scales: from_raw_parts(self.scales.add(p * blocks), blocks),
                    starts: from_raw_parts(
                        self.starts.add(p * self.starts_length),
                        self.starts_length,
                    ),
                    block: self.block,
                };
                for group in 0..rows.div_ceil(ROWS) {
                    let inputs = from_raw_parts(self.inputs.add(group * length), length);
                    let products = products(panel, inputs);
                    let first = group * ROWS;
                    for (r, products) in products.iter().enumerate().take(rows - first) {
                        let scale = *self.row_scales.add(first + r);
                        let outputs = self.outputs.add((first + r) * width + p * PANEL);
                        for (o, product) in products.iter().enumerate() {
                            *outputs.add(o) += scale * product;
                        }
                    }
                }
            }
        }
    }
}
