//! What a line of text says: convolutions down to one row of frames, each of which scores the characters (CTC: Graves et al.,
//! "Connectionist Temporal Classification", ICML 2006; without the recurrent layers of CRNN, Shi et al., arXiv 1507.05717).

use crate::nn::conv_block::ConvBlock;
use crate::nn::dropout::{Dropout, DropoutConfig};
use burn::module::Module;
use burn::nn::conv::Conv2dConfig;
use burn::nn::{BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::relu;

/// Height of the input in pixels.
pub const HEIGHT: usize = 32;

/// Pixels of the input's width for each frame.
pub const STRIDE: usize = 4;

/// Sizes of a [`TextRecognizer`].
#[derive(Config, Debug, PartialEq)]
pub struct TextRecognizerConfig {
    /// `C`, scores of a frame: the characters and, first, the blank.
    pub classes: usize,
    /// Channels at heights 16, 8, 4 and 2.
    #[config(default = "[24, 48, 96, 128]")]
    pub stages: [usize; 4],
    /// Channels of a frame.
    #[config(default = 160)]
    pub width: usize,
}

impl TextRecognizerConfig {
    /// What is wrong with the sizes, if anything.
    ///
    /// # Errors
    /// The problem, as the end of a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        let mut sizes = self.stages.iter().chain([&self.classes, &self.width]);
        match sizes.all(|size| (1..=1024).contains(size)) {
            true => Ok(()),
            false => Err("a size of the text recogniser is not from 1 to 1024"),
        }
    }

    /// A recogniser with fresh weights, a fraction `dropout` of whose frames' values is dropped while it learns.
    pub fn init(&self, dropout: f64, device: &Device) -> TextRecognizer {
        let block = |channels: [usize; 2], kernel: [usize; 2], stride: [usize; 2]| {
            let [up, left] = kernel.map(|side| (side - 1) / 2);
            let conv = Conv2dConfig::new(channels, kernel)
                .with_stride(stride)
                .with_padding(PaddingConfig2d::Explicit(up, left, up, left))
                .with_bias(false);
            let bn = BatchNormConfig::new(channels[1]).init(device);
            ConvBlock::of(conv.init(device), Some(bn))
        };
        let [a, b, c, d] = self.stages;
        let joined = d * (HEIGHT / 16);
        TextRecognizer {
            stages: vec![
                Stage::new(block([1, a], [3, 3], [2, 2]), None),
                Stage::new(
                    block([a, b], [3, 3], [2, 2]),
                    Some(block([b, b], [3, 3], [1, 1])),
                ),
                Stage::new(
                    block([b, c], [3, 3], [2, 1]),
                    Some(block([c, c], [3, 3], [1, 1])),
                ),
                Stage::new(block([c, d], [3, 3], [2, 1]), None),
            ],
            frames: vec![
                Stage::new(block([joined, self.width], [1, 5], [1, 1]), None),
                Stage::new(
                    block([self.width, self.width], [1, 5], [1, 1]),
                    Some(block([self.width, self.width], [1, 5], [1, 1])),
                ),
            ],
            dropout: DropoutConfig::new(dropout).init(),
            out: LinearConfig::new(self.width, self.classes).init(device),
        }
    }
}

/// A convolution, and a residual one.
#[derive(Module, Debug)]
struct Stage {
    first: ConvBlock,
    same: Option<ConvBlock>,
}

impl Stage {
    fn new(first: ConvBlock, same: Option<ConvBlock>) -> Self {
        Self { first, same }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.first.forward(x));
        match &self.same {
            Some(same) => relu(same.forward(x.clone()) + x),
            None => x,
        }
    }
}

/// The network.
#[derive(Module, Debug)]
pub struct TextRecognizer {
    /// On the image, down to a height of 2.
    stages: Vec<Stage>,
    /// On the row of frames.
    frames: Vec<Stage>,
    dropout: Dropout,
    out: Linear,
}

impl TextRecognizer {
    /// Scores of the characters in each frame.
    ///
    /// # Shapes
    /// - `input`: `[B, 1, 32, W]`, grey in `[-1, 1]`; `W` a multiple of [`STRIDE`]
    /// - output: `[B, W / 4, C]`, class 0 the blank
    pub fn forward(&self, input: Tensor<4>) -> Tensor<3> {
        let x = self.stages.iter().fold(input, |x, stage| stage.forward(x));
        let [batch, channels, height, frames] = x.dims();
        let x = x.reshape([batch, channels * height, 1, frames]);
        let x = self.frames.iter().fold(x, |x, stage| stage.forward(x));
        let x = x.squeeze_dim::<3>(2).swap_dims(1, 2);
        self.out.forward(self.dropout.forward(x))
    }

    /// Folds the batch norms into the convolutions; for inference only.
    pub fn fold(&mut self) {
        for stage in self.stages.iter_mut().chain(&mut self.frames) {
            stage.first.fold();
            if let Some(same) = &mut stage.same {
                same.fold();
            }
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn a_frame_stands_for_four_columns_folded_or_not() {
        let device = Device::flex();
        device.seed(1);
        let config = TextRecognizerConfig::new(7)
            .with_stages([2, 3, 4, 5])
            .with_width(6);
        let mut recognizer = config.init(0.5, &device);
        let input = Tensor::random(
            [2, 1, HEIGHT, 48],
            Distribution::Uniform(-1.0, 1.0),
            &device,
        );
        let scores = recognizer.forward(input.clone());
        assert_eq!(scores.dims(), [2, 48 / STRIDE, 7]);
        recognizer.fold();
        let folded = recognizer.forward(input).into_data();
        folded.assert_approx_eq::<f32>(&scores.into_data(), Tolerance::absolute(1e-4));
    }

    #[test]
    fn sizes_have_bounds() {
        assert!(TextRecognizerConfig::new(98).check().is_ok());
        assert!(TextRecognizerConfig::new(0).check().is_err());
        assert!(
            TextRecognizerConfig::new(98)
                .with_width(5000)
                .check()
                .is_err()
        );
    }
}
