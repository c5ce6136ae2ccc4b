//! Pretrained vision networks from their files.

use crate::formats::state_dict::{StateDict, WeightError};
use crate::nn::mobilenet::MobileNetV2Config;
use crate::nn::resnet::ResNetConfig;
use crate::nn::yolox::{Yolox, YoloxConfig};
use crate::vision::detections::DetectConfig;
use crate::vision::encoder::{BackboneConfig, VisionConfig, VisionEncoder};
use crate::vision::tags::{ClassNames, ClassNamesError};
use burn::tensor::Device;
use std::fs;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// File of the classifier's class names, beside the backbone's weights.
pub const CLASS_NAMES: &str = "imagenet_labels.txt";
/// File of the detector's class names, beside the detector's weights.
pub const OBJECT_NAMES: &str = "coco_labels.txt";

/// Key of a detector file's metadata: the input side it was trained for, in pixels.
pub const SIDE: &str = "side";

/// Why the networks could not be loaded.
#[derive(Debug, Error)]
pub enum VisionFileError {
    /// The weights.
    #[error("{}: {cause}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: WeightError,
    },
    /// A label file that cannot be read.
    #[error("{}: {cause}; the class names belong beside the weights", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A side no detector reads.
    #[error(
        "{}: its metadata gives the side {found:?}, but a detector reads multiples of 32 up to 1280",
        path.display()
    )]
    Side {
        /// The file.
        path: PathBuf,
        /// What stands there.
        found: String,
    },
    /// A label file of another network.
    #[error("{}: {cause}", path.display())]
    Names {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: ClassNamesError,
    },
}

/// Which backbone a weight file holds, by its name: `resnet50`, `resnet101` or `resnet152` in it
/// mean that, anything else MobileNetV2.
fn backbone_of(path: &Path) -> BackboneConfig {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.contains("resnet50") {
        BackboneConfig::ResNet(ResNetConfig::resnet50())
    } else if name.contains("resnet101") {
        BackboneConfig::ResNet(ResNetConfig::resnet101())
    } else if name.contains("resnet152") {
        BackboneConfig::ResNet(ResNetConfig::resnet152())
    } else {
        BackboneConfig::MobileNetV2(MobileNetV2Config::new())
    }
}

fn names(weights: &Path, file: &str, classes: usize) -> Result<ClassNames, VisionFileError> {
    let path = weights.with_file_name(file);
    let text = fs::read_to_string(&path).map_err(|cause| VisionFileError::Io {
        path: path.clone(),
        cause,
    })?;
    ClassNames::parse(&text, classes).map_err(|cause| VisionFileError::Names { path, cause })
}

/// A detector from a file.
pub struct Detector {
    /// The network, folded.
    pub network: Yolox,
    /// The input side that the file names; none where it names none.
    pub side: Option<u32>,
}

/// Loads a detector (YOLOX-Nano, Megvii's names), folded, with the side of its metadata.
///
/// # Errors
/// [`VisionFileError::Weights`], [`VisionFileError::Side`].
pub fn load_detector(path: &Path, device: &Device) -> Result<Detector, VisionFileError> {
    let misfit = |cause| VisionFileError::Weights {
        path: path.to_owned(),
        cause,
    };
    let file = StateDict::from_file(path).map_err(misfit)?;
    let side = match file.metadata(SIDE).map_err(misfit)? {
        None => None,
        Some(found) => match found.parse() {
            Ok(side @ 32..=1280) if side % 32 == 0 => Some(side),
            _ => {
                return Err(VisionFileError::Side {
                    path: path.to_owned(),
                    found,
                });
            }
        },
    };
    let mut network = YoloxConfig::new().init(device);
    network.load(&file).map_err(misfit)?;
    network.fold();
    Ok(Detector { network, side })
}

/// Loads backbone (torchvision's names) and detector (YOLOX-Nano, Megvii's names), folded for
/// inference, with the class names beside each: [`CLASS_NAMES`] and [`OBJECT_NAMES`]. The detector
/// is used at the side that its file's metadata gives under [`SIDE`], else at the usual one.
///
/// `objects`: most objects of an image.
///
/// # Errors
/// [`VisionFileError`]
pub fn load_vision_encoder(
    backbone_file: &Path,
    detector_file: &Path,
    objects: usize,
    device: &Device,
) -> Result<VisionEncoder, VisionFileError> {
    let misfit = |path: &Path| {
        let path = path.to_owned();
        move |cause| VisionFileError::Weights { path, cause }
    };
    let backbone_config = backbone_of(backbone_file);
    let mut backbone = backbone_config.init(device);
    backbone
        .load(&StateDict::from_file(backbone_file).map_err(misfit(backbone_file))?)
        .map_err(misfit(backbone_file))?;
    backbone.fold();
    let detector = load_detector(detector_file, device)?;
    let object_names = names(detector_file, OBJECT_NAMES, YoloxConfig::new().classes)?;
    let class_names = names(backbone_file, CLASS_NAMES, backbone_config.classes())?;
    let mut config = VisionConfig::new(backbone_config).with_detect(DetectConfig {
        most: objects,
        ..DetectConfig::default()
    });
    if let Some(side) = detector.side {
        config = config.with_detector_side(side);
    }
    Ok(VisionEncoder {
        object_names,
        class_names,
        config,
        backbone,
        detector: detector.network,
        projector: None,
        device: device.clone(),
        packed: None,
    })
}

/// The same vision with the detector of a file, as [`load_vision_encoder`] reads it, and without a projector, which would
/// have learnt over the detector that it had.
///
/// # Errors
/// [`VisionFileError`]
pub fn with_detector(vision: VisionEncoder, file: &Path) -> Result<VisionEncoder, VisionFileError> {
    let Detector { network, side } = load_detector(file, &vision.device)?;
    let usual = VisionConfig::new(vision.config.backbone.clone()).detector_side;
    Ok(VisionEncoder {
        object_names: names(file, OBJECT_NAMES, YoloxConfig::new().classes)?,
        config: vision
            .config
            .with_detector_side(side.unwrap_or(usual))
            .with_projector(None),
        detector: network,
        projector: None,
        ..vision
    })
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests;
