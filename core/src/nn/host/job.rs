//! The outputs of a linear layer for some rows, given as addresses: what a loop outside of this program can compute that shares its
//! memory.

use super::panel::{Outputs, PANEL, Panel, ROWS, Rows, Step, Words};
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
    /// Groups of four rows.
    pub words: *const Words,
    /// Of a step, as many as the loop wants.
    pub words_a_step: usize,
    /// Scales of the groups' blocks.
    pub row_scales: *const [f32; ROWS],
    /// What the sums of the groups' blocks start from, or nothing.
    pub row_starts: *const Words,
    /// Of a group, 0 or as many as blocks.
    pub row_starts_length: usize,
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
    pub unsafe fn compute(&self, add_products: impl Fn(Panel<'_>, Rows<'_>, &mut Outputs)) {
        let (length, width) = (self.length, self.panels * PANEL);
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
                for group in 0..self.rows.div_ceil(ROWS) {
                    let (first, words) = (group * ROWS, length * self.words_a_step);
                    let rows = Rows {
                        words: from_raw_parts(self.words.add(group * words), words),
                        scales: from_raw_parts(self.row_scales.add(group * blocks), blocks),
                        starts: from_raw_parts(
                            self.row_starts.add(group * self.row_starts_length),
                            self.row_starts_length,
                        ),
                    };
                    let outputs = self.outputs.add(first * width + p * PANEL);
                    let here = (self.rows - first).min(ROWS);
                    add_products(panel, rows, &mut Outputs::new(outputs, width, here));
                }
            }
        }
    }
}
