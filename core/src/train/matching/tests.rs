//! A matcher learns what there is to learn, and nothing where there is nothing.

use super::config::MatchConfig;
use super::learn::learn;
use super::matcher::{Matcher, contrast, stack};
use super::names::{Named, Names};
use super::report::Figures;
use super::seen;
use super::vectors::{Paired, Texts, ToldTexts};
use crate::label::EntityType;
use crate::nn::projector::{Projector, ProjectorConfig};
use crate::splitmix::SplitMix64;
use crate::systems::image_batch::tests::encoded;
use burn::tensor::{Device, Tensor};

const SPACE: usize = 6;

fn config() -> MatchConfig {
    MatchConfig {
        bundle: "bundle".into(),
        sentences: "sentences".into(),
        pairs: Vec::new(),
        held_out: Vec::new(),
        apart: Vec::new(),
        texts: Vec::new(),
        told: Vec::new(),
        seen: None,
        seen_data: Vec::new(),
        seen_held_out: Vec::new(),
        captions: Vec::new(),
        images: "images".into(),
        cache: None,
        keep_projector: false,
        hidden: 32,
        epochs: 12,
        batch: 32,
        lr: 1e-2,
        weight_decay: 0.01,
        dropout: 0.0,
        temperature: 0.1,
        seed: 1,
        licences: Vec::new(),
    }
}

fn random(rng: &mut SplitMix64, count: usize) -> Vec<f32> {
    let mut value = || rng.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0;
    (0..count).map(|_| value()).collect()
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|v| *v /= length);
    vector
}

/// Images whose values, but for noise, are those of their text, stretched and shifted; or of no text at all.
fn paired(seed: u64, count: usize, related: bool) -> Paired {
    let mut rng = SplitMix64(seed);
    let sentences: Vec<Vec<f32>> = (0..count).map(|_| unit(random(&mut rng, SPACE))).collect();
    let images = sentences.iter().map(|sentence| {
        let other = unit(random(&mut rng, SPACE));
        let from = if related { sentence } else { &other };
        let seen: Vec<f32> = from.iter().map(|v| 5.0 * v + 2.0).collect();
        [seen, random(&mut rng, 2)].concat()
    });
    let images: Vec<Vec<f32>> = images.collect();
    let states = sentences
        .iter()
        .map(|s| s.iter().rev().map(|v| 3.0 * v).collect());
    Paired {
        texts: Texts {
            states: states.collect(),
            windows: vec![None; count],
            sentences,
        },
        image: (0..count).collect(),
        encoded: vec![encoded(1, 3, 0); count],
        images,
    }
}

fn sizes() -> ProjectorConfig {
    ProjectorConfig::new(3, 2, 32, SPACE)
}

#[test]
fn related_pairs_are_told_apart_and_others_are_not() {
    let device = Device::flex();
    let texts = Texts::default();
    let learnt = |related| {
        let taught = paired(1, 400, related);
        let matcher = learn(
            &config(),
            &sizes(),
            None,
            &taught,
            &texts,
            &ToldTexts::default(),
            &device,
        )
        .unwrap();
        Figures::of(&matcher.matcher, &paired(2, 100, related), &device).unwrap()
    };
    let related = learnt(true);
    assert!(related.auc > 0.95 && related.states_auc > 0.95, "{related}");
    assert!(
        related.recall[0] > 0.5 && related.recall[2] > 0.95,
        "{related}"
    );
    let unrelated = learnt(false);
    assert!((0.3..0.7).contains(&unrelated.auc), "{unrelated}");
    assert!(unrelated.recall[2] < 0.4, "{unrelated}");
}

#[test]
fn what_captions_say_teaches_where_states_lie() {
    let device = Device::flex();
    // Images say nothing of their texts, captions all that the states hold, and that backwards.
    let taught = paired(1, 400, false);
    let told = paired(5, 400, true).texts;
    let backwards = |sentence: &Vec<f32>| sentence.iter().map(|v| -v).collect();
    let told = ToldTexts {
        captions: told.sentences.iter().map(backwards).collect(),
        states: told.states,
    };
    let exam = paired(2, 100, true).texts;
    let alike = |told: &ToldTexts| {
        let learnt = learn(
            &config(),
            &sizes(),
            None,
            &taught,
            &Texts::default(),
            told,
            &device,
        );
        let states = stack(exam.states.iter().map(Vec::as_slice), &device);
        let wanted = stack(exam.sentences.iter().map(Vec::as_slice), &device);
        let found = learnt.unwrap().matcher.sentences(states);
        (found * wanted).sum().into_scalar::<f32>() / exam.len() as f32
    };
    let (without, with) = (alike(&ToldTexts::default()), alike(&told));
    assert!(without > 0.0 && with < -0.5, "{without} {with}");
}

#[test]
fn the_same_seed_gives_the_same_matcher() {
    let device = Device::flex();
    let taught = paired(1, 60, true);
    let alone = paired(3, 20, true).texts;
    let once = || {
        let learnt = learn(
            &config(),
            &sizes(),
            None,
            &taught,
            &alone,
            &ToldTexts::default(),
            &device,
        )
        .unwrap();
        Figures::of(&learnt.matcher, &learnt.aside, &device).unwrap()
    };
    assert_eq!(once(), once());
}

#[test]
fn a_projector_that_is_given_stays_and_states_learn_by_it() {
    let device = Device::flex();
    let taught = paired(1, 400, true);
    let learnt = |given| {
        let (alone, told) = (Texts::default(), ToldTexts::default());
        learn(&config(), &sizes(), given, &taught, &alone, &told, &device).unwrap()
    };
    let projector = learnt(None).matcher.projector;
    let exam = paired(2, 100, true);
    let places = |projector: &Projector| {
        let images = stack(exam.images.iter().map(Vec::as_slice), &device);
        let places = projector.forward(images).into_data();
        places.iter::<f32>().collect::<Vec<_>>()
    };
    let again = learnt(Some(projector.clone())).matcher;
    assert_eq!(places(&again.projector), places(&projector));
    let figures = Figures::of(&again, &exam, &device).unwrap();
    assert!(figures.states_auc > 0.95, "{figures}");
}

#[test]
fn too_few_images_are_refused() {
    let error = learn(
        &config(),
        &sizes(),
        None,
        &paired(1, 3, true),
        &Texts::default(),
        &ToldTexts::default(),
        &Device::flex(),
    );
    let error = error.err().unwrap().to_string();
    assert!(error.contains("too few"), "{error}");
}

#[test]
fn the_contrast_is_the_mean_cross_entropy_of_both_directions() {
    let device = Device::flex();
    let one = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0]], &device);
    let other = Tensor::<2>::from_data([[0.6, 0.8], [0.0, 1.0]], &device);
    // Logits, at a temperature of 0.5: rows [1.2, 0], [1.6, 2].
    let entropy = |own: f64, another: f64| ((another - own).exp() + 1.0).ln();
    let rows = entropy(1.2, 0.0) + entropy(2.0, 1.6);
    let columns = entropy(1.2, 1.6) + entropy(2.0, 0.0);
    let expected = (rows + columns) / 4.0;
    let found = contrast(one, other, 0.5).into_scalar::<f64>();
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
}

#[test]
fn pairs_of_some_images_keep_their_texts() {
    let mut all = paired(1, 4, true);
    all.image = vec![2, 0, 2, 3];
    let some = all.of_images(|image| image >= 2);
    assert_eq!(some.image, [0, 0, 1]);
    assert_eq!(some.images, all.images[2..]);
    assert_eq!(some.texts.sentences[2], all.texts.sentences[3]);
    assert_eq!(some.first_texts(), [0, 2]);
}

/// Names of two types: a person is seen where the caption's first value is above 0, a place never.
fn names(seed: u64, count: usize) -> Names {
    let mut rng = SplitMix64(seed);
    let mut all = Names::default();
    for at in 0..count {
        let caption = unit(random(&mut rng, SPACE));
        let kind = [EntityType::Per, EntityType::Loc][rng.below(2)];
        all.names.push(Named {
            state: unit(random(&mut rng, SPACE)),
            kind,
            seen: kind == EntityType::Per && caption[0] > 0.0,
            captions: vec![at],
        });
        all.captions.push(caption);
    }
    all
}

#[test]
fn what_is_seen_is_learnt_by_type_and_calibrated() {
    let device = Device::flex();
    device.seed(1);
    let matcher = Matcher::new(&sizes(), SPACE, 0.0, &device);
    let (taught, held_out) = (names(1, 8000), names(2, 400));
    let center = [0.0; SPACE];
    let (_, found) =
        seen::learn(&config(), &matcher, &taught, &held_out, &center, &device).unwrap();
    assert_eq!(found.names, 400);
    assert!((0.2..0.3).contains(&found.seen), "{found}");
    assert!(found.auc > 0.8, "{found}");
    assert!(found.by_type[0].unwrap() > 0.7, "{found}");
    // No place is seen, and of others there is none.
    assert_eq!((found.by_type[1], found.by_type[2]), (None, None));
    assert!(found.calibration_error < 0.1, "{found}");
}
