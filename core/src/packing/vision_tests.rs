//! The vision networks of a bundle, packed and unpacked.

use crate::bundle::manifest::About;
use crate::bundle::{BundleFiles, Compute, EYES, Parts, pack as pack_bundle, unpack};
use crate::nn::mobilenet::CHANNELS;
use crate::systems::SystemConfig;
use crate::systems::hamlearning::HamLearningConfig;
use crate::tweet::words::Sigils;
use crate::vision::VisionEncoder;
use crate::vision::tags::ClassNames;
use burn::tensor::Device;

fn bundle(channels: usize, vision: VisionEncoder, device: &Device) -> BundleFiles {
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let encoder = crate::systems::tiny::config(&tokenizer).encoder().clone();
    let max_subwords = encoder.max_subwords();
    let config = SystemConfig::HamLearning(HamLearningConfig::new(encoder, channels));
    let parts = Parts {
        config: config.clone(),
        max_subwords,
        sigils: Sigils::Joined,
        vision: Some(vision),
        augmentation: None,
        about: About::default(),
    };
    pack_bundle(config.init(device), &tokenizer, parts).unwrap()
}

#[test]
fn packed_vision_see_the_same_and_others_are_refused() {
    let device = Device::flex();
    device.seed(1);
    let before = crate::vision::tiny::vision_encoder(&device).unwrap();
    let files = bundle(CHANNELS, before.clone(), &device);
    let after = unpack(files.clone(), &device, Compute::Device)
        .unwrap()
        .vision
        .unwrap();
    assert_eq!(after.fingerprint(), before.fingerprint());

    let refused = |files: BundleFiles| {
        unpack(files, &device, Compute::Device)
            .unwrap_err()
            .to_string()
    };
    let lost = BundleFiles {
        vision: None,
        ..files.clone()
    };
    assert!(refused(lost).contains(EYES));
    let mut changed = files.clone();
    changed.vision.as_mut().unwrap()[5000] ^= 1;
    assert!(refused(changed).contains("SHA-256"));
    assert!(refused(bundle(CHANNELS + 1, before.clone(), &device)).contains("backbone"));
    let mut odd = before.clone();
    odd.config.detector_side = 65;
    assert!(refused(bundle(CHANNELS, odd, &device)).contains("multiple of 32"));
    let mut other = before;
    other.class_names = ClassNames::parse("kite\nsnow", 2).unwrap();
    assert!(refused(bundle(CHANNELS, other, &device)).contains("classes"));
}
