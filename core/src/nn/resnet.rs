//! ResNet-50, -101 and -152 (He et al., CVPR 2016), the backbones of the paper size.
//!
//! Weights carry torchvision's names (`torchvision/models/resnet.py`, "V1.5": the stride sits in
//! the 3×3 convolution).

use crate::nn::conv_block::{ConvBlock, ConvBlockConfig, pooled};
use burn::module::Module;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::relu;

/// Channels of the feature map.
pub const CHANNELS: usize = 2048;

/// Configuration of [`ResNet`].
#[derive(Config, Debug)]
pub struct ResNetConfig {
    /// Bottlenecks of each of the four stages.
    pub blocks: [usize; 4],
    /// Classes of the classifier.
    #[config(default = 1000)]
    pub classes: usize,
}

impl ResNetConfig {
    /// ResNet-50.
    pub fn resnet50() -> Self {
        Self::new([3, 4, 6, 3])
    }

    /// ResNet-101.
    pub fn resnet101() -> Self {
        Self::new([3, 4, 23, 3])
    }

    /// ResNet-152.
    pub fn resnet152() -> Self {
        Self::new([3, 8, 36, 3])
    }

    /// The network with fresh weights.
    pub fn init(&self, device: &Device) -> ResNet {
        let mut channels = 64;
        let mut stage = |index: usize| {
            let width = 64 << index;
            (0..self.blocks[index])
                .map(|block| {
                    let stride = if block == 0 && index > 0 { 2 } else { 1 };
                    let bottleneck = Bottleneck::new(channels, width, stride, block == 0, device);
                    channels = 4 * width;
                    bottleneck
                })
                .collect()
        };
        ResNet {
            stem: ConvBlockConfig::new([3, 64], 7).with_stride(2).init(device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            layer1: stage(0),
            layer2: stage(1),
            layer3: stage(2),
            layer4: stage(3),
            fc: LinearConfig::new(CHANNELS, self.classes).init(device),
        }
    }
}

/// 1×1 narrow, 3×3, 1×1 widen fourfold, around a shortcut.
#[derive(Module, Debug)]
pub struct Bottleneck {
    block1: ConvBlock,
    block2: ConvBlock,
    block3: ConvBlock,
    downsample: Option<ConvBlock>,
}

impl Bottleneck {
    fn new(channels: usize, width: usize, stride: usize, first: bool, device: &Device) -> Self {
        Self {
            block1: ConvBlockConfig::new([channels, width], 1).init(device),
            block2: ConvBlockConfig::new([width, width], 3)
                .with_stride(stride)
                .init(device),
            block3: ConvBlockConfig::new([width, 4 * width], 1).init(device),
            downsample: first.then(|| {
                ConvBlockConfig::new([channels, 4 * width], 1)
                    .with_stride(stride)
                    .init(device)
            }),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = relu(self.block1.forward(input.clone()));
        let x = relu(self.block2.forward(x));
        let x = self.block3.forward(x);
        let shortcut = match &self.downsample {
            Some(downsample) => downsample.forward(input),
            None => input,
        };
        relu(x + shortcut)
    }

    fn fold(&mut self) {
        self.block1.fold();
        self.block2.fold();
        self.block3.fold();
        if let Some(downsample) = &mut self.downsample {
            downsample.fold();
        }
    }
}

/// A ResNet of bottlenecks. Input: see [`crate::image::input::resnet`].
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvBlock,
    pool: MaxPool2d,
    layer1: Vec<Bottleneck>,
    layer2: Vec<Bottleneck>,
    layer3: Vec<Bottleneck>,
    layer4: Vec<Bottleneck>,
    fc: Linear,
}

impl ResNet {
    /// The feature map, values at least 0.
    ///
    /// # Shapes
    /// - `input`: `[B, 3, H, W]`
    /// - output: `[B, C = 2048, H/32, W/32]`, rounded up; 7×7 at 224
    pub fn features(&self, input: Tensor<4>) -> Tensor<4> {
        let mut x = self.pool.forward(relu(self.stem.forward(input)));
        for stage in [&self.layer1, &self.layer2, &self.layer3, &self.layer4] {
            for block in stage {
                x = block.forward(x);
            }
        }
        x
    }

    /// Class logits of a feature map.
    ///
    /// # Shapes
    /// - `features`: `[B, C = 2048, H, W]`
    /// - output: `[B, classes]`
    pub fn classify(&self, features: Tensor<4>) -> Tensor<2> {
        self.fc.forward(pooled(features))
    }

    /// Folds every batch norm away ([`ConvBlock::fold`]), for inference.
    pub fn fold(&mut self) {
        self.stem.fold();
        for stage in [
            &mut self.layer1,
            &mut self.layer2,
            &mut self.layer3,
            &mut self.layer4,
        ] {
            stage.iter_mut().for_each(Bottleneck::fold);
        }
    }
}
