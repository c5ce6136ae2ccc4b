//! Linear layers whose weights stay in 8 bits or 4.

use crate::nn::host::activations::Activations;
use crate::nn::host::job::Job;
use crate::nn::host::lanes::{Lanes, Layout, Precision};
use crate::nn::host::panel::{PANEL, ROWS, STEP, Step};
use crate::nn::host::quads;
use crate::nn::host::scales::{in_factors, twice};
use std::fmt;

/// `x W + b`, the weights in 8 bits or 4; neighbouring inputs share a scale for each output.
pub struct BlockLinear {
    layout: Layout,
    /// Panel by panel, along the inputs.
    steps: Vec<Step>,
    /// Scales panel by panel, along the blocks of inputs, or where there are factors one a panel.
    scales: Vec<[f32; PANEL]>,
    /// What the sums of the blocks start from, panel by panel; none where a loop starts from 0.
    starts: Vec<[i32; PANEL]>,
    /// Factors of the blocks of coarse inputs, panel by panel.
    factors: Vec<[i32; PANEL]>,
    /// Whole panels.
    bias: Vec<f32>,
    outputs: usize,
    /// Steps of a panel.
    length: usize,
}

impl fmt::Debug for BlockLinear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockLinear")
            .field("inputs", &self.inputs())
            .field("outputs", &self.outputs())
            .finish_non_exhaustive()
    }
}

impl BlockLinear {
    /// Lays weights out.
    ///
    /// # Shapes
    /// - `codes`: `[input, output]`, -127 to 127, for coarse inputs -8 to 7
    /// - `scales`: `[input / block, output]`
    /// - `bias`: `[output]`
    ///
    /// # Panics
    /// If the lengths do not fit, or `block` is no multiple of 4 or above 512, for coarse inputs 32.
    pub fn new(
        codes: &[i8],
        scales: &[f32],
        bias: Vec<f32>,
        block: usize,
        precision: Precision,
    ) -> Self {
        let layout = Layout::of(precision, Lanes::here(precision), block);
        Self::for_layout(layout, codes, scales, bias)
    }

    pub(super) fn for_layout(layout: Layout, codes: &[i8], scales: &[f32], bias: Vec<f32>) -> Self {
        let Layout { lanes, block, .. } = layout;
        let outputs = bias.len();
        let inputs = codes.len() / outputs;
        assert!(inputs.is_multiple_of(STEP * block));
        assert_eq!(codes.len(), inputs * outputs);
        let (length, blocks) = (inputs / STEP, inputs / STEP / block);
        assert_eq!(scales.len(), blocks * outputs);
        let panels = outputs.div_ceil(PANEL);
        let mut laid_out = Self {
            layout,
            steps: vec![Step([0; STEP * PANEL]); panels * length],
            scales: Vec::new(),
            starts: Vec::new(),
            factors: Vec::new(),
            bias: vec![0.0; panels * PANEL],
            outputs,
            length,
        };
        laid_out.bias[..outputs].copy_from_slice(&bias);
        for (i, row) in codes.chunks_exact(outputs).enumerate() {
            for (o, &code) in row.iter().enumerate() {
                let Step(step) = &mut laid_out.steps[o / PANEL * length + i / STEP];
                step[lanes.place(i % STEP, o % PANEL)] = lanes.weight(code);
            }
        }
        match layout.precision {
            Precision::Fine => {
                laid_out.scales = vec![[0.0; PANEL]; panels * blocks];
                for (b, row) in scales.chunks_exact(outputs).enumerate() {
                    for (o, &scale) in row.iter().enumerate() {
                        laid_out.scales[o / PANEL * blocks + b][o % PANEL] = scale;
                    }
                }
            }
            Precision::Coarse => {
                laid_out.scales = vec![[0.0; PANEL]; panels];
                laid_out.factors = vec![[0; PANEL]; panels * blocks];
                for o in 0..outputs {
                    let of_output = scales.iter().skip(o).step_by(outputs).copied();
                    let (scale, factors) = in_factors(of_output);
                    laid_out.scales[o / PANEL][o % PANEL] = scale;
                    for (b, factor) in factors.enumerate() {
                        laid_out.factors[o / PANEL * blocks + b][o % PANEL] = twice(factor);
                    }
                }
            }
        }
        if lanes == Lanes::Quads {
            let blocks = laid_out.steps.chunks_exact(block);
            laid_out.starts = blocks.map(quads::start).collect();
        }
        laid_out
    }

    /// How many outputs a row has.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// How many inputs a row has.
    pub fn inputs(&self) -> usize {
        STEP * self.length
    }

    /// How it wants its rows laid out.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The outputs of rows of values, row by row.
    ///
    /// # Panics
    /// If the rows are not whole.
    pub fn apply(&self, rows: &[f32]) -> Vec<f32> {
        self.forward(&Activations::new(self.layout, rows, self.inputs()))
    }

    /// The outputs of every row, row by row.
    ///
    /// # Panics
    /// If the rows are of another length or laid out otherwise.
    pub fn forward(&self, x: &Activations) -> Vec<f32> {
        // SAFETY: `forward_by` gives whole jobs.
        self.forward_by(x, |job| unsafe { self.layout.compute(job) })
    }

    /// As [`BlockLinear::forward`], by a loop that computes the job.
    pub(super) fn forward_by(&self, x: &Activations, compute: impl FnOnce(&Job)) -> Vec<f32> {
        assert_eq!((x.layout(), x.length()), (self.layout, self.length));
        let (rows, width) = (x.rows(), self.bias.len());
        let mut y = self.bias.repeat(rows);
        let panels = width / PANEL;
        compute(&Job {
            panels,
            length: self.length,
            block: self.layout.block,
            steps: self.steps.as_ptr(),
            scales: self.scales.as_ptr(),
            starts: self.starts.as_ptr(),
            starts_length: self.starts.len() / panels,
            factors: self.factors.as_ptr(),
            rows,
            words_a_step: self.layout.lanes.words_a_step(),
            words: x.words().as_ptr(),
            row_scales: x.scales().as_ptr(),
            blocks_a_scale: self.layout.blocks_a_scale(),
            row_starts: x.starts().as_ptr(),
            row_starts_length: x.starts().len() / rows.div_ceil(ROWS).max(1),
            outputs: y.as_mut_ptr(),
        });
        if width > self.outputs {
            let mut whole = Vec::with_capacity(rows * self.outputs);
            for row in y.chunks_exact(width) {
                whole.extend_from_slice(&row[..self.outputs]);
            }
            return whole;
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    /// With a weight that each may have.
    const BOTH: [(Precision, i8); 2] = [(Precision::Fine, 127), (Precision::Coarse, 7)];

    /// Largest error against sums in `f64`, relative to the largest output.
    fn error(
        (precision, lanes): (Precision, Lanes),
        rows: usize,
        [inputs, outputs, block]: [usize; 3],
    ) -> f64 {
        let most = match precision {
            Precision::Fine => 127.0,
            Precision::Coarse => 7.0,
        };
        let mut random = SplitMix64((rows * inputs + outputs) as u64);
        let mut unit = || random.below(20_001) as f32 / 10_000.0 - 1.0;
        let codes: Vec<i8> = (0..inputs * outputs)
            .map(|_| (most * unit()) as i8)
            .collect();
        let scales: Vec<f32> = (0..inputs / block * outputs)
            .map(|_| unit().abs())
            .collect();
        let bias: Vec<f32> = (0..outputs).map(|_| unit()).collect();
        let x: Vec<f32> = (0..rows * inputs).map(|_| unit()).collect();
        let layout = Layout::of(precision, lanes, block);
        let layer = BlockLinear::for_layout(layout, &codes, &scales, bias.clone());
        let y = layer.forward(&Activations::new(layout, &x, inputs));
        assert_eq!(y.len(), rows * outputs);
        let (mut most, mut off) = (0.0_f64, 0.0_f64);
        for (i, &y) in y.iter().enumerate() {
            let (row, o) = (i / outputs, i % outputs);
            let product = |i: usize| {
                let scale = f64::from(scales[i / block * outputs + o]);
                f64::from(x[row * inputs + i]) * f64::from(codes[i * outputs + o]) * scale
            };
            let expected = f64::from(bias[o]) + (0..inputs).map(product).sum::<f64>();
            most = most.max(expected.abs());
            off = off.max((f64::from(y) - expected).abs());
        }
        off / most
    }

    #[test]
    fn agrees_with_sums_in_double_precision() {
        for rows in [1, 2, 3, 5, 8] {
            for sizes in [[32, 16, 32], [24, 40, 8], [96, 9, 32], [1040, 17, 16]] {
                let error = |precision, lanes| error((precision, lanes), rows, sizes);
                let [pairs, quads] =
                    [Lanes::Pairs, Lanes::Quads].map(|lanes| error(Precision::Fine, lanes));
                assert!(pairs < 5e-5, "{rows}, {sizes:?}: {pairs}");
                assert_eq!(pairs, quads);
                let [pairs, bytes] =
                    [Lanes::Pairs, Lanes::Bytes].map(|lanes| error(Precision::Coarse, lanes));
                assert!(pairs < 1e-2, "{rows}, {sizes:?}: {pairs}");
                assert_eq!(pairs, bytes);
            }
        }
    }

    #[test]
    fn zero_gives_the_bias() {
        for (precision, weight) in BOTH {
            let bias = vec![0.5, -0.25];
            let layer = BlockLinear::new(&[weight; 64], &[1.0; 2], bias, 32, precision);
            let y = layer.forward(&Activations::new(layer.layout(), &[0.0; 32], 32));
            assert_eq!(y, [0.5, -0.25]);
        }
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        for (precision, weight) in BOTH {
            let layer = BlockLinear::new(&[weight; 8], &[1.0], vec![0.0], 8, precision);
            for bad in [f32::NAN, f32::INFINITY] {
                let mut x = [1.0; 8];
                x[3] = bad;
                let y = layer.forward(&Activations::new(layer.layout(), &x, 8));
                assert!(!y[0].is_finite());
            }
        }
    }
}
