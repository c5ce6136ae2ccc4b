use crate::formats::state_dict::StateDict;
use crate::formula;
use crate::image::{Image, input};
use crate::nn::mobilenet::MobileNetV2Config;
use crate::nn::yolox::YoloxConfig;
use crate::vision::detections::tests::photographs_show;
use crate::vision::encoder::{BackboneConfig, VisionConfig, VisionEncoder};
use crate::vision::tags::ClassNames;
use burn::tensor::{Device, Tensor};

/// From the JPEG file to the objects: the decoder's few levels move scores a little.
#[test]
fn photographs_show_the_expected_objects() {
    let Some(weights) = formula::shared("weights/yolox_nano.safetensors") else {
        return;
    };
    let device = Device::flex();
    let mut network = YoloxConfig::new().init(&device);
    network.load(&StateDict::Safetensors(weights)).unwrap();
    network.fold();
    let computed = |_: &str, image: &Image| {
        let boxed = input::letterbox(image, 416);
        let output = network.forward(Tensor::from_data(boxed.data, &device));
        output.dense().into_data().try_to_vec().ok()
    };
    photographs_show(computed, 0.02, 2.0);
}

#[test]
fn pretrained_networks_name_what_photographs_show() {
    let files = [
        "weights/mobilenet_v2.safetensors",
        "weights/yolox_nano.safetensors",
        "weights/imagenet_labels.txt",
        "weights/coco_labels.txt",
        "weights/reference/parrot.jpg",
    ];
    let [
        Some(mobilenet),
        Some(yolox),
        Some(imagenet),
        Some(coco),
        Some(photo),
    ] = files.map(formula::shared)
    else {
        return;
    };
    let device = Device::flex();
    let config = BackboneConfig::MobileNetV2(MobileNetV2Config::new());
    let mut backbone = config.init(&device);
    backbone.load(&StateDict::Safetensors(mobilenet)).unwrap();
    backbone.fold();
    let mut detector = YoloxConfig::new().init(&device);
    detector.load(&StateDict::Safetensors(yolox)).unwrap();
    detector.fold();
    let names = |file, classes| ClassNames::parse(std::str::from_utf8(file).unwrap(), classes);
    let vision = VisionEncoder {
        config: VisionConfig::new(config),
        backbone,
        detector,
        projector: None,
        object_names: names(&coco, 80).unwrap(),
        class_names: names(&imagenet, 1000).unwrap(),
        device,
        packed: None,
    };
    let image = Image::decode(&photo).unwrap();
    let features = formula::ready(vision.encode_image(&image)).unwrap();
    let said: Vec<&str> = features.tags.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(said, ["bird", "macaw"]);
}
