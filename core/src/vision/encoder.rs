//! Backbone and detector together: an image goes in, its features come out.

use crate::image::{Image, input};
use crate::nn::conv_block::ConvBlock;
use crate::nn::feature_map::FeatureMap;
use crate::nn::host::{HostMap, sigmoid};
use crate::nn::mobilenet::{MobileNetV2, MobileNetV2Config};
use crate::nn::projector::{Projector, ProjectorConfig};
use crate::nn::resnet::{ResNet, ResNetConfig};
use crate::nn::roi_align::RoiAlign;
use crate::nn::yolox::Yolox;
use crate::nn::{mobilenet, resnet};
use crate::vision::detections::{DetectConfig, Frame, Object};
use crate::vision::features::{GRID, GRID_SIDE, ImageFeatures, rounded};
use crate::vision::tags::{ClassNames, TagConfig};
use crate::vision::{detections, tags};
use burn::module::Module;
use burn::prelude::*;
use burn::store::ModuleSnapshot;
use burn::tensor::module::adaptive_avg_pool2d;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Samples along each side of an object's box: torchvision's 7×7 cells of 2×2 samples.
const REGION: RoiAlign = RoiAlign {
    side: 1,
    sampling: 14,
};

/// Which backbone.
#[derive(Config, Debug)]
pub enum BackboneConfig {
    /// The browser size, C = 1280.
    MobileNetV2(MobileNetV2Config),
    /// The paper size, C = 2048.
    ResNet(ResNetConfig),
}

impl BackboneConfig {
    /// The backbone with fresh weights.
    pub fn init(&self, device: &Device) -> Backbone {
        match self {
            Self::MobileNetV2(config) => Backbone::MobileNetV2(config.init(device)),
            Self::ResNet(config) => Backbone::ResNet(config.init(device)),
        }
    }

    /// `C`, channels of the map.
    pub fn channels(&self) -> usize {
        match self {
            Self::MobileNetV2(_) => mobilenet::CHANNELS,
            Self::ResNet(_) => resnet::CHANNELS,
        }
    }

    /// Classes of the classifier.
    pub fn classes(&self) -> usize {
        match self {
            Self::MobileNetV2(config) => config.classes,
            Self::ResNet(config) => config.classes,
        }
    }
}

/// The network whose map becomes grid and regions, and whose classifier gives tags.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a program holds one or two of them"
)]
pub enum Backbone {
    /// See [`MobileNetV2`].
    MobileNetV2(MobileNetV2),
    /// See [`ResNet`].
    ResNet(ResNet),
}

impl Backbone {
    /// An image as this network reads it: `[1, 3, 224, 224]`.
    pub fn input(&self, image: &Image) -> TensorData {
        match self {
            Self::MobileNetV2(_) => input::mobilenet(image),
            Self::ResNet(_) => input::resnet(image),
        }
    }

    /// The feature map, on `device`.
    ///
    /// # Shapes
    /// - `input`: `[B, 3, H, W]`
    /// - output: `[B, C, H/32, W/32]`
    pub fn features<M: FeatureMap>(&self, input: M, device: &Device) -> Tensor<4> {
        match self {
            Self::MobileNetV2(network) => network.features(input).into_tensor(device),
            Self::ResNet(network) => network.features(input.into_tensor(device)),
        }
    }

    /// Class logits of a feature map.
    ///
    /// # Shapes
    /// - `features`: `[B, C, H, W]`
    /// - output: `[B, classes]`
    pub fn classify(&self, features: Tensor<4>) -> Tensor<2> {
        match self {
            Self::MobileNetV2(network) => network.classify(features),
            Self::ResNet(network) => network.classify(features),
        }
    }

    /// Folds every batch norm away, for inference.
    pub fn fold(&mut self) {
        match self {
            Self::MobileNetV2(network) => network.fold(),
            Self::ResNet(network) => network.fold(),
        }
    }
}

/// A map as a grid of 7×7 cells, row by row.
///
/// # Shapes
/// - `map`: `[B, C, H, W]`
/// - output: `[B, 49, C]`
pub fn grid(map: Tensor<4>) -> Tensor<3> {
    let [batch, channels, height, width] = map.dims();
    let map = match (height, width) {
        (GRID_SIDE, GRID_SIDE) => map,
        _ => adaptive_avg_pool2d(map, [GRID_SIDE, GRID_SIDE]),
    };
    map.reshape([batch, channels, GRID]).swap_dims(1, 2)
}

/// The share of each cell of a map in the mean over each object's box.
///
/// `rows` and `columns`: of the map of the image, `width` × `height` pixels, stretched to the
/// network's input.
///
/// Returns `M * rows * columns` values: times the map's cells they are the regions.
pub fn region_weights(
    objects: &[Object],
    [width, height]: [u32; 2],
    [rows, columns]: [usize; 2],
) -> Vec<f32> {
    REGION.weights(
        &on_map(objects, [width, height], [rows, columns]),
        rows,
        columns,
    )
}

/// The objects' boxes in cells of a map.
fn on_map(
    objects: &[Object],
    [width, height]: [u32; 2],
    [rows, columns]: [usize; 2],
) -> Vec<[f32; 4]> {
    let across = columns as f32 / width as f32;
    let down = rows as f32 / height as f32;
    objects
        .iter()
        .map(|object| {
            let [x1, y1, x2, y2] = object.bounds;
            [x1 * across, y1 * down, x2 * across, y2 * down]
        })
        .collect()
}

/// The mean of one image's map over each object's box; none without objects. Differentiable in
/// the map.
///
/// # Shapes
/// - `map`: `[C, H, W]`, of the image stretched to the network's input
/// - output: `[M, C]`
pub fn regions(map: Tensor<3>, objects: &[Object], width: u32, height: u32) -> Option<Tensor<2>> {
    let [channels, rows, columns] = map.dims();
    let boxes = on_map(objects, [width, height], [rows, columns]);
    let features = REGION.forward(map, &boxes)?;
    Some(features.reshape([boxes.len(), channels]))
}

/// Settings of [`VisionEncoder`].
#[derive(Config, Debug)]
pub struct VisionConfig {
    /// The backbone.
    pub backbone: BackboneConfig,
    /// Side of the detector's input, a multiple of 32.
    #[config(default = 416)]
    pub detector_side: u32,
    /// Which detections become objects.
    #[config(default = "DetectConfig::default()")]
    pub detect: DetectConfig,
    /// Which classes become tags.
    #[config(default = "TagConfig::default()")]
    pub tags: TagConfig,
    /// The projector into the space of sentences, if there is one.
    pub projector: Option<ProjectorConfig>,
}

/// Why an image could not be encoded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VisionError {
    /// The device did not give the results back.
    #[error("the device failed while encoding the image ({detail}); try again on the CPU")]
    Device {
        /// What the device said.
        detail: String,
    },
    /// The results are not numbers.
    #[error(
        "the vision encoder gave values that are not numbers; the weights or the device are broken, \
         load again or use the CPU"
    )]
    NotFinite,
}

/// The networks that encode images, and the names of what they see.
#[derive(Clone, Debug)]
pub struct VisionEncoder {
    /// Settings.
    pub config: VisionConfig,
    /// The backbone, as [`VisionConfig::backbone`] says.
    pub backbone: Backbone,
    /// The detector.
    pub detector: Yolox,
    /// The projector, as [`VisionConfig::projector`] says.
    pub projector: Option<Projector>,
    /// Names of the detector's classes.
    pub object_names: ClassNames,
    /// Names of the classifier's classes.
    pub class_names: ClassNames,
    /// Where the networks lie.
    pub device: Device,
    /// SHA-256 of the packed weights, where the networks [compute on the host](VisionEncoder::compute_on_host).
    pub packed: Option<String>,
}

impl VisionEncoder {
    /// Computes convolutions in a CPU's own memory from now on, those across channels in 8 bits where `block` says how many inputs
    /// share a scale in weights of a shape; their parameters then have no values, so the networks cannot be packed again. `source`:
    /// SHA-256 of the file they are from. A ResNet stays as it is.
    ///
    /// # Panics
    /// If batch norms are not folded away.
    pub fn compute_on_host(&mut self, source: String, block: impl Fn(&Shape) -> Option<usize>) {
        let mut act = |convolution: &mut ConvBlock| {
            let block = block(&convolution.conv.weight.shape());
            convolution.compute_on_host(block);
        };
        self.detector.each(&mut act);
        if let Backbone::MobileNetV2(network) = &mut self.backbone {
            network.each(&mut act);
        }
        self.packed = Some(source);
    }

    /// [`Yolox::raw`] of the detector's input, and the map of the backbone's.
    fn seen<M: FeatureMap>(&self, detector: M, backbone: M) -> (Tensor<3>, Tensor<4>) {
        let raw = self.detector.raw(detector);
        (raw, self.backbone.features(backbone, &self.device))
    }

    /// Encodes an image.
    ///
    /// Two transfers back from the device, both asynchronous: the detections, then the features
    /// of what they bound.
    ///
    /// # Errors
    /// [`VisionError`] where the device fails.
    pub async fn encode_image(&self, image: &Image) -> Result<ImageFeatures, VisionError> {
        let boxed = input::letterbox(image, self.config.detector_side);
        let inputs = [boxed.data, self.backbone.input(image)];
        let (raw, map) = match &self.packed {
            Some(_) => {
                let [detector, backbone] = inputs.map(on_host_map);
                self.seen(detector, backbone)
            }
            None => {
                let upload = |data| Tensor::<4>::from_data(data, &self.device);
                let [detector, backbone] = inputs.map(upload);
                self.seen(detector, backbone)
            }
        };
        let logits = self.backbone.classify(map.clone());

        let frame = Frame {
            side: self.config.detector_side as usize,
            scale: boxed.scale,
            width: image.width,
            height: image.height,
        };
        let mut detections = on_host(raw).await?;
        let classes = self.object_names.count();
        for row in detections.chunks_exact_mut(5 + classes) {
            sigmoid(&mut row[4..]);
        }
        let objects = detections::objects(&detections, classes, &frame, &self.config.detect);

        let channels = map.dims()[1];
        let only = map.clone().squeeze_dim::<3>(0);
        let cells = grid(map).reshape([GRID, channels]);
        // One transfer for grid and regions: rows beside rows.
        let rows = match regions(only, &objects, image.width, image.height) {
            Some(regions) => Tensor::cat(vec![cells, regions], 0),
            None => cells,
        };
        let mut grid = on_host(rows).await?;
        let logits = on_host(logits).await?;
        grid.iter_mut().for_each(|value| *value = rounded(*value));
        let regions = grid.split_off(GRID * channels);
        let tags = tags::tags(
            &objects,
            &self.object_names,
            &logits,
            &self.class_names,
            &self.config.tags,
        );
        let embedding = self.embedding(&grid, &objects).await?;
        Ok(ImageFeatures {
            width: image.width,
            height: image.height,
            channels,
            grid,
            objects,
            regions,
            tags,
            embedding,
        })
    }

    /// An image in the space of sentences, by its grid and its objects; empty without a projector.
    async fn embedding(&self, grid: &[f32], objects: &[Object]) -> Result<Vec<f32>, VisionError> {
        let (Some(config), Some(projector)) = (&self.config.projector, &self.projector) else {
            return Ok(Vec::new());
        };
        let pooled = config.pooled(
            grid,
            objects.iter().map(|object| (object.class, object.score)),
        );
        let pooled = TensorData::new(pooled, [1, config.inputs()]);
        let projected = projector.forward(Tensor::from_data(pooled, &self.device));
        let mut embedding = on_host(projected).await?;
        embedding
            .iter_mut()
            .for_each(|value| *value = rounded(*value));
        Ok(embedding)
    }

    /// SHA-256 of settings, names and every weight: changes whenever features could. Reads all
    /// weights back at once, so not for WebGPU in a browser.
    ///
    /// # Errors
    /// [`VisionError::Device`] where the weights cannot be read back.
    pub fn fingerprint(&self) -> Result<[u8; 32], VisionError> {
        let mut hash = Sha256::new();
        hash.update(format!(
            "{:?}\n{:?}\n{:?}\n",
            self.config, self.object_names, self.class_names
        ));
        if let Some(packed) = &self.packed {
            // Computed with other rounding, they see otherwise than the same weights elsewhere.
            hash.update(b"on the host");
            hash.update(packed.as_bytes());
            return Ok(hash.finalize().into());
        }
        let weights = [
            self.backbone.collect(None, None, true),
            self.detector.collect(None, None, true),
            self.projector.collect(None, None, true),
        ];
        for tensor in weights.iter().flatten() {
            let bytes = tensor.to_bytes().map_err(|error| VisionError::Device {
                detail: error.to_string(),
            })?;
            hash.update(format!(
                "{} {:?} {:?}\n",
                tensor.name, tensor.dtype, tensor.shape
            ));
            hash.update(&bytes[..]);
        }
        Ok(hash.finalize().into())
    }
}

/// An image as the networks read it, `[1, C, H, W]`.
fn on_host_map(data: TensorData) -> HostMap {
    let [_, sizes @ ..] = data.shape().dims::<4>();
    let planes = data.try_into_vec_as::<f32>();
    let planes = planes.expect("floats become f32");
    HostMap::from_planes(&planes, sizes)
}

/// The values of a tensor, which are all finite.
///
/// # Errors
/// [`VisionError`] where the device fails or they are not.
pub(crate) async fn on_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, VisionError> {
    let device = |detail: String| VisionError::Device { detail };
    let data = tensor.into_data_async().await;
    let data = data.map_err(|error| device(error.to_string()))?;
    let values: Vec<f32> = data
        .convert::<f32>()
        .try_into_vec()
        .map_err(|error| device(format!("{error:?}")))?;
    match values.iter().all(|x| x.is_finite()) {
        true => Ok(values),
        false => Err(VisionError::NotFinite),
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests;
