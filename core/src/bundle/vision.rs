//! The vision networks of a bundle: their settings and names in the manifest, their weights in a
//! file of their own.

use crate::bundle::quantize::block_along_inputs;
use crate::bundle::{BundleError, Compute, weights};
use crate::nn::projector::Projector;
use crate::nn::yolox::{Yolox, YoloxConfig};
use crate::systems::hamlearning::MOST_OBJECTS;
use crate::vision::encoder::{Backbone, BackboneConfig, VisionConfig, VisionEncoder};
use crate::vision::tags::ClassNames;
use burn::module::Module;
use burn::tensor::{DType, Device};
use serde::{Deserialize, Serialize};

/// What the manifest says of the vision networks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VisionEntry {
    /// Backbone, input size, which detections and classes count.
    pub config: VisionConfig,
    /// Names of the detector's classes.
    pub object_names: Vec<String>,
    /// Names of the classifier's classes.
    pub class_names: Vec<String>,
}

/// The networks as they are packed: batch norms folded away.
#[derive(Module, Debug)]
struct Networks {
    backbone: Backbone,
    detector: Yolox,
    projector: Option<Projector>,
}

impl VisionEntry {
    /// The entry of some networks.
    pub fn of(vision: &VisionEncoder) -> Self {
        let names = |names: &ClassNames| {
            (0..names.count())
                .filter_map(|class| names.name(class).map(str::to_owned))
                .collect()
        };
        Self {
            config: vision.config.clone(),
            object_names: names(&vision.object_names),
            class_names: names(&vision.class_names),
        }
    }

    /// Builds the networks from their weights on `device`; with [`Compute::Host`], and quantised weights, they compute in the CPU's own
    /// memory. `source`: the SHA-256 of the weights, as it says in the manifest.
    ///
    /// # Errors
    /// [`BundleError::Config`] for settings no network here has, [`BundleError::VisionEncoder`] for weights
    /// of others.
    pub fn unpack(
        &self,
        weights: Vec<u8>,
        device: &Device,
        compute: Compute,
        source: &str,
    ) -> Result<VisionEncoder, BundleError> {
        self.check()
            .map_err(|problem| BundleError::Config(problem.to_owned()))?;
        let names = |names: &[String], classes| {
            ClassNames::parse(&names.join("\n"), classes)
                .map_err(|e| BundleError::Config(e.to_string()))
        };
        let object_names = names(&self.object_names, YoloxConfig::new().classes)?;
        let class_names = names(&self.class_names, self.config.backbone.classes())?;
        let mut networks = Networks {
            backbone: self.config.backbone.init(device),
            detector: YoloxConfig::new().init(device),
            projector: self
                .config
                .projector
                .as_ref()
                .map(|config| config.init(0.0, device)),
        };
        networks.backbone.fold();
        networks.detector.fold();
        let tensors = weights::by_name(weights).map_err(BundleError::VisionEncoder)?;
        let mut dtypes = tensors.values().map(|tensor| tensor.dtype);
        let quantised = dtypes.any(|dtype| matches!(dtype, DType::QFloat(_)));
        let on_host = compute == Compute::Host && quantised;
        let networks = match on_host {
            true => weights::load_kernels_later(networks, tensors),
            false => weights::load_all_but(None, networks, tensors, Compute::Device),
        }
        .map_err(BundleError::VisionEncoder)?;
        let mut vision = VisionEncoder {
            config: self.config.clone(),
            backbone: networks.backbone,
            detector: networks.detector,
            projector: networks.projector,
            object_names,
            class_names,
            device: device.clone(),
            packed: None,
        };
        if on_host {
            vision.compute_on_host(source.to_owned(), block_along_inputs);
        }
        Ok(vision)
    }

    fn check(&self) -> Result<(), &'static str> {
        let (detect, side) = (&self.config.detect, self.config.detector_side);
        let blocks = match &self.config.backbone {
            BackboneConfig::MobileNetV2(_) => [1; 4],
            BackboneConfig::ResNet(config) => config.blocks,
        };
        if !(32..=1280).contains(&side) || !side.is_multiple_of(32) {
            Err("the detector's side is not a multiple of 32 up to 1280")
        } else if blocks.iter().any(|count| !(1..=64).contains(count)) {
            Err("the backbone has a stage without blocks or of more than 64")
        } else if !(1..=1 << 16).contains(&self.config.backbone.classes()) {
            Err("the backbone has no classes or more than 65536")
        } else if !(1..=MOST_OBJECTS).contains(&detect.most) {
            Err("the detections of an image are not from 1 to 36")
        } else {
            match &self.config.projector {
                None => Ok(()),
                Some(projector) if projector.channels == self.config.backbone.channels() => {
                    projector.check()
                }
                Some(_) => Err("the projector was made for another image backbone"),
            }
        }
    }
}

/// The bytes of `eyes.bpk`.
///
/// # Errors
/// If the weights cannot be read from their device.
///
/// # Panics
/// If they were unpacked for [`Compute::Host`], and so are not there.
pub fn pack(vision: &VisionEncoder) -> Result<Vec<u8>, BundleError> {
    assert!(vision.packed.is_none());
    let networks = Networks {
        backbone: vision.backbone.clone(),
        detector: vision.detector.clone(),
        projector: vision.projector.clone(),
    };
    weights::pack(networks).map_err(BundleError::VisionEncoder)
}
