use super::*;
use crate::nn::crf::CrfTargets;
use crate::nn::encoder::EncoderConfig;
use crate::nn::mobilenet::CHANNELS;
use crate::systems::SystemConfig;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::padding::LeastSizes;
use crate::systems::text::TextConfig;
use crate::train::config::TrainConfig;
use crate::train::imitation::without_dropout;
use crate::train::schedule::{optimizer, scheduler};
use crate::train::tuned_backbone::tests::{network, seen};
use crate::tweet::sequence::sequences;
use crate::tweet::subwords::SubwordTokenizer;
use burn::store::ModuleSnapshot;
use burn::tensor::Device;
use std::collections::BTreeMap;

/// Weights by name.
fn weights(module: &impl ModuleSnapshot) -> BTreeMap<String, Vec<u8>> {
    let tensors = module.collect(None, None, true);
    let bytes = tensors
        .iter()
        .map(|tensor| (tensor.name.clone(), tensor.to_bytes().unwrap().to_vec()));
    bytes.collect()
}

#[test]
fn a_step_changes_the_learning_blocks_and_no_others() {
    let device = Device::flex();
    device.seed(5);
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let encoder = crate::systems::tiny::config(&tokenizer).encoder().clone();
    let system = SystemConfig::HamLearning(HamLearningConfig::new(encoder, CHANNELS));
    let tuned = TunedBackbone::from_network(network(&device), 1);
    let before = weights(&tuned);
    let learner = device.clone().autodiff();
    let trained = TrainedSystem::new(system.init(&learner), 5.0).with_backbone(Some(tuned.train()));

    let words = [["we", "are", "in", "ulm"], ["ada", "is", "off", "now"]];
    let windows = words.map(|words| sequences(&words, &tokenizer, 32).unwrap());
    let tweets: Vec<_> = windows.iter().map(Vec::as_slice).collect();
    let (a, b) = (seen(1), seen(2));
    let item = LabelledBatch {
        batch: Batch::new(&tweets, 0, LeastSizes::default(), &learner)
            .with_images(&[Some(&a), Some(&b)]),
        targets: CrfTargets::new(&[vec![0, 0, 0, 3], vec![1, 0, 0, 0]], 9, &learner),
        gold: vec![vec![Label::from_index(0); 4]; 2],
        taught: None,
    };
    let config = TrainConfig {
        warmup: 0.0,
        ..TrainConfig::default()
    };
    let grads = TrainStep::step(&trained, item).grads;
    let rates = scheduler(&config, 10).step();
    let trained = trained.optimize(&mut optimizer(&config), rates, grads);

    let after = weights(&trained.backbone.unwrap());
    assert_eq!(before.len(), after.len());
    for (name, bytes) in &after {
        let learns = name.contains("blocks.16.") || name.contains(".last.");
        assert_eq!(before[name] != *bytes, learns, "{name}");
    }
}

/// A batch of two tweets without images, and what is in them.
fn words_alone(tokenizer: &SubwordTokenizer, device: &Device) -> LabelledBatch {
    let words = [["we", "are", "in", "ulm"], ["ada", "is", "off", "now"]];
    let windows = words.map(|words| sequences(&words, tokenizer, 32).unwrap());
    let tweets: Vec<_> = windows.iter().map(Vec::as_slice).collect();
    LabelledBatch {
        batch: Batch::new(&tweets, 0, LeastSizes::default(), device),
        targets: CrfTargets::new(&[vec![0, 0, 0, 3], vec![1, 0, 0, 0]], 9, device),
        gold: vec![vec![Label::from_index(0); 4]; 2],
        taught: None,
    }
}

#[test]
fn a_step_adds_how_far_the_system_is_from_what_it_imitates() {
    let device = Device::flex().autodiff();
    device.seed(8);
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let config = crate::systems::tiny::config(&tokenizer);
    let [system, other] = [(); 2].map(|()| without_dropout(config.init(&device)));
    let loss = |imitated: Option<&System>| {
        let imitation = imitated.map(|system| Imitation::new(system.clone(), 2.0));
        let trained = TrainedSystem::new(system.clone(), 5.0).with_imitation(imitation);
        let report = TrainStep::step(&trained, words_alone(&tokenizer, &device));
        report.item.loss.into_scalar::<f32>()
    };
    let alone = loss(None);
    assert_eq!(loss(Some(&system)), alone);
    let batch = words_alone(&tokenizer, &device).batch;
    let imitation = Imitation::new(other.clone(), 2.0);
    let (_, distance) = imitation.beside(&system, &batch, || system.forward(&batch));
    let distance = distance.into_scalar::<f32>();
    let more = loss(Some(&other)) - alone;
    assert!(
        distance > 0.1 && (more - distance).abs() < 1e-4,
        "{more} for {distance}"
    );
}

#[test]
fn weights_that_learn_rounded_are_not_rounded_themselves() {
    let device = Device::flex();
    device.seed(7);
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let config = TextConfig::new(EncoderConfig {
        // Steps would differ by what is dropped.
        dropout: 0.0,
        ..crate::systems::tiny::encoder(&tokenizer)
    });
    let system = SystemConfig::Text(config).init(&device.clone().autodiff());
    let coarse = rounded(system.clone(), Scheme::Q4);
    let loss = |trained: &TrainedSystem| {
        let report = TrainStep::step(trained, words_alone(&tokenizer, &device.clone().autodiff()));
        report.item.loss.into_scalar::<f32>()
    };
    let aware = TrainedSystem::new(system.clone(), 5.0).with_rounding(Some(Scheme::Q4));
    let exact = TrainedSystem::new(system.clone(), 5.0);
    // The step computes with the rounded weights.
    assert_eq!(loss(&aware), loss(&TrainedSystem::new(coarse.clone(), 5.0)));
    assert_ne!(loss(&aware), loss(&exact));

    // Its gradients are those at the rounded weights, and move the others from where they are.
    let config = TrainConfig {
        warmup: 0.0,
        ..TrainConfig::default()
    };
    let stepped = |trained: TrainedSystem| {
        let batch = words_alone(&tokenizer, &device.clone().autodiff());
        let grads = TrainStep::step(&trained, batch).grads;
        let rates = scheduler(&config, 10).step();
        trained.optimize(&mut optimizer(&config), rates, grads)
    };
    let [from_exact, from_coarse] =
        [aware, TrainedSystem::new(coarse.clone(), 5.0)].map(|trained| stepped(trained).system);
    let values = |system: &System| -> Vec<f32> {
        let weights = weights(system).into_values();
        let bytes = weights.flat_map(|bytes| bytes.as_chunks().0.to_vec());
        bytes.map(f32::from_le_bytes).collect()
    };
    let steps = |from: &System, to: &System| {
        let steps = values(from).into_iter().zip(values(to));
        steps.map(|(from, to)| to - from).collect::<Vec<_>>()
    };
    let steps = [steps(&system, &from_exact), steps(&coarse, &from_coarse)];
    assert!(steps[0].iter().filter(|step| **step != 0.0).count() > 1000);
    for (exact, coarse) in steps[0].iter().zip(&steps[1]) {
        // AdamW decays every weight by a fraction of itself too.
        assert!((exact - coarse).abs() < 1e-5, "{exact} for {coarse}");
    }
}
