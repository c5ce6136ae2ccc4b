//! The pictures of a batch: what the networks saw in them, side by side on the device.

use super::batch::LeastSizes;
use crate::picture::PictureFeatures;
use crate::picture::features::GRID;
use crate::picture::spatial::GEOMETRY;
use crate::tweet::pieces::{PiecesError, WordPieces};
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::sync::Arc;

/// A picture as a tweet's companion: its features, and its tags in the text encoder's pieces.
#[derive(Clone, Debug)]
pub struct Sight {
    /// What the networks saw.
    pub features: Arc<PictureFeatures>,
    /// The tags of [`PictureFeatures::tags`] in the same order.
    pub tags: Vec<TagPieces>,
}

/// A tag in word pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct TagPieces {
    /// Ids of the name's pieces, special pieces excluded; at least one.
    pub pieces: Vec<u32>,
    /// How sure the network is, in `[0, 1]`.
    pub probability: f32,
}

impl Sight {
    /// Cuts the picture's tags into pieces.
    ///
    /// # Errors
    /// If the tokenizer fails on a name.
    pub fn new(
        features: Arc<PictureFeatures>,
        tokenizer: &WordPieces,
    ) -> Result<Self, PiecesError> {
        let mut tags = Vec::with_capacity(features.tags.len());
        for tag in &features.tags {
            let words: Vec<&str> = tag.name.split_whitespace().collect();
            let pieces = tokenizer.encode(&words)?.concat();
            if !pieces.is_empty() {
                tags.push(TagPieces {
                    pieces,
                    probability: tag.probability,
                });
            }
        }
        Ok(Self { features, tags })
    }

    /// Pieces of all its tags.
    pub fn tag_pieces(&self) -> usize {
        self.tags.iter().map(|tag| tag.pieces.len()).sum()
    }
}

/// The pictures of a batch's rows, padded to the most objects `M >= 1` and the most tag pieces
/// `K >= 1` of any, or further. Everything of a row without a picture, and of an absent object, is 0.
#[derive(Clone, Debug)]
pub struct PictureBatch {
    /// 1 where the row has a picture, `[R]`.
    pub present: Tensor<1>,
    /// The backbone's map, cells row by row, `[R, 49, C]`.
    pub grid: Tensor<3>,
    /// 1 for an object, 0 for padding, `[R, M]`. The best object comes first.
    pub objects: Tensor<2>,
    /// The mean of the backbone's map over each object's box, `[R, M, C]`.
    pub regions: Tensor<3>,
    /// Detector class + 1, 0 for padding, `[R, M]`.
    pub classes: Tensor<2, Int>,
    /// x1, y1, x2, y2 and area relative to the picture, in `[0, 1]`, `[R, M, 5]`.
    pub boxes: Tensor<3>,
    /// Spatial label of every ordered pair ([`crate::picture::spatial::labels`]), `[R, M, M]`.
    pub labels: Tensor<3, Int>,
    /// Geometry of every ordered pair ([`crate::picture::spatial::geometry`]), `[R, M, M, 64]`.
    pub geometry: Tensor<4>,
    /// Pieces of all the tags' names, one tag after the other, `[R, K]`; 0 for padding.
    pub tag_pieces: Tensor<2, Int>,
    /// Each piece's share: the tag's probability over the pieces of its name, `[R, K]`; 0 for
    /// padding. So `sum_k weight_k * table[piece_k]` is `sum of p * mean embedding` over the tags.
    pub tag_weights: Tensor<2>,
}

impl PictureBatch {
    /// Lays out one picture or none a row, padded to `least`; none if no row has one.
    ///
    /// # Panics
    /// If two pictures were seen by backbones of different width.
    pub fn new(rows: &[Option<&Sight>], least: LeastSizes, device: &Device) -> Option<Self> {
        let channels = rows.iter().flatten().next()?.features.channels;
        let n = rows.len();
        let most = |least: usize, count: &dyn Fn(&Sight) -> usize| {
            let counts = rows.iter().flatten().map(|sight| count(sight));
            counts.max().unwrap_or(0).max(least).max(1)
        };
        let m = most(least.objects, &|sight| sight.features.objects.len());
        let k = most(least.tag_pieces, &Sight::tag_pieces);

        let mut present = vec![0f32; n];
        let mut grid = vec![0f32; n * GRID * channels];
        let mut objects = vec![0f32; n * m];
        let mut regions = vec![0f32; n * m * channels];
        let mut classes = vec![0i32; n * m];
        let mut boxes = vec![0f32; n * m * 5];
        let mut labels = vec![0i32; n * m * m];
        let mut geometry = vec![0f32; n * m * m * GEOMETRY];
        let mut tag_pieces = vec![0i32; n * k];
        let mut tag_weights = vec![0f32; n * k];
        for (row, sight) in rows.iter().enumerate() {
            let Some(sight) = sight else { continue };
            let features = &sight.features;
            assert_eq!(
                features.channels, channels,
                "the pictures of a batch come from one backbone"
            );
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
            let shares = sight.tags.iter().flat_map(|tag| {
                let share = tag.probability / tag.pieces.len() as f32;
                tag.pieces.iter().map(move |&piece| (piece, share))
            });
            for (at, (piece, share)) in shares.enumerate() {
                tag_pieces[row * k + at] = piece as i32;
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
            tag_pieces: Tensor::from_data(TensorData::new(tag_pieces, [n, k]), device),
            tag_weights: Tensor::from_data(TensorData::new(tag_weights, [n, k]), device),
        })
    }
}

impl PictureBatch {
    /// The same pictures with the best `most` objects each.
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
pub(crate) mod tests {
    use super::*;
    use crate::picture::detect::Object;
    use crate::picture::tags::{Tag, TagSource};
    use crate::splitmix::SplitMix64;

    /// A made-up sight of `objects` objects and two tags; the same for the same seed.
    pub(crate) fn sight(seed: u64, channels: usize, objects: usize) -> Sight {
        let mut rng = SplitMix64(seed);
        let mut unit = move || (rng.below(1 << 20) as f32 + 0.5) / (1 << 20) as f32;
        let values: Vec<f32> = (0..(GRID + objects) * channels)
            .map(|_| 4.0 * unit())
            .collect();
        let found: Vec<Object> = (0..objects)
            .map(|i| {
                let (x, y) = (60.0 * unit(), 40.0 * unit());
                Object {
                    class: i % 80,
                    score: unit(),
                    bounds: [x, y, x + 4.0 + 30.0 * unit(), y + 4.0 + 30.0 * unit()],
                }
            })
            .collect();
        let tag = |name: &str| Tag {
            name: name.to_owned(),
            probability: 0.5,
            source: TagSource::Classifier,
        };
        Sight {
            features: Arc::new(PictureFeatures {
                width: 100,
                height: 80,
                channels,
                grid: values[..GRID * channels].to_vec(),
                objects: found,
                regions: values[GRID * channels..].to_vec(),
                tags: vec![tag("sea snake"), tag("kite")],
            }),
            tags: vec![
                TagPieces {
                    pieces: vec![5, 6],
                    probability: 0.5,
                },
                TagPieces {
                    pieces: vec![7 + (seed % 5) as u32],
                    probability: 0.25,
                },
            ],
        }
    }

    fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
        tensor.to_data().try_to_vec().unwrap()
    }

    #[test]
    fn each_row_carries_its_own_picture_and_padding_is_zero() {
        let device = Device::flex();
        let (few, many, none) = (sight(1, 3, 1), sight(2, 3, 3), sight(3, 3, 0));
        let rows = [Some(&few), None, Some(&many), Some(&none)];
        let batch = PictureBatch::new(&rows, LeastSizes::default(), &device).unwrap();
        assert_eq!(floats(&batch.present), [1.0, 0.0, 1.0, 1.0]);
        assert_eq!(
            floats(&batch.objects),
            [1., 0., 0., 0., 0., 0., 1., 1., 1., 0., 0., 0.]
        );
        let classes: Vec<i64> = batch.classes.to_data().iter::<i64>().collect();
        assert_eq!(classes, [1, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0]);
        let grid = floats(&batch.grid);
        assert_eq!(grid[..GRID * 3], few.features.grid[..]);
        assert!(grid[GRID * 3..2 * GRID * 3].iter().all(|&x| x == 0.0));
        assert_eq!(grid[2 * GRID * 3..3 * GRID * 3], many.features.grid[..]);
        assert_eq!(floats(&batch.regions)[18..27], many.features.regions[..]);
        let labels: Vec<i64> = batch.labels.to_data().iter::<i64>().collect();
        let expected: Vec<i64> = many
            .features
            .spatial_labels()
            .into_iter()
            .map(i64::from)
            .collect();
        assert_eq!(labels[18..27], expected);
        assert!(labels[..18].iter().all(|&label| label == 0));
        let geometry = floats(&batch.geometry);
        assert_eq!(
            geometry[2 * 9 * 64..3 * 9 * 64],
            many.features.geometries()[..]
        );
        assert_eq!(geometry[..64], few.features.geometries()[..]);
        assert!(geometry[64..2 * 9 * 64].iter().all(|&x| x == 0.0));
        assert_eq!(
            floats(&batch.tag_weights)[..6],
            [0.25, 0.25, 0.25, 0., 0., 0.]
        );
        let pieces: Vec<i64> = batch.tag_pieces.to_data().iter::<i64>().collect();
        assert_eq!(pieces[6..], [5, 6, 9, 5, 6, 10]);
    }

    #[test]
    fn no_picture_at_all_is_none() {
        let least = LeastSizes::default();
        assert!(PictureBatch::new(&[None, None], least, &Device::flex()).is_none());
    }
}
