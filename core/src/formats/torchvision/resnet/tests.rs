use crate::formats::state_dict::StateDict;
use crate::formula;
use crate::nn::resnet::*;
use burn::tensor::{Device, Tensor};

fn agrees_with_torchvision(config: ResNetConfig, summary: &str, expected: &[u8]) {
    let reference = formula::reference(summary, expected);
    let device = Device::flex();
    let mut network = config.init(&device);
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
fn resnet50_agrees_with_torchvision_folded_or_not() {
    agrees_with_torchvision(
        ResNetConfig::resnet50(),
        include_str!("../../../../../tests/reference/vision/resnet50.json"),
        include_bytes!("../../../../../tests/reference/vision/resnet50.safetensors"),
    );
}

#[test]
fn resnet101_agrees_with_torchvision_folded_or_not() {
    agrees_with_torchvision(
        ResNetConfig::resnet101(),
        include_str!("../../../../../tests/reference/vision/resnet101.json"),
        include_bytes!("../../../../../tests/reference/vision/resnet101.safetensors"),
    );
}
