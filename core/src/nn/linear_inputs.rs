//! What linear layers are given, for who rounds their weights so that the products change least.

use burn::module::ParamId;
use burn::tensor::Tensor;
use std::cell::RefCell;

/// A layer, by the id of its weights, and the rows it was given, `[rows, inputs]`.
pub type Given = (ParamId, Tensor<2>);

thread_local! {
    /// What was given in order, while somebody watches.
    static WATCHED: RefCell<Option<Vec<Given>>> = const { RefCell::new(None) };
}

/// Does `work` and gives back, beside what it makes, what linear layers in f32 were given on this thread meanwhile, in order.
pub fn watched<R>(work: impl FnOnce() -> R) -> (R, Vec<Given>) {
    WATCHED.set(Some(Vec::new()));
    let made = work();
    (made, WATCHED.take().unwrap_or_default())
}

/// Tells who watches what the layer of these weights is given, `[.., inputs]`.
pub(super) fn given<const D: usize>(weight: ParamId, x: &Tensor<D>) {
    WATCHED.with_borrow_mut(|watched| {
        if let Some(watched) = watched {
            let shape = x.dims();
            let rows = shape[..D - 1].iter().product();
            watched.push((weight, x.clone().reshape([rows, shape[D - 1]])));
        }
    });
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::nn::linear::linear;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn layers_are_watched_in_order_while_somebody_does() {
        let device = Device::flex();
        let (one, other) = (linear(3, 2, &device), linear(2, 2, &device));
        let x = Tensor::<3>::random([2, 5, 3], Distribution::Default, &device);
        one.forward(x.clone());
        let (y, given) = watched(|| {
            let y = one.forward(x.clone());
            other.forward_gelu(y.clone());
            y
        });
        one.forward(x.clone());
        let ids: Vec<ParamId> = given.iter().map(|(id, _)| *id).collect();
        let weights = [&one, &other].map(|layer| layer.parameters.weight.id);
        assert_eq!(ids, weights);
        let rows: [Tensor<2>; 2] = [x.reshape([10, 3]), y.reshape([10, 2])];
        for ((_, given), rows) in given.into_iter().zip(rows) {
            assert_eq!(given.into_data(), rows.into_data());
        }
        assert!(watched(|| ()).1.is_empty());
    }
}
