//! AdamW in one pass over the numbers where they lie in the CPU's own memory; elsewhere burn's.

use crate::nn::values::in_memory;
use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rayon::prelude::*;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Numbers that a thread takes at once: 64 KiB of each of the four tensors.
const RUN: usize = 1 << 14;

/// "Decoupled Weight Decay Regularization" (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2), with the state of burn's `AdamW`
/// and its result to the last bit. burn's makes a pass over memory for every multiplication, some sixteen a step; on a CPU they cost
/// more than what is computed.
#[derive(Clone)]
pub struct OnePassAdamW {
    elsewhere: AdamW,
    decay: f32,
}

impl OnePassAdamW {
    /// With betas 0.9 and 0.999, epsilon 1e-8 and this weight decay.
    pub fn new(decay: f32) -> Self {
        let elsewhere = AdamWConfig::new()
            .with_beta_1(BETA_1)
            .with_beta_2(BETA_2)
            .with_epsilon(EPSILON)
            .with_weight_decay(decay);
        Self {
            elsewhere: elsewhere.build(),
            decay,
        }
    }
}

impl Optimizer for OnePassAdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        let device = tensor.device();
        let floats = [&tensor, &grad].iter().all(|t| t.dtype() == DType::F32);
        let state = match state {
            Some(state) if floats && in_memory(&device) => state.momentum,
            // The first step makes the state.
            state => return self.elsewhere.step(lr, tensor, grad, state),
        };
        let time = state.time + 1;
        // As burn computes it: rates in f64, rounded once.
        let update = Update {
            keep: (1.0 - lr * f64::from(self.decay)) as f32,
            lr: lr as f32,
            bias_1: 1.0 - BETA_1.powi(time as i32),
            bias_2: 1.0 - BETA_2.powi(time as i32),
        };
        let mut data = [tensor, state.moment_1, state.moment_2].map(Tensor::into_data);
        update.apply(&mut data, &grad.into_data());
        let [tensor, moment_1, moment_2] = data.map(|data| Tensor::from_data(data, &device));
        let momentum = AdaptiveMomentumState::new(time, moment_1, moment_2);
        (tensor, Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        AdamW::to_device(state, device)
    }
}

/// The numbers of one step that all weights share.
struct Update {
    keep: f32,
    lr: f32,
    bias_1: f32,
    bias_2: f32,
}

impl Update {
    /// Steps weights and both moments, all of the gradient's length.
    fn apply(&self, data: &mut [TensorData; 3], grad: &TensorData) {
        const F32: &str = "the type was asked before";
        let [weights, first, second] = data.each_mut();
        let weights = weights.as_mut_slice::<f32>().expect(F32);
        let first = first.as_mut_slice::<f32>().expect(F32);
        let second = second.as_mut_slice::<f32>().expect(F32);
        let grad = grad.as_slice::<f32>().expect(F32);
        weights
            .par_chunks_mut(RUN)
            .zip(first.par_chunks_mut(RUN).zip(second.par_chunks_mut(RUN)))
            .zip(grad.par_chunks(RUN))
            .for_each(|((weights, (first, second)), grad)| {
                for (((weight, m), v), g) in weights.iter_mut().zip(first).zip(second).zip(grad) {
                    *m = *m * BETA_1 + g * (1.0 - BETA_1);
                    *v = *v * BETA_2 + g * g * (1.0 - BETA_2);
                    let delta = (*m / self.bias_1) / ((*v / self.bias_2).sqrt() + EPSILON);
                    *weight = *weight * self.keep - delta * self.lr;
                }
            });
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    /// Numbers from -1 to 1, some of them 0.
    fn random<const D: usize>(rng: &mut SplitMix64, shape: [usize; D]) -> Tensor<D> {
        let numbers: Vec<f32> = (0..shape.iter().product())
            .map(|_| match rng.below(8) {
                0 => 0.0,
                _ => rng.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0,
            })
            .collect();
        Tensor::from_data(TensorData::new(numbers, shape), &Device::flex())
    }

    fn assert_as_burn<const D: usize>(shape: [usize; D], decay: f32) {
        let mut rng = SplitMix64(5);
        let ours = OnePassAdamW::new(decay);
        let theirs = ours.elsewhere.clone();
        let weights = random(&mut rng, shape);
        let mut one = (weights.clone(), None);
        let mut other = (weights, None);
        for step in 0..5 {
            let lr = 1e-3 * f64::from(5 - step);
            let grad = random(&mut rng, shape);
            one = ours.step(lr, one.0, grad.clone(), one.1);
            other = theirs.step(lr, other.0, grad, other.1);
            let bits = |tensor: &Tensor<D>| -> Vec<u32> {
                tensor.to_data().iter::<f32>().map(f32::to_bits).collect()
            };
            assert_eq!(bits(&one.0), bits(&other.0), "step {step}");
            let [one, other] = [&one.1, &other.1].map(|state| state.as_ref().unwrap());
            assert_eq!(one.momentum.time, other.momentum.time);
            assert_eq!(bits(&one.momentum.moment_1), bits(&other.momentum.moment_1));
            assert_eq!(bits(&one.momentum.moment_2), bits(&other.momentum.moment_2));
        }
    }

    #[test]
    fn steps_as_burn_does_to_the_last_bit() {
        for decay in [0.0, 0.01] {
            assert_as_burn([7], decay);
            assert_as_burn([33, 5], decay);
            // Longer than a run, so that threads share it.
            assert_as_burn([3, RUN / 2 + 1], decay);
        }
    }

    #[test]
    fn a_transposed_weight_is_stepped_in_its_own_order() {
        let mut rng = SplitMix64(9);
        let ours = OnePassAdamW::new(0.01);
        let weights = random(&mut rng, [3, 4]).transpose();
        let grads = [0; 2].map(|_| random(&mut rng, [3, 4]).transpose());
        let mut one = (weights.clone(), None);
        let mut other = (weights, None);
        for grad in grads {
            one = ours.step(0.1, one.0, grad.clone(), one.1);
            other = ours.elsewhere.step(0.1, other.0, grad, other.1);
        }
        assert_eq!(one.0.to_data(), other.0.to_data());
    }
}
