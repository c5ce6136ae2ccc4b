use super::*;
use crate::systems::System;
use crate::systems::cross_view::CrossViewConfig;
use crate::systems::image_batch::EncodedImage;
use crate::systems::image_batch::tests::encoded;
use crate::systems::padding::LeastSizes;
use crate::systems::unreached::unreached;
use crate::tweet::window::Window;

const CHANNELS: usize = 6;
const VALUES: usize = 5;

fn config() -> MgcmtConfig {
    let encoder = EncoderConfig {
        vocab: 20,
        d: 12,
        layers: 1,
        heads: 2,
        ffn: 16,
        positions: 16,
        first_position: 0,
        token_types: 2,
        shapes: 0,
        distances: 0,
        epsilon: 1e-12,
        dropout: 0.1,
    };
    MgcmtConfig {
        augmentation_size: VALUES,
        ..MgcmtConfig::new(encoder, CHANNELS, 80)
    }
}

/// A tweet of `words` words, the first of two subwords.
fn tweet(words: usize) -> Vec<SubwordSequence> {
    let subwords: Vec<u32> = (0..words as u32 + 3).map(|i| 2 + 3 * i % 17).collect();
    vec![SubwordSequence {
        shapes: vec![0; subwords.len()],
        subwords,
        first: (0..words).map(|w| if w == 0 { 1 } else { w + 2 }).collect(),
        window: Window {
            words: 0..words,
            keep: 0..words,
        },
    }]
}

fn batch(
    tweets: &[Vec<SubwordSequence>],
    images: &[Option<&EncodedImage>],
    device: &Device,
) -> Batch {
    let windows: Vec<&[SubwordSequence]> = tweets.iter().map(Vec::as_slice).collect();
    Batch::new(&windows, 0, LeastSizes::default(), device)
        .with_images(images)
        .with_augmentation(augmentation(tweets, device))
}

fn augmentation(tweets: &[Vec<SubwordSequence>], device: &Device) -> Tensor<3> {
    let table = Augmentation::new(VALUES, [("kite", vec![1.0, -1.0, 0.5, 0.0, 2.0])]);
    let words = ["kite", "hawk", "sea", "snow"];
    let rows: Vec<(&SubwordSequence, &[&str])> =
        tweets.iter().map(|t| (&t[0], &words[..])).collect();
    let subwords = tweets.iter().map(|t| t[0].subwords.len()).max().unwrap();
    augmentation_rows(&table, &rows, subwords, device)
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

/// Emissions and spans of each tweet.
fn run(
    system: &Mgcmt,
    tweets: &[Vec<SubwordSequence>],
    images: &[Option<&EncodedImage>],
) -> (Vec<Vec<f32>>, Option<Vec<f32>>) {
    let device = Device::flex();
    let batch = batch(tweets, images, &device);
    let output = system.forward(&batch);
    let width = output.emissions.dims()[1] * LABELS;
    let emissions = floats(output.emissions)
        .chunks(width)
        .map(<[f32]>::to_vec)
        .collect();
    (emissions, output.spans.map(floats))
}

fn system(config: &MgcmtConfig) -> Mgcmt {
    let device = Device::flex();
    device.seed(3);
    config.init(&device)
}

#[test]
fn images_change_the_emissions_and_never_the_auxiliary_branch() {
    let system = system(&config());
    let tweets = [tweet(3)];
    let (one, other) = (encoded(1, CHANNELS, 2), encoded(2, CHANNELS, 2));
    let grid_only = {
        let mut encoded = one.clone();
        let mut features = (*other.features).clone();
        features.objects = one.features.objects.clone();
        encoded.features = std::sync::Arc::new(features);
        encoded
    };
    let objects_only = {
        let mut encoded = one.clone();
        let mut features = (*one.features).clone();
        features.objects[0].class = 40;
        encoded.features = std::sync::Arc::new(features);
        encoded
    };
    let base = run(&system, &tweets, &[Some(&one)]);
    for changed in [Some(&grid_only), Some(&objects_only), None] {
        let (emissions, spans) = run(&system, &tweets, &[changed]);
        assert_ne!(emissions, base.0);
        assert_eq!(spans, base.1);
    }
}

#[test]
fn what_is_absent_is_exact_whatever_the_others_show() {
    let system = system(&config());
    let (one, other, bare) = (
        encoded(1, CHANNELS, 2),
        encoded(2, CHANNELS, 7),
        encoded(3, CHANNELS, 0),
    );
    let tweets = [tweet(3), tweet(3), tweet(3)];
    let alone = |image| run(&system, &tweets[..1], &[image]).0.remove(0);
    let (nothing, grid_alone) = (alone(None), alone(Some(&bare)));
    assert_ne!(nothing, grid_alone);
    let beside = |mate| run(&system, &tweets, &[None, Some(mate), Some(&bare)]).0;
    let (with_one, with_other) = (beside(&one), beside(&other));
    assert_ne!(with_one[1], with_other[1]);
    for (row, expected) in [(0, nothing), (2, grid_alone)] {
        assert_eq!(with_one[row], with_other[row]);
        for (got, expected) in with_one[row].iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got} against {expected}");
        }
    }
}

#[test]
fn objects_beyond_the_fifth_have_no_influence() {
    let system = system(&config());
    let many = encoded(2, CHANNELS, 7);
    let mut five = many.clone();
    let mut features = (*many.features).clone();
    features.objects.truncate(5);
    features.regions.truncate(5 * CHANNELS);
    five.features = std::sync::Arc::new(features);
    let tweets = [tweet(2)];
    assert_eq!(
        run(&system, &tweets, &[Some(&many)]),
        run(&system, &tweets, &[Some(&five)])
    );
}

#[test]
fn each_ablation_takes_its_part_away() {
    let whole = config();
    let tweets = [tweet(3)];
    let (one, other) = (encoded(1, CHANNELS, 2), encoded(2, CHANNELS, 2));
    let without = |change: &dyn Fn(&mut MgcmtConfig)| {
        let mut config = whole.clone();
        change(&mut config);
        system(&config)
    };
    // Both images have objects of the same classes.
    let no_image = without(&|c| c.without = vec![Part::Image]);
    assert_eq!(
        run(&no_image, &tweets, &[Some(&one)]),
        run(&no_image, &tweets, &[Some(&other)])
    );
    let no_object = without(&|c| c.without = vec![Part::Object]);
    // The same seed makes the same grid.
    let bare = encoded(1, CHANNELS, 0);
    assert_eq!(
        run(&no_object, &tweets, &[Some(&bare)]),
        run(&no_object, &tweets, &[Some(&one)])
    );
    let neither = without(&|c| c.without = vec![Part::Image, Part::Object]);
    assert_eq!(
        run(&neither, &tweets, &[Some(&one)]),
        run(&neither, &tweets, &[None])
    );
    let no_auxiliary = without(&|c| c.without = vec![Part::Auxiliary]);
    assert!(run(&no_auxiliary, &tweets, &[Some(&one)]).1.is_none());
    let narrow = without(&|c| (c.width, c.ffn) = (6, 8));
    assert!(narrow.num_params() < system(&whole).num_params());
    assert_ne!(
        run(&narrow, &tweets, &[Some(&one)]),
        run(&narrow, &tweets, &[None])
    );
    let blind = without(&|c| {
        c.width = 6;
        c.without = vec![Part::Image, Part::Object];
    });
    assert_eq!(blind.num_params(), neither.num_params());
    let direct = without(&|c| c.without = vec![Part::Attentive]);
    assert!(direct.num_params() < system(&whole).num_params());
    assert_ne!(
        run(&direct, &tweets, &[Some(&one)]),
        run(&direct, &tweets, &[None])
    );

    let device = Device::flex();
    let text = batch(&tweets, &[None], &device);
    let bare = Batch::new(&[&tweets[0]], 0, LeastSizes::default(), &device);
    for (augmented, used) in [
        (Augmented::Add, true),
        (Augmented::Gate, true),
        (Augmented::Off, false),
    ] {
        let system = without(&|c| c.augmented = augmented);
        let with = system.forward(&text);
        let none = system.forward(&bare);
        assert_eq!(floats(with.emissions) != floats(none.emissions), used);
    }
}

#[test]
fn for_use_it_needs_no_auxiliary_branch() {
    let whole = system(&config());
    let small = whole.clone().for_use();
    let parameters = system(&config().for_use()).num_params();
    assert!(parameters < whole.num_params());
    assert_eq!(small.num_params(), parameters);
    let (tweets, image) = ([tweet(3)], encoded(1, CHANNELS, 2));
    let (emissions, spans) = run(&small, &tweets, &[Some(&image)]);
    assert_eq!(emissions, run(&whole, &tweets, &[Some(&image)]).0);
    assert!(spans.is_none());
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    assert_eq!(config().check(), Ok(()));
    let narrow = MgcmtConfig {
        width: 8,
        ..config()
    };
    assert_eq!(narrow.check(), Ok(()));
    for (width, heads, ffn) in [(0, 2, 8), (7, 2, 8), (8, 0, 8), (8, 2, 0), (1 << 17, 2, 8)] {
        let config = MgcmtConfig {
            width,
            heads,
            ffn,
            ..config()
        };
        assert!(config.check().is_err(), "{width}, {heads}, {ffn}");
    }
}

#[test]
fn augmentation_lies_at_first_subwords() {
    let device = Device::flex();
    let tweets = [tweet(2)];
    let values = floats(augmentation(&tweets, &device));
    let rows: Vec<bool> = values
        .chunks(VALUES)
        .map(|row| row.iter().any(|&v| v != 0.0))
        .collect();
    assert_eq!(rows, [false, true, false, true, false]);
    assert!((values[VALUES + 4] - 2.0).abs() < 1e-6);
}

#[test]
fn nine_labels_are_three_span_labels() {
    let spans: Vec<usize> = (0..LABELS).map(span_label).collect();
    assert_eq!(spans, [0, 1, 2, 1, 2, 1, 2, 1, 2]);
}

#[test]
fn gradients_reach_every_parameter() {
    let device = Device::flex().autodiff();
    device.seed(5);
    for width in [config().width, 6] {
        let config = MgcmtConfig {
            width,
            augmented: Augmented::Gate,
            ..config()
        };
        let system = System::Mgcmt(config.init(&device));
        let (batch, targets) = labelled(&device);
        let loss = system.loss(&batch, &targets, None);
        assert_eq!(unreached(&system, &loss.backward()), [""; 0]);
    }
}

#[test]
fn the_auxiliary_branch_learns_once_from_two_views() {
    let device = Device::flex();
    device.seed(5);
    let system = config().init(&device);
    let (batch, targets) = labelled(&device);
    let views = CrossViewConfig {
        alignment: 0.0,
        ..CrossViewConfig::default()
    };
    let cross = system.crf.nll(system.emissions(&batch).0, &targets);
    let system = System::Mgcmt(system);
    let [both, text, cross] = [
        system.loss_of_views(&batch, &targets, &views, None),
        system.loss(&batch.text_view(), &targets, None),
        cross,
    ]
    .map(|loss| loss.into_scalar::<f32>());
    assert!((both - (text + 0.5 * cross)).abs() < 1e-4);
    assert_ne!(
        text,
        system.loss(&batch, &targets, None).into_scalar::<f32>()
    );
}

/// Two tweets with their images, and their labels.
fn labelled(device: &Device) -> (Batch, CrfTargets) {
    let tweets = [tweet(4), tweet(2)];
    let gold = [vec![0, 3, 4, 0], vec![1, 2]];
    let (one, other) = (encoded(1, CHANNELS, 2), encoded(2, CHANNELS, 7));
    (
        batch(&tweets, &[Some(&one), Some(&other)], device),
        CrfTargets::new(&gold, LABELS, device),
    )
}
