//! Dropout whose masks a CPU draws itself.

use crate::nn::values::{in_memory, values};
use crate::splitmix::SplitMix64;
use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor, TensorData};

/// Settings of [`Dropout`].
#[derive(Config, Debug)]
pub struct DropoutConfig {
    /// The fraction of values that is dropped while training, at least 0 and below 1.
    pub prob: f64,
}

impl DropoutConfig {
    /// The layer.
    ///
    /// # Panics
    /// If the fraction is none.
    pub fn init(&self) -> Dropout {
        Dropout {
            layer: burn::nn::DropoutConfig::new(self.prob).init(),
        }
    }
}

/// While training, drops values at random and divides the others by the fraction that stays (Hinton et al., arXiv 1207.0580).
///
/// burn's draws each value's fate from ChaCha, on one thread, which takes a fifth of a training step on two; for tensors in a CPU's own
/// memory this draws a seed from burn's generator, so that masks follow from the device's seed, and from it 16 bits for each value.
#[derive(Module, Debug)]
pub struct Dropout {
    layer: burn::nn::Dropout,
}

impl Dropout {
    /// # Shapes
    /// - input and output: `[..]`
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let device = input.device();
        let trains = self.layer.training.is_enabled() && device.is_autodiff();
        if !trains || self.layer.prob == 0.0 || !in_memory(&device) {
            return self.layer.forward(input);
        }
        let shape = input.shape();
        let mask = mask(shape.num_elements(), 1.0 - self.layer.prob, seed(&device));
        let plain = device.inner();
        input * Tensor::from_inner(Tensor::from_data(TensorData::new(mask, shape), &plain))
    }
}

/// A seed of the device's own generator.
fn seed(device: &Device) -> u64 {
    let sixteen = Distribution::Uniform(0.0, 65_536.0);
    let drawn = values(Tensor::<1>::random([4], sixteen, &device.clone().inner()));
    drawn
        .iter()
        .fold(0, |seed, &part| seed << 16 | part as u64 & 0xffff)
}

/// `count` values, of which `keep`, to the next multiple of 1 / 65,536, are 1 / `keep` and the others 0.
fn mask(count: usize, keep: f64, seed: u64) -> Vec<f32> {
    let below = (keep * 65_536.0).round() as u64;
    let kept = (1.0 / keep) as f32;
    let mut random = SplitMix64(seed);
    let mut mask = Vec::with_capacity(count.next_multiple_of(4));
    for _ in 0..count.div_ceil(4) {
        let bits = random.next_u64();
        mask.extend([0, 16, 32, 48].map(|at| match bits >> at & 0xffff < below {
            true => kept,
            false => 0.0,
        }));
    }
    mask.truncate(count);
    mask
}

#[cfg(all(test, feature = "flex", feature = "train"))]
mod tests {
    use super::*;

    #[test]
    fn as_many_stay_as_shall() {
        for keep in [0.9, 0.5, 0.75] {
            let mask = mask(100_003, keep, 7);
            assert_eq!(mask.len(), 100_003);
            let kept = mask.iter().filter(|&&x| x > 0.0).count() as f64;
            assert!((kept / 100_003.0 - keep).abs() < 0.005, "{kept}");
            assert!(mask.iter().all(|&x| x == 0.0 || x == (1.0 / keep) as f32));
        }
    }

    #[test]
    fn masks_follow_from_the_devices_seed() {
        let device = Device::flex().autodiff();
        let layer = DropoutConfig::new(0.5).init();
        let drawn = |seed| {
            device.seed(seed);
            let ones = || Tensor::<2>::ones([30, 7], &device);
            [values(layer.forward(ones())), values(layer.forward(ones()))]
        };
        let [first, second] = drawn(3);
        assert_ne!(first, second);
        assert_eq!(drawn(3), [first.clone(), second]);
        assert_ne!(drawn(4)[0], first);
    }

    #[test]
    fn gradients_are_those_of_what_stayed() {
        let device = Device::flex().autodiff();
        let layer = DropoutConfig::new(0.25).init();
        let input = Tensor::<2>::ones([4, 50], &device).require_grad();
        let output = layer.forward(input.clone());
        let gradient = input.grad(&output.clone().sum().backward()).unwrap();
        assert_eq!(values(gradient), values(output));
    }

    #[test]
    fn nothing_is_dropped_where_nothing_is_learnt() {
        let layer = DropoutConfig::new(0.5).init();
        let frozen = layer.clone().freeze();
        for (layer, device) in [
            (&layer, Device::flex()),
            (&frozen, Device::flex().autodiff()),
            (&DropoutConfig::new(0.0).init(), Device::flex().autodiff()),
        ] {
            let ones = Tensor::<2>::ones([9, 9], &device);
            assert!(values(layer.forward(ones)).iter().all(|&x| x == 1.0));
        }
    }
}
