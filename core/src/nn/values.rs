//! The values of tensors that lie in a CPU's own memory.

use burn::tensor::Tensor;

/// The values of a tensor, in its order. The device should be a CPU: they are read back from it at once.
///
/// # Panics
/// If the device fails.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    // Iterated over, every value would be looked at by itself: a twentieth of a tweet's time.
    let values = tensor.into_data().try_into_vec_as();
    values.expect("floats of a CPU become f32")
}
