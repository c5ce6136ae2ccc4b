//! What convolutional networks compute with: a tensor on any device, or a map in a CPU's own memory.

use crate::nn::conv_block::{ConvBlock, on_host};
use crate::nn::host::{Activation, HostMap};
use burn::nn::conv::Conv2d;
use burn::tensor::activation::silu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, TensorData};

/// Maps of channels, `[B, C, H, W]`; in a CPU's own memory there is one image.
pub trait FeatureMap: Clone {
    /// Height and width.
    fn sides(&self) -> [usize; 2];
    /// What a block makes of it.
    ///
    /// # Panics
    /// If a map in a CPU's own memory is given to a block that does not [compute there](ConvBlock::compute_on_host).
    #[must_use]
    fn convolved(&self, block: &ConvBlock, activation: Activation) -> Self;
    /// The sum with another of its size.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// Several as one, channels beside channels.
    #[must_use]
    fn beside(maps: Vec<Self>) -> Self;
    /// Twice the sides, each cell four times.
    #[must_use]
    fn doubled(&self) -> Self;
    /// The four pixel phases beside each other on the channels: rows alternate fastest.
    #[must_use]
    fn focused(&self) -> Self;
    /// Of every cell the largest values in a square of `side` cells around it; `side` is odd.
    #[must_use]
    fn largest(&self, side: usize) -> Self;
    /// What a convolution of single cells, with a bias, makes of it.
    #[must_use]
    fn predicted(&self, by: &Conv2d) -> Self;
    /// As a tensor; what is one already stays where it is.
    fn into_tensor(self, device: &Device) -> Tensor<4>;
    /// As a tensor of cells, row by row, `[B, H W, C]`.
    fn into_cells(self, device: &Device) -> Tensor<3>;
}

impl FeatureMap for Tensor<4> {
    fn sides(&self) -> [usize; 2] {
        let [_, _, sides @ ..] = self.dims();
        sides
    }

    fn convolved(&self, block: &ConvBlock, activation: Activation) -> Self {
        let output = block.forward(self.clone());
        match activation {
            Activation::None => output,
            Activation::Relu6 => output.clamp(0.0, 6.0),
            Activation::Silu => silu(output),
        }
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn beside(maps: Vec<Self>) -> Self {
        Tensor::cat(maps, 1)
    }

    fn doubled(&self) -> Self {
        let [batch, channels, height, width] = self.dims();
        self.clone()
            .reshape([batch, channels, height, 1, width, 1])
            .expand([batch, channels, height, 2, width, 2])
            .reshape([batch, channels, 2 * height, 2 * width])
    }

    fn focused(&self) -> Self {
        let [batch, channels, height, width] = self.dims();
        self.clone()
            .reshape([batch, channels, height / 2, 2, width / 2, 2])
            .permute([0, 5, 3, 1, 2, 4])
            .reshape([batch, 4 * channels, height / 2, width / 2])
    }

    fn largest(&self, side: usize) -> Self {
        let options = MaxPoolOptions::new([side; 2])
            .with_stride([1, 1])
            .with_padding([side / 2; 2]);
        max_pool2d(self.clone(), options)
    }

    fn predicted(&self, by: &Conv2d) -> Self {
        by.forward(self.clone())
    }

    fn into_tensor(self, _: &Device) -> Tensor<4> {
        self
    }

    fn into_cells(self, _: &Device) -> Tensor<3> {
        let [batch, channels, height, width] = self.dims();
        self.reshape([batch, channels, height * width])
            .swap_dims(1, 2)
    }
}

impl FeatureMap for HostMap {
    fn sides(&self) -> [usize; 2] {
        self.sides
    }

    fn convolved(&self, block: &ConvBlock, activation: Activation) -> Self {
        let host = block.host();
        host.expect("a block that computes on the host")
            .forward(self, activation)
    }

    fn plus(self, other: Self) -> Self {
        HostMap::plus(self, &other)
    }

    fn beside(maps: Vec<Self>) -> Self {
        HostMap::beside(&maps)
    }

    fn doubled(&self) -> Self {
        HostMap::doubled(self)
    }

    fn focused(&self) -> Self {
        HostMap::focused(self)
    }

    fn largest(&self, side: usize) -> Self {
        HostMap::largest(self, side)
    }

    fn predicted(&self, by: &Conv2d) -> Self {
        // Few weights: laid out anew for every image.
        on_host(by, None).forward(self, Activation::None)
    }

    fn into_cells(self, device: &Device) -> Tensor<3> {
        let shape = [1, self.cells(), self.channels];
        Tensor::from_data(TensorData::new(self.values, shape), device)
    }

    fn into_tensor(self, device: &Device) -> Tensor<4> {
        let [height, width] = self.sides;
        let shape = [1, self.channels, height, width];
        Tensor::from_data(TensorData::new(self.planes(), shape), device)
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::nn::conv_block::ConvBlockConfig;
    use burn::tensor::Distribution;

    /// A map and what each way of computing makes of it.
    fn both(
        sides: [usize; 3],
        work: impl Fn(&Tensor<4>) -> Tensor<4>,
        on_host: impl Fn(&HostMap) -> HostMap,
    ) -> f32 {
        let device = Device::flex();
        let [channels, height, width] = sides;
        let shape = [1, channels, height, width];
        let x = Tensor::<4>::random(shape, Distribution::Uniform(-3.0, 3.0), &device);
        let planes: Vec<f32> = x.to_data().try_to_vec().unwrap();
        let found = on_host(&HostMap::from_planes(&planes, sides)).into_tensor(&device);
        let expected = work(&x);
        assert_eq!(found.dims(), expected.dims());
        (found - expected).abs().max().into_scalar::<f32>()
    }

    #[test]
    fn maps_are_put_together_alike() {
        fn plus<M: FeatureMap>(x: &M) -> M {
            x.clone().plus(x.clone())
        }
        fn beside<M: FeatureMap>(x: &M) -> M {
            M::beside(vec![x.clone(), x.clone().plus(x.clone())])
        }
        fn focused<M: FeatureMap>(x: &M) -> M {
            x.focused()
        }
        fn doubled<M: FeatureMap>(x: &M) -> M {
            x.doubled()
        }
        fn largest<M: FeatureMap>(x: &M) -> M {
            x.largest(5)
        }
        let sides = [3, 6, 8];
        for off in [
            both(sides, plus, plus),
            both(sides, beside, beside),
            both(sides, focused, focused),
            both(sides, doubled, doubled),
            both(sides, largest, largest),
        ] {
            assert_eq!(off, 0.0);
        }
    }

    #[test]
    fn blocks_compute_alike() {
        let device = Device::flex();
        for tensorflow_same in [false, true] {
            for (channels, kernel, stride, groups, block) in [
                ([3, 24], 3, 2, 1, None),
                ([24, 24], 3, 1, 24, None),
                ([24, 24], 3, 2, 24, None),
                ([24, 48], 1, 1, 1, Some(8)),
                ([24, 20], 1, 1, 1, None),
            ] {
                let config = ConvBlockConfig::new(channels, kernel)
                    .with_stride(stride)
                    .with_groups(groups)
                    .with_tensorflow_same(tensorflow_same);
                let mut block_of_device = config.init(&device);
                block_of_device.fold();
                let mut of_host = block_of_device.clone();
                of_host.compute_on_host(block);
                for activation in [Activation::None, Activation::Relu6, Activation::Silu] {
                    let off = both(
                        [channels[0], 10, 7],
                        |x| x.convolved(&block_of_device, activation),
                        |x| x.convolved(&of_host, activation),
                    );
                    let within = if block.is_some() { 0.05 } else { 1e-5 };
                    assert!(off < within, "{config:?} {activation:?}: {off}");
                }
            }
        }
    }
}
