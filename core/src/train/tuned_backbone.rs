//! The image backbone while its last stages learn with the system.
//!
//! The stages before them stay as they are, so what those give is computed once an image
//! ([`EarlyMap`]) and only the last stages are computed anew each step, and differentiated. Which
//! objects an image has, and its tags, stay what they were; grid and regions follow the backbone.

use crate::data::corpus_images::EarlyStages;
use crate::image::{Image, input};
use crate::nn::mobilenet::{BLOCKS, MobileNetV2};
use crate::systems::image_batch::{EarlyMap, ImageBatch};
use crate::vision::encoder::{Backbone, VisionEncoder, VisionError, on_host};
use crate::vision::features::GRID;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

/// MobileNetV2 of which the last blocks learn.
#[derive(Module, Debug)]
pub struct TunedBackbone {
    /// The network, folded.
    pub network: MobileNetV2,
    /// How many of its last inverted residuals learn, beside the convolution after them.
    blocks: usize,
}

impl TunedBackbone {
    /// The backbone of `vision` with the last `blocks` inverted residuals learning; none where it is
    /// no MobileNetV2 or has fewer.
    pub fn of(vision: &VisionEncoder, blocks: usize) -> Option<Self> {
        match &vision.backbone {
            Backbone::MobileNetV2(network) if blocks <= BLOCKS => {
                Some(Self::from_network(network.clone(), blocks))
            }
            _ => None,
        }
    }

    /// A folded network whose last `blocks` inverted residuals learn.
    pub(crate) fn from_network(network: MobileNetV2, blocks: usize) -> Self {
        Self {
            network: network.freeze_early(blocks),
            blocks,
        }
    }

    /// The images as the backbone sees them now.
    pub fn encode_image(&self, images: ImageBatch) -> ImageBatch {
        images.seen_by(|maps| self.network.late(maps, self.blocks))
    }

    /// How far the classifier's names of the images are from what they were: the Kullback-Leibler
    /// divergence of the class probabilities, the mean over the rows with an image, `[1]`. The
    /// classifier does not learn; so the tags, which the system reads and people see, stay true to
    /// the map.
    pub fn names_lost(&self, before: &ImageBatch, after: &ImageBatch) -> Tensor<1> {
        let logits = |images: &ImageBatch| {
            let [rows, _, channels] = images.grid.dims();
            let map = images.grid.clone().swap_dims(1, 2);
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

impl EarlyStages for TunedBackbone {
    fn early(&self, image: &Image) -> Result<EarlyMap, VisionError> {
        let device = self.network.devices().remove(0);
        let input = Tensor::from_data(input::mobilenet(image), &device);
        let map = self.network.early(input, self.blocks);
        let [_, channels, rows, columns] = map.dims();
        Ok(EarlyMap {
            shape: [channels, rows, columns],
            values: pollster::block_on(on_host(map))?,
        })
    }
}

#[cfg(all(test, feature = "flex"))]
pub(crate) mod tests {
    use super::*;
    use crate::nn::mobilenet::{CHANNELS, MobileNetV2Config};
    use crate::systems::image_batch::EncodedImage;
    use crate::systems::image_batch::tests::encoded;
    use crate::systems::padding::LeastSizes;
    use burn::tensor::Device;
    use std::sync::Arc;

    pub(crate) fn network(device: &Device) -> MobileNetV2 {
        let mut network = MobileNetV2Config::new().with_classes(3).init(device);
        network.fold();
        network
    }

    /// An image of which the last block reads what `value` says.
    pub(crate) fn seen(seed: u64) -> EncodedImage {
        let wave = |i: usize| (0.1 * (i as f32) + seed as f32).sin();
        encoded(seed, CHANNELS, 2).with_early(Arc::new(EarlyMap {
            shape: [160, 7, 7],
            values: (0..160 * 49).map(wave).collect(),
        }))
    }

    #[test]
    fn names_are_kept_by_the_backbone_that_gave_them_and_lost_by_others() {
        let device = Device::flex();
        device.seed(6);
        let tuned = TunedBackbone {
            network: network(&device),
            blocks: 1,
        };
        let encoded = seen(3);
        let images =
            ImageBatch::new(&[None, Some(&encoded)], LeastSizes::default(), &device).unwrap();
        let seen = tuned.encode_image(images.clone());
        let lost = |after: &ImageBatch| tuned.names_lost(&seen, after).into_scalar::<f32>();
        assert!(lost(&seen).abs() < 1e-6);
        let other = TunedBackbone {
            network: network(&device),
            blocks: 1,
        };
        assert!(lost(&other.encode_image(images)) > 1e-6);
    }
}
