use super::bundle::{pack, unpack};
use super::*;
use crate::bundle::beside::{About, BesideError, BesideFiles};
use crate::nn::text_detector::TextDetectorConfig;
use crate::nn::text_recognizer::TextRecognizerConfig;
use serde_json::Value;

fn files(device: &Device) -> BesideFiles {
    device.seed(4);
    let alphabet = Alphabet::default();
    let sizes = TextDetectorConfig::new()
        .with_stages([4, 8, 8, 8])
        .with_width(8);
    let recognizer = TextRecognizerConfig::new(alphabet.classes())
        .with_stages([4, 8, 8, 8])
        .with_width(8);
    let networks = (sizes.init(device), recognizer.init(0.0, device));
    let config = OcrConfig {
        // Of random weights, whatever they say.
        least_confidence: 0.0,
        regions: RegionConfig {
            least_cell: 0.01,
            least_mean: 0.01,
            most: 5,
        },
        ..OcrConfig::default()
    };
    let about = About {
        licences: vec!["none".to_owned()],
        ..About::default()
    };
    pack(
        config,
        (sizes, networks.0),
        (recognizer, networks.1),
        alphabet,
        about,
    )
    .unwrap()
}

fn image() -> Image {
    let rgb = (0..200 * 120).flat_map(|i| {
        let dark = i / 200 % 40 < 20 && i % 14 < 7;
        [if dark { 10 } else { 240 }; 3]
    });
    Image {
        width: 200,
        height: 120,
        rgb: rgb.collect(),
    }
}

#[test]
fn a_packed_reader_reads_the_same_each_time_and_within_the_image() {
    let device = Device::flex();
    let packed = files(&device);
    let reader = unpack(packed.clone(), &device).unwrap();
    let lines = pollster::block_on(reader.read(&image())).unwrap();
    let again = unpack(packed, &device).unwrap();
    assert_eq!(pollster::block_on(again.read(&image())).unwrap(), lines);
    let regions = pollster::block_on(reader.regions(&image())).unwrap();
    assert!(!regions.is_empty() && regions.len() <= 5);
    for Region { bounds, .. } in regions {
        let [left, top, right, bottom] = bounds;
        assert!(0.0 <= left && left < right && right <= 200.0, "{bounds:?}");
        assert!(0.0 <= top && top < bottom && bottom <= 120.0, "{bounds:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let device = Device::flex();
    let good = files(&device);
    let refused = |change: &dyn Fn(&mut Value, &mut Vec<u8>)| {
        let mut files = good.clone();
        let mut manifest: Value = serde_json::from_slice(&files.manifest).unwrap();
        change(&mut manifest, &mut files.weights);
        files.manifest = serde_json::to_vec(&manifest).unwrap();
        unpack(files, &device).unwrap_err().to_string()
    };
    let of = |change: &dyn Fn(&mut Value)| refused(&|manifest, _| change(manifest));
    assert!(of(&|m| m["ocr_format"] = 7.into()).contains("format 7"));
    assert!(of(&|m| m["config"]["side"] = 100.into()).contains("multiple of 32"));
    assert!(of(&|m| m["alphabet"] = "abc".into()).contains("alphabet"));
    assert!(of(&|m| m["detector"]["width"] = 9.into()).contains("shape"));
    assert!(of(&|m| m["detector"]["width"] = 0.into()).contains("from 1 to 1024"));
    assert!(of(&|m| m["surprise"] = 1.into()).contains("surprise"));
    assert!(refused(&|_, weights| weights[50] ^= 1).contains("SHA-256"));
    assert!(refused(&|_, weights| weights.truncate(50)).contains("50 bytes"));
    let none = BesideFiles {
        manifest: b"{}".to_vec(),
        ..good.clone()
    };
    assert!(matches!(
        unpack(none, &device),
        Err(BesideError::Manifest { .. })
    ));
}
