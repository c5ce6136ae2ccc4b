//! The outputs of a linear layer for some rows, given as addresses: what a loop outside of this program can compute that shares its
//! memory.

use super::panel::{Outputs, PANEL, Panel, ROWS, Rows, Step, Words};
use core::hint::assert_unchecked;
use core::slice::from_raw_parts;

/// Adds a linear layer's products to the outputs. What belongs to a panel, or to a group of four rows, lies one after the other's.
#[derive(Debug)]
#[repr(C)]
pub struct Job {
    /// How many panels.
    pub panels: usize,
    /// Steps of a panel, and of a row.
    pub length: usize,
    /// Steps of a block, at least 1.
    pub block: usize,
    /// Of the panels.
    pub steps: *const Step,
    /// Of the panels, of each block or, of coarse inputs, one.
    pub scales: *const [f32; PANEL],
    /// Of the panels' blocks, or nothing.
    pub starts: *const [i32; PANEL],
    /// 0, or as many as blocks.
    pub starts_length: usize,
    /// Of the panels' blocks, of coarse inputs.
    pub factors: *const [i32; PANEL],
    /// How many rows.
    pub rows: usize,
    /// Of a step, as many as the loop wants.
    pub words_a_step: usize,
    /// Of the groups.
    pub words: *const Words,
    /// Of the groups, of each block or of as many as share one.
    pub row_scales: *const [f32; ROWS],
    /// How many blocks of coarse inputs share a scale.
    pub blocks_a_scale: usize,
    /// Of the groups' blocks, or nothing.
    pub row_starts: *const Words,
    /// 0, or as many as blocks.
    pub row_starts_length: usize,
    /// `[rows, panels * PANEL]`
    pub outputs: *mut f32,
}

impl Job {
    /// Does it by a loop for fine inputs. No bound is checked: a module that computes nothing else has no place for a panic's words.
    ///
    /// # Safety
    /// Everything that is pointed to must be there and laid out for the loop, `length` a multiple of `block`, which is above 0 as
    /// `blocks_a_scale` is, and the outputs must not be used meanwhile.
    #[inline(always)]
    pub unsafe fn fine(&self, add_products: impl Fn(Panel<'_>, Rows<'_>, &mut Outputs)) {
        // SAFETY: the caller's.
        unsafe { self.compute(|blocks| [blocks, blocks, 0], add_products) }
    }

    /// As [`Job::fine`], for coarse inputs.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub unsafe fn coarse(&self, add_products: impl Fn(Panel<'_>, Rows<'_>, &mut Outputs)) {
        // SAFETY: the caller's.
        unsafe {
            self.compute(
                |blocks| [1, blocks.div_ceil(self.blocks_a_scale), blocks],
                add_products,
            )
        }
    }

    /// `parts`: of so many blocks how many scales a panel has, and a group of rows, and how many factors a panel.
    #[inline(always)]
    unsafe fn compute(
        &self,
        parts: impl Fn(usize) -> [usize; 3],
        add_products: impl Fn(Panel<'_>, Rows<'_>, &mut Outputs),
    ) {
        let (length, width) = (self.length, self.panels * PANEL);
        let words = length * self.words_a_step;
        // SAFETY: the caller's.
        unsafe {
            assert_unchecked(self.block > 0 && self.blocks_a_scale > 0);
            let [scales, row_scales, factors] = parts(length / self.block);
            for p in 0..self.panels {
                let panel = Panel {
                    steps: from_raw_parts(self.steps.add(p * length), length),
                    scales: from_raw_parts(self.scales.add(p * scales), scales),
                    starts: from_raw_parts(
                        self.starts.add(p * self.starts_length),
                        self.starts_length,
                    ),
                    factors: from_raw_parts(self.factors.add(p * factors), factors),
                    block: self.block,
                };
                for group in 0..self.rows.div_ceil(ROWS) {
                    let rows = Rows {
                        words: from_raw_parts(self.words.add(group * words), words),
                        scales: from_raw_parts(self.row_scales.add(group * row_scales), row_scales),
                        blocks_a_scale: self.blocks_a_scale,
                        starts: from_raw_parts(
                            self.row_starts.add(group * self.row_starts_length),
                            self.row_starts_length,
                        ),
                    };
                    let first = group * ROWS;
                    let outputs = self.outputs.add(first * width + p * PANEL);
                    let here = (self.rows - first).min(ROWS);
                    add_products(panel, rows, &mut Outputs::new(outputs, width, here));
                }
            }
        }
    }
}
