//! The known answer, and a vision encoder that is loaded after the rest.

use crate::bundle::manifest::Manifest;
use crate::bundle::quantize::Scheme;
use crate::bundle::{BundleError, BundleFiles, Compute};
use crate::packing::{quantize_bundle, tiny};
use crate::recognizer::{LoadError, RecognizeError, Recognizer};
use crate::systems::SystemKind;
use crate::systems::image_batch::EncodedImage;
use burn::tensor::Device;

fn bundle() -> BundleFiles {
    let device = Device::flex();
    let files = tiny::bundle(SystemKind::HamLearning, 5, &device).unwrap();
    quantize_bundle(&files, Scheme::Q8, &device).unwrap()
}

fn loaded(files: BundleFiles) -> Recognizer {
    let device = Device::flex();
    pollster::block_on(Recognizer::load(files, &device, Compute::Host)).unwrap()
}

/// Without the vision encoder.
fn begun(files: BundleFiles) -> Recognizer {
    let device = Device::flex();
    let files = BundleFiles {
        vision: None,
        ..files
    };
    let loaded = Recognizer::load_all_but_vision(files, &device, Compute::Host);
    pollster::block_on(loaded).unwrap()
}

fn checked(recognizer: &Recognizer) -> Result<Option<f32>, LoadError> {
    pollster::block_on(recognizer.check(2e-3))
}

fn image(recognizer: &Recognizer) -> Result<EncodedImage, RecognizeError> {
    let image = recognizer.manifest().about.known_answer.as_ref().unwrap();
    let image = image.image.unwrap().draw().unwrap();
    pollster::block_on(recognizer.encode_image(&image))
}

#[test]
fn the_vision_encoder_may_come_after_the_first_text() {
    let whole = bundle();
    let weights = whole.vision.clone().unwrap();
    let together = loaded(whole.clone());
    let apart = begun(whole);
    let read = |recognizer: &Recognizer, encoded: Option<&EncodedImage>| {
        pollster::block_on(recognizer.recognize_with("Ada is in Ulm", encoded, None)).unwrap()
    };
    assert_eq!(read(&apart, None), read(&together, None));
    assert!(checked(&apart).unwrap().is_some());
    assert!(matches!(
        image(&apart),
        Err(RecognizeError::VisionNotLoaded)
    ));

    let mut other = weights.clone();
    *other.last_mut().unwrap() ^= 1;
    let refused = apart.load_vision(other, Compute::Host);
    assert!(matches!(refused, Err(BundleError::Hash { .. })));

    apart.load_vision(weights, Compute::Host).unwrap();
    assert!(checked(&apart).unwrap().is_some());
    let [ours, theirs] = [&apart, &together].map(|it| read(it, Some(&image(it).unwrap())));
    assert_eq!(ours, theirs);
}

#[test]
fn wrong_numbers_are_found_before_and_after() {
    let whole = bundle();
    let mut manifest = Manifest::parse(&whole.manifest).unwrap();
    let known = manifest.about.known_answer.as_mut().unwrap();
    known.without_image.as_mut().unwrap()[0][0] += 1.0;
    let files = |manifest: &Manifest| BundleFiles {
        manifest: manifest.to_bytes().unwrap(),
        ..whole.clone()
    };
    let apart = begun(files(&manifest));
    let wrong = |recognizer: &Recognizer| {
        let error = checked(recognizer).unwrap_err();
        matches!(
            error,
            LoadError::Device(RecognizeError::WrongAnswer { difference }) if difference > 0.9
        )
    };
    assert!(wrong(&apart));
    apart
        .load_vision(whole.vision.clone().unwrap(), Compute::Host)
        .unwrap();
    assert!(checked(&apart).is_ok());
    let known = manifest.about.known_answer.as_mut().unwrap();
    known.emissions[0][0] += 1.0;
    known.without_image = None;
    assert!(wrong(&loaded(files(&manifest))));
    // Nothing to check it by.
    assert!(matches!(
        checked(&begun(files(&manifest))),
        Err(LoadError::Device(RecognizeError::VisionNotLoaded))
    ));
}

#[test]
fn a_model_of_texts_has_no_vision_encoder_to_load() {
    let files = tiny::bundle(SystemKind::Text, 5, &Device::flex()).unwrap();
    let refused = loaded(files).load_vision(vec![1, 2, 3], Compute::Host);
    assert!(matches!(refused, Err(BundleError::Config(_))));
}
