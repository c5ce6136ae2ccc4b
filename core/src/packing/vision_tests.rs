//! The vision networks of a bundle, packed and unpacked.

use crate::bundle::manifest::About;
use crate::bundle::quantize::Scheme;
use crate::bundle::{BundleFiles, Compute, EYES, Parts, pack as pack_bundle, unpack};
use crate::image::Image;
use crate::nn::linear::linear;
use crate::nn::mobilenet::CHANNELS;
use crate::nn::projector::ProjectorConfig;
use crate::packing::{pack_with_answer, quantize_bundle};
use crate::recognizer::{LoadError, Recognizer};
use crate::systems::System;
use crate::systems::SystemConfig;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::hamlearning::relevance::Matching;
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

/// A HamLearning bundle whose relevance compares tweet and image in a space of sentences, `gain` and `offset` being what the likeness counts.
fn matching(
    size: usize,
    [gain, offset]: [f64; 2],
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    device.seed(5);
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let encoder = crate::systems::tiny::config(&tokenizer).encoder().clone();
    let d = encoder.d;
    let mut vision = crate::vision::tiny::vision_encoder(device).unwrap();
    let projector = ProjectorConfig::new(CHANNELS, 80, 16, 64);
    vision.projector = Some(projector.init(0.0, device));
    vision.config.projector = Some(projector);
    let config = HamLearningConfig {
        sentence: Some(size),
        ..HamLearningConfig::new(encoder, CHANNELS)
    };
    let mut system = config.init(device);
    if let Some(relevance) = &mut system.fusion.relevance {
        let sentence = linear(d, size, device);
        relevance.matching = Some(Matching::learnt(sentence, None, gain, offset, device));
    }
    let parts = Parts {
        max_subwords: config.encoder.max_subwords(),
        config: SystemConfig::HamLearning(config),
        sigils: Sigils::Joined,
        vision: Some(vision),
        augmentation: None,
        about: About::default(),
    };
    let system = System::HamLearning(system);
    pack_with_answer(system, &tokenizer, parts, "Hello from Houston", device)
}

#[test]
fn a_projector_goes_with_the_bundle_and_is_read_alike_everywhere() {
    let device = Device::flex();
    // Other tests draw random numbers meanwhile, so the weights differ from run to run.
    let files = matching(64, [1.0, 0.0], &device).unwrap();
    let schemes = [Scheme::Q8, Scheme::Mixed, Scheme::Q4];
    let small = schemes.map(|scheme| quantize_bundle(&files, scheme, &device).unwrap());
    let [eight, mixed, four] = small.each_ref().map(|files| files.vision.as_ref().unwrap());
    // The projector is all that has fewer bits.
    let projector = (2 * CHANNELS + 80) * 16 + 16 * 64;
    assert_eq!(four, mixed);
    // Tensors begin at multiples of a few bytes.
    assert!((eight.len() - four.len()).abs_diff(projector / 2) < 256);
    let rgb = (0..48 * 32 * 3).map(|i| (i * 31 % 255) as u8).collect();
    let image = Image {
        width: 48,
        height: 32,
        rgb,
    };
    let seen = |files: &BundleFiles, compute| {
        pollster::block_on(async {
            let recognizer = Recognizer::load(files.clone(), &device, compute)
                .await
                .unwrap();
            let encoded = recognizer.encode_image(&image).await.unwrap();
            let answer = recognizer.recognize_with("Hello from Houston", Some(&encoded), None);
            let relevance = answer.await.unwrap().image.unwrap().relevance.unwrap();
            (encoded.features.embedding.clone(), relevance.mean())
        })
    };
    let whole = seen(&files, Compute::Device);
    assert_eq!(whole.0.len(), 64);
    for (small, (alike, within)) in small.iter().zip([(0.99, 0.05), (0.9, 0.1), (0.9, 0.1)]) {
        for compute in [Compute::Device, Compute::Host] {
            let packed = seen(small, compute);
            assert!(cosine(&packed.0, &whole.0) > alike);
            assert!((packed.1 - whole.1).abs() < within, "{packed:?} {whole:?}");
        }
    }
    // The likeness counts.
    let [less, more] = [-9.0, 9.0].map(|offset| {
        let files = matching(64, [1.0, offset], &device).unwrap();
        seen(&files, Compute::Device).1
    });
    assert!(less < 0.1 && more > 0.9, "{less} {more}");
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn a_relevance_of_another_projector_is_refused() {
    let device = Device::flex();
    let mut vision = crate::vision::tiny::vision_encoder(&device).unwrap();
    let refused = |files: BundleFiles| {
        let error = unpack(files, &device, Compute::Device).unwrap_err();
        error.to_string()
    };
    let projector = ProjectorConfig::new(CHANNELS + 1, 80, 16, 64);
    vision.projector = Some(projector.init(0.0, &device));
    vision.config.projector = Some(projector);
    assert!(refused(bundle(CHANNELS, vision, &device)).contains("projector"));
    let error = matching(32, [1.0, 0.0], &device).unwrap_err().to_string();
    assert!(error.contains("another projector"), "{error}");
}
