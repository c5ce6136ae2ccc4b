//! Pretrained vision networks from their files.

use crate::nn::mobilenet::MobileNetV2Config;
use crate::nn::resnet::ResNetConfig;
use crate::nn::torch_file::{StateDict, WeightError};
use crate::nn::yolox::YoloxConfig;
use crate::picture::detect::DetectConfig;
use crate::picture::eyes::{BackboneConfig, Eyes, EyesConfig};
use crate::picture::tags::{ClassNames, ClassNamesError};
use burn::tensor::Device;
use std::fs;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// File of the classifier's class names, beside the backbone's weights.
pub const CLASS_NAMES: &str = "imagenet_labels.txt";
/// File of the detector's class names, beside the detector's weights.
pub const OBJECT_NAMES: &str = "coco_labels.txt";

/// Why the networks could not be loaded.
#[derive(Debug, Error)]
pub enum EyesFileError {
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

fn names(weights: &Path, file: &str, classes: usize) -> Result<ClassNames, EyesFileError> {
    let path = weights.with_file_name(file);
    let text = fs::read_to_string(&path).map_err(|cause| EyesFileError::Io {
        path: path.clone(),
        cause,
    })?;
    ClassNames::parse(&text, classes).map_err(|cause| EyesFileError::Names { path, cause })
}

/// Loads backbone (torchvision's names) and detector (YOLOX-Nano, Megvii's names), folded for
/// inference, with the class names beside each: [`CLASS_NAMES`] and [`OBJECT_NAMES`].
///
/// `objects`: most objects of a picture.
///
/// # Errors
/// [`EyesFileError`]
pub fn load_eyes(
    backbone_file: &Path,
    detector_file: &Path,
    objects: usize,
    device: &Device,
) -> Result<Eyes, EyesFileError> {
    let misfit = |path: &Path| {
        let path = path.to_owned();
        move |cause| EyesFileError::Weights { path, cause }
    };
    let read = |path: &Path| StateDict::from_file(path).map_err(misfit(path));

    let backbone_config = backbone_of(backbone_file);
    let mut backbone = backbone_config.init(device);
    backbone
        .load(&read(backbone_file)?)
        .map_err(misfit(backbone_file))?;
    backbone.fold();
    let detector_config = YoloxConfig::new();
    let mut detector = detector_config.init(device);
    detector
        .load(&read(detector_file)?)
        .map_err(misfit(detector_file))?;
    detector.fold();
    Ok(Eyes {
        object_names: names(detector_file, OBJECT_NAMES, detector_config.classes)?,
        class_names: names(backbone_file, CLASS_NAMES, backbone_config.classes())?,
        config: EyesConfig::new(backbone_config).with_detect(DetectConfig {
            most: objects,
            ..DetectConfig::default()
        }),
        backbone,
        detector,
        device: device.clone(),
    })
}
