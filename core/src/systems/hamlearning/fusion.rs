//! Everything between the encoder's states and the emissions.

use crate::nn::attention::KeyMask;
use crate::nn::encoder::Encoder;
use crate::nn::linear::{Linear, linear};
use crate::systems::hamlearning::co_attention::CoAttention;
use crate::systems::hamlearning::grains::{Grain, GrainRows, Grains};
use crate::systems::hamlearning::interaction::{Iteration, Visual};
use crate::systems::hamlearning::relevance::Relevance;
use crate::systems::hamlearning::{HamLearningConfig, Part, relevance};
use crate::systems::image_batch::ImageBatch;
use burn::module::{Initializer, Module};
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Tensor};

/// Grains, relevance, iterations, co-attention.
#[derive(Module, Debug)]
pub struct Fusion {
    /// The encoder's states to the width in here, `D -> W`; none where they are one.
    pub(super) narrow: Option<Linear>,
    pub(super) grains: Grains,
    /// One row a grain, added to its rows, `[4, W]`.
    pub(super) grain: Embedding,
    pub(crate) relevance: Option<Relevance>,
    pub(super) iterations: Vec<Iteration>,
    pub(super) co_attention: Option<CoAttention>,
    /// Turns; more than `iterations` where they share weights.
    pub(super) turns: usize,
    /// Most objects of an image.
    pub(super) objects: usize,
}

/// What the fusion gives.
#[derive(Clone, Debug)]
pub struct Fused {
    /// The encoder's states, `T0`, `[R, P, D]`.
    pub states: Tensor<3>,
    /// `T_L`, `[R, P, W]`.
    pub text: Tensor<3>,
    /// `H`, `[R, P, D]`; the encoder's states where a row has no image.
    pub refined: Tensor<3>,
    /// What was made of the images, if there are any.
    pub visual: Option<FusedVisual>,
}

/// What was made of a batch's images.
#[derive(Clone, Debug)]
pub struct FusedVisual {
    /// The grains that take part, in the order of their rows, with their number of rows.
    pub grains: Vec<(Grain, usize)>,
    /// Relevance of each of `grains`, `[R, 1]`; 0 where it has no row.
    pub relevance: Vec<Tensor<2>>,
    /// 1 for a row that is there, `[R, V]`.
    pub present: Tensor<2>,
    /// What each subword attended to in the last turn, averaged over heads, `[R, P, V]`.
    pub attended: Tensor<3>,
}

impl Fusion {
    /// Fresh weights.
    ///
    /// # Panics
    /// If the heads do not divide the width.
    pub fn new(config: &HamLearningConfig, device: &Device) -> Self {
        let (d, width) = (config.encoder.d, config.width);
        let own = if config.shared { 1 } else { config.iterations };
        Self {
            narrow: (d != width).then(|| linear(d, width, device)),
            grains: Grains::new(config, device),
            grain: EmbeddingConfig::new(Grain::ALL.len(), width)
                .with_initializer(Initializer::Normal {
                    mean: 0.0,
                    std: 0.02,
                })
                .init(device),
            relevance: config
                .has(Part::Relevance)
                .then(|| Relevance::new(config, device)),
            iterations: (0..own)
                .map(|_| Iteration::new(&config.layer(), device))
                .collect(),
            co_attention: config
                .has(Part::Coattention)
                .then(|| CoAttention::new(config, device)),
            turns: config.iterations,
            objects: config.objects,
        }
    }

    /// Joins text and images.
    ///
    /// # Shapes
    /// - `states`: `T0`, `[R, P, D]`; `subwords`: 1 for a subword, `[R, P]`
    /// - `encoder`: looks up subwords
    pub fn forward(
        &self,
        states: Tensor<3>,
        subwords: Tensor<2>,
        images: Option<&ImageBatch>,
        encoder: &Encoder,
    ) -> Fused {
        let text = match &self.narrow {
            Some(narrow) => narrow.forward(states.clone()),
            None => states.clone(),
        };
        let text_mask = KeyMask::never_empty(subwords.clone());
        let grains = images.map(|images| {
            let images = images.clone().best(self.objects);
            self.grains.forward(&images, encoder)
        });
        match grains {
            Some(grains) if !grains.is_empty() => {
                let embeddings = images.and_then(|images| images.embeddings.clone());
                let matching = self.matching(&states, &subwords, embeddings);
                self.with_images(states, text, subwords, &text_mask, &grains, matching)
            }
            _ => Fused {
                text: self
                    .turns()
                    .fold(text, |text, turn| turn.text_alone(text, &text_mask)),
                refined: states.clone(),
                states,
                visual: None,
            },
        }
    }

    fn turns(&self) -> impl Iterator<Item = &Iteration> {
        self.iterations.iter().cycle().take(self.turns)
    }

    /// What tweets and images are to each other as a whole, `[R, 1]`, if the relevance asks and the images can say.
    fn matching(
        &self,
        states: &Tensor<3>,
        subwords: &Tensor<2>,
        embeddings: Option<Tensor<2>>,
    ) -> Option<Tensor<2>> {
        let matching = self.relevance.as_ref()?.matching.as_ref()?;
        let sentences = matching.sentences(states.clone(), subwords.clone());
        Some(matching.logits(sentences, embeddings?))
    }

    fn with_images(
        &self,
        states: Tensor<3>,
        text: Tensor<3>,
        subwords: Tensor<2>,
        text_mask: &KeyMask,
        grains: &[GrainRows],
        matching: Option<Tensor<2>>,
    ) -> Fused {
        let [batch, _, width] = text.dims();
        let first = text.clone().narrow(1, 0, 1).squeeze_dim::<2>(1);
        let relevance: Vec<Tensor<2>> = grains
            .iter()
            .map(|grain| match &self.relevance {
                Some(relevance) => relevance.forward(first.clone(), matching.as_ref(), grain),
                None => relevance::any(grain),
            })
            .collect();

        let table = self.grain.weight.val();
        let rows = grains.iter().map(|g| {
            let kind = table.clone().narrow(0, g.grain as usize, 1);
            g.rows.clone() + kind.reshape([1, 1, width])
        });
        let rows = Tensor::cat(rows.collect(), 1);
        let present = Tensor::cat(grains.iter().map(|g| g.present.clone()).collect(), 1);
        let rho = grains
            .iter()
            .zip(&relevance)
            .map(|(g, r)| g.present.clone() * r.clone());
        let rho = Tensor::cat(rho.collect(), 1);
        let rho = rho.clone().reshape([batch, rho.dims()[1], 1]);
        let mut visual = Visual {
            rows: rows * rho.clone(),
            mask: KeyMask::maybe_empty(present.clone()),
            rho,
        };

        let mut text = text;
        let mut attended = None;
        for (turn, iteration) in self.turns().enumerate() {
            let (new_text, weights) = iteration.text(text.clone(), text_mask, &visual);
            // Only another turn or the co-attention reads the image once more.
            if turn + 1 < self.turns || self.co_attention.is_some() {
                visual.rows = iteration.visual(text, text_mask, &visual);
            }
            (text, attended) = (new_text, Some(weights));
        }
        let refined = match &self.co_attention {
            Some(co) => co.forward(
                states.clone(),
                text.clone(),
                subwords,
                visual.rows,
                present.clone(),
            ),
            None => states.clone(),
        };
        let visual = attended.map(|attended| FusedVisual {
            grains: grains.iter().map(|g| (g.grain, g.rows.dims()[1])).collect(),
            relevance,
            present,
            attended,
        });
        Fused {
            states,
            text,
            refined,
            visual,
        }
    }
}
