//! YOLOX-Nano (Ge et al., arXiv 2107.08430), the object detector.
//!
//! Weights carry the names of Megvii's state dict (`yolox/models/{darknet,yolo_pafpn,yolo_head}.py`
//! at width 0.25, depth 0.33, depthwise). Here are trunk, neck and head; what they are built of is in `blocks`.

mod blocks;

use crate::nn::conv_block::ConvBlock;
use crate::nn::feature_map::FeatureMap;
use crate::nn::yolox::blocks::{Csp, Depthwise, EPSILON, Spp, Stage, base, base_config};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;

/// Pixels per cell of the three levels.
pub const STRIDES: [usize; 3] = [8, 16, 32];

/// Channels inside the head.
const HEAD: usize = 64;

/// Configuration of [`Yolox`].
#[derive(Config, Debug)]
pub struct YoloxConfig {
    /// Object classes.
    #[config(default = 80)]
    pub classes: usize,
}

impl YoloxConfig {
    /// YOLOX-Nano with fresh weights.
    pub fn init(&self, device: &Device) -> Yolox {
        let base = |i, o| base_config(i, o, 1, 1).init(device);
        let wise = |i, o| Depthwise::new(i, o, 3, 2, device);
        let csp = |i, o| Csp::new(i, o, 1, false, device);
        let stage = |i, o, repeats| Stage {
            down: wise(i, o),
            spp: None,
            csp: Csp::new(o, o, repeats, true, device),
        };
        let per_level = |out| -> Vec<Conv2d> {
            let level = |_| Conv2dConfig::new([HEAD, out], [1, 1]).init(device);
            STRIDES.map(level).into()
        };
        let towers = || -> Vec<Vec<Depthwise>> {
            let block = || Depthwise::new(HEAD, HEAD, 3, 1, device);
            STRIDES.map(|_| vec![block(), block()]).into()
        };
        Yolox {
            trunk: Darknet {
                stem: base_config(12, 16, 3, 1).init(device),
                dark2: stage(16, 32, 1),
                dark3: stage(32, 64, 3),
                dark4: stage(64, 128, 3),
                dark5: Stage {
                    down: wise(128, 256),
                    spp: Some(Spp::new(256, 256, device)),
                    csp: csp(256, 256),
                },
            },
            neck: Neck {
                lateral_conv0: base(256, 128),
                c3_p4: csp(256, 128),
                reduce_conv1: base(128, 64),
                c3_p3: csp(128, 64),
                bu_conv2: wise(64, 64),
                c3_n3: csp(128, 128),
                bu_conv1: wise(128, 128),
                c3_n4: csp(256, 256),
            },
            head: Head {
                stems: vec![base(64, HEAD), base(128, HEAD), base(256, HEAD)],
                cls_convs: towers(),
                reg_convs: towers(),
                cls_preds: per_level(self.classes),
                reg_preds: per_level(4),
                obj_preds: per_level(1),
            },
        }
    }
}

#[derive(Module, Debug)]
struct Darknet {
    stem: ConvBlock,
    dark2: Stage,
    dark3: Stage,
    dark4: Stage,
    dark5: Stage,
}

impl Darknet {
    fn forward<M: FeatureMap>(&self, input: M) -> [M; 3] {
        let [height, width] = input.sides();
        assert!(
            height % 32 == 0 && width % 32 == 0,
            "{width}×{height}: the detector reads sides that are multiples of 32"
        );
        let x = self.dark2.forward(&base(&self.stem, &input.focused()));
        let c3 = self.dark3.forward(&x);
        let c4 = self.dark4.forward(&c3);
        let c5 = self.dark5.forward(&c4);
        [c3, c4, c5]
    }
}

/// Path-aggregating feature pyramid: coarse to fine and back.
#[derive(Module, Debug)]
struct Neck {
    lateral_conv0: ConvBlock,
    c3_p4: Csp,
    reduce_conv1: ConvBlock,
    c3_p3: Csp,
    bu_conv2: Depthwise,
    c3_n3: Csp,
    bu_conv1: Depthwise,
    c3_n4: Csp,
}

impl Neck {
    fn forward<M: FeatureMap>(&self, [c3, c4, c5]: [M; 3]) -> [M; 3] {
        let cat = |a, b| M::beside(vec![a, b]);
        let f0 = base(&self.lateral_conv0, &c5);
        let f = self.c3_p4.forward(&cat(f0.doubled(), c4));
        let f1 = base(&self.reduce_conv1, &f);
        let p3 = self.c3_p3.forward(&cat(f1.doubled(), c3));
        let p4 = self.c3_n3.forward(&cat(self.bu_conv2.forward(&p3), f1));
        let p5 = self.c3_n4.forward(&cat(self.bu_conv1.forward(&p4), f0));
        [p3, p4, p5]
    }
}

/// Decoupled head: what it is on one side, where it is and whether it is on the other.
#[derive(Module, Debug)]
struct Head {
    stems: Vec<ConvBlock>,
    cls_convs: Vec<Vec<Depthwise>>,
    reg_convs: Vec<Vec<Depthwise>>,
    cls_preds: Vec<Conv2d>,
    reg_preds: Vec<Conv2d>,
    obj_preds: Vec<Conv2d>,
}

impl Head {
    fn forward<M: FeatureMap>(&self, maps: &[M; 3]) -> Tensor<3> {
        let tower =
            |blocks: &[Depthwise], x: M| blocks.iter().fold(x, |x, block| block.forward(&x));
        let levels = maps.iter().enumerate().map(|(k, map)| {
            let device = self.cls_preds[k].weight.device();
            let x = base(&self.stems[k], map);
            let cls = tower(&self.cls_convs[k], x.clone()).predicted(&self.cls_preds[k]);
            let x = tower(&self.reg_convs[k], x);
            let reg = x.predicted(&self.reg_preds[k]);
            let obj = x.predicted(&self.obj_preds[k]);
            M::beside(vec![reg, obj, cls]).into_cells(&device)
        });
        Tensor::cat(levels.collect(), 1)
    }

    fn each(&mut self, act: &mut dyn FnMut(&mut ConvBlock)) {
        self.stems.iter_mut().for_each(&mut *act);
        let towers = self.cls_convs.iter_mut().chain(&mut self.reg_convs);
        towers.flatten().for_each(|block| block.each(act));
    }
}

/// What the detector computes. At input side `S` the levels have sides `S/8`, `S/16`, `S/32`.
#[derive(Clone, Debug)]
pub struct YoloxOutput {
    /// The trunk's maps c3, c4, c5: `[B, 64 | 128 | 256, side, side]`.
    pub trunk: [Tensor<4>; 3],
    /// The pyramid's maps p3, p4, p5: `[B, 64 | 128 | 256, side, side]`.
    pub pyramid: [Tensor<4>; 3],
    /// `[B, rows, 5 + classes]`: box offsets, then logits of objectness and of the classes;
    /// levels fine to coarse, each row by row. 3549 rows at 416.
    pub raw: Tensor<3>,
}

impl YoloxOutput {
    /// `[B, rows, 5 + classes]`: 4 raw box offsets, then objectness and class probabilities, as
    /// upstream's export writes them and [`crate::vision::detections`] reads them.
    pub fn dense(&self) -> Tensor<3> {
        let row = self.raw.dims()[2];
        let offsets = self.raw.clone().narrow(2, 0, 4);
        let scores = sigmoid(self.raw.clone().narrow(2, 4, row - 4));
        Tensor::cat(vec![offsets, scores], 2)
    }
}

/// YOLOX-Nano. Input: see [`crate::image::input::letterbox`].
#[derive(Module, Debug)]
pub struct Yolox {
    trunk: Darknet,
    neck: Neck,
    head: Head,
}

impl Yolox {
    /// # Shapes
    /// - `input`: `[B, 3, H, W]`, both sides multiples of 32
    /// - output: see [`YoloxOutput`]
    ///
    /// # Panics
    /// If a side is no multiple of 32.
    pub fn forward(&self, input: Tensor<4>) -> YoloxOutput {
        let trunk = self.trunk.forward(input);
        let pyramid = self.neck.forward(trunk.clone());
        let raw = self.head.forward(&pyramid);
        YoloxOutput {
            trunk,
            pyramid,
            raw,
        }
    }

    /// [`YoloxOutput::raw`] alone, of an image in whatever it is given.
    ///
    /// # Shapes
    /// - `input`: `[B, 3, H, W]`, both sides multiples of 32
    ///
    /// # Panics
    /// If a side is no multiple of 32.
    pub fn raw<M: FeatureMap>(&self, input: M) -> Tensor<3> {
        let pyramid = self.neck.forward(self.trunk.forward(input));
        self.head.forward(&pyramid)
    }

    /// Folds every batch norm away ([`ConvBlock::fold`]).
    pub fn fold(&mut self) {
        self.each(&mut ConvBlock::fold);
    }

    /// Keeps the first `stages` of the trunk's five (stem, dark2 to dark5) as they are in training.
    #[must_use]
    pub fn freeze(mut self, stages: usize) -> Self {
        let Darknet {
            stem,
            dark2,
            dark3,
            dark4,
            dark5,
        } = self.trunk;
        let frozen = |at: usize| at < stages;
        let stage = |stage: Stage, at| stage.set_require_grad(!frozen(at));
        self.trunk = Darknet {
            stem: stem.set_require_grad(!frozen(0)),
            dark2: stage(dark2, 1),
            dark3: stage(dark3, 2),
            dark4: stage(dark4, 3),
            dark5: stage(dark5, 4),
        };
        self
    }

    /// The same detector with `by` added to every logit of objectness.
    #[must_use]
    pub fn shift_objectness(mut self, by: f64) -> Self {
        for layer in &mut self.head.obj_preds {
            let bias = layer.bias.take();
            layer.bias = bias.map(|bias| bias.map(|bias| (bias + by).detach()));
        }
        self
    }

    /// Gives every block its batch norm back ([`ConvBlock::unfold`]), as Megvii's state dict has
    /// them.
    pub fn unfold(&mut self) {
        self.each(&mut |block| block.unfold(EPSILON));
    }

    /// Does something to every convolution but those that give the logits.
    pub fn each(&mut self, act: &mut dyn FnMut(&mut ConvBlock)) {
        let Self { trunk, neck, head } = self;
        act(&mut trunk.stem);
        for stage in [
            &mut trunk.dark2,
            &mut trunk.dark3,
            &mut trunk.dark4,
            &mut trunk.dark5,
        ] {
            stage.each(act);
        }
        act(&mut neck.lateral_conv0);
        act(&mut neck.reduce_conv1);
        neck.bu_conv1.each(act);
        neck.bu_conv2.each(act);
        for csp in [
            &mut neck.c3_p4,
            &mut neck.c3_p3,
            &mut neck.c3_n3,
            &mut neck.c3_n4,
        ] {
            csp.each(act);
        }
        head.each(act);
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn focus_puts_the_phases_in_upstreams_order() {
        // One channel, 2×2: [row even col even, row odd col even, row even col odd, row odd col odd].
        let device = Device::flex();
        let x = Tensor::<4>::from_data([[[[1.0, 2.0], [3.0, 4.0]]]], &device);
        let phases: Vec<f32> = x.focused().into_data().try_to_vec().unwrap();
        assert_eq!(phases, [1.0, 3.0, 2.0, 4.0]);
    }

    #[test]
    fn doubling_repeats_each_cell() {
        let device = Device::flex();
        let x = Tensor::<4>::from_data([[[[1.0, 2.0]]]], &device);
        let out: Vec<f32> = x.doubled().into_data().try_to_vec().unwrap();
        assert_eq!(out, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "multiples of 32")]
    fn other_sides_are_refused_wherever_it_computes() {
        let detector = YoloxConfig::new().init(&Device::flex());
        detector.raw(crate::nn::host::HostMap {
            sides: [64, 48],
            channels: 3,
            values: vec![0.0; 64 * 48 * 3],
        });
    }

    #[test]
    fn gradients_reach_the_first_layer() {
        let device = Device::flex().autodiff();
        let network = YoloxConfig::new().with_classes(2).init(&device);
        let input = Tensor::random(
            [2, 3, 64, 64],
            burn::tensor::Distribution::Uniform(0.0, 255.0),
            &device,
        );
        let output = network.forward(input);
        let gradients = output.raw.powf_scalar(2.0).sum().backward();
        let stem = network.trunk.stem.conv.weight.val();
        let gradient = stem.grad(&gradients).unwrap().into_data();
        let gradient: Vec<f32> = gradient.try_to_vec().unwrap();
        assert!(gradient.iter().all(|x| x.is_finite()));
        assert!(gradient.iter().any(|&x| x != 0.0));
    }
}
