//! What lies between MGCMT's encoder and its emissions: the augmentation joins the text, and the words draw from grid and
//! detections.

use crate::nn::dropout::{Dropout, DropoutConfig};
use crate::nn::linear::{Linear, linear, linear_without_bias};
use crate::nn::transformer::{TransformerLayer, TransformerLayerConfig};
use crate::systems::image_batch::ImageBatch;
use crate::systems::mgcmt::stream::{Sights, Stream, Words};
use crate::systems::mgcmt::{Augmented, MgcmtConfig, OBJECTS, Part};
use burn::module::{Initializer, Module};
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};

/// Dropout on `[F1 ; F2]`.
const FUSION_DROPOUT: f64 = 0.5;

/// What lies between encoder and emissions.
#[derive(Module, Debug)]
pub(super) struct Fusion {
    /// `W_a`, augmentation to hidden size.
    augmentation: Option<Linear>,
    /// `W_g` of the gate variant, `2D -> D`.
    augmentation_gate: Option<Linear>,
    dropout: Dropout,
    /// `R = Self(H)`.
    pub(super) main: TransformerLayer,
    /// `R` to the streams' width, `D -> W`; none where they are one.
    pub(super) narrow: Option<Linear>,
    pub(super) image: Option<Image>,
    pub(super) object: Option<Objects>,
    fused_dropout: Dropout,
    /// `W_f`, `2W -> W`.
    pub(super) fuse: Option<Linear>,
    /// `W_z`, `D + W -> D`.
    pub(super) join: Linear,
}

/// The grid's streams.
#[derive(Module, Debug)]
pub(super) struct Image {
    /// `W1`, `C -> W`.
    pub(super) direct: Linear,
    /// `W2`, `C -> W`; none without the attentive fusion.
    pub(super) round: Option<Linear>,
    pub(super) stream: Stream,
}

/// The objects' streams.
#[derive(Module, Debug)]
pub(super) struct Objects {
    /// A row a class, the first for none.
    pub(super) classes: Embedding,
    pub(super) stream: Stream,
}

impl Fusion {
    /// Fresh layers, as `config` says.
    pub(super) fn new(config: &MgcmtConfig, device: &Device) -> Self {
        let has = |part| !config.without.contains(&part);
        let sees = has(Part::Image) || has(Part::Object);
        let d = config.encoder.d;
        let width = if sees { config.width } else { d };
        let text_layer = config.encoder.layer();
        let layer = TransformerLayerConfig {
            d: width,
            heads: config.heads,
            ffn: config.ffn,
            ..text_layer
        };
        let normal = || Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        let attentive = has(Part::Attentive);
        let stream = || Stream::new(&layer, attentive, device);
        Self {
            // Without bias: subwords without augmentation get exactly 0.
            augmentation: (config.augmented != Augmented::Off)
                .then(|| linear_without_bias(config.augmentation_size, d, device)),
            augmentation_gate: (config.augmented == Augmented::Gate)
                .then(|| linear(2 * d, d, device)),
            dropout: DropoutConfig::new(config.encoder.dropout).init(),
            main: text_layer.init(device),
            narrow: (d != width).then(|| linear(d, width, device)),
            image: has(Part::Image).then(|| Image {
                direct: linear(config.channels, width, device),
                round: attentive.then(|| linear(config.channels, width, device)),
                stream: stream(),
            }),
            object: has(Part::Object).then(|| Objects {
                classes: EmbeddingConfig::new(config.classes + 1, width)
                    .with_initializer(normal())
                    .init(device),
                stream: stream(),
            }),
            fused_dropout: DropoutConfig::new(FUSION_DROPOUT).init(),
            fuse: sees.then(|| linear(2 * width, width, device)),
            join: linear(d + width, d, device),
        }
    }

    /// `H`, `[R, P, D]`.
    pub(super) fn augmented(
        &self,
        hidden: Tensor<3>,
        augmentation: Option<&Tensor<3>>,
    ) -> Tensor<3> {
        let joined = match (&self.augmentation, augmentation) {
            (Some(project), Some(augmentation)) => {
                let added = project.forward(augmentation.clone());
                match &self.augmentation_gate {
                    None => hidden + added,
                    Some(gate) => {
                        let both = Tensor::cat(vec![hidden.clone(), added.clone()], 2);
                        let gate = sigmoid(gate.forward(both));
                        added.clone() + gate * (hidden - added)
                    }
                }
            }
            _ => hidden,
        };
        self.dropout.forward(joined)
    }

    /// `F`, `[R, N, W]`: exactly 0 in rows that show nothing.
    pub(super) fn fused(&self, words: &Words, images: Option<&ImageBatch>) -> Tensor<3> {
        let Some((fuse, images)) = self.fuse.as_ref().zip(images) else {
            return words.first.zeros_like();
        };
        let [rows, cells, _] = images.grid.dims();
        let device = images.grid.device();
        let mut seen = Tensor::<2>::zeros([rows, 1], &device);
        let mut fused = [words.first.zeros_like(), words.first.zeros_like()];
        if let Some(image) = &self.image {
            let present = images.present.clone().unsqueeze_dim::<2>(1);
            let direct = image.direct.forward(images.grid.clone());
            let encoded_images = Sights {
                round: match &image.round {
                    Some(project) => project.forward(images.grid.clone()),
                    None => direct.clone(),
                },
                direct,
                present: present.clone().repeat_dim(1, cells),
            };
            fused[0] = image.stream.forward(words, encoded_images, false);
            seen = seen.max_pair(present);
        }
        if let Some(object) = &self.object {
            let most = OBJECTS.min(images.classes.dims()[1]);
            let present = images.objects.clone().narrow(1, 0, most);
            let classes = images.classes.clone().narrow(1, 0, most);
            let embedded = object.classes.forward(classes);
            let encoded_images = Sights {
                direct: embedded.clone(),
                round: embedded,
                present: present.clone(),
            };
            fused[1] = object.stream.forward(words, encoded_images, true);
            seen = seen.max_pair(present.max_dim(1));
        }
        let both = self.fused_dropout.forward(Tensor::cat(fused.into(), 2));
        relu(fuse.forward(both)) * seen.unsqueeze_dim::<3>(2)
    }
}
