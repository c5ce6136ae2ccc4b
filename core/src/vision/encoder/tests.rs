use super::*;
use crate::formula;
use crate::nn::yolox::YoloxConfig;
use crate::vision::features::FeatureKey;

fn vision(device: &Device) -> VisionEncoder {
    let config = BackboneConfig::MobileNetV2(MobileNetV2Config::new().with_classes(3));
    let mut backbone = config.init(device);
    let mut detector = YoloxConfig::new().with_classes(2).init(device);
    backbone.fold();
    detector.fold();
    VisionEncoder {
        // Untrained scores are near 0.25: everything is an object.
        config: VisionConfig::new(config)
            .with_detector_side(64)
            .with_detect(DetectConfig {
                score: 0.0,
                overlap: 0.45,
                most: 4,
            }),
        backbone,
        detector,
        projector: None,
        object_names: ClassNames::parse("a\nb", 2).unwrap(),
        class_names: ClassNames::parse("c\nd\ne", 3).unwrap(),
        device: device.clone(),
        packed: None,
    }
}

fn image() -> Image {
    let rgb = (0..40 * 30 * 3).map(|i| (i * 7 % 251) as u8).collect();
    Image {
        width: 40,
        height: 30,
        rgb,
    }
}

#[test]
fn features_fit_together_and_come_back_from_the_cache() {
    let device = Device::flex();
    let vision = vision(&device);
    let features = formula::ready(vision.encode_image(&image())).unwrap();
    assert_eq!((features.width, features.height), (40, 30));
    assert_eq!(features.grid.len(), GRID * mobilenet::CHANNELS);
    assert_eq!(features.objects.len(), 4);
    assert_eq!(features.regions.len(), 4 * mobilenet::CHANNELS);
    assert!(!features.tags.is_empty());

    // A box's feature is its weights times the grid.
    let [x1, y1, x2, y2] = features.objects[0].bounds;
    let bounds = [
        x1 / 40.0 * 7.0,
        y1 / 30.0 * 7.0,
        x2 / 40.0 * 7.0,
        y2 / 30.0 * 7.0,
    ];
    let weights = REGION.weights(&[bounds], 7, 7);
    for channel in 0..mobilenet::CHANNELS {
        let sum: f32 = weights
            .iter()
            .zip(
                features
                    .grid
                    .iter()
                    .skip(channel)
                    .step_by(mobilenet::CHANNELS),
            )
            .map(|(weight, value)| weight * value)
            .sum();
        assert!((sum - features.regions[channel]).abs() < 1e-2);
    }

    let key = FeatureKey::new(b"the file", &vision.fingerprint().unwrap());
    let kept = ImageFeatures::from_bytes(&features.to_bytes(&key), &key);
    assert_eq!(kept.as_ref(), Ok(&features));
}

#[test]
fn the_fingerprint_follows_weights_and_settings() {
    let device = Device::flex();
    let one = vision(&device);
    let same = one.fingerprint().unwrap();
    assert_eq!(one.fingerprint().unwrap(), same);
    let mut other = one.clone();
    other.config.detector_side = 96;
    assert_ne!(other.fingerprint().unwrap(), same);
    let mut other = one.clone();
    other.detector = YoloxConfig::new().with_classes(2).init(&device);
    assert_ne!(other.fingerprint().unwrap(), same);
}

#[test]
fn a_larger_map_is_pooled_to_the_grid() {
    let device = Device::flex();
    let values: Vec<f32> = (0..14 * 14).map(|i| i as f32).collect();
    let map = Tensor::<4>::from_data(TensorData::new(values, [1, 1, 14, 14]), &device);
    let cells: Vec<f32> = grid(map).into_data().try_to_vec().unwrap();
    assert_eq!(cells.len(), GRID);
    // The mean of 0, 1, 14 and 15.
    assert_eq!(cells[0], 7.5);
}

#[cfg(feature = "train")]
#[test]
fn gradients_reach_the_backbone_through_grid_and_regions() {
    let device = Device::flex().autodiff();
    let config = BackboneConfig::MobileNetV2(MobileNetV2Config::new().with_classes(3));
    let backbone = config.init(&device);
    let input = backbone.input(&image());
    let input = Tensor::<4>::from_data(input, &device)
        .narrow(2, 0, 64)
        .narrow(3, 0, 64);
    // Two images, since one cell of one image has no variance to normalise by.
    let input = Tensor::cat(vec![input.clone(), input.neg()], 0).require_grad();
    let object = Object {
        class: 0,
        score: 1.0,
        bounds: [3.0, 4.0, 30.0, 20.0],
    };
    let of_regions = |map: Tensor<4>| {
        let first = map.narrow(0, 0, 1).squeeze_dim::<3>(0);
        regions(first, &[object], 40, 30)
            .unwrap()
            .powf_scalar(2.0)
            .sum()
    };
    let of_grid = |map: Tensor<4>| grid(map).powf_scalar(2.0).sum();
    let losses: [&dyn Fn(Tensor<4>) -> Tensor<1>; 2] = [&of_regions, &of_grid];
    for loss in losses {
        let gradients = loss(backbone.features(input.clone(), &device)).backward();
        let gradient = input.grad(&gradients).unwrap().into_data();
        let gradient: Vec<f32> = gradient.try_to_vec().unwrap();
        assert!(gradient.iter().all(|x| x.is_finite()));
        assert!(gradient.iter().any(|&x| x != 0.0));
    }
}
