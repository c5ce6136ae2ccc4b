//! How far the student's dense output is from its targets.

use crate::nn::yolox::STRIDES;
use crate::train::distill::assignment::TARGET;
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

/// Values of a raw row before its class logits: four offsets, objectness.
const HEAD: usize = 5;

/// What the overlap of boxes counts beside objectness and classes. YOLOX's own training has 5
/// (`yolo_head.py: reg_weight`), for boxes that start anywhere; these start near.
const BOXES: f64 = 2.0;

/// How far the student's raw output is from the targets, `[1]`: the sum over all cells and images
/// of
///
/// * the Kullback-Leibler divergence of objectness,
/// * that of every class, times the target's weight,
/// * 2 × (1 - generalised overlap of the boxes; arXiv 1902.09630), times the target's weight,
///
/// over `found`, the objects the teacher found. It is 0 where output and targets say the same.
///
/// # Shapes
/// - `raw`: `[B, rows, 5 + classes]` ([`crate::nn::yolox::YoloxOutput::raw`]) at side `side`
/// - `targets`: `[B, rows, 6 + classes]`, as [`crate::train::distill::assignment::Answer::targets`] gives them
pub fn distance(raw: Tensor<3>, targets: Tensor<3>, side: usize, found: usize) -> Tensor<1> {
    let classes = raw.dims()[2] - HEAD;
    let weight = targets.clone().narrow(2, 5, 1);
    let boxes = decode(raw.clone().narrow(2, 0, 4), side);
    let apart = overlap(boxes, targets.clone().narrow(2, 0, 4)).neg() + 1.0;
    let here = divergence(raw.clone().narrow(2, 4, 1), targets.clone().narrow(2, 4, 1));
    let what = divergence(
        raw.narrow(2, HEAD, classes),
        targets.narrow(2, TARGET, classes),
    );
    let sum = (apart * weight.clone() * BOXES).sum() + here.sum() + (what * weight).sum();
    sum / found.max(1) as f64
}

/// Boxes in input pixels from raw offsets (`yolo_head.py: decode_outputs`): x1, y1, x2, y2.
fn decode(offsets: Tensor<3>, side: usize) -> Tensor<3> {
    let (corners, strides) = cells(side, &offsets.device());
    let centre = (offsets.clone().narrow(2, 0, 2) + corners) * strides.clone();
    let half = offsets.narrow(2, 2, 2).exp() * strides * 0.5;
    Tensor::cat(vec![centre.clone() - half.clone(), centre + half], 2)
}

/// Of every cell, column and row, `[1, rows, 2]`, and stride, `[1, rows, 1]`.
fn cells(side: usize, device: &Device) -> (Tensor<3>, Tensor<3>) {
    let (mut corners, mut strides) = (Vec::new(), Vec::new());
    for stride in STRIDES {
        let cells = side / stride;
        for i in 0..cells * cells {
            corners.extend([(i % cells) as f32, (i / cells) as f32]);
            strides.push(stride as f32);
        }
    }
    let rows = strides.len();
    let tensor =
        |values, width| Tensor::from_data(TensorData::new(values, [1, rows, width]), device);
    (tensor(corners, 2), tensor(strides, 1))
}

/// Generalised intersection over union of boxes, `[B, rows, 1]`, in `(-1, 1]`.
fn overlap(a: Tensor<3>, b: Tensor<3>) -> Tensor<3> {
    let low = |x: &Tensor<3>| x.clone().narrow(2, 0, 2);
    let high = |x: &Tensor<3>| x.clone().narrow(2, 2, 2);
    let area = |sides: Tensor<3>| sides.clone().narrow(2, 0, 1) * sides.narrow(2, 1, 1);
    let shared = high(&a).min_pair(high(&b)) - low(&a).max_pair(low(&b));
    let shared = area(shared.clamp_min(0.0));
    let around = area(high(&a).max_pair(high(&b)) - low(&a).min_pair(low(&b)));
    let union = area(high(&a) - low(&a)) + area(high(&b) - low(&b)) - shared.clone();
    // Empty boxes do not occur (sides are exponentials); the bound is against their rounding to 0.
    let (union, around) = (union.clamp_min(1e-6), around.clamp_min(1e-6));
    shared / union.clone() - (around.clone() - union) / around
}

/// Kullback-Leibler divergence of Bernoulli variables: `target` are probabilities, `logits` the
/// student's.
fn divergence<const D: usize>(logits: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
    let entropy = |p: Tensor<D>| p.clone() * p.clamp_min(1e-12).log();
    let certain = entropy(target.clone()) + entropy(target.clone().neg() + 1.0);
    let cross = log_sigmoid(logits.clone()) - (target.neg() + 1.0) * logits;
    certain - cross
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::vision::detections::decode_boxes;
    use burn::tensor::Distribution;
    use burn::tensor::activation::sigmoid;

    const CLASSES: usize = 3;
    const ROWS: usize = 64 + 16 + 4;

    /// A raw output.
    fn raw(device: &Device) -> Tensor<3> {
        let range = Distribution::Uniform(-2.0, 2.0);
        Tensor::random([1, ROWS, HEAD + CLASSES], range, device)
    }

    /// The targets that say what `raw` says, each row counting as much as it is sure.
    fn same(raw: &Tensor<3>) -> Tensor<3> {
        let offsets: Vec<f32> = raw.to_data().try_to_vec().unwrap();
        let boxes = decode_boxes(&offsets, HEAD + CLASSES, 64, &STRIDES).concat();
        let boxes = TensorData::new(boxes, [1, ROWS, 4]);
        let scores = sigmoid(raw.clone().narrow(2, 4, 1 + CLASSES));
        let objectness = scores.clone().narrow(2, 0, 1);
        Tensor::cat(
            vec![
                Tensor::from_data(boxes, &raw.device()),
                objectness.clone(),
                objectness,
                scores.narrow(2, 1, CLASSES),
            ],
            2,
        )
    }

    #[test]
    fn equal_outputs_are_no_distance_apart_and_others_are() {
        let device = Device::flex();
        device.seed(1);
        let raw = raw(&device);
        let same = same(&raw);
        let apart = |raw: Tensor<3>| -> f32 { distance(raw, same.clone(), 64, 9).into_scalar() };
        assert!(apart(raw.clone()).abs() < 1e-4, "{}", apart(raw.clone()));
        for column in [0, 2, 4, 6] {
            let moved = raw.clone().narrow(2, column, 1) + 0.5;
            let other = raw
                .clone()
                .slice_assign([0..1, 0..ROWS, column..column + 1], moved);
            assert!(apart(other) > 1e-2, "column {column}");
        }
    }

    #[test]
    fn descending_from_elsewhere_leads_to_the_target() {
        let device = Device::flex();
        device.seed(2);
        let goal = same(&raw(&device)).autodiff();
        let mut raw = Tensor::<3>::zeros([1, ROWS, HEAD + CLASSES], &device.autodiff());
        let mut distances = Vec::new();
        for _ in 0..20 {
            raw = raw.require_grad();
            let loss = distance(raw.clone(), goal.clone(), 64, 42);
            let gradients = loss.backward();
            distances.push(loss.into_scalar::<f32>());
            let gradient = raw.grad(&gradients).unwrap();
            raw = Tensor::from_inner(raw.inner() - gradient * 0.5);
        }
        assert!(
            distances.windows(2).all(|pair| pair[1] < pair[0]),
            "{distances:?}"
        );
    }
}
