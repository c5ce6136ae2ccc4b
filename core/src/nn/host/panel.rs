//! What the inner loops of quantised linear layers compute: a panel of outputs for a few rows.

/// Outputs computed side by side; [`crate::nn::host`] has the measurement.
pub const PANEL: usize = 16;

/// Rows laid out side by side. How many of them a loop computes at once is its own choice: as many as the processor's registers
/// hold sums of.
pub const ROWS: usize = 4;

/// Inputs whose weights lie together.
pub const STEP: usize = 4;

/// The weights of [`STEP`] inputs for a panel of outputs, in the order and with the offset that a loop wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Step(pub [i8; STEP * PANEL]);

/// Of each of [`ROWS`] rows a word of codes of inputs, as a loop reads them.
pub type Words = [i32; ROWS];

/// Most inputs of a block: with codes of 16 bits, of which none is -32768, their sums fit into an `i32`.
pub const MOST_IN_BLOCK: usize = 512;

/// The weights of a panel of outputs.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// A step for every [`STEP`] inputs.
    pub steps: &'a [Step],
    /// For each output: of each block of inputs, or where there are factors one of all.
    pub scales: &'a [[f32; PANEL]],
    /// Of each block, for each output: what the sums start from; none where a loop does not ask.
    pub starts: &'a [[i32; PANEL]],
    /// Of each block of coarse inputs, for each output: what the sums are multiplied by ([`scales`](super::scales)), in both halves of the
    /// word.
    pub factors: &'a [[i32; PANEL]],
    /// Steps of a block.
    pub block: usize,
}

/// The inputs of [`ROWS`] rows; where there are fewer rows, those of the others may be anything.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// As many a step as the loop wants.
    pub words: &'a [Words],
    /// For each row: of each block of inputs, or of coarse inputs of as many blocks as share one.
    pub scales: &'a [[f32; ROWS]],
    /// How many blocks of coarse inputs share a scale.
    pub blocks_a_scale: usize,
    /// Of each block, for each row: what the sums start from; none where a loop does not ask.
    pub starts: &'a [Words],
}

/// The outputs of a panel for a few rows, to which a loop adds; it returns none, for a loop that stands alone has no stack.
#[derive(Debug)]
pub struct Outputs {
    first: *mut f32,
    width: usize,
    rows: usize,
}

impl Outputs {
    /// Of `rows` rows, the first one's at `first` and each other's `width` values after those before.
    ///
    /// # Safety
    /// They must be there, and nothing else may use them meanwhile.
    #[inline(always)]
    pub unsafe fn new(first: *mut f32, width: usize, rows: usize) -> Self {
        Self { first, width, rows }
    }

    /// How many rows.
    #[inline(always)]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Those of row `r`, if there is one.
    #[inline(always)]
    pub fn row(&mut self, r: usize) -> Option<&mut [f32; PANEL]> {
        if r >= self.rows {
            return None;
        }
        // SAFETY: `new`'s caller's, and the borrow lasts as long as theirs.
        Some(unsafe { &mut *self.first.add(r * self.width).cast() })
    }
}
