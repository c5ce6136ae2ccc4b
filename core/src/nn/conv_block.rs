//! Convolution followed by batch norm: the brick of every vision network here.

use crate::nn::host::{Convolution, Geometry};
use crate::nn::values::values;
use burn::module::{Initializer, Module, Param, ParamId, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::prelude::*;
use std::sync::Arc;

/// Configuration of a [`ConvBlock`] with a square kernel.
#[derive(Config, Debug)]
pub struct ConvBlockConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Side of the kernel.
    pub kernel: usize,
    /// Stride in both directions.
    #[config(default = 1)]
    pub stride: usize,
    /// Groups; as many as channels make a depthwise convolution.
    #[config(default = 1)]
    pub groups: usize,
    /// Padding as TensorFlow's SAME instead of `(kernel - 1) / 2` on every side. They differ at
    /// stride 2: SAME pads an even input at the bottom and right only.
    #[config(default = false)]
    pub tensorflow_same: bool,
    /// Added to the variance by the batch norm.
    #[config(default = 1e-5)]
    pub epsilon: f64,
}

impl ConvBlockConfig {
    /// A block with fresh weights.
    pub fn init(&self, device: &Device) -> ConvBlock {
        let pad = (self.kernel - 1) / 2;
        let padding = match self.tensorflow_same {
            true => PaddingConfig2d::Same,
            false => PaddingConfig2d::Explicit(pad, pad, pad, pad),
        };
        let conv = Conv2dConfig::new(self.channels, [self.kernel; 2])
            .with_stride([self.stride; 2])
            .with_groups(self.groups)
            .with_padding(padding)
            .with_bias(false);
        let bn = BatchNormConfig::new(self.channels[1]).with_epsilon(self.epsilon);
        ConvBlock::of(conv.init(device), Some(bn.init(device)))
    }
}

/// Convolution and batch norm, no activation. The field names are Megvii's.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// The convolution; it has a bias only after [`ConvBlock::fold`].
    pub conv: Conv2d,
    /// The batch norm; none after [`ConvBlock::fold`].
    pub bn: Option<BatchNorm>,
    #[module(skip)]
    host: Option<Arc<Convolution>>,
}

impl ConvBlock {
    /// A convolution and what follows it.
    pub fn of(conv: Conv2d, bn: Option<BatchNorm>) -> Self {
        Self {
            conv,
            bn,
            host: None,
        }
    }

    /// # Shapes
    /// - `input`: `[B, channels in, H, W]`
    /// - output: `[B, channels out, H', W']`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let output = self.conv.forward(input);
        match &self.bn {
            Some(bn) => bn.forward(output),
            None => output,
        }
    }

    /// Folds the batch norm's running statistics into the convolution: the same function at
    /// inference with one pass less over the activations. For inference only: there is nothing
    /// left to train the statistics of. Computed when first needed, so that weights loaded into a
    /// folded block replace nothing that was computed.
    pub fn fold(&mut self) {
        let Some(bn) = self.bn.take() else { return };
        let (device, shape) = (
            self.conv.weight.lazy_device(),
            self.conv.weight.lazy_shape(),
        );
        let out = shape[0];
        let (weight, bias) = (self.conv.weight.clone(), self.conv.bias.clone());
        let scaled = bn.clone();
        self.conv.weight = Param::uninitialized(
            ParamId::new(),
            move |device, gradient| {
                let scale = scale(&scaled).reshape([out, 1, 1, 1]);
                let weight = (weight.val() * scale).detach().to_device(device);
                weight.set_require_grad(gradient)
            },
            device.clone(),
            true,
            shape,
        );
        self.conv.bias = Some(Param::uninitialized(
            ParamId::new(),
            move |device, gradient| {
                let scale = scale(&bn);
                let mut shift = bn.beta.val() - bn.running_mean.value() * scale.clone();
                if let Some(bias) = bias {
                    shift = shift + bias.val() * scale;
                }
                let shift = shift.detach().to_device(device);
                shift.set_require_grad(gradient)
            },
            device,
            true,
            Shape::new([out]),
        ));
    }

    /// Computes maps in a CPU's own memory from now on; the parameters then have no values. `block`: see [`Convolution::new`]. For
    /// inference only.
    ///
    /// # Panics
    /// If it is not [folded](ConvBlock::fold), or is dilated or of groups of more than a channel.
    pub fn compute_on_host(&mut self, block: Option<usize>) {
        assert!(self.bn.is_none(), "a batch norm is folded away first");
        self.host = Some(Arc::new(on_host(&self.conv, block)));
        let weight = &self.conv.weight;
        self.conv.weight = Initializer::Zeros.init(weight.shape(), &weight.device());
    }

    /// What [`ConvBlock::compute_on_host`] has made of it.
    pub(super) fn host(&self) -> Option<&Convolution> {
        self.host.as_deref()
    }

    /// The opposite of [`ConvBlock::fold`]: a bias becomes a batch norm that adds it and changes
    /// nothing else, `epsilon` being what that batch norm adds to its variance, below 1. So weights
    /// that were trained folded go back into a file for readers that expect batch norms.
    pub fn unfold(&mut self, epsilon: f64) {
        let Some(bias) = self.conv.bias.take() else {
            return;
        };
        let bias = bias.val().detach();
        let mut bn = BatchNormConfig::new(bias.dims()[0])
            .with_epsilon(epsilon)
            .init(&bias.device());
        bn.running_var = RunningState::new(bias.ones_like() * (1.0 - epsilon));
        bn.beta = Param::from_tensor(bias);
        self.bn = Some(bn);
    }
}

/// A convolution in a CPU's own memory.
///
/// # Panics
/// See [`ConvBlock::compute_on_host`].
pub(super) fn on_host(conv: &Conv2d, block: Option<usize>) -> Convolution {
    let [outputs, each, kernel, wide] = conv.weight.dims();
    let depthwise = conv.groups > 1;
    assert!(kernel == wide && conv.dilation == [1, 1] && conv.stride[0] == conv.stride[1]);
    assert!(!depthwise || (each == 1 && conv.groups == outputs));
    let padding = match conv.padding {
        PaddingConfig2d::Same => None,
        PaddingConfig2d::Valid => Some(0),
        PaddingConfig2d::Explicit(top, left, bottom, right) => {
            assert!([left, bottom, right] == [top; 3]);
            Some(top)
        }
    };
    let geometry = Geometry {
        channels: [each * conv.groups, outputs],
        depthwise,
        kernel,
        stride: conv.stride[0],
        padding,
    };
    let bias = match &conv.bias {
        Some(bias) => values(bias.val()),
        None => vec![0.0; outputs],
    };
    let weights = values(conv.weight.val());
    Convolution::new(geometry, &weights, bias, block)
}

/// What a batch norm multiplies each channel by, `[channels]`.
fn scale(bn: &BatchNorm) -> Tensor<1> {
    bn.gamma.val() / bn.running_var.value().add_scalar(bn.epsilon).sqrt()
}

/// The mean over a map's cells.
///
/// # Shapes
/// - `map`: `[B, C, H, W]`
/// - output: `[B, C]`
pub(super) fn pooled(map: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = map.dims();
    map.reshape([batch, channels, height * width])
        .mean_dim(2)
        .reshape([batch, channels])
}
