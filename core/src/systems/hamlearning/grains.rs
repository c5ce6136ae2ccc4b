//! The four representations of the image, as rows the words can attend to.

use crate::image::spatial;
use crate::nn::attention::KeyMask;
use crate::nn::encoder::Encoder;
use crate::nn::geometry_bias::GeometryBias;
use crate::nn::graph_attention::GraphAttention;
use crate::nn::linear::{Linear, linear, linear_without_bias};
use crate::nn::transformer::TransformerLayer;
use crate::systems::hamlearning::{HamLearningConfig, Part};
use crate::systems::image_batch::ImageBatch;
use crate::vision::features::GRID;
use burn::module::{Initializer, Module};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};

/// A kind of visual evidence, from the whole image to how its objects lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// The grid: `G`, 49 rows.
    Global,
    /// The objects: `O`, `M` rows.
    Object,
    /// The objects in the light of the tags and of each other: `S`, `M` rows.
    Semantic,
    /// The objects in the light of where they lie to each other: `P`, `M` rows.
    Spatial,
}

impl Grain {
    /// All grains in the order of their relevance scores.
    pub const ALL: [Self; 4] = [Self::Global, Self::Object, Self::Semantic, Self::Spatial];
}

/// The rows of one grain.
#[derive(Clone, Debug)]
pub struct GrainRows {
    /// Which one.
    pub grain: Grain,
    /// `[R, U, W]`; what stands in an absent row is meaningless.
    pub rows: Tensor<3>,
    /// 1 for a row that is there, `[R, U]`.
    pub present: Tensor<2>,
}

/// A linear layer and the norm of what it gives.
#[derive(Module, Debug)]
struct Projection {
    linear: Linear,
    norm: LayerNorm,
}

impl Projection {
    fn new(d_input: usize, config: &HamLearningConfig, device: &Device) -> Self {
        Self {
            linear: linear(d_input, config.width, device),
            norm: LayerNormConfig::new(config.width)
                .with_epsilon(config.encoder.epsilon)
                .init(device),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.norm.forward(self.linear.forward(x))
    }
}

/// `S = Self(O + W_a a)` with the geometry bias.
#[derive(Module, Debug)]
struct Semantic {
    /// `W_a`, `D -> W`.
    tags: Linear,
    geometry: GeometryBias,
    layer: TransformerLayer,
}

/// Makes the rows of all grains that are not left out.
#[derive(Module, Debug)]
pub struct Grains {
    global: Option<Projection>,
    /// Class + 1 to vector; row 0 is padding.
    classes: Embedding,
    object: Projection,
    semantic: Option<Semantic>,
    spatial: Option<GraphAttention>,
    /// Whether the objects' own rows are given out.
    with_objects: bool,
}

/// Detector classes and padding.
const CLASSES: usize = 81;

impl Grains {
    /// Fresh weights.
    pub fn new(config: &HamLearningConfig, device: &Device) -> Self {
        let width = config.width;
        Self {
            global: config
                .has(Part::Global)
                .then(|| Projection::new(config.channels, config, device)),
            classes: EmbeddingConfig::new(CLASSES, width)
                .with_initializer(Initializer::Normal {
                    mean: 0.0,
                    std: 0.02,
                })
                .init(device),
            object: Projection::new(config.channels + width + 5, config, device),
            semantic: config.has(Part::Semantic).then(|| Semantic {
                tags: linear_without_bias(config.encoder.d, width, device),
                geometry: GeometryBias::new(config.heads, device),
                layer: config.layer().init(device),
            }),
            spatial: config.has(Part::Spatial).then(|| {
                let (heads, dropout) = (config.heads, config.dropout);
                GraphAttention::new(width, heads, spatial::LABELS, dropout, device)
            }),
            with_objects: config.has(Part::Object),
        }
    }

    /// The rows of every grain that is not left out, in the order of [`Grain::ALL`]. `encoder`
    /// looks up the subwords of the tags.
    pub fn forward(&self, images: &ImageBatch, encoder: &Encoder) -> Vec<GrainRows> {
        let mut grains = Vec::with_capacity(Grain::ALL.len());
        if let Some(global) = &self.global {
            let rows = global.forward(images.grid.clone());
            let [batch, ..] = rows.dims();
            grains.push(GrainRows {
                grain: Grain::Global,
                rows,
                present: images
                    .present
                    .clone()
                    .unsqueeze_dim::<2>(1)
                    .expand([batch, GRID]),
            });
        }
        let mut add = |grain, rows| {
            grains.push(GrainRows {
                grain,
                rows,
                present: images.objects.clone(),
            });
        };
        let objects = self.object.forward(Tensor::cat(
            vec![
                images.regions.clone(),
                self.classes.forward(images.classes.clone()),
                images.boxes.clone(),
            ],
            2,
        ));
        if self.with_objects {
            add(Grain::Object, objects.clone());
        }
        if let Some(semantic) = &self.semantic {
            let shares = images.tag_weights.clone().unsqueeze_dim::<3>(1);
            let tags = shares.matmul(encoder.word_vectors(images.tag_subwords.clone()));
            let x = objects.clone() + semantic.tags.forward(tags);
            let bias = semantic.geometry.forward(images.geometry.clone());
            let mask = KeyMask::maybe_empty(images.objects.clone());
            let (rows, _) = semantic.layer.forward(x.clone(), x, &mask, Some(bias));
            add(Grain::Semantic, rows);
        }
        if let Some(spatial) = &self.spatial {
            let (labels, present) = (images.labels.clone(), images.objects.clone());
            add(Grain::Spatial, spatial.forward(objects, labels, present));
        }
        grains
    }
}
