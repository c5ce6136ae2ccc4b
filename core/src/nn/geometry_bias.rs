//! Where boxes lie to each other, as a bias on attention between them: Hu et al., "Relation
//! Networks for Object Detection" (CVPR 2018), equations 2 and 5.

use crate::image::spatial::GEOMETRY;
use crate::nn::linear::{Linear, linear};
use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// One weight per head and ordered pair from the pair's geometry feature.
#[derive(Module, Debug)]
pub struct GeometryBias {
    /// Feature to weight, `64 -> heads`.
    pub weigh: Linear,
}

impl GeometryBias {
    /// A fresh bias for `heads` heads.
    pub fn new(heads: usize, device: &Device) -> Self {
        Self {
            weigh: linear(GEOMETRY, heads, device),
        }
    }

    /// The logarithm of the pairs' weights, which are cut at 1e-6: what to add to the logits.
    ///
    /// # Shapes
    /// - `geometry`: `[B, M, M, 64]`
    /// - output: `[B, H, M, M]`, at least ln 1e-6
    pub fn forward(&self, geometry: Tensor<4>) -> Tensor<4> {
        let weights = relu(self.weigh.forward(geometry)).clamp_min(1e-6);
        weights.log().permute([0, 3, 1, 2])
    }
}
