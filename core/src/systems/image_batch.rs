//! The images of a batch: what the networks saw in them, side by side on the device.

use crate::image::spatial::GEOMETRY;
use crate::systems::image_rows::KeptRows;
use crate::systems::padding::LeastSizes;
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::vision::ImageFeatures;
use crate::vision::encoder::{grid, region_weights};
use crate::vision::features::{GRID, GRID_SIDE};
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::sync::Arc;

/// An image as a tweet's companion: its features, and its tags in the text encoder's subwords.
#[derive(Clone, Debug)]
pub struct EncodedImage {
    /// What the networks saw.
    pub features: Arc<ImageFeatures>,
    /// The tags of [`ImageFeatures::tags`] in the same order.
    pub tags: Vec<TagSubwords>,
    /// What the last stages of the backbone read, while they learn.
    pub early: Option<Arc<EarlyMap>>,
    /// What a system that computes in a CPU's own memory makes of it.
    pub rows: KeptRows,
}

/// An image within the backbone, before the stages that learn.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyMap {
    /// Channels, rows and columns.
    pub shape: [usize; 3],
    /// The map's values, channel by channel, row by row.
    pub values: Vec<f32>,
}

/// A tag in subwords.
#[derive(Clone, Debug, PartialEq)]
pub struct TagSubwords {
    /// Ids of the name's subwords, special tokens excluded; at least one.
    pub subwords: Vec<u32>,
    /// How sure the network is, in `[0, 1]`.
    pub probability: f32,
}

impl EncodedImage {
    /// Cuts the image's tags into subwords.
    ///
    /// # Errors
    /// If the tokenizer fails on a name.
    pub fn new(
        features: Arc<ImageFeatures>,
        tokenizer: &SubwordTokenizer,
    ) -> Result<Self, TokenizerError> {
        let mut tags = Vec::with_capacity(features.tags.len());
        for tag in &features.tags {
            let words: Vec<&str> = tag.name.split_whitespace().collect();
            let subwords = tokenizer.encode(&words)?.concat();
            if !subwords.is_empty() {
                tags.push(TagSubwords {
                    subwords,
                    probability: tag.probability,
                });
            }
        }
        Ok(Self {
            features,
            tags,
            early: None,
            rows: KeptRows::default(),
        })
    }

    /// The same image with what the last stages of the backbone read.
    #[must_use]
    pub fn with_early(mut self, early: Arc<EarlyMap>) -> Self {
        self.early = Some(early);
        self
    }

    /// Subwords of all its tags.
    pub fn tag_subwords(&self) -> usize {
        self.tags.iter().map(|tag| tag.subwords.len()).sum()
    }
}

/// The images of a batch's rows, padded to the most objects `M >= 1` and the most tag subwords
/// `K >= 1` of any, or further. Everything of a row without an image, and of an absent object, is 0.
#[derive(Clone, Debug)]
pub struct ImageBatch {
    /// 1 where the row has an image, `[R]`.
    pub present: Tensor<1>,
    /// The backbone's map, cells row by row, `[R, 49, C]`.
    pub grid: Tensor<3>,
    /// 1 for an object, 0 for padding, `[R, M]`. The best object comes first.
    pub objects: Tensor<2>,
    /// The mean of the backbone's map over each object's box, `[R, M, C]`.
    pub regions: Tensor<3>,
    /// Detector class + 1, 0 for padding, `[R, M]`.
    pub classes: Tensor<2, Int>,
    /// x1, y1, x2, y2 and area relative to the image, in `[0, 1]`, `[R, M, 5]`.
    pub boxes: Tensor<3>,
    /// Spatial label of every ordered pair ([`crate::image::spatial::labels`]), `[R, M, M]`.
    pub labels: Tensor<3, Int>,
    /// Geometry of every ordered pair ([`crate::image::spatial::geometry`]), `[R, M, M, 64]`.
    pub geometry: Tensor<4>,
    /// Subwords of all the tags' names, one tag after the other, `[R, K]`; 0 for padding.
    pub tag_subwords: Tensor<2, Int>,
    /// Each subword's share: the tag's probability over the subwords of its name, `[R, K]`; 0 for
    /// padding. So `sum_k weight_k * table[piece_k]` is `sum of p * mean embedding` over the tags.
    pub tag_weights: Tensor<2>,
    /// The images in the space of sentences, `[R, S]`; none where the vision encoder has no projector.
    pub embeddings: Option<Tensor<2>>,
    /// What [`ImageBatch::seen_by`] needs; none unless every image has it.
    pub early: Option<EarlyBatch>,
}

/// The images of a batch within the backbone, `K >= 1` of them, each once.
#[derive(Clone, Debug)]
pub struct EarlyBatch {
    /// What the last stages of the backbone read, `[K, channels, rows, columns]`.
    pub maps: Tensor<4>,
    /// Each row's image, counted from 1; 0 for none, `[R]`.
    pub rows: Tensor<1, Int>,
    /// The share of each cell of the grid in each object's region, `[R, M, 49]`.
    pub cells: Tensor<3>,
}

impl EarlyBatch {
    /// Lays out the rows' images, whose objects are padded to `m`.
    ///
    /// # Panics
    /// If two images come from different stages.
    fn new(rows: &[Option<&EncodedImage>], m: usize, device: &Device) -> Option<Self> {
        let mut maps: Vec<&Arc<EarlyMap>> = Vec::new();
        let mut indices = Vec::with_capacity(rows.len());
        let mut cells = vec![0f32; rows.len() * m * GRID];
        for (row, encoded) in rows.iter().enumerate() {
            let Some(encoded) = encoded else {
                indices.push(0);
                continue;
            };
            let map = encoded.early.as_ref()?;
            let known = maps.iter().position(|known| Arc::ptr_eq(known, map));
            let index = known.unwrap_or_else(|| {
                maps.push(map);
                maps.len() - 1
            });
            indices.push(index as i32 + 1);
            let features = &encoded.features;
            let shares = region_weights(
                &features.objects,
                [features.width, features.height],
                [GRID_SIDE; 2],
            );
            place(&mut cells, row * m * GRID, &shares);
        }
        let [channels, height, width] = maps.first()?.shape;
        assert!(
            maps.iter()
                .all(|map| map.shape == [channels, height, width]),
            "the maps of a batch come from one stage"
        );
        let values: Vec<f32> = maps.iter().flat_map(|map| &map.values).copied().collect();
        let shape = [maps.len(), channels, height, width];
        Some(Self {
            maps: Tensor::from_data(TensorData::new(values, shape), device),
            rows: Tensor::from_data(TensorData::new(indices, [rows.len()]), device),
            cells: Tensor::from_data(TensorData::new(cells, [rows.len(), m, GRID]), device),
        })
    }
}

impl ImageBatch {
    /// Lays out one image or none a row, padded to `least`; none if no row has one.
    ///
    /// # Panics
    /// If two images were seen by backbones or projectors of different width.
    pub fn new(rows: &[Option<&EncodedImage>], least: LeastSizes, device: &Device) -> Option<Self> {
        let first = &rows.iter().flatten().next()?.features;
        let (channels, size) = (first.channels, first.embedding.len());
        let n = rows.len();
        let most = |least: usize, count: &dyn Fn(&EncodedImage) -> usize| {
            let counts = rows.iter().flatten().map(|encoded| count(encoded));
            counts.max().unwrap_or(0).max(least).max(1)
        };
        let m = most(least.objects, &|encoded| encoded.features.objects.len());
        let k = most(least.tag_subwords, &EncodedImage::tag_subwords);

        let mut present = vec![0f32; n];
        let mut grid = vec![0f32; n * GRID * channels];
        let mut objects = vec![0f32; n * m];
        let mut regions = vec![0f32; n * m * channels];
        let mut classes = vec![0i32; n * m];
        let mut boxes = vec![0f32; n * m * 5];
        let mut labels = vec![0i32; n * m * m];
        let mut geometry = vec![0f32; n * m * m * GEOMETRY];
        let mut tag_subwords = vec![0i32; n * k];
        let mut tag_weights = vec![0f32; n * k];
        let mut embeddings = vec![0f32; n * size];
        for (row, encoded) in rows.iter().enumerate() {
            let Some(encoded) = encoded else { continue };
            let features = &encoded.features;
            assert_eq!(
                features.channels, channels,
                "the images of a batch come from one backbone"
            );
            assert_eq!(
                features.embedding.len(),
                size,
                "the images of a batch come from one projector"
            );
            place(&mut embeddings, row * size, &features.embedding);
            let count = features.objects.len();
            present[row] = 1.0;
            place(&mut grid, row * GRID * channels, &features.grid);
            place(&mut regions, row * m * channels, &features.regions);
            place(
                &mut boxes,
                row * m * 5,
                features.relative_boxes().as_flattened(),
            );
            for (i, object) in features.objects.iter().enumerate() {
                objects[row * m + i] = 1.0;
                classes[row * m + i] = object.class as i32 + 1;
            }
            let pairs = features.spatial_labels();
            let geometries = features.geometries();
            for i in 0..count {
                let at = (row * m + i) * m;
                for (to, &from) in labels[at..].iter_mut().zip(&pairs[i * count..][..count]) {
                    *to = i32::from(from);
                }
                let span = count * GEOMETRY;
                place(
                    &mut geometry,
                    at * GEOMETRY,
                    &geometries[i * span..][..span],
                );
            }
            let shares = encoded.tags.iter().flat_map(|tag| {
                let share = tag.probability / tag.subwords.len() as f32;
                tag.subwords.iter().map(move |&subword| (subword, share))
            });
            for (at, (subword, share)) in shares.enumerate() {
                tag_subwords[row * k + at] = subword as i32;
                tag_weights[row * k + at] = share;
            }
        }
        Some(Self {
            present: Tensor::from_data(TensorData::new(present, [n]), device),
            grid: Tensor::from_data(TensorData::new(grid, [n, GRID, channels]), device),
            objects: Tensor::from_data(TensorData::new(objects, [n, m]), device),
            regions: Tensor::from_data(TensorData::new(regions, [n, m, channels]), device),
            classes: Tensor::from_data(TensorData::new(classes, [n, m]), device),
            boxes: Tensor::from_data(TensorData::new(boxes, [n, m, 5]), device),
            labels: Tensor::from_data(TensorData::new(labels, [n, m, m]), device),
            geometry: Tensor::from_data(TensorData::new(geometry, [n, m, m, GEOMETRY]), device),
            tag_subwords: Tensor::from_data(TensorData::new(tag_subwords, [n, k]), device),
            tag_weights: Tensor::from_data(TensorData::new(tag_weights, [n, k]), device),
            embeddings: (size > 0)
                .then(|| Tensor::from_data(TensorData::new(embeddings, [n, size]), device)),
            early: EarlyBatch::new(rows, m, device),
        })
    }
}

impl ImageBatch {
    /// The same images as `late`, the last stages of the backbone, see them now: grid and regions
    /// are computed anew, differentiable in the stages' weights. What else there is (objects, tags)
    /// stays. Without early maps the images stay as they are.
    ///
    /// `late` turns the early maps, `[K, channels, rows, columns]`, into maps of 7×7 cells,
    /// `[K, C, 7, 7]`.
    #[must_use]
    pub fn seen_by(self, late: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        let Some(early) = self.early.clone() else {
            return self;
        };
        let seen = grid(late(early.maps));
        let [_, _, channels] = seen.dims();
        let none = Tensor::zeros([1, GRID, channels], &seen.device());
        let grid = Tensor::cat(vec![none, seen], 0).select(0, early.rows);
        Self {
            regions: early.cells.matmul(grid.clone()),
            grid,
            ..self
        }
    }

    /// The same images with the best `most` objects each.
    #[must_use]
    pub fn best(self, most: usize) -> Self {
        let m = self.objects.dims()[1];
        if m <= most {
            return self;
        }
        Self {
            objects: self.objects.narrow(1, 0, most),
            regions: self.regions.narrow(1, 0, most),
            classes: self.classes.narrow(1, 0, most),
            boxes: self.boxes.narrow(1, 0, most),
            labels: self.labels.narrow(1, 0, most).narrow(2, 0, most),
            geometry: self.geometry.narrow(1, 0, most).narrow(2, 0, most),
            ..self
        }
    }
}

fn place(to: &mut [f32], at: usize, from: &[f32]) {
    to[at..at + from.len()].copy_from_slice(from);
}

#[cfg(all(test, feature = "flex"))]
pub(crate) mod tests;
