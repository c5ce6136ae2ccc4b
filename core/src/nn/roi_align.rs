//! RoI-align (He et al., ICCV 2017) with torchvision's semantics, `aligned=True`.
//!
//! Bilinear sampling is separable, and a mean of samples is a weighted sum: the features of all
//! boxes are one matrix of weights (computed here from the boxes, in plain Rust) times the map
//! (wherever it lies). So it runs on every backend, reads nothing back, and is differentiable in
//! the map.

use burn::prelude::*;

/// How a map is sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoiAlign {
    /// Cells of the result along each side.
    pub side: usize,
    /// Samples per cell along each side; 0 takes `ceil(box side in map cells / side)`.
    pub sampling: usize,
}

impl RoiAlign {
    /// The map's weight in every cell of every box.
    ///
    /// `boxes`: x1, y1, x2, y2 in map cells (pixels times the map's scale).
    ///
    /// Returns `boxes.len() * side * side * height * width` values.
    pub fn weights(&self, boxes: &[[f32; 4]], height: usize, width: usize) -> Vec<f32> {
        let mut weights = Vec::with_capacity(boxes.len() * self.side.pow(2) * height * width);
        for &[x1, y1, x2, y2] in boxes {
            let rows = self.axis(y1, y2, height);
            let columns = self.axis(x1, x2, width);
            for row in rows.chunks_exact(height) {
                for column in columns.chunks_exact(width) {
                    for &y in row {
                        weights.extend(column.iter().map(|&x| (y * x) as f32));
                    }
                }
            }
        }
        weights
    }

    /// The weights along one side: `side * length` values.
    fn axis(&self, start: f32, end: f32, length: usize) -> Vec<f64> {
        let mut weights = vec![0.0; self.side * length];
        let (start, extent) = (f64::from(start) - 0.5, f64::from(end) - f64::from(start));
        let cell = extent / self.side as f64;
        let samples = match self.sampling {
            0 => cell.ceil().clamp(0.0, 4.0 * length as f64) as usize,
            samples => samples,
        };
        let share = 1.0 / samples.max(1) as f64;
        for (index, row) in weights.chunks_exact_mut(length).enumerate() {
            for sample in 0..samples {
                let within = (sample as f64 + 0.5) * share;
                let at = start + (index as f64 + within) * cell;
                // More than a cell outside counts as zero, less is the border's value.
                if !(-1.0..=length as f64).contains(&at) {
                    continue;
                }
                let at = at.clamp(0.0, (length - 1) as f64);
                let low = at as usize;
                let fraction = at - low as f64;
                row[low] += (1.0 - fraction) * share;
                row[(low + 1).min(length - 1)] += fraction * share;
            }
        }
        weights
    }

    /// The features of `boxes` in one map.
    ///
    /// # Shapes
    /// - `map`: `[C, H, W]`
    /// - `boxes`: `M`, x1, y1, x2, y2 in map cells
    /// - output: `[M, C, side, side]`; none for no boxes, since a tensor without elements is not
    ///   understood by every backend
    pub fn forward(&self, map: Tensor<3>, boxes: &[[f32; 4]]) -> Option<Tensor<4>> {
        if boxes.is_empty() {
            return None;
        }
        let [channels, height, width] = map.dims();
        let cells = self.side * self.side;
        let weights = TensorData::new(
            self.weights(boxes, height, width),
            [boxes.len() * cells, height * width],
        );
        let weights = Tensor::<2>::from_data(weights, &map.device());
        let map = map.reshape([channels, height * width]).swap_dims(0, 1);
        Some(
            weights
                .matmul(map)
                .reshape([boxes.len(), cells, channels])
                .swap_dims(1, 2)
                .reshape([boxes.len(), channels, self.side, self.side]),
        )
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::formula::distance;
    use std::collections::BTreeMap;

    #[derive(serde::Deserialize)]
    struct Reference {
        features: Vec<Vec<Vec<Vec<f32>>>>,
        spatial_scale: f32,
        sampling_ratio: usize,
        boxes: Vec<[f32; 4]>,
        outputs: BTreeMap<String, Vec<Vec<Vec<Vec<f32>>>>>,
    }

    fn flat(nested: &[Vec<Vec<Vec<f32>>>]) -> Vec<f32> {
        nested
            .iter()
            .flatten()
            .flatten()
            .flatten()
            .copied()
            .collect()
    }

    #[test]
    fn agrees_with_torchvision() {
        let json = include_str!("../../../tests/reference/boxes/roi_align.json");
        let reference: Reference = serde_json::from_str(json).unwrap();
        let device = Device::flex();
        let map = TensorData::new(flat(&reference.features), [3, 13, 17]);
        let map = Tensor::<3>::from_data(map, &device);
        let scale = reference.spatial_scale;
        let boxes: Vec<_> = reference
            .boxes
            .iter()
            .map(|b| b.map(|x| x * scale))
            .collect();
        for side in [1, 2, 7] {
            let roi = RoiAlign {
                side,
                sampling: reference.sampling_ratio,
            };
            let ours = roi.forward(map.clone(), &boxes).unwrap().into_data();
            let expected = flat(&reference.outputs[&format!("{side}x{side}")]);
            let expected = TensorData::new(expected, [boxes.len(), 3, side, side]);
            let apart = distance(&ours, &expected);
            assert!(apart <= 1e-5, "{side}: {apart}");
        }
    }

    #[test]
    fn a_box_on_the_whole_map_at_its_own_size_is_the_map() {
        let roi = RoiAlign {
            side: 4,
            sampling: 0,
        };
        let weights = roi.weights(&[[0.0, 0.0, 4.0, 4.0]], 4, 4);
        for (cell, row) in weights.chunks_exact(16).enumerate() {
            for (at, &weight) in row.iter().enumerate() {
                assert_eq!(weight, f32::from(u8::from(at == cell)));
            }
        }
    }

    #[test]
    fn no_boxes_have_no_features() {
        let roi = RoiAlign {
            side: 1,
            sampling: 2,
        };
        let map = Tensor::zeros([2, 3, 3], &Device::flex());
        assert!(roi.forward(map, &[]).is_none());
    }
}
