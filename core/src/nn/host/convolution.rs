//! Convolutions over maps whose cells hold their channels beside each other.

use crate::nn::host::lanes::Precision;
use crate::nn::host::linear::BlockLinear;
use crate::nn::host::map::HostMap;
use crate::nn::host::panel::PANEL;
use crate::nn::host::pointwise::{relu6, silu};
use crate::nn::host::wide::wide;
use std::ops::Range;

/// Channels filtered at once.
const TOGETHER: usize = 16;

/// Rows multiplied at once in `f32`: as many as the registers hold sums of.
const AT_ONCE: usize = if cfg!(target_arch = "wasm32") { 2 } else { 4 };

/// Places whose cells are laid out at once, at least: what lies there stays in a processor's cache, and a map needs little room beside
/// itself.
const BAND: usize = 64;

/// What follows a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// From 0 to 6.
    Relu6,
    /// `x * sigmoid(x)`
    Silu,
}

/// Sizes of a convolution with a square kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Whether each channel is filtered by itself; else every output reads all channels.
    pub depthwise: bool,
    /// Side of the kernel.
    pub kernel: usize,
    /// Cells from one place to the next.
    pub stride: usize,
    /// Cells of padding on every side; none where there are as many as give a place to every `stride`-th cell, the odd one below and
    /// on the right (TensorFlow's SAME).
    pub padding: Option<usize>,
}

/// A convolution, and the bias of its outputs.
#[derive(Debug)]
pub struct Convolution {
    geometry: Geometry,
    weights: Weights,
    bias: Vec<f32>,
}

#[derive(Debug)]
enum Weights {
    /// Across the channels of a cell, in 8 bits.
    Pointwise(BlockLinear),
    /// Of each channel by itself, `[kernel^2, C]`.
    Depthwise(Vec<f32>),
    /// Of all channels under the kernel, whole panels, `[kernel^2 C, outputs]`.
    Dense(Vec<[f32; PANEL]>),
}

impl Geometry {
    /// Whether every output is made of the cell that it stands in.
    fn cell_by_cell(self) -> bool {
        (self.kernel, self.stride) == (1, 1) && matches!(self.padding, None | Some(0))
    }

    /// How many places there are along a side of `length` cells, and the padding before it.
    fn along(self, length: usize) -> [usize; 2] {
        match self.padding {
            Some(padding) => {
                let places = (length + 2 * padding - self.kernel) / self.stride + 1;
                [places, padding]
            }
            None => {
                let places = length.div_ceil(self.stride);
                let needed = (places - 1) * self.stride + self.kernel;
                [places, needed.saturating_sub(length) / 2]
            }
        }
    }
}

impl Convolution {
    /// Of weights as burn and PyTorch have them. With `block`, those that go cell by cell across channels are rounded to 8 bits, as many
    /// inputs sharing a scale; what was rounded so before is kept as it was.
    ///
    /// # Shapes
    /// - `weights`: `[outputs, inputs, kernel, kernel]`, of each channel by itself `[outputs, 1, kernel, kernel]`
    /// - `bias`: `[outputs]`
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn new(geometry: Geometry, weights: &[f32], bias: Vec<f32>, block: Option<usize>) -> Self {
        let [inputs, outputs] = geometry.channels;
        let area = geometry.kernel * geometry.kernel;
        let each = if geometry.depthwise { 1 } else { inputs };
        assert_eq!(weights.len(), outputs * each * area);
        assert_eq!(bias.len(), outputs);
        let weight = |o: usize, i: usize, tap: usize| weights[(o * each + i) * area + tap];
        let weights = if geometry.depthwise {
            let taps = (0..area).flat_map(|tap| (0..outputs).map(move |c| weight(c, 0, tap)));
            Weights::Depthwise(taps.collect())
        } else if let (true, Some(block)) = (geometry.cell_by_cell(), block) {
            Weights::Pointwise(rounded(weights, bias.clone(), block))
        } else {
            let panels = outputs.div_ceil(PANEL);
            let mut dense = vec![[0.0; PANEL]; area * inputs * panels];
            for (at, panel) in dense.iter_mut().enumerate() {
                let (row, first) = (at / panels, at % panels * PANEL);
                for (o, out) in (first..outputs).zip(panel) {
                    *out = weight(o, row % inputs, row / inputs);
                }
            }
            Weights::Dense(dense)
        };
        Self {
            geometry,
            weights,
            bias,
        }
    }

    /// The map that it makes of `map`.
    ///
    /// # Panics
    /// If the channels are others.
    pub fn forward(&self, map: &HostMap, activation: Activation) -> HostMap {
        let [down, across] = map.sides.map(|side| self.geometry.along(side));
        let mut values = match &self.weights {
            Weights::Pointwise(linear) => linear.apply(&map.values),
            Weights::Depthwise(weights) => filter(map, weights, &self.bias, self.geometry),
            Weights::Dense(weights) if self.geometry.cell_by_cell() => {
                let mut out = Vec::with_capacity(map.cells() * self.bias.len());
                multiply(&map.values, weights, &self.bias, &mut out);
                out
            }
            Weights::Dense(weights) => {
                let mut out = Vec::with_capacity(down[0] * across[0] * self.bias.len());
                let rows = BAND.div_ceil(across[0]).max(1);
                for first in (0..down[0]).step_by(rows) {
                    let cells = self.under(map, first..(first + rows).min(down[0]));
                    multiply(&cells, weights, &self.bias, &mut out);
                }
                out
            }
        };
        match activation {
            Activation::None => {}
            Activation::Relu6 => relu6(&mut values),
            Activation::Silu => silu(&mut values),
        }
        HostMap {
            sides: [down[0], across[0]],
            channels: self.bias.len(),
            values,
        }
    }

    /// Of every place in some rows of them the cells under the kernel, 0 where there is none, `[places, kernel^2 C]`.
    fn under(&self, map: &HostMap, rows: Range<usize>) -> Vec<f32> {
        let Geometry { kernel, stride, .. } = self.geometry;
        let [[_, above], [across, before]] = map.sides.map(|side| self.geometry.along(side));
        let c = map.channels;
        let mut cells = vec![0.0; rows.len() * across * kernel * kernel * c];
        for (place, cells) in cells.chunks_exact_mut(kernel * kernel * c).enumerate() {
            let [y, x] = [rows.start + place / across, place % across].map(|at| at * stride);
            for (row, cells) in cells.chunks_exact_mut(kernel * c).enumerate() {
                let Some(y) = (y + row).checked_sub(above).filter(|y| *y < map.sides[0]) else {
                    continue;
                };
                // Those of a row lie beside each other.
                let there = on_map(x, before, kernel, map.sides[1]);
                let from = (y * map.sides[1] + x + there.start - before) * c;
                cells[there.start * c..there.end * c]
                    .copy_from_slice(&map.values[from..from + there.len() * c]);
            }
        }
        cells
    }
}

/// Which of a kernel's cells along one side are on the map, where it is put at `place` with `before` cells of padding.
fn on_map(place: usize, before: usize, kernel: usize, length: usize) -> Range<usize> {
    before.saturating_sub(place)..kernel.min((length + before).saturating_sub(place))
}

/// A layer of weights `[outputs, inputs]`, as many inputs as `block` sharing a scale.
fn rounded(weights: &[f32], bias: Vec<f32>, block: usize) -> BlockLinear {
    let outputs = bias.len();
    let inputs = weights.len() / outputs;
    let mut codes = vec![0; weights.len()];
    let mut scales = vec![0.0; weights.len() / block];
    for (o, row) in weights.chunks_exact(inputs).enumerate() {
        for (b, values) in row.chunks_exact(block).enumerate() {
            let most = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let scale = most / 127.0;
            scales[b * outputs + o] = scale;
            for (i, value) in values.iter().enumerate() {
                let code = if scale > 0.0 { value / scale } else { 0.0 };
                codes[(b * block + i) * outputs + o] = code.round_ties_even() as i8;
            }
        }
    }
    BlockLinear::new(&codes, &scales, bias, block, Precision::Fine)
}

wide! {
    /// Each channel by itself: `weights`, `[kernel^2, C]`.
    fn filter(map: &HostMap, weights: &[f32], bias: &[f32], geometry: Geometry) -> Vec<f32> {
        let c = map.channels;
        assert_eq!((bias.len(), map.values.len()), (c, map.cells() * c));
        let [[down, above], [across, before]] = map.sides.map(|side| geometry.along(side));
        let mut out = Vec::with_capacity(down * across * c);
        // Where the cells and the weights of the taps begin that are on the map.
        let mut taps = Vec::with_capacity(geometry.kernel * geometry.kernel);
        for place in 0..down * across {
            let [y, x] = [place / across, place % across].map(|at| at * geometry.stride);
            taps.clear();
            for row in on_map(y, above, geometry.kernel, map.sides[0]) {
                for column in on_map(x, before, geometry.kernel, map.sides[1]) {
                    let cell = (y + row - above) * map.sides[1] + x + column - before;
                    taps.push([cell * c, (row * geometry.kernel + column) * c]);
                }
            }
            let mut from = 0;
            while from < c {
                // Sums of a few channels stay in registers while the kernel goes over them.
                from += match c - from {
                    TOGETHER.. => filtered::<TOGETHER>(&map.values, weights, bias, &taps, from, &mut out),
                    8.. => filtered::<8>(&map.values, weights, bias, &taps, from, &mut out),
                    _ => filtered::<1>(&map.values, weights, bias, &taps, from, &mut out),
                };
            }
        }
        out
    }
}

/// Adds the sums of `N` channels from `from` on over `taps`; gives back how many.
#[inline(always)]
fn filtered<const N: usize>(
    values: &[f32],
    weights: &[f32],
    bias: &[f32],
    taps: &[[usize; 2]],
    from: usize,
    out: &mut Vec<f32>,
) -> usize {
    let few = |all: &[f32], at: usize| -> [f32; N] {
        let few = all[at..].first_chunk();
        *few.expect("whole cells")
    };
    let mut sums = few(bias, from);
    for [cell, tap] in taps {
        let (values, weights) = (few(values, cell + from), few(weights, tap + from));
        for (sum, (x, weight)) in sums.iter_mut().zip(values.iter().zip(weights)) {
            *sum += x * weight;
        }
    }
    out.extend_from_slice(&sums);
    N
}

wide! {
    /// Adds rows times `weights`, `[inputs, panels]`, and `bias` to those in `out`.
    fn multiply(rows: &[f32], weights: &[[f32; PANEL]], bias: &[f32], out: &mut Vec<f32>) {
        let panels = bias.len().div_ceil(PANEL);
        let inputs = weights.len() / panels;
        assert!(rows.len().is_multiple_of(inputs));
        let many = rows.len() / inputs;
        let (before, outputs) = (out.len(), bias.len());
        out.resize(before + many * outputs, 0.0);
        let out = &mut out[before..];
        for first in (0..many).step_by(AT_ONCE) {
            let here = AT_ONCE.min(many - first);
            // In the place of rows that are not there the last one is computed again.
            let rows: [&[f32]; AT_ONCE] =
                std::array::from_fn(|r| &rows[(first + r.min(here - 1)) * inputs..][..inputs]);
            for (p, bias) in bias.chunks(PANEL).enumerate() {
                let mut sums = [[0.0_f32; PANEL]; AT_ONCE];
                for i in 0..inputs {
                    let weights = &weights[i * panels + p];
                    for (sums, row) in sums.iter_mut().zip(rows) {
                        let x = row[i];
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum += x * weight;
                        }
                    }
                }
                for (r, sums) in sums.iter().take(here).enumerate() {
                    let at = (first + r) * outputs + p * PANEL;
                    for ((out, sum), bias) in out[at..].iter_mut().zip(sums).zip(bias) {
                        *out = sum + bias;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    /// Largest distance from sums in `f64` over every cell under the kernel.
    fn off(sides: [usize; 2], geometry: Geometry, block: Option<usize>) -> f64 {
        let ([inputs, outputs], kernel) = (geometry.channels, geometry.kernel);
        let mut random = SplitMix64((outputs * 31 + sides[0]) as u64);
        let mut unit = || random.below(20_001) as f32 / 10_000.0 - 1.0;
        let area = kernel * kernel;
        let each = if geometry.depthwise { 1 } else { inputs };
        let mut weights: Vec<f32> = (0..outputs * each * area).map(|_| unit()).collect();
        if let Some(block) = block {
            // As they are when they have been packed.
            for values in weights.chunks_exact_mut(block) {
                let code = |x: &mut f32| *x = (*x * 126.0).round() / 64.0;
                values.iter_mut().for_each(code);
                values[0] = 127.0 / 64.0;
            }
        }
        let bias: Vec<f32> = (0..outputs).map(|_| unit()).collect();
        let map = HostMap {
            sides,
            channels: inputs,
            values: (0..sides[0] * sides[1] * inputs).map(|_| unit()).collect(),
        };
        let layer = Convolution::new(geometry, &weights, bias.clone(), block);
        let out = layer.forward(&map, Activation::None);
        let on = |place: usize, tap: usize, side: usize| {
            let before = geometry.along(side)[1];
            let at = (place * geometry.stride + tap).checked_sub(before)?;
            (at < side).then_some(at)
        };
        let mut most = 0.0_f64;
        for (at, &found) in out.values.iter().enumerate() {
            let (place, o) = (at / outputs, at % outputs);
            let mut sum = f64::from(bias[o]);
            for tap in 0..area {
                let y = on(place / out.sides[1], tap / kernel, sides[0]);
                let x = on(place % out.sides[1], tap % kernel, sides[1]);
                let (Some(y), Some(x)) = (y, x) else { continue };
                for i in 0..each {
                    let input = if geometry.depthwise { o } else { i };
                    let value = map.values[(y * sides[1] + x) * inputs + input];
                    sum += f64::from(value) * f64::from(weights[(o * each + i) * area + tap]);
                }
            }
            most = most.max((sum - f64::from(found)).abs());
        }
        most
    }

    #[test]
    fn agrees_with_sums_in_double_precision() {
        let geometry = |channels, (kernel, stride, padding)| Geometry {
            channels,
            depthwise: false,
            kernel,
            stride,
            padding,
        };
        let one = (1, 1, Some(0));
        for sides in [[6, 7], [1, 1], [5, 4]] {
            for window in [
                (3, 1, Some(1)),
                (3, 2, Some(1)),
                (3, 2, None),
                (3, 1, None),
                (5, 1, Some(2)),
            ] {
                for channels in [8, 13, 24] {
                    let depthwise = Geometry {
                        depthwise: true,
                        ..geometry([channels; 2], window)
                    };
                    assert!(off(sides, depthwise, None) < 1e-5, "{depthwise:?}");
                }
                assert!(
                    off(sides, geometry([3, 17], window), None) < 1e-4,
                    "{window:?}"
                );
            }
            assert!(off(sides, geometry([32, 24], one), Some(32)) < 5e-3);
            assert!(off(sides, geometry([24, 40], one), Some(8)) < 5e-3);
            for window in [one, (1, 2, Some(0)), (1, 2, None), (1, 1, Some(1))] {
                assert!(off(sides, geometry([16, 16], window), Some(16)) < 5e-3);
                assert!(off(sides, geometry([16, 16], window), None) < 1e-5);
            }
        }
    }

    #[test]
    fn what_follows_is_computed_on_every_output() {
        let geometry = Geometry {
            channels: [1, 2],
            depthwise: false,
            kernel: 1,
            stride: 1,
            padding: Some(0),
        };
        let layer = Convolution::new(geometry, &[1.0, -4.0], vec![0.0; 2], None);
        let map = HostMap {
            sides: [1, 2],
            channels: 1,
            values: vec![2.0, -2.0],
        };
        let of = |activation| layer.forward(&map, activation).values;
        assert_eq!(of(Activation::None), [2.0, -8.0, -2.0, 8.0]);
        assert_eq!(of(Activation::Relu6), [2.0, 0.0, 0.0, 6.0]);
        let silu = [2.0, -8.0, -2.0, 8.0].map(|x: f32| x / (1.0 + (-x).exp()));
        for (found, expected) in of(Activation::Silu).iter().zip(silu) {
            assert!((found - expected).abs() < 1e-6);
        }
    }
}
