//! What the teacher says, laid out on the student's grid, and how far the student is from it.
//!
//! Teacher and student read the same letterboxed picture at sides `T >= S`, so a level of stride
//! `s` has `(T/s)²` cells with the one and `(S/s)²` with the other, and a point of the picture lies
//! in both grids at the same fraction of the side. **Levels are kept, cells are pooled**: every
//! student cell covers a rectangle of the picture; of the teacher's cells of the same level whose
//! centres lie in it, the most confident (objectness × best class) gives its whole row, box
//! included, as the target. Each teacher cell lies in exactly one student cell, so no detection of
//! the teacher is lost to the coarser grid, unlike with the nearest cell, and scores keep their
//! height and boxes their edges, unlike with interpolation, which flattens peaks and mixes boxes of
//! neighbouring objects. At `T = S` the target is the teacher's output itself.

use crate::nn::yolox::STRIDES;
use crate::picture::detect::decode_boxes;
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

/// Values of a row before its class probabilities: x1, y1, x2, y2, objectness.
const HEAD: usize = 5;

/// What the overlap of boxes counts beside objectness and classes, as in YOLOX's own training
/// (`yolo_head.py: reg_weight`).
const BOXES: f64 = 5.0;

/// The teacher's output for one picture as the student's targets.
///
/// `dense`: rows of the teacher at side `from`, as [`crate::nn::yolox::YoloxOutput::dense`] gives
/// them, `row = 5 + classes` values each.
///
/// Returns a row for each cell of the student at side `to`: x1, y1, x2, y2 in the student's input
/// pixels, objectness and class probabilities.
///
/// # Panics
/// If a side is no multiple of 32, or `to` is larger than `from`.
pub fn lay_out(dense: &[f32], row: usize, from: usize, to: usize) -> Vec<f32> {
    assert!(
        from.is_multiple_of(32) && to.is_multiple_of(32) && 0 < to && to <= from,
        "a teacher at {from} for a student at {to}"
    );
    let boxes = decode_boxes(dense, row, from, &STRIDES);
    let scale = to as f32 / from as f32;
    let score = |index: usize| {
        let values = &dense[index * row..(index + 1) * row];
        values[4] * values[HEAD..].iter().copied().fold(0.0, f32::max)
    };
    let mut targets = Vec::new();
    let mut level = 0;
    for stride in STRIDES {
        let (theirs, ours) = (from / stride, to / stride);
        for y in 0..ours {
            for x in 0..ours {
                let inside = within(y, theirs, ours)
                    .flat_map(|v| within(x, theirs, ours).map(move |u| (u, v)));
                let best = inside
                    .map(|(u, v)| level + v * theirs + u)
                    .map(|index| (index, score(index)))
                    .reduce(|best, next| if next.1 > best.1 { next } else { best });
                let (index, _) = best.expect("a coarser cell covers the centre of a finer one");
                targets.extend(boxes[index].map(|edge| edge * scale));
                targets.extend(&dense[index * row + 4..(index + 1) * row]);
            }
        }
        level += theirs * theirs;
    }
    targets
}

/// Of `theirs` cells along a side, those whose centres lie in cell `x` of `ours <= theirs`.
fn within(x: usize, theirs: usize, ours: usize) -> std::ops::Range<usize> {
    // Centre (2u + 1) / (2 theirs) in [x / ours, (x + 1) / ours), in whole numbers.
    let first = |x: usize| (2 * x * theirs).saturating_sub(ours).div_ceil(2 * ours);
    first(x)..first(x + 1)
}

/// How far the student's raw output is from the targets, `[1]`: the sum over all cells and pictures
/// of
///
/// * the Kullback-Leibler divergence of objectness,
/// * that of every class, times the teacher's objectness,
/// * 5 × (1 - generalised overlap of the boxes; arXiv 1902.09630), times the teacher's objectness,
///
/// over the sum of the teacher's objectness. It is 0 where both say the same.
///
/// # Shapes
/// - `raw`: `[B, rows, 5 + classes]` ([`crate::nn::yolox::YoloxOutput::raw`]) at side `side`
/// - `targets`: `[B, rows, 5 + classes]`, as [`lay_out`] gives them
pub fn distance(raw: Tensor<3>, targets: Tensor<3>, side: usize) -> Tensor<1> {
    let [_, _, row] = raw.dims();
    let classes = row - HEAD;
    let weight = targets.clone().narrow(2, 4, 1);
    let boxes = decode(raw.clone().narrow(2, 0, 4), side);
    let apart = overlap(boxes, targets.clone().narrow(2, 0, 4)).neg() + 1.0;
    let here = divergence(raw.clone().narrow(2, 4, 1), weight.clone());
    let what = divergence(
        raw.narrow(2, HEAD, classes),
        targets.narrow(2, HEAD, classes),
    );
    let found = weight.clone().sum().clamp_min(1.0);
    let sum = (apart * weight.clone() * BOXES).sum() + here.sum() + (what * weight).sum();
    sum / found
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
    use burn::tensor::Distribution;
    use burn::tensor::activation::sigmoid;

    const CLASSES: usize = 3;
    const ROW: usize = HEAD + CLASSES;

    fn rows(side: usize) -> usize {
        STRIDES.iter().map(|stride| (side / stride).pow(2)).sum()
    }

    /// A raw output and its dense form, as a network gives them.
    fn output(side: usize, device: &Device) -> (Tensor<3>, Vec<f32>) {
        let raw = Tensor::<3>::random(
            [1, rows(side), ROW],
            Distribution::Uniform(-2.0, 2.0),
            device,
        );
        let scores = sigmoid(raw.clone().narrow(2, 4, ROW - 4));
        let dense = Tensor::cat(vec![raw.clone().narrow(2, 0, 4), scores], 2);
        (raw, dense.into_data().try_to_vec().unwrap())
    }

    fn targets(dense: &[f32], from: usize, to: usize, device: &Device) -> Tensor<3> {
        let targets = lay_out(dense, ROW, from, to);
        Tensor::from_data(TensorData::new(targets, [1, rows(to), ROW]), device)
    }

    #[test]
    fn equal_outputs_are_no_distance_apart_and_others_are() {
        let device = Device::flex();
        device.seed(1);
        let (raw, dense) = output(64, &device);
        let same = targets(&dense, 64, 64, &device);
        let apart = |raw: Tensor<3>| -> f32 { distance(raw, same.clone(), 64).into_scalar() };
        assert!(apart(raw.clone()).abs() < 1e-5, "{}", apart(raw.clone()));
        for column in [0, 2, 4, 6] {
            let mut other = raw.clone();
            let moved = raw.clone().narrow(2, column, 1) + 0.5;
            other = other.slice_assign([0..1, 0..rows(64), column..column + 1], moved);
            assert!(apart(other) > 1e-3, "column {column}");
        }
    }

    #[test]
    fn descending_from_elsewhere_leads_to_the_target() {
        let device = Device::flex();
        device.seed(2);
        let (_, dense) = output(96, &device);
        let goal = targets(&dense, 96, 64, &device.clone().autodiff());
        let mut raw = Tensor::<3>::zeros([1, rows(64), ROW], &device.clone().autodiff());
        let mut distances = Vec::new();
        for _ in 0..20 {
            raw = raw.require_grad();
            let loss = distance(raw.clone(), goal.clone(), 64);
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

    #[test]
    fn every_cell_of_the_teacher_lies_in_one_of_the_students() {
        for (theirs, ours) in [
            (52, 40),
            (26, 20),
            (13, 10),
            (52, 32),
            (13, 8),
            (7, 7),
            (3, 1),
        ] {
            let covered: Vec<usize> = (0..ours).flat_map(|x| within(x, theirs, ours)).collect();
            assert_eq!(
                covered,
                (0..theirs).collect::<Vec<_>>(),
                "{theirs} in {ours}"
            );
            assert!((0..ours).all(|x| !within(x, theirs, ours).is_empty()));
        }
    }

    #[test]
    fn a_detection_arrives_in_the_cell_that_covers_it() {
        // Levels of 12², 6² and 3² cells become 8², 4² and 2².
        let (from, to) = (96, 64);
        let mut dense = vec![0.0; rows(from) * ROW];
        let mut put = |index: usize, values: [f32; ROW]| {
            dense[index * ROW..][..ROW].copy_from_slice(&values);
        };
        // Column 5, row 1 of the first level: centre at 44, 12 of 96, in the student's column 3
        // (24 to 32 of 64) and row 1. A fainter neighbour lies in the same cell.
        put(12 + 5, [0.5, 0.5, 0.0, 0.0, 0.9, 0.1, 0.8, 0.0]);
        put(12 + 4, [0.0, 0.0, 1.0, 1.0, 0.9, 0.1, 0.2, 0.0]);
        // The last cell of the last level.
        put(rows(from) - 1, [0.5, 0.5, 0.0, 0.0, 0.7, 0.0, 0.0, 1.0]);
        let targets = lay_out(&dense, ROW, from, to);
        assert_eq!(targets.len(), rows(to) * ROW);
        let sure: Vec<(usize, &[f32])> = targets
            .chunks_exact(ROW)
            .enumerate()
            .filter(|(_, row)| row[4] > 0.0)
            .collect();
        assert_eq!(sure.len(), 2);
        let near = |row: &[f32], edges: [f32; 4]| {
            let pairs = row.iter().zip(edges);
            pairs
                .into_iter()
                .all(|(a, b)| (a - b * 64.0 / 96.0).abs() < 1e-4)
        };
        let (at, row) = sure[0];
        assert_eq!(at, 8 + 3);
        assert!(near(row, [40.0, 8.0, 48.0, 16.0]), "{row:?}");
        assert_eq!(row[4..], [0.9, 0.1, 0.8, 0.0]);
        let (at, row) = sure[1];
        assert_eq!(at, rows(to) - 1);
        assert!(near(row, [64.0, 64.0, 96.0, 96.0]), "{row:?}");
    }
}
