use crate::label::{LABELS, Label};
use crate::nn::crf::CrfTargets;
use crate::systems::batch::Batch;
use crate::systems::hamlearning::{HamLearningConfig, Part};
use crate::systems::image_batch::EncodedImage;
use crate::systems::image_batch::tests::encoded;
use crate::systems::padding::LeastSizes;
use crate::systems::{System, SystemConfig, SystemOutput};
use crate::tweet::sequence::{SubwordSequence, sequences};
use crate::tweet::subwords::SubwordTokenizer;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use proptest::prelude::*;

const CHANNELS: usize = 6;

fn config(change: impl FnOnce(&mut HamLearningConfig)) -> HamLearningConfig {
    let mut encoder = crate::systems::tiny::config(&tokenizer()).encoder().clone();
    encoder.layers = 1;
    encoder.dropout = 0.0;
    let mut config = HamLearningConfig::new(encoder, CHANNELS);
    change(&mut config);
    config.check().unwrap();
    config
}

fn system(seed: u64, device: &Device, change: impl FnOnce(&mut HamLearningConfig)) -> System {
    device.seed(seed);
    SystemConfig::HamLearning(config(change)).init(device)
}

fn tokenizer() -> SubwordTokenizer {
    crate::tweet::tiny::tokenizer().unwrap()
}

/// The windows of some tweets of different lengths; the second has two windows at this limit.
fn tweets() -> Vec<Vec<SubwordSequence>> {
    let tokenizer = tokenizer();
    [
        "in rome now",
        "off to see the kites over lima",
        "oslo",
        "ok",
        "we are in ulm",
    ]
    .map(|text| {
        let words: Vec<&str> = text.split(' ').collect();
        sequences(&words, &tokenizer, 20).unwrap()
    })
    .to_vec()
}

fn batch(
    tweets: &[Vec<SubwordSequence>],
    encoded_images: &[Option<EncodedImage>],
    device: &Device,
) -> Batch {
    let windows: Vec<&[SubwordSequence]> = tweets.iter().map(Vec::as_slice).collect();
    let encoded_images: Vec<Option<&EncodedImage>> =
        encoded_images.iter().map(Option::as_ref).collect();
    Batch::new(
        &windows,
        tokenizer().special().pad,
        LeastSizes::default(),
        device,
    )
    .with_images(&encoded_images)
}

fn emissions(system: &System, batch: &Batch) -> Vec<Vec<f64>> {
    pollster::block_on(batch.collect(system.forward(batch))).unwrap()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// An image with some objects, or none at all.
fn any_image() -> impl Strategy<Value = Option<EncodedImage>> {
    proptest::option::of((any::<u64>(), 0..4usize))
        .prop_map(|image_of| image_of.map(|(seed, objects)| encoded(seed, CHANNELS, objects)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_tweet_is_answered_as_if_it_were_alone(
        encoded_images in proptest::collection::vec(any_image(), 5),
        (iterations, shared, width) in (1..3usize, any::<bool>(), prop_oneof![Just(32usize), Just(16)]),
        seed in any::<u64>(),
    ) {
        let device = Device::flex();
        let system = system(seed, &device, |c| {
            (c.iterations, c.shared, c.width) = (iterations, shared, width);
        });
        let tweets = tweets();
        let together = emissions(&system, &batch(&tweets, &encoded_images, &device));
        for i in 0..tweets.len() {
            let alone = batch(&tweets[i..=i], &encoded_images[i..=i], &device);
            let alone = emissions(&system, &alone).remove(0);
            prop_assert_eq!(together[i].len(), alone.len());
            for (a, b) in together[i].iter().zip(&alone) {
                prop_assert!((a - b).abs() < 1e-5, "tweet {}: {} and {} alone", i, a, b);
            }
        }
    }

    #[test]
    fn without_an_image_the_pixels_of_others_change_no_bit(
        (one, other) in (any::<u64>(), any::<u64>()),
    ) {
        let device = Device::flex();
        let system = system(1, &device, |_| {});
        let answers = [one, other].map(|seed| {
            let encoded_images = [Some(encoded(seed, CHANNELS, 2)), None, None, Some(encoded(seed, CHANNELS, 0)), None];
            emissions(&system, &batch(&tweets(), &encoded_images, &device))
        });
        for i in [1, 2, 4] {
            prop_assert_eq!(&answers[0][i], &answers[1][i]);
        }
        if one != other {
            prop_assert_ne!(&answers[0][0], &answers[1][0]);
        }
    }
}

#[test]
fn the_explanation_adds_up_and_is_silent_without_an_image() {
    let device = Device::flex();
    let system = system(2, &device, |_| {});
    let encoded_images = [
        Some(encoded(1, CHANNELS, 3)),
        None,
        Some(encoded(2, CHANNELS, 0)),
        Some(encoded(3, CHANNELS, 1)),
        None,
    ];
    let batch = batch(&tweets(), &encoded_images, &device);
    let SystemOutput {
        emissions,
        explanation,
        ..
    } = system.explain(&batch);
    assert_eq!(values(emissions), values(system.forward(&batch)));
    let explanation = explanation.unwrap();
    // The second tweet has two rows.
    let objects_of = [Some(3), None, None, Some(0), Some(1), None];
    let relevance = values(explanation.relevance);
    for (row, objects) in relevance.chunks(4).zip(objects_of) {
        for (grain, &score) in row.iter().enumerate() {
            let there = objects.is_some_and(|objects| grain == 0 || objects > 0);
            match there {
                true => assert!(score > 0.0 && score < 1.0),
                false => assert_eq!(score, 0.0),
            }
        }
    }
    let [rows, words, objects] = explanation.objects.dims();
    assert_eq!((rows, objects), (6, 3));
    let (cells, shares) = (values(explanation.cells), values(explanation.objects));
    for (row, count) in objects_of.into_iter().enumerate() {
        for word in 0..words {
            let at = row * words + word;
            let cells = &cells[at * 49..(at + 1) * 49];
            let shares = &shares[at * objects..(at + 1) * objects];
            let sum: f32 = cells.iter().chain(shares).sum();
            let expected = if count.is_some() { 1.0 } else { 0.0 };
            assert!((sum - expected).abs() < 1e-5);
            assert!(shares[count.unwrap_or(0)..].iter().all(|&x| x == 0.0));
        }
    }
    let alone = crate::systems::hamlearning::tests::batch(
        &tweets(),
        &[None, None, None, None, None],
        &device,
    );
    assert!(system.explain(&alone).explanation.is_none());
}

#[test]
fn every_part_can_be_left_out() {
    let device = Device::flex();
    let encoded_images = [Some(encoded(1, CHANNELS, 2)), None, None, None, None];
    let batch = batch(&tweets(), &encoded_images, &device);
    let all = [
        Part::Global,
        Part::Object,
        Part::Semantic,
        Part::Spatial,
        Part::Relevance,
        Part::Coattention,
    ];
    for part in all {
        let system = system(3, &device, |c| c.without = vec![part]);
        let SystemOutput {
            emissions,
            explanation,
            ..
        } = system.explain(&batch);
        assert!(values(emissions).iter().all(|x| x.is_finite()));
        let explanation = explanation.unwrap();
        let relevance = &values(explanation.relevance)[..4];
        for (grain, &score) in relevance.iter().enumerate() {
            match part {
                Part::Relevance => assert_eq!(score, 1.0),
                _ if part as usize == grain => assert_eq!(score, 0.0),
                _ => assert!(score > 0.0 && score < 1.0),
            }
        }
        let on_grid = values(explanation.cells).iter().sum::<f32>();
        assert_eq!(on_grid == 0.0, part == Part::Global);
    }
    // Without any grain the image is as if it were not there.
    let blind = system(3, &device, |c| c.without = all[..4].to_vec());
    let without = crate::systems::hamlearning::tests::batch(
        &tweets(),
        &[None, None, None, None, None],
        &device,
    );
    assert_eq!(emissions(&blind, &batch), emissions(&blind, &without));
    assert!(blind.explain(&batch).explanation.is_none());
}

#[test]
fn more_objects_than_the_configuration_takes_are_passed_over() {
    let device = Device::flex();
    let system = system(4, &device, |c| c.objects = 2);
    let seen = encoded(1, CHANNELS, 3);
    let mut fewer = seen.clone();
    let mut features = (*fewer.features).clone();
    features.objects.truncate(2);
    features.regions.truncate(2 * CHANNELS);
    fewer.features = features.into();
    let answer = |encoded: EncodedImage| {
        emissions(&system, &batch(&tweets()[..1], &[Some(encoded)], &device))
    };
    assert_eq!(answer(seen), answer(fewer));
}

/// The parameters that the loss on some tweets does not reach.
fn unreached(
    system: &System,
    encoded_images: &[Option<EncodedImage>],
    device: &Device,
) -> Vec<String> {
    let tweets = tweets();
    let gold: Vec<Vec<usize>> = tweets
        .iter()
        .flatten()
        .map(|window| (0..window.first.len()).map(|i| i % LABELS).collect())
        .collect();
    let targets = CrfTargets::new(&gold, LABELS, device);
    let loss = system.loss(&batch(&tweets, encoded_images, device), &targets, None);
    crate::systems::unreached::unreached(system, &loss.backward())
}

#[test]
fn the_loss_reaches_every_weight_and_is_finite_beside_absent_rows() {
    let device = Device::flex().autodiff();
    let encoded_images = [
        Some(encoded(1, CHANNELS, 3)),
        None,
        Some(encoded(2, CHANNELS, 0)),
        Some(encoded(3, CHANNELS, 3)),
        None,
    ];
    let narrow = system(5, &device, |c| c.width = 16);
    assert_eq!(unreached(&narrow, &encoded_images, &device), [""; 0]);
    let shared = system(5, &device, |c| (c.iterations, c.shared) = (3, true));
    assert_eq!(unreached(&shared, &encoded_images, &device), [""; 0]);
    // Without an image the text's own path learns all the same.
    let none = [None, None, None, None, None];
    let names = unreached(&narrow, &none, &device);
    assert!(
        names.iter().all(|name| name.contains("fusion")),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.contains("text_self")));
}

#[test]
fn what_the_image_alone_decides_is_learnt_from_it() {
    let device = Device::flex().autodiff();
    // Without dropout: its random numbers depend on what else runs beside this test.
    let mut system = system(5, &device, |c| {
        (c.width, c.dropout, c.encoder.dropout) = (16, 0.0, 0.0);
    });
    let tweets = vec![tweets().swap_remove(0); 2];
    let labels = ["B-PER", "B-LOC"].map(|label| Label::parse(label).unwrap().index());
    let gold = labels.map(|label| vec![0, label, 0]);
    let mut encoded_images = [1, 2].map(|seed| Some(encoded(seed, CHANNELS, 2)));
    let shown = batch(&tweets, &encoded_images, &device);
    let mut adamw = ModuleOptimizer::from(AdamWConfig::new().build());
    for _ in 0..120 {
        let loss = system.loss(&shown, &CrfTargets::new(&gold, LABELS, &device), None);
        let grads = GradientsParams::from_grads(loss.backward(), &system);
        system = adamw.step(5e-3, system, grads);
    }
    // The label with the highest emission for the second word of each tweet.
    let named = |encoded_images: &[Option<EncodedImage>]| -> Vec<usize> {
        let best = |scores: &[f64]| (0..LABELS).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let answers = emissions(&system, &batch(&tweets, encoded_images, &device));
        answers
            .iter()
            .map(|e| best(&e[LABELS..2 * LABELS]).unwrap())
            .collect()
    };
    assert_eq!(named(&encoded_images), labels);
    encoded_images.swap(0, 1);
    assert_eq!(named(&encoded_images), [labels[1], labels[0]]);
}

#[test]
fn relevance_learns_to_tell_own_images_from_others() {
    let device = Device::flex();
    let system = system(3, &device, |_| {});
    let System::HamLearning(system) = &system else {
        unreachable!("it was made so")
    };
    let images = [
        Some(encoded(1, CHANNELS, 2)),
        Some(encoded(2, CHANNELS, 0)),
        None,
        Some(encoded(3, CHANNELS, 1)),
        Some(encoded(4, CHANNELS, 1)),
    ];
    let batch = batch(&tweets(), &images, &device);
    assert!(
        system.study(&batch).2.is_none(),
        "nobody said whose they are"
    );
    let own = [Some(true), Some(false), Some(true), None, Some(false)];
    let told = batch.with_ownership(&own);
    let (.., loss) = system.study(&told);
    let loss = values(loss.unwrap())[0];

    // By the definition, over the grains of the rows that are told about and have an image.
    let explanation = system.explain(&told).explanation;
    let relevance = values(explanation.unwrap().relevance);
    let target = told.ownership().unwrap();
    let (own, known) = (values(target.own.clone()), values(target.known.clone()));
    let mut terms = Vec::new();
    for (row, scores) in relevance.chunks_exact(4).enumerate() {
        for &score in scores
            .iter()
            .filter(|&&score| score > 0.0 && known[row] > 0.0)
        {
            terms.push(-if own[row] > 0.0 {
                score.ln()
            } else {
                (1.0 - score).ln()
            });
        }
    }
    // Tweet 1, of two windows, sees no object; tweet 3 is not told about, tweet 2 has no image.
    assert_eq!(terms.len(), 4 + 2 + 4);
    let mean = terms.iter().sum::<f32>() / terms.len() as f32;
    assert!((loss - mean).abs() < 1e-5, "{loss} {mean}");
    assert!(told.text_view().ownership().is_none());
}

#[test]
fn what_needs_a_space_of_sentences_is_refused_without_one() {
    let changes: [fn(&mut HamLearningConfig); 2] = [|c| c.seen = true, |c| c.centered = true];
    for change in changes {
        let mut config = config(|_| {});
        change(&mut config);
        let problem = config.check().unwrap_err();
        assert!(problem.contains("space of sentences"), "{problem}");
        config.sentence = Some(4);
        config.check().unwrap();
    }
}
