//! Linear layers whose weights stay in 8 bits.

use crate::nn::host::activations::Activations;
use crate::nn::host::lanes::{PANEL, ROWS, Step, products};
use burn::tensor::quantization::QuantizedBytes;
use std::fmt;

/// Most inputs that are widened at once: with a panel's outputs, half of a small first-level cache.
const CHUNK: usize = 512;

/// `x W + b`, the weights in 8 bits; neighbouring inputs share a scale for each output.
pub struct BlockLinear {
    /// Weights as in a [`Step`], panel by panel, along the inputs.
    codes: Vec<[i8; 2 * PANEL]>,
    /// Scales panel by panel, along the blocks of inputs.
    scales: Vec<[f32; PANEL]>,
    bias: Vec<f32>,
    /// Steps of a panel.
    length: usize,
    /// Steps that share a scale.
    block: usize,
}

impl fmt::Debug for BlockLinear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockLinear")
            .field("inputs", &(2 * self.length))
            .field("outputs", &self.outputs())
            .finish_non_exhaustive()
    }
}

impl BlockLinear {
    /// Of burn's quantised `weight`, `[input, output]`, in blocks along the inputs.
    ///
    /// # Panics
    /// As [`BlockLinear::new`], or if there are no blocks.
    pub fn from_packed(weight: QuantizedBytes, bias: Vec<f32>) -> Self {
        let block = weight.scheme.block_size().expect("a scheme of blocks");
        let block = usize::from(block.to_dim_vec(2)[0]);
        let (codes, scales) = weight.into_vec_i8();
        Self::new(&codes, &scales.block, bias, block)
    }

    /// Lays weights out.
    ///
    /// # Shapes
    /// - `codes`: `[input, output]`, -127 to 127
    /// - `scales`: `[input / block, output]`
    /// - `bias`: `[output]`
    ///
    /// # Panics
    /// If the lengths do not fit, or `block` is odd or above 512.
    pub fn new(codes: &[i8], scales: &[f32], bias: Vec<f32>, block: usize) -> Self {
        let outputs = bias.len();
        let inputs = codes.len() / outputs;
        assert!(block.is_multiple_of(2) && block <= 512 && inputs.is_multiple_of(block));
        assert_eq!(codes.len(), inputs * outputs);
        assert_eq!(scales.len(), inputs / block * outputs);
        let (length, blocks) = (inputs / 2, inputs / block);
        let panels = outputs.div_ceil(PANEL);
        let mut laid_out = Self {
            codes: vec![[0; 2 * PANEL]; panels * length],
            scales: vec![[0.0; PANEL]; panels * blocks],
            bias,
            length,
            block: block / 2,
        };
        for (i, row) in codes.chunks_exact(outputs).enumerate() {
            for (o, &code) in row.iter().enumerate() {
                laid_out.codes[o / PANEL * length + i / 2][o % PANEL * 2 + i % 2] = code;
            }
        }
        for (b, row) in scales.chunks_exact(outputs).enumerate() {
            for (o, &scale) in row.iter().enumerate() {
                laid_out.scales[o / PANEL * blocks + b][o % PANEL] = scale;
            }
        }
        laid_out
    }

    /// How many outputs a row has.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// The outputs of every row, row by row.
    pub fn forward(&self, x: &Activations) -> Vec<f32> {
        let outputs = self.outputs();
        let mut y = self.bias.repeat(x.scales().len());
        let chunk = (CHUNK / 2 / self.block).max(1) * self.block;
        let mut steps = Vec::with_capacity(chunk.min(self.length));
        let scales = self.scales.chunks_exact(self.length / self.block);
        let panels = self.codes.chunks_exact(self.length).zip(scales);
        for (panel, (codes, scales)) in panels.enumerate() {
            let columns = panel * PANEL..outputs.min((panel + 1) * PANEL);
            let chunks = codes.chunks(chunk).zip(scales.chunks(chunk / self.block));
            for (c, (codes, scales)) in chunks.enumerate() {
                steps.clear();
                steps.extend(codes.iter().map(Step::widened));
                let rows = y.chunks_mut(ROWS * outputs).zip(x.scales().chunks(ROWS));
                for (group, (y, row_scales)) in x.groups().zip(rows) {
                    let group = &group[c * chunk..][..steps.len()];
                    let products = products(&steps, group, scales, self.block);
                    let rows = y.chunks_exact_mut(outputs).zip(row_scales);
                    for ((y, scale), products) in rows.zip(&products) {
                        for (y, product) in y[columns.clone()].iter_mut().zip(products) {
                            *y += scale * product;
                        }
                    }
                }
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    /// Largest error against sums in `f64`, relative to the largest output.
    fn error(rows: usize, inputs: usize, outputs: usize, block: usize) -> f64 {
        let mut random = SplitMix64((rows * inputs + outputs) as u64);
        let mut unit = || random.below(20_001) as f32 / 10_000.0 - 1.0;
        let codes: Vec<i8> = (0..inputs * outputs)
            .map(|_| (127.0 * unit()) as i8)
            .collect();
        let scales: Vec<f32> = (0..inputs / block * outputs)
            .map(|_| unit().abs())
            .collect();
        let bias: Vec<f32> = (0..outputs).map(|_| unit()).collect();
        let x: Vec<f32> = (0..rows * inputs).map(|_| unit()).collect();
        let layer = BlockLinear::new(&codes, &scales, bias.clone(), block);
        let y = layer.forward(&Activations::new(&x, inputs));
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
            for (inputs, outputs, block) in [(32, 16, 32), (24, 40, 8), (96, 9, 32), (1040, 17, 16)]
            {
                let error = error(rows, inputs, outputs, block);
                assert!(error < 5e-5, "{rows} x {inputs} x {outputs}: {error}");
            }
        }
    }

    #[test]
    fn zero_gives_the_bias() {
        let layer = BlockLinear::new(&[127; 64], &[1.0; 2], vec![0.5, -0.25], 32);
        let y = layer.forward(&Activations::new(&[0.0; 32], 32));
        assert_eq!(y, [0.5, -0.25]);
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        let layer = BlockLinear::new(&[1; 8], &[1.0], vec![0.0], 8);
        for bad in [f32::NAN, f32::INFINITY] {
            let mut x = [1.0; 8];
            x[3] = bad;
            assert!(!layer.forward(&Activations::new(&x, 8))[0].is_finite());
        }
    }
}
