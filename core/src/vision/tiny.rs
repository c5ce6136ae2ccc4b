//! Vision networks small enough to make on the fly: for tests and for models of random weights.

use super::detections::DetectConfig;
use super::encoder::{BackboneConfig, VisionConfig, VisionEncoder};
use super::tags::{ClassNames, ClassNamesError};
use crate::nn::mobilenet::MobileNetV2Config;
use crate::nn::yolox::YoloxConfig;
use burn::tensor::Device;

/// Vision networks of random weights: a MobileNetV2 of three classes and a YOLOX-Nano on 64 × 64
/// pixels, to which the four best of its boxes are objects.
///
/// # Errors
/// If the names made up were not as many as the classes.
pub fn vision_encoder(device: &Device) -> Result<VisionEncoder, ClassNamesError> {
    let backbone = BackboneConfig::MobileNetV2(MobileNetV2Config::new().with_classes(3));
    let detector = YoloxConfig::new();
    let numbers: Vec<String> = (0..detector.classes)
        .map(|class| format!("thing {class}"))
        .collect();
    // Untrained scores are near 0.25: any threshold below lets all of them through.
    let detect = DetectConfig {
        score: 0.0,
        most: 4,
        ..DetectConfig::default()
    };
    let mut vision = VisionEncoder {
        backbone: backbone.init(device),
        detector: detector.init(device),
        projector: None,
        object_names: ClassNames::parse(&numbers.join("\n"), detector.classes)?,
        class_names: ClassNames::parse("sea snake\nkite\nsnow", backbone.classes())?,
        config: VisionConfig::new(backbone)
            .with_detector_side(64)
            .with_detect(detect),
        device: device.clone(),
        packed: None,
    };
    vision.backbone.fold();
    vision.detector.fold();
    Ok(vision)
}
