//! The values of tensors that lie in a CPU's own memory.

use burn::tensor::{Device, Tensor, TensorData};

/// Whether tensors of a device hand out their numbers without a copy.
pub fn in_memory(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return device.clone().inner() == Device::flex();
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// The values of a tensor, in its order. The device should be a CPU: they are read back from it at once.
///
/// # Panics
/// If the device fails.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    // Iterated over, every value would be looked at by itself: a twentieth of a tweet's time.
    let values = tensor.into_data().try_into_vec_as();
    values.expect("floats of a CPU become f32")
}

/// Values of words, `[R, N, .]`, side by side, as `Tensor::cat` puts tensors along their last axis; those of rows, `[R, 1, .]`, are every
/// word's. `on_host` says that they are in a CPU's own memory, where they stay then: see
/// [`Linear::on_host`](crate::nn::linear::Linear::on_host) for what that spares.
///
/// # Panics
/// If there are none, they are not of the same words, or the device fails.
pub fn side_by_side(parts: Vec<Tensor<3>>, on_host: bool) -> Tensor<3> {
    let [rows, words, _] = parts[0].dims();
    if !on_host {
        let parts = parts.into_iter().map(|part| {
            let width = part.dims()[2];
            part.expand([rows, words, width])
        });
        return Tensor::cat(parts.collect(), 2);
    }
    let device = parts[0].device();
    let parts = parts.into_iter().map(|part| {
        let [_, of_words, width] = part.dims();
        (values(part), words / of_words, width)
    });
    let parts: Vec<(Vec<f32>, usize, usize)> = parts.collect();
    let all: usize = parts.iter().map(|(_, _, width)| width).sum();
    let mut joined = Vec::with_capacity(rows * words * all);
    for word in 0..rows * words {
        for (values, share, width) in &parts {
            joined.extend_from_slice(&values[word / share * width..][..*width]);
        }
    }
    Tensor::from_data(TensorData::new(joined, [rows, words, all]), &device)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn values_lie_side_by_side_wherever_they_are() {
        let device = Device::flex();
        let part =
            |words, width| Tensor::<3>::random([2, words, width], Distribution::Default, &device);
        let (a, b, of_rows) = (part(3, 2), part(3, 1), part(1, 4));
        let expected = Tensor::cat(
            vec![a.clone(), of_rows.clone().expand([2, 3, 4]), b.clone()],
            2,
        );
        for on_host in [true, false] {
            let joined = side_by_side(vec![a.clone(), of_rows.clone(), b.clone()], on_host);
            joined.into_data().assert_eq(&expected.to_data(), true);
        }
    }
}
