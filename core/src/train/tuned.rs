//! The image backbone while its last stages learn with the system.
//!
//! The stages before them stay as they are, so what those give is computed once a picture
//! ([`EarlyMap`]) and only the last stages are computed anew each step, and differentiated. Which
//! objects a picture has, and its tags, stay what they were; grid and regions follow the backbone.

use crate::nn::mobilenet::{BLOCKS, MobileNetV2};
use crate::picture::eyes::{Backbone, Eyes, EyesError, on_host};
use crate::picture::features::GRID;
use crate::picture::{Picture, input};
use crate::systems::pictures::{EarlyMap, PictureBatch};
use burn::module::Module;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Tensor};

/// MobileNetV2 of which the last blocks learn.
#[derive(Module, Debug)]
pub struct Tuned {
    /// The network, folded.
    pub network: MobileNetV2,
    /// How many of its last inverted residuals learn, beside the convolution after them.
    blocks: usize,
}

impl Tuned {
    /// The backbone of `eyes` with the last `blocks` inverted residuals learning; none where it is
    /// no MobileNetV2 or has fewer.
    pub fn of(eyes: &Eyes, blocks: usize) -> Option<Self> {
        match &eyes.backbone {
            Backbone::MobileNetV2(network) if blocks <= BLOCKS => Some(Self {
                network: network.clone().freeze_early(blocks),
                blocks,
            }),
            _ => None,
        }
    }

    /// What the learning stages read of a picture; `device` is where the network lies.
    ///
    /// # Errors
    /// [`EyesError`] where the device fails.
    pub async fn early(&self, picture: &Picture, device: &Device) -> Result<EarlyMap, EyesError> {
        let input = Tensor::from_data(input::mobilenet(picture), device);
        let map = self.network.early(input, self.blocks);
        let [_, channels, rows, columns] = map.dims();
        Ok(EarlyMap {
            shape: [channels, rows, columns],
            values: on_host(map).await?,
        })
    }

    /// The pictures as the backbone sees them now.
    pub fn look(&self, pictures: PictureBatch) -> PictureBatch {
        pictures.seen_by(|maps| self.network.late(maps, self.blocks))
    }

    /// How far the classifier's names of the pictures are from what they were: the Kullback-Leibler
    /// divergence of the class probabilities, the mean over the rows with a picture, `[1]`. The
    /// classifier does not learn; so the tags, which the system reads and people see, stay true to
    /// the map.
    pub fn names_lost(&self, before: &PictureBatch, after: &PictureBatch) -> Tensor<1> {
        let logits = |pictures: &PictureBatch| {
            let [rows, _, channels] = pictures.grid.dims();
            let map = pictures.grid.clone().swap_dims(1, 2);
            self.network
                .classify(map.reshape([rows, channels, GRID, 1]))
        };
        let target = logits(before).detach();
        let lost =
            softmax(target.clone(), 1) * (log_softmax(target, 1) - log_softmax(logits(after), 1));
        let present = before.present.clone();
        let lost = lost.sum_dim(1).reshape([-1]) * present.clone();
        lost.sum() / present.sum().clamp_min(1.0)
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::label::Label;
    use crate::nn::crf::CrfTargets;
    use crate::nn::mobilenet::{CHANNELS, MobileNetV2Config};
    use crate::systems::SystemConfig;
    use crate::systems::batch::{Batch, LeastSizes};
    use crate::systems::hamlearning::HamLearningConfig;
    use crate::systems::pictures::Sight;
    use crate::systems::pictures::tests::sight;
    use crate::train::config::TrainConfig;
    use crate::train::dataset::LabelledBatch;
    use crate::train::learner::Trainee;
    use crate::train::schedule::{optimizer, scheduler};
    use crate::train::tiny;
    use crate::tweet::sequence::sequences;
    use burn::store::ModuleSnapshot;
    use burn::train::TrainStep;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn network(device: &Device) -> MobileNetV2 {
        let mut network = MobileNetV2Config::new().with_classes(3).init(device);
        network.fold();
        network
    }

    /// A picture of which the last block reads what `value` says.
    fn seen(seed: u64) -> Sight {
        let wave = |i: usize| (0.1 * (i as f32) + seed as f32).sin();
        sight(seed, CHANNELS, 2).with_early(Arc::new(EarlyMap {
            shape: [160, 7, 7],
            values: (0..160 * 49).map(wave).collect(),
        }))
    }

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
        let tokenizer = tiny::tokenizer().unwrap();
        let encoder = tiny::config(&tokenizer).encoder().clone();
        let system = SystemConfig::HamLearning(HamLearningConfig::new(encoder, CHANNELS));
        let tuned = Tuned {
            network: network(&device).freeze_early(1),
            blocks: 1,
        };
        let before = weights(&tuned);
        let learner = device.clone().autodiff();
        let trainee = Trainee::new(system.init(&learner), 5.0).with_backbone(Some(tuned.train()));

        let words = [["we", "are", "in", "ulm"], ["ada", "is", "off", "now"]];
        let windows = words.map(|words| sequences(&words, &tokenizer, 32).unwrap());
        let tweets: Vec<_> = windows.iter().map(Vec::as_slice).collect();
        let (a, b) = (seen(1), seen(2));
        let item = LabelledBatch {
            batch: Batch::new(&tweets, 0, LeastSizes::default(), &learner)
                .with_pictures(&[Some(&a), Some(&b)]),
            targets: CrfTargets::new(&[vec![0, 0, 0, 3], vec![1, 0, 0, 0]], 9, &learner),
            gold: vec![vec![Label::from_index(0); 4]; 2],
        };
        let config = TrainConfig {
            warmup: 0.0,
            ..TrainConfig::default()
        };
        let grads = TrainStep::step(&trainee, item).grads;
        let rates = scheduler(&config, 10).step();
        let trainee = trainee.optimize(&mut optimizer(&config), rates, grads);

        let after = weights(&trainee.backbone.unwrap());
        assert_eq!(before.len(), after.len());
        for (name, bytes) in &after {
            let learns = name.contains("blocks.16.") || name.contains(".last.");
            assert_eq!(before[name] != *bytes, learns, "{name}");
        }
    }

    #[test]
    fn names_are_kept_by_the_backbone_that_gave_them_and_lost_by_others() {
        let device = Device::flex();
        device.seed(6);
        let tuned = Tuned {
            network: network(&device),
            blocks: 1,
        };
        let sight = seen(3);
        let pictures =
            PictureBatch::new(&[None, Some(&sight)], LeastSizes::default(), &device).unwrap();
        let seen = tuned.look(pictures.clone());
        let lost = |after: &PictureBatch| tuned.names_lost(&seen, after).into_scalar::<f32>();
        assert!(lost(&seen).abs() < 1e-6);
        let other = Tuned {
            network: network(&device),
            blocks: 1,
        };
        assert!(lost(&other.look(pictures)) > 1e-6);
    }
}
