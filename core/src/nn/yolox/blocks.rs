//! The blocks that YOLOX is built of, with the names of Megvii's `yolox/models/network_blocks.py`.

use crate::nn::conv_block::{ConvBlock, ConvBlockConfig};
use crate::nn::feature_map::FeatureMap;
use crate::nn::host::Activation::Silu;
use burn::module::Module;
use burn::prelude::*;

/// Added to the variance by every batch norm.
pub(super) const EPSILON: f64 = 1e-3;

pub(super) fn base_config(i: usize, o: usize, kernel: usize, stride: usize) -> ConvBlockConfig {
    ConvBlockConfig::new([i, o], kernel)
        .with_stride(stride)
        .with_epsilon(EPSILON)
}

/// Upstream's `BaseConv`: convolution, batch norm, SiLU.
pub(super) fn base<M: FeatureMap>(block: &ConvBlock, x: &M) -> M {
    x.convolved(block, Silu)
}

/// Upstream's `DWConv`: each channel by itself, then across channels.
#[derive(Module, Debug)]
pub(super) struct Depthwise {
    dconv: ConvBlock,
    pconv: ConvBlock,
}

impl Depthwise {
    pub(super) fn new(i: usize, o: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        Self {
            dconv: base_config(i, i, kernel, stride)
                .with_groups(i)
                .init(device),
            pconv: base_config(i, o, 1, 1).init(device),
        }
    }

    pub(super) fn forward<M: FeatureMap>(&self, x: &M) -> M {
        base(&self.pconv, &base(&self.dconv, x))
    }

    pub(super) fn each(&mut self, act: &mut dyn FnMut(&mut ConvBlock)) {
        act(&mut self.dconv);
        act(&mut self.pconv);
    }
}

#[derive(Module, Debug)]
struct Bottleneck {
    conv1: ConvBlock,
    conv2: Depthwise,
    shortcut: bool,
}

impl Bottleneck {
    fn forward<M: FeatureMap>(&self, x: M) -> M {
        let y = self.conv2.forward(&base(&self.conv1, &x));
        match self.shortcut {
            true => x.plus(y),
            false => y,
        }
    }
}

/// Cross-stage partial block: half the channels pass the bottlenecks, half go round them.
#[derive(Module, Debug)]
pub(super) struct Csp {
    conv1: ConvBlock,
    conv2: ConvBlock,
    conv3: ConvBlock,
    m: Vec<Bottleneck>,
}

impl Csp {
    pub(super) fn new(i: usize, o: usize, repeats: usize, shortcut: bool, device: &Device) -> Self {
        let half = o / 2;
        Self {
            conv1: base_config(i, half, 1, 1).init(device),
            conv2: base_config(i, half, 1, 1).init(device),
            conv3: base_config(2 * half, o, 1, 1).init(device),
            m: (0..repeats)
                .map(|_| Bottleneck {
                    conv1: base_config(half, half, 1, 1).init(device),
                    conv2: Depthwise::new(half, half, 3, 1, device),
                    shortcut,
                })
                .collect(),
        }
    }

    pub(super) fn forward<M: FeatureMap>(&self, x: &M) -> M {
        let round = base(&self.conv2, x);
        let through = self
            .m
            .iter()
            .fold(base(&self.conv1, x), |x, block| block.forward(x));
        base(&self.conv3, &M::beside(vec![through, round]))
    }

    pub(super) fn each(&mut self, act: &mut dyn FnMut(&mut ConvBlock)) {
        act(&mut self.conv1);
        act(&mut self.conv2);
        act(&mut self.conv3);
        for block in &mut self.m {
            act(&mut block.conv1);
            block.conv2.each(act);
        }
    }
}

/// Spatial pyramid pooling: the map beside its maxima over 5×5, 9×9 and 13×13.
#[derive(Module, Debug)]
pub(super) struct Spp {
    conv1: ConvBlock,
    conv2: ConvBlock,
}

impl Spp {
    pub(super) fn new(i: usize, o: usize, device: &Device) -> Self {
        let half = i / 2;
        Self {
            conv1: base_config(i, half, 1, 1).init(device),
            conv2: base_config(4 * half, o, 1, 1).init(device),
        }
    }

    pub(super) fn forward<M: FeatureMap>(&self, x: &M) -> M {
        let one = base(&self.conv1, x);
        // Maxima over 5×5 twice and thrice are the maxima over 9×9 and 13×13.
        let five = one.largest(5);
        let nine = five.largest(5);
        let thirteen = nine.largest(5);
        base(&self.conv2, &M::beside(vec![one, five, nine, thirteen]))
    }
}

/// Halves the map, then works on it.
#[derive(Module, Debug)]
pub(super) struct Stage {
    pub(super) down: Depthwise,
    pub(super) spp: Option<Spp>,
    pub(super) csp: Csp,
}

impl Stage {
    pub(super) fn forward<M: FeatureMap>(&self, x: &M) -> M {
        let x = self.down.forward(x);
        let x = match &self.spp {
            Some(spp) => spp.forward(&x),
            None => x,
        };
        self.csp.forward(&x)
    }

    pub(super) fn each(&mut self, act: &mut dyn FnMut(&mut ConvBlock)) {
        self.down.each(act);
        if let Some(spp) = &mut self.spp {
            act(&mut spp.conv1);
            act(&mut spp.conv2);
        }
        self.csp.each(act);
    }
}
