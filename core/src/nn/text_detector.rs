//! Where an image has lines of text: a small convolutional pyramid with one logit for every 4 x 4 pixels.
//!
//! A reconstruction in the manner of DB (Liao et al., "Real-time Scene Text Detection with Differentiable Binarization",
//! arXiv 1911.08947), without its threshold map.

use crate::nn::conv_block::{ConvBlock, ConvBlockConfig};
use crate::nn::feature_map::FeatureMap;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;

/// Pixels of a side of the input for each cell of the output.
pub const STRIDE: usize = 4;

/// What the input's sides are multiples of.
pub const MULTIPLE: usize = 32;

/// Sizes of a [`TextDetector`].
#[derive(Config, Debug, PartialEq)]
pub struct TextDetectorConfig {
    /// Channels at stride 2.
    #[config(default = 16)]
    pub stem: usize,
    /// Channels at strides 4, 8, 16 and 32.
    #[config(default = "[24, 32, 64, 96]")]
    pub stages: [usize; 4],
    /// Channels of the map that all strides flow into.
    #[config(default = 24)]
    pub width: usize,
}

impl TextDetectorConfig {
    /// What is wrong with the sizes, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        let mut sizes = self.stages.iter().chain([&self.stem, &self.width]);
        match sizes.all(|size| (1..=1024).contains(size)) {
            true => Ok(()),
            false => Err("a size of the text detector is not from 1 to 1024"),
        }
    }

    /// A detector with fresh weights.
    pub fn init(&self, device: &Device) -> TextDetector {
        let block = |channels, kernel, stride| {
            ConvBlockConfig::new(channels, kernel)
                .with_stride(stride)
                .init(device)
        };
        let mut from = self.stem;
        let stages = self.stages.map(|to| {
            let stage = Stage {
                down: block([from, to], 3, 2),
                same: block([to, to], 3, 1),
            };
            from = to;
            stage
        });
        TextDetector {
            stem: block([3, self.stem], 3, 2),
            stages: stages.into(),
            lateral: self
                .stages
                .map(|from| block([from, self.width], 1, 1))
                .into(),
            smooth: block([self.width, self.width], 3, 1),
            out: Conv2dConfig::new([self.width, 1], [1, 1]).init(device),
        }
    }
}

/// Half the side, and a residual block.
#[derive(Module, Debug)]
struct Stage {
    down: ConvBlock,
    same: ConvBlock,
}

impl Stage {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.down.forward(x));
        relu(self.same.forward(x.clone()) + x)
    }
}

/// The network.
#[derive(Module, Debug)]
pub struct TextDetector {
    stem: ConvBlock,
    stages: Vec<Stage>,
    /// From each stage into the common map.
    lateral: Vec<ConvBlock>,
    smooth: ConvBlock,
    out: Conv2d,
}

impl TextDetector {
    /// Logits of a cell lying in the core of a line of text.
    ///
    /// # Shapes
    /// - `input`: `[B, 3, H, W]`, red, green, blue in `[-1, 1]`; `H` and `W` multiples of [`MULTIPLE`]
    /// - output: `[B, H / 4, W / 4]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<3> {
        let mut x = relu(self.stem.forward(input));
        let mut maps = Vec::with_capacity(self.stages.len());
        for (stage, lateral) in self.stages.iter().zip(&self.lateral) {
            x = stage.forward(x);
            maps.push(lateral.forward(x.clone()));
        }
        let common = maps
            .into_iter()
            .rev()
            .reduce(|coarse, fine| coarse.doubled() + fine);
        let common = relu(common.expect("there are stages"));
        let logits = self.out.forward(relu(self.smooth.forward(common)));
        logits.squeeze_dim(1)
    }

    /// Folds the batch norms into the convolutions; for inference only.
    pub fn fold(&mut self) {
        let stages = self.stages.iter_mut();
        let stages = stages.flat_map(|stage| [&mut stage.down, &mut stage.same]);
        let others = [&mut self.stem, &mut self.smooth];
        for block in stages.chain(others).chain(&mut self.lateral) {
            block.fold();
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn a_cell_stands_for_four_by_four_pixels_folded_or_not() {
        let device = Device::flex();
        device.seed(1);
        let mut detector = TextDetectorConfig::new().init(&device);
        let input = Tensor::random([2, 3, 64, 96], Distribution::Uniform(-1.0, 1.0), &device);
        let logits = detector.forward(input.clone());
        assert_eq!(logits.dims(), [2, 64 / STRIDE, 96 / STRIDE]);
        detector.fold();
        let folded = detector.forward(input).into_data();
        folded.assert_approx_eq::<f32>(&logits.into_data(), Tolerance::absolute(1e-4));
    }

    #[test]
    fn sizes_have_bounds() {
        assert!(TextDetectorConfig::new().check().is_ok());
        assert!(
            TextDetectorConfig::new()
                .with_stages([1, 2, 3, 0])
                .check()
                .is_err()
        );
        assert!(TextDetectorConfig::new().with_width(5000).check().is_err());
    }
}
