use crate::formats::state_dict::StateDict;
use crate::formula;
use crate::formula::distance;
use crate::nn::yolox::*;
use burn::tensor::{Device, Tensor};

#[test]
fn rows_count_the_cells_of_all_levels_at_any_side() {
    let device = Device::flex();
    let network = YoloxConfig::new().with_classes(3).init(&device);
    for (height, width) in [(64, 64), (32, 96)] {
        let output = network.forward(Tensor::zeros([2, 3, height, width], &device));
        let rows: usize = STRIDES.map(|s| (height / s) * (width / s)).iter().sum();
        assert_eq!(output.dense().dims(), [2, rows, 8]);
        for (map, stride) in output.pyramid.iter().zip(STRIDES) {
            assert_eq!(map.dims()[2..], [height / stride, width / stride]);
        }
    }
}

#[test]
fn pretrained_weights_give_the_reference_activations_folded_or_not() {
    let Some(weights) = formula::shared("weights/yolox_nano.safetensors") else {
        return;
    };
    let device = Device::flex();
    let mut network = YoloxConfig::new().init(&device);
    network.load(&StateDict::Safetensors(weights)).unwrap();
    for (image, reference) in formula::of_photographs("yolox_nano") {
        let input = Tensor::<4>::from_data(reference["input"].clone(), &device);
        let output = network.forward(input);
        for (map, name) in output.pyramid.iter().zip(["p3", "p4", "p5"]) {
            let apart = distance(&map.to_data(), &reference[name]);
            assert!(apart <= 2e-3, "{image}: {name} {apart}");
        }
        let dense = output.dense();
        let apart = distance(&dense.to_data(), &reference["output"]);
        assert!(apart <= 2e-3, "{image}: output {apart}");
        let scores = |dense: Tensor<3>| dense.narrow(2, 4, 81).into_data();
        let expected = Tensor::from_data(reference["output"].clone(), &device);
        let apart = distance(&scores(dense), &scores(expected));
        assert!(apart <= 1e-3, "{image}: scores {apart}");
        network.fold();
    }
}
