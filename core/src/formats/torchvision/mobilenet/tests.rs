use crate::formats::state_dict::{StateDict, WeightError};
use crate::formula;
use crate::formula::distance;
use crate::nn::mobilenet::*;
use burn::tensor::Distribution;
use burn::tensor::{Device, Tensor};

fn agrees_with_torchvision(tensorflow_same: bool, summary: &str, expected: &[u8]) {
    let reference = formula::reference(summary, expected);
    let device = Device::flex();
    let mut network = MobileNetV2Config::new()
        .with_tensorflow_same(tensorflow_same)
        .init(&device);
    network
        .load(&StateDict::Safetensors(reference.weights.clone()))
        .unwrap();
    let input = Tensor::from_data(reference.input.clone(), &device);
    for _ in 0..2 {
        let features = network.features(input.clone());
        let logits = network.classify(features.clone());
        reference.check("features", &features.into_data());
        reference.check("logits", &logits.into_data());
        network.fold();
    }
}

#[test]
fn agrees_with_torchvision_folded_or_not() {
    agrees_with_torchvision(
        false,
        include_str!("../../../../../tests/reference/vision/mobilenet_v2.json"),
        include_bytes!("../../../../../tests/reference/vision/mobilenet_v2.safetensors"),
    );
}

#[test]
fn agrees_under_tensorflow_padding() {
    agrees_with_torchvision(
        true,
        include_str!("../../../../../tests/reference/vision/mobilenet_v2_same.json"),
        include_bytes!("../../../../../tests/reference/vision/mobilenet_v2_same.safetensors"),
    );
}

#[test]
fn pretrained_weights_give_the_reference_activations() {
    let Some(weights) = formula::shared("weights/mobilenet_v2.safetensors") else {
        return;
    };
    let device = Device::flex();
    let mut network = MobileNetV2Config::new().init(&device);
    network.load(&StateDict::Safetensors(weights)).unwrap();
    network.fold();
    for (image, reference) in formula::of_photographs("mobilenet_v2") {
        let input = Tensor::from_data(reference["input"].clone(), &device);
        let features = network.features(input);
        let logits = network.classify(features.clone()).into_data();
        let apart = distance(&features.into_data(), &reference["features"]);
        assert!(apart <= 1e-3, "{image}: features {apart}");
        let apart = distance(&logits, &reference["output"]);
        assert!(apart <= 1e-3, "{image}: logits {apart}");
    }
}

#[test]
fn a_file_of_another_network_is_refused() {
    let device = Device::flex();
    let mut network = MobileNetV2Config::new().init(&device);
    let file = |names: &[(&str, &[usize])]| {
        let names: Vec<_> = names
            .iter()
            .map(|(n, s)| (n.to_string(), s.to_vec()))
            .collect();
        StateDict::Safetensors(formula::state_dict(&names))
    };
    let missing = network.load(&file(&[("features.0.0.weight", &[32, 3, 3, 3])]));
    assert!(
        matches!(missing, Err(WeightError::Missing { .. })),
        "{missing:?}"
    );
    let misfit = network.load(&file(&[("features.0.0.weight", &[32, 3, 5, 5])]));
    assert!(
        matches!(misfit, Err(WeightError::Misfit { .. })),
        "{misfit:?}"
    );
    let nonsense = network.load(&StateDict::Safetensors(b"<html>".to_vec()));
    assert!(
        matches!(nonsense, Err(WeightError::Unreadable { .. })),
        "{nonsense:?}"
    );
}

#[test]
fn the_map_is_seven_by_seven_at_224() {
    let device = Device::flex();
    let network = MobileNetV2Config::new().with_classes(4).init(&device);
    let input = Tensor::random([1, 3, 224, 224], Distribution::Default, &device);
    assert_eq!(network.features(input).dims(), [1, CHANNELS, 7, 7]);
}

#[test]
fn early_and_late_stages_make_the_whole() {
    let device = Device::default();
    let network = MobileNetV2Config::new().with_classes(2).init(&device);
    let input = Tensor::random(
        [1, 3, 64, 64],
        burn::tensor::Distribution::Uniform(-1.0, 1.0),
        &device,
    );
    let whole = network.features(input.clone()).into_data();
    for (blocks, channels) in [(0, 320), (1, 160), (4, 96), (BLOCKS, 32)] {
        let early = network.early(input.clone(), blocks);
        assert_eq!(early.dims()[1], channels);
        let map = network.late(early, blocks).into_data();
        map.assert_eq(&whole, true);
    }
}
