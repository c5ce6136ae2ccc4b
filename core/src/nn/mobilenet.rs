//! MobileNetV2 (Sandler et al., CVPR 2018), the backbone of the browser size.
//!
//! Weights carry torchvision's names (`torchvision/models/mobilenetv2.py`).

use crate::nn::conv_block::{ConvBlock, ConvBlockConfig};
use crate::nn::feature_map::FeatureMap;
use crate::nn::host::Activation::{None as Plain, Relu6};
use crate::nn::linear::Linear;
use burn::module::Module;
use burn::nn::LinearConfig;
use burn::prelude::*;

/// The inverted residuals: expansion, channels, repeats, stride of the first. Table 2 of the
/// paper.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// Channels of the feature map.
pub const CHANNELS: usize = 1280;

/// Inverted residuals of the network.
pub const BLOCKS: usize = 17;

/// Configuration of [`MobileNetV2`] at width 1.
#[derive(Config, Debug)]
pub struct MobileNetV2Config {
    /// Classes of the classifier.
    #[config(default = 1000)]
    pub classes: usize,
    /// Padding as TensorFlow's SAME (weights trained there) instead of torchvision's 1.
    #[config(default = true)]
    pub tensorflow_same: bool,
}

impl MobileNetV2Config {
    /// The network with fresh weights.
    pub fn init(&self, device: &Device) -> MobileNetV2 {
        let block = |channels, kernel| {
            ConvBlockConfig::new(channels, kernel).with_tensorflow_same(self.tensorflow_same)
        };
        let mut blocks = Vec::new();
        let mut channels = 32;
        for (expansion, out, repeats, first_stride) in STAGES {
            for repeat in 0..repeats {
                let stride = if repeat == 0 { first_stride } else { 1 };
                let hidden = channels * expansion;
                blocks.push(InvertedResidual {
                    expand: (expansion > 1).then(|| block([channels, hidden], 1).init(device)),
                    depthwise: block([hidden, hidden], 3)
                        .with_stride(stride)
                        .with_groups(hidden)
                        .init(device),
                    project: block([hidden, out], 1).init(device),
                    residual: stride == 1 && channels == out,
                });
                channels = out;
            }
        }
        MobileNetV2 {
            stem: block([3, 32], 3).with_stride(2).init(device),
            blocks,
            last: block([channels, CHANNELS], 1).init(device),
            classifier: LinearConfig::new(CHANNELS, self.classes)
                .init(device)
                .into(),
        }
    }
}

/// Widen, filter each channel, narrow.
#[derive(Module, Debug)]
pub struct InvertedResidual {
    expand: Option<ConvBlock>,
    depthwise: ConvBlock,
    project: ConvBlock,
    residual: bool,
}

impl InvertedResidual {
    fn forward<M: FeatureMap>(&self, input: M) -> M {
        let filtered = match &self.expand {
            Some(expand) => input
                .convolved(expand, Relu6)
                .convolved(&self.depthwise, Relu6),
            None => input.convolved(&self.depthwise, Relu6),
        };
        let output = filtered.convolved(&self.project, Plain);
        match self.residual {
            true => input.plus(output),
            false => output,
        }
    }
}

/// MobileNetV2. Input: see [`crate::image::input::mobilenet`].
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    stem: ConvBlock,
    blocks: Vec<InvertedResidual>,
    last: ConvBlock,
    classifier: Linear,
}

impl MobileNetV2 {
    /// The feature map, values in `[0, 6]`.
    ///
    /// # Shapes
    /// - `input`: `[B, 3, H, W]`
    /// - output: `[B, C = 1280, H/32, W/32]`, rounded up; 7×7 at 224
    pub fn features<M: FeatureMap>(&self, input: M) -> M {
        self.late(self.early(input, 0), 0)
    }

    /// What the last `blocks` of the [`BLOCKS`] inverted residuals read: the output of all before
    /// them. [`MobileNetV2::late`] makes the feature map of it.
    ///
    /// # Shapes
    /// - `input`: `[B, 3, H, W]`
    /// - output: `[B, channels, h, w]`; 160×7×7 at 224 for 1 to 3 blocks, 96×14×14 for 4
    ///
    /// # Panics
    /// If there are not so many blocks.
    pub fn early<M: FeatureMap>(&self, input: M, blocks: usize) -> M {
        let x = input.convolved(&self.stem, Relu6);
        let early = &self.blocks[..BLOCKS - blocks];
        early.iter().fold(x, |x, block| block.forward(x))
    }

    /// The feature map, from what the last `blocks` inverted residuals read.
    ///
    /// # Shapes
    /// - `x`: as [`MobileNetV2::early`] gives it
    /// - output: as [`MobileNetV2::features`] gives it
    ///
    /// # Panics
    /// If there are not so many blocks.
    pub fn late<M: FeatureMap>(&self, x: M, blocks: usize) -> M {
        let late = &self.blocks[BLOCKS - blocks..];
        let x = late.iter().fold(x, |x, block| block.forward(x));
        x.convolved(&self.last, Relu6)
    }

    /// Lets only what [`MobileNetV2::late`] computes with learn.
    ///
    /// # Panics
    /// If there are not so many blocks.
    #[must_use]
    pub fn freeze_early(mut self, blocks: usize) -> Self {
        self.stem = self.stem.set_require_grad(false);
        let early = BLOCKS - blocks;
        let block = |(at, block): (usize, InvertedResidual)| block.set_require_grad(at >= early);
        self.blocks = self.blocks.into_iter().enumerate().map(block).collect();
        self.last = self.last.set_require_grad(true);
        self.classifier = self.classifier.set_require_grad(false);
        self
    }

    /// Class logits of a feature map.
    ///
    /// # Shapes
    /// - `features`: `[B, C = 1280, H, W]`
    /// - output: `[B, classes]`
    pub fn classify(&self, features: Tensor<4>) -> Tensor<2> {
        self.classifier
            .forward(crate::nn::conv_block::pooled(features))
    }

    /// Folds every batch norm away ([`ConvBlock::fold`]), for inference.
    pub fn fold(&mut self) {
        self.each(&mut ConvBlock::fold);
    }

    /// Does something to every convolution.
    pub fn each(&mut self, act: &mut dyn FnMut(&mut ConvBlock)) {
        act(&mut self.stem);
        for block in &mut self.blocks {
            block.expand.iter_mut().for_each(&mut *act);
            act(&mut block.depthwise);
            act(&mut block.project);
        }
        act(&mut self.last);
    }
}
