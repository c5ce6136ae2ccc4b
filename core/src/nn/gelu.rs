//! GELU, and its gradient, of values that lie in a CPU's own memory.

use crate::nn::host;
use crate::nn::values::{in_memory, values};
use burn::tensor::{Device, Tensor, TensorData, activation};

/// Values that a thread takes at once: 64 KiB.
#[cfg(feature = "train")]
const RUN: usize = 1 << 14;

/// `x * Phi(x)`, GELU by the error function (Hendrycks and Gimpel, arXiv 1606.08415).
///
/// burn-flex's asks libm for the error function of one value after the other, on one thread, and again for its gradient: a seventh of a
/// training step on one thread, more on two. For tensors in a CPU's own memory this computes several at once, on all threads.
///
/// # Shapes
/// - input and output: `[..]`
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let device = x.device();
    match (in_memory(&device), device.is_autodiff()) {
        (false, _) => activation::gelu(x),
        (true, false) => of_values(x, &device),
        (true, true) => by_tangents(x, &device.inner()),
    }
}

fn of_values<const D: usize>(x: Tensor<D>, device: &Device) -> Tensor<D> {
    let shape = x.shape();
    let mut values = values(x);
    #[cfg(feature = "train")]
    {
        use rayon::prelude::*;
        values.par_chunks_mut(RUN).for_each(host::gelu);
    }
    #[cfg(not(feature = "train"))]
    host::gelu(&mut values);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// By the tangent of GELU in every value, which has its value there and its slope: what differentiates sees a multiplication by a
/// constant and an addition.
fn by_tangents<const D: usize>(x: Tensor<D>, plain: &Device) -> Tensor<D> {
    let shape = x.shape();
    let mut slopes = values(x.clone().inner());
    let mut offsets = vec![0.0; slopes.len()];
    #[cfg(feature = "train")]
    {
        use rayon::prelude::*;
        let runs = slopes.par_chunks_mut(RUN).zip(offsets.par_chunks_mut(RUN));
        runs.for_each(|(slopes, offsets)| host::gelu_tangents(slopes, offsets));
    }
    #[cfg(not(feature = "train"))]
    host::gelu_tangents(&mut slopes, &mut offsets);
    let [slopes, offsets] = [slopes, offsets].map(|values| {
        let values = TensorData::new(values, shape.clone());
        Tensor::from_inner(Tensor::from_data(values, plain))
    });
    x * slopes + offsets
}

#[cfg(all(test, feature = "flex", feature = "train"))]
mod tests {
    use super::*;
    use burn::tensor::Tolerance;

    /// Values from -6 to 6 and some far out.
    fn input(device: &Device) -> Tensor<2> {
        let mut values: Vec<f32> = (-6_000..6_000).map(|i| i as f32 / 1000.0).collect();
        values.extend([-20.0, -1e-20, 1e-20, 20.0]);
        let shape = [2, values.len() / 2];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    #[test]
    fn it_is_burns() {
        let device = Device::flex();
        let x = input(&device);
        let tolerance = Tolerance::<f32>::absolute(4e-6);
        let expected = activation::gelu(x.clone()).into_data();
        gelu(x).into_data().assert_approx_eq(&expected, tolerance);
        let x = input(&device.autodiff());
        gelu(x).into_data().assert_approx_eq(&expected, tolerance);
    }

    #[test]
    fn so_is_its_gradient() {
        let device = Device::flex().autodiff();
        let gradient = |of: fn(Tensor<2>) -> Tensor<2>| {
            let x = input(&device).require_grad();
            // Of a sum of squares, so that what comes from above differs.
            let gradients = of(x.clone()).square().sum().backward();
            x.grad(&gradients).unwrap().into_data()
        };
        let tolerance = Tolerance::<f32>::relative(1e-5).set_absolute(2e-5);
        gradient(gelu).assert_approx_eq(&gradient(activation::gelu), tolerance);
    }
}
