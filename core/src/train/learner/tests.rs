use super::*;
use crate::nn::crf::CrfTargets;
use crate::nn::mobilenet::CHANNELS;
use crate::systems::SystemConfig;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::padding::LeastSizes;
use crate::train::config::TrainConfig;
use crate::train::schedule::{optimizer, scheduler};
use crate::train::tuned_backbone::tests::{network, seen};
use crate::tweet::sequence::sequences;
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
