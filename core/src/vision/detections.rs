//! The detector's dense output → objects: plain Rust on host data.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A box in pixels: x1, y1 (top left), x2, y2 (bottom right), y down.
pub type Box4 = [f32; 4];

/// One object in an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Index of the class in the detector's output order.
    pub class: usize,
    /// Objectness × class probability, in `[0, 1]`.
    pub score: f32,
    /// The box in the image's pixels, inside the image, with an area.
    pub bounds: Box4,
}

/// Which detections become objects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectConfig {
    /// Scores up to this are dropped.
    pub score: f32,
    /// Of two boxes of one class with a greater overlap (intersection over union) the one with
    /// the lower score is dropped.
    pub overlap: f32,
    /// Most objects kept, the best first.
    pub most: usize,
}

impl Default for DetectConfig {
    /// Score 0.30 and overlap 0.45 as upstream's demo, and at most 10 objects.
    fn default() -> Self {
        Self {
            score: 0.30,
            overlap: 0.45,
            most: 10,
        }
    }
}

/// The image a dense output belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Side of the square network input.
    pub side: usize,
    /// Input pixels per image pixel ([`crate::image::input::Letterbox::scale`]).
    pub scale: f64,
    /// Width of the image, in pixels.
    pub width: u32,
    /// Height of the image, in pixels.
    pub height: u32,
}

/// Decodes one image's dense output to boxes in input pixels
/// (`yolox/models/yolo_head.py: decode_outputs`).
///
/// `dense`: `rows × row` values as [`crate::nn::yolox::YoloxOutput::dense`] gives them; `strides`
/// fine to coarse.
///
/// # Panics
/// If there are not as many rows as the levels of a square input of this side have cells.
pub fn decode_boxes(dense: &[f32], row: usize, side: usize, strides: &[usize]) -> Vec<Box4> {
    let count: usize = strides.iter().map(|stride| (side / stride).pow(2)).sum();
    assert_eq!(dense.len(), count * row, "{count} cells at side {side}");
    let cells = strides.iter().flat_map(|&stride| {
        let cells = side / stride;
        (0..cells * cells).map(move |i| ((i % cells) as f32, (i / cells) as f32, stride as f32))
    });
    dense
        .chunks_exact(row)
        .zip(cells)
        .map(|(offsets, (x, y, stride))| {
            let (cx, cy) = ((offsets[0] + x) * stride, (offsets[1] + y) * stride);
            let (w, h) = (offsets[2].exp() * stride, offsets[3].exp() * stride);
            [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0]
        })
        .collect()
}

/// The objects of an image, the best first. Each row of the output counts for its best class
/// only, as upstream's `postprocess` does.
///
/// `dense`: see [`decode_boxes`], `5 + classes` values a row. Rows that are not finite are
/// passed over.
///
/// # Panics
/// As [`decode_boxes`].
pub fn objects(dense: &[f32], classes: usize, frame: &Frame, config: &DetectConfig) -> Vec<Object> {
    let row = 5 + classes;
    let boxes = decode_boxes(dense, row, frame.side, &crate::nn::yolox::STRIDES);
    let candidates: Vec<Object> = dense
        .chunks_exact(row)
        .zip(boxes)
        .filter_map(|(values, bounds)| {
            let (class, best) = best_class(&values[5..])?;
            let score = values[4] * best;
            let finite = bounds.iter().all(|x| x.is_finite());
            (score > config.score && finite).then_some(Object {
                class,
                score,
                bounds,
            })
        })
        .collect();
    let (width, height) = (frame.width as f32, frame.height as f32);
    suppress(&candidates, config.overlap)
        .into_iter()
        .map(|index| {
            let object = candidates[index];
            let [x1, y1, x2, y2] = object.bounds.map(|x| (f64::from(x) / frame.scale) as f32);
            let (x1, x2) = (x1.clamp(0.0, width), x2.clamp(0.0, width));
            let (y1, y2) = (y1.clamp(0.0, height), y2.clamp(0.0, height));
            Object {
                bounds: [x1, y1, x2, y2],
                ..object
            }
        })
        .filter(|object| area(object.bounds) > 0.0)
        .take(config.most)
        .collect()
}

/// The first of the largest values, and which it is.
pub(crate) fn best_class(scores: &[f32]) -> Option<(usize, f32)> {
    scores
        .iter()
        .copied()
        .enumerate()
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// Indices of the objects that survive, by descending score; among equal scores the earlier one
/// wins. Each class by itself (`torchvision.ops.batched_nms`).
pub fn suppress(objects: &[Object], overlap: f32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..objects.len()).collect();
    order.sort_by(|&a, &b| {
        let descending = objects[b].score.partial_cmp(&objects[a].score);
        descending.unwrap_or(Ordering::Equal)
    });
    let mut kept: Vec<usize> = Vec::new();
    for index in order {
        let object = &objects[index];
        let covered = kept.iter().any(|&other| {
            objects[other].class == object.class
                && intersection_over_union(objects[other].bounds, object.bounds) > overlap
        });
        if !covered {
            kept.push(index);
        }
    }
    kept
}

/// Area of a box; 0 where it is empty.
pub fn area([x1, y1, x2, y2]: Box4) -> f32 {
    (x2 - x1).max(0.0) * (y2 - y1).max(0.0)
}

/// Intersection over union, in `[0, 1]`; 0 where both boxes are empty.
pub fn intersection_over_union(a: Box4, b: Box4) -> f32 {
    let shared = area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    let union = area(a) + area(b) - shared;
    if union > 0.0 { shared / union } else { 0.0 }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
pub(crate) mod tests;
