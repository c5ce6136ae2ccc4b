use super::*;
use crate::formula;
use crate::image::{Image, input};
use crate::nn::yolox::STRIDES;
use burn::prelude::*;

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    iou_threshold: f32,
    boxes: Vec<Box4>,
    scores: Vec<f32>,
    classes: Vec<usize>,
    keep: Vec<usize>,
}

#[test]
fn suppression_agrees_with_torchvision() {
    let json = include_str!("../../../../tests/reference/boxes/nms.json");
    let cases: Vec<Case> = serde_json::from_str(json).unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let objects: Vec<Object> = (0..case.boxes.len())
            .map(|i| Object {
                class: case.classes[i],
                score: case.scores[i],
                bounds: case.boxes[i],
            })
            .collect();
        assert_eq!(
            suppress(&objects, case.iou_threshold),
            case.keep,
            "{}",
            case.name
        );
    }
}

fn frame() -> Frame {
    Frame {
        side: 32,
        scale: 0.5,
        width: 60,
        height: 40,
    }
}

/// A dense output at side 32 (16 + 4 + 1 rows, 2 classes) with nothing in it.
fn nothing() -> Vec<f32> {
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5].repeat(21)
}

#[test]
fn a_cell_becomes_a_box_in_the_image() {
    let mut dense = nothing();
    // Level 2 (stride 16), cell (1, 0): centre (0.25 + 1, 0.5 + 0) × 16, sides e^0 × 16.
    let at = (16 + 1) * 7;
    dense[at..at + 7].copy_from_slice(&[0.25, 0.5, 0.0, 0.0, 0.8, 0.1, 0.9]);
    let found = objects(&dense, 2, &frame(), &DetectConfig::default());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].class, 1);
    assert!((found[0].score - 0.72).abs() < 1e-6);
    // (12, 0, 28, 16) in the input is twice that in the image, clipped at nothing.
    assert_eq!(found[0].bounds, [24.0, 0.0, 56.0, 32.0]);
}

#[test]
fn boxes_end_at_the_image_and_broken_rows_are_passed_over() {
    let mut dense = nothing();
    dense[..7].copy_from_slice(&[0.5, 0.5, 3.0, 3.0, 1.0, 1.0, 0.0]);
    dense[7..14].copy_from_slice(&[f32::NAN, 0.5, 0.0, 0.0, 1.0, 1.0, 0.0]);
    dense[14..21].copy_from_slice(&[0.5, 0.5, 200.0, 0.0, 1.0, 1.0, 0.0]);
    dense[21..28].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, f32::NAN, 1.0, 0.0]);
    // Wholly to the right of the image.
    dense[28..35].copy_from_slice(&[90.0, 0.5, 0.0, 0.0, 1.0, 0.0, 1.0]);
    let found = objects(&dense, 2, &frame(), &DetectConfig::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].bounds, [0.0, 0.0, 60.0, 40.0]);
}

#[test]
fn the_best_are_kept() {
    let mut dense = nothing();
    for (cell, score) in [(0, 0.5), (3, 0.9), (8, 0.7)] {
        let at = cell * 7;
        dense[at..at + 7].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, score, 1.0, 0.0]);
    }
    let config = DetectConfig {
        most: 2,
        ..DetectConfig::default()
    };
    let found = objects(&dense, 2, &frame(), &config);
    let scores: Vec<f32> = found.iter().map(|o| o.score).collect();
    assert_eq!(scores, [0.9, 0.7]);
}

#[derive(serde::Deserialize)]
struct Expected {
    label: String,
    score: f32,
    box_xyxy: Box4,
}

/// The objects of the shared photographs, from a dense output of each.
pub(crate) fn photographs_show(
    dense_of: impl Fn(&str, &Image) -> Option<Vec<f32>>,
    score: f32,
    pixels: f32,
) {
    let names = ["weights/reference/expected.json", "weights/coco_labels.txt"];
    let [Some(expected), Some(labels)] = names.map(formula::shared) else {
        return;
    };
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let labels = String::from_utf8(labels).unwrap();
    let labels: Vec<&str> = labels.lines().collect();
    for name in formula::PHOTOGRAPHS {
        let Some(file) = formula::shared(&format!("weights/reference/{name}.jpg")) else {
            return;
        };
        let image = Image::decode(&file).unwrap();
        let Some(dense) = dense_of(name, &image) else {
            return;
        };
        let frame = Frame {
            side: 416,
            scale: input::letterbox(&image, 416).scale,
            width: image.width,
            height: image.height,
        };
        let ours = objects(&dense, 80, &frame, &DetectConfig::default());
        let theirs = expected["yolox_nano"][name].clone();
        let theirs: Vec<Expected> = serde_json::from_value(theirs).unwrap();
        // Whatever comes on top hardly passed the threshold.
        assert!(ours.len() >= theirs.len(), "{name}: {ours:?}");
        for object in &ours[theirs.len()..] {
            assert!(object.score < 0.30 + score, "{name}: {object:?}");
        }
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(labels[ours.class], theirs.label, "{name}");
            assert!(
                (ours.score - theirs.score).abs() <= score,
                "{name} {ours:?}"
            );
            for (a, b) in ours.bounds.iter().zip(theirs.box_xyxy) {
                let b = b.clamp(0.0, image.width.max(image.height) as f32);
                assert!((a - b).abs() <= pixels, "{name} {ours:?}");
            }
        }
    }
}

#[test]
fn the_reference_outputs_hold_the_expected_objects() {
    let stored = |name: &str, _: &Image| {
        let path = format!("weights/reference/yolox_nano_{name}.safetensors");
        let file = formula::shared(&path)?;
        formula::tensors(&file)["output"].try_to_vec().ok()
    };
    photographs_show(stored, 1e-3, 0.1);
}

#[test]
fn decoded_boxes_are_the_reference_boxes() {
    let path = "weights/reference/yolox_nano_parrot.safetensors";
    let Some(file) = formula::shared(path) else {
        return;
    };
    let reference = formula::tensors(&file);
    let dense: Vec<f32> = reference["output"].try_to_vec().unwrap();
    let boxes = decode_boxes(&dense, 85, 416, &STRIDES).concat();
    let boxes = TensorData::new(boxes, [1, 3549, 4]);
    assert!(formula::distance(&boxes, &reference["boxes"]) <= 1e-3);
}
