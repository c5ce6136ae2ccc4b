//! A bundle that differs from what was written in a single byte, whichever, is noticed before it is used.

use burn::tensor::Device;
use mner_core::bundle::manifest::Manifest;
use mner_core::bundle::quantize::Scheme;
use mner_core::bundle::{BundleError, BundleFiles, Compute, unpack};
use mner_core::packing::{quantize_bundle, tiny};
use mner_core::splitmix::SplitMix64;
use mner_core::systems::SystemKind;
use std::fs;
use std::path::Path;

/// Random changes that are tried.
const CHANGES: usize = 10_000;

fn small() -> BundleFiles {
    let device = Device::flex();
    let bundle = tiny::bundle(SystemKind::Text, 1, &device).unwrap();
    quantize_bundle(&bundle, Scheme::Q8, &device).unwrap()
}

/// The files of a bundle, the manifest first.
fn files(bundle: &mut BundleFiles) -> Vec<&mut Vec<u8>> {
    let own = [
        &mut bundle.manifest,
        &mut bundle.weights,
        &mut bundle.tokenizer,
    ];
    let vision = bundle.vision.iter_mut();
    own.into_iter()
        .chain(vision)
        .chain(bundle.augmentation.iter_mut())
        .collect()
}

#[test]
fn no_change_of_a_byte_goes_unnoticed() {
    let device = Device::flex();
    let mut bundle = small();
    assert!(unpack(bundle.clone(), &device, Compute::Host).is_ok());
    let count = files(&mut bundle).len();
    let mut random = SplitMix64(26);
    for change in 0..CHANGES {
        // Each file as often as the others, or most changes would be in the weights.
        let file = change % count;
        let (length, other) = {
            let bytes = &mut files(&mut bundle)[file];
            (bytes.len(), 1 + random.below(255) as u8)
        };
        let place = random.below(length);
        files(&mut bundle)[file][place] ^= other;
        let found = unpack(bundle.clone(), &device, Compute::Host);
        let error = found.err().unwrap_or_else(|| {
            panic!("byte {place} of file {file} was changed by {other} and nobody noticed")
        });
        assert!(!error.to_string().is_empty());
        files(&mut bundle)[file][place] ^= other;
    }
    assert!(unpack(bundle, &device, Compute::Host).is_ok());
}

#[test]
fn the_bytes_of_a_manifest_count() {
    let bundle = small();
    for place in (0..bundle.manifest.len()).step_by(3) {
        let mut manifest = bundle.manifest.clone();
        manifest[place] ^= 1;
        assert!(Manifest::parse(&manifest).is_err(), "byte {place}");
    }
    // And no byte may be lost or come in.
    let blank = [&bundle.manifest[..], b"\n"].concat();
    assert!(matches!(Manifest::parse(&blank), Err(BundleError::Changed)));
}

#[test]
fn the_other_files_of_a_model_count_too() {
    let device = Device::flex();
    let mut bundle = tiny::bundle(SystemKind::Mgcmt, 1, &device).unwrap();
    let count = files(&mut bundle).len();
    assert_eq!(count, 5);
    for file in 3..count {
        let place = files(&mut bundle)[file].len() / 2;
        files(&mut bundle)[file][place] ^= 1;
        let found = unpack(bundle.clone(), &device, Compute::Host);
        assert!(
            matches!(found, Err(BundleError::Hash { .. })),
            "file {file}"
        );
        files(&mut bundle)[file][place] ^= 1;
    }
}

#[test]
fn a_change_that_is_meant_can_be_said_to_be_so() {
    let bundle = small();
    let text = String::from_utf8(bundle.manifest).unwrap();
    let other = text.replace("mner-random", "mine");
    assert_ne!(other, text);
    let error = Manifest::parse(other.as_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("take \"manifest\" out"),
        "{error}"
    );
    let mut manifest: serde_json::Value = serde_json::from_str(&other).unwrap();
    manifest["files"]
        .as_object_mut()
        .unwrap()
        .remove("manifest");
    let manifest = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
    assert_eq!(manifest.about.name, "mine");
    assert!(Manifest::parse(&manifest.to_bytes().unwrap()).is_ok());
}

#[test]
fn numbers_of_subwords_beyond_the_table_and_sizes_beyond_the_weights_are_refused() {
    let device = Device::flex();
    let bundle = small();
    let changed = |change: &dyn Fn(&mut BundleFiles, &mut Manifest)| {
        let mut bundle = bundle.clone();
        let mut manifest = Manifest::parse(&bundle.manifest).unwrap();
        change(&mut bundle, &mut manifest);
        manifest.files = mner_core::bundle::manifest::Files::of(&bundle);
        bundle.manifest = manifest.to_bytes().unwrap();
        match unpack(bundle, &device, Compute::Host) {
            Err(BundleError::Config(problem)) => problem,
            other => panic!("{other:?}"),
        }
    };
    // As many subwords as before, the last with another number.
    let beyond = changed(&|bundle, _| {
        let mut json: serde_json::Value = serde_json::from_slice(&bundle.tokenizer).unwrap();
        json["model"]["vocab"]["##~"] = 70_000.into();
        bundle.tokenizer = json.to_string().into_bytes();
    });
    assert!(beyond.contains("\"##~\" has the number 70000"), "{beyond}");
    let layers = changed(&|_, manifest| {
        let mut config = serde_json::to_value(&manifest.config).unwrap();
        config["encoder"]["layers"] = (1 << 20).into();
        manifest.config = serde_json::from_value(config).unwrap();
    });
    assert!(layers.contains("more weights than there are"), "{layers}");
}

#[test]
fn the_manifests_that_ship_know_themselves() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/models");
    let index = fs::read(models.join("index.json")).unwrap();
    for model in serde_json::from_slice::<Vec<String>>(&index).unwrap() {
        let manifest = fs::read(models.join(&model).join("manifest.json")).unwrap();
        let parsed = Manifest::parse(&manifest).unwrap();
        assert!(parsed.files.manifest.is_some(), "{model}");
    }
}
