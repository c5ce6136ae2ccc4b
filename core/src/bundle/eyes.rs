//! The vision networks of a bundle: their settings and names in the manifest, their weights in a
//! file of their own.

use super::{BundleError, weights};
use crate::nn::yolox::{Yolox, YoloxConfig};
use crate::picture::eyes::{Backbone, BackboneConfig, Eyes, EyesConfig};
use crate::picture::tags::ClassNames;
use crate::systems::hamlearning::MOST_OBJECTS;
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// What the manifest says of the vision networks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EyesEntry {
    /// Backbone, input size, which detections and classes count.
    pub config: EyesConfig,
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
}

impl EyesEntry {
    /// The entry of some networks.
    pub fn of(eyes: &Eyes) -> Self {
        let names = |names: &ClassNames| {
            (0..names.count())
                .filter_map(|class| names.name(class).map(str::to_owned))
                .collect()
        };
        Self {
            config: eyes.config.clone(),
            object_names: names(&eyes.object_names),
            class_names: names(&eyes.class_names),
        }
    }

    /// Builds the networks from their weights on `device`.
    ///
    /// # Errors
    /// [`BundleError::Config`] for settings no network here has, [`BundleError::Eyes`] for weights
    /// of others.
    pub fn unpack(&self, weights: Vec<u8>, device: &Device) -> Result<Eyes, BundleError> {
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
        };
        networks.backbone.fold();
        networks.detector.fold();
        let networks = weights::load(networks, weights).map_err(BundleError::Eyes)?;
        Ok(Eyes {
            config: self.config.clone(),
            backbone: networks.backbone,
            detector: networks.detector,
            object_names,
            class_names,
            device: device.clone(),
        })
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
            Err("the objects of a picture are not from 1 to 36")
        } else {
            Ok(())
        }
    }
}

/// The bytes of `eyes.bpk`.
///
/// # Errors
/// If the weights cannot be read from their device.
pub fn pack(eyes: &Eyes) -> Result<Vec<u8>, BundleError> {
    let networks = Networks {
        backbone: eyes.backbone.clone(),
        detector: eyes.detector.clone(),
    };
    weights::pack(networks).map_err(BundleError::Eyes)
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::bundle::manifest::About;
    use crate::bundle::{BundleFiles, Compute, EYES, Parts, pack as pack_bundle, unpack};
    use crate::nn::mobilenet::CHANNELS;
    use crate::systems::SystemConfig;
    use crate::systems::hamlearning::HamLearningConfig;
    use crate::train::tiny;
    use crate::tweet::words::Sigils;

    fn bundle(channels: usize, eyes: Eyes, device: &Device) -> BundleFiles {
        let tokenizer = tiny::tokenizer().unwrap();
        let encoder = tiny::config(&tokenizer).encoder().clone();
        let max_pieces = encoder.max_pieces();
        let config = SystemConfig::HamLearning(HamLearningConfig::new(encoder, channels));
        let parts = Parts {
            config: config.clone(),
            max_pieces,
            sigils: Sigils::Joined,
            eyes: Some(eyes),
            augmentation: None,
            about: About::default(),
        };
        pack_bundle(config.init(device), &tokenizer, parts).unwrap()
    }

    #[test]
    fn packed_eyes_see_the_same_and_others_are_refused() {
        let device = Device::flex();
        device.seed(1);
        let before = tiny::eyes(&device).unwrap();
        let files = bundle(CHANNELS, before.clone(), &device);
        let after = unpack(files.clone(), &device, Compute::Device)
            .unwrap()
            .eyes
            .unwrap();
        assert_eq!(after.fingerprint(), before.fingerprint());

        let refused = |files: BundleFiles| {
            unpack(files, &device, Compute::Device)
                .unwrap_err()
                .to_string()
        };
        let lost = BundleFiles {
            eyes: None,
            ..files.clone()
        };
        assert!(refused(lost).contains(EYES));
        let mut changed = files.clone();
        changed.eyes.as_mut().unwrap()[5000] ^= 1;
        assert!(refused(changed).contains("SHA-256"));
        assert!(refused(bundle(CHANNELS + 1, before.clone(), &device)).contains("backbone"));
        let mut odd = before.clone();
        odd.config.detector_side = 65;
        assert!(refused(bundle(CHANNELS, odd, &device)).contains("multiple of 32"));
        let mut other = before;
        other.class_names = ClassNames::parse("kite\nsnow", 2).unwrap();
        assert!(refused(bundle(CHANNELS, other, &device)).contains("classes"));
    }
}
