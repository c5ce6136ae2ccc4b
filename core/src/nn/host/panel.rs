//! What the inner loops of quantised linear layers compute: a panel of outputs for a few rows.

/// Outputs computed side by side; [`crate::nn::host`] has the measurement.
pub const PANEL: usize = 16;

/// Rows computed side by side: with [`PANEL`] outputs, eight vectors of sums, which leaves room in
/// 16 registers for what is multiplied.
pub const ROWS: usize = if cfg!(target_arch = "wasm32") { 2 } else { 4 };

/// Inputs whose weights lie together.
pub const STEP: usize = 4;

/// The weights of [`STEP`] inputs for a panel of outputs, each -127 to 127, in the order in which a loop reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Step(pub [i8; STEP * PANEL]);

/// The codes of [`STEP`] inputs of [`ROWS`] rows, eight bytes a row, as a loop reads them.
pub type Inputs = [[i32; ROWS]; 2];

/// Most inputs that share a scale: with codes of 16 bits, of which none is -32768, their sums fit into an `i32`.
pub const MOST_IN_BLOCK: usize = 512;

/// The weights of a panel of outputs.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// A step for every [`STEP`] inputs.
    pub steps: &'a [Step],
    /// Of each block of inputs, for each output.
    pub scales: &'a [[f32; PANEL]],
    /// Of each block, for each output: what the sums start from; as many as scales, or none where a loop starts from 0.
    pub starts: &'a [[i32; PANEL]],
    /// Steps of a block.
    pub block: usize,
}

/// The products of [`ROWS`] rows with a panel of outputs.
pub type Products = [[f32; PANEL]; ROWS];
