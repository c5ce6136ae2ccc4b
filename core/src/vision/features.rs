//! What the networks saw in an image: everything any of the systems needs of an image, as plain
//! data, and its form on disk.

use crate::image::spatial;
use crate::image::spatial::Box64;
use crate::vision::detections::Object;
use crate::vision::tags::Tag;
use burn::tensor::f16;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use thiserror::Error;

/// Side of the grid.
pub const GRID_SIDE: usize = 7;

/// Cells of the grid.
pub const GRID: usize = GRID_SIDE * GRID_SIDE;

/// An image as the systems see it.
///
/// Features are rounded to half precision when they are made, so what comes back from the disk
/// is what went there.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFeatures {
    /// Width of the image, in the pixels of the boxes.
    pub width: u32,
    /// Height of the image, in the pixels of the boxes.
    pub height: u32,
    /// `C`, channels of the backbone's map.
    pub channels: usize,
    /// `49 * C`: the backbone's map, cells row by row.
    pub grid: Vec<f32>,
    /// The `M` objects, the best first.
    pub objects: Vec<Object>,
    /// `M * C`: the mean of the backbone's map over each object's box.
    pub regions: Vec<f32>,
    /// Names of what is seen.
    pub tags: Vec<Tag>,
    /// `S`: the image in the space of sentences, of length 1; empty where the vision encoder has no projector.
    pub embedding: Vec<f32>,
}

/// The nearest half-precision value, with the largest one instead of infinity.
pub(super) fn rounded(value: f32) -> f32 {
    let limit = f16::MAX.to_f32();
    f16::from_f32(value.clamp(-limit, limit)).to_f32()
}

impl ImageFeatures {
    /// The objects' boxes in pixels.
    pub fn boxes(&self) -> Vec<Box64> {
        let exact = |object: &Object| object.bounds.map(f64::from);
        self.objects.iter().map(exact).collect()
    }

    /// Each object's x1, y1, x2, y2 and area relative to the image, all in `[0, 1]`.
    pub fn relative_boxes(&self) -> Vec<[f32; 5]> {
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        let relative = |[x1, y1, x2, y2]: Box64| {
            let (x1, y1, x2, y2) = (x1 / width, y1 / height, x2 / width, y2 / height);
            [x1, y1, x2, y2, (x2 - x1) * (y2 - y1)].map(|x| x as f32)
        };
        self.boxes().into_iter().map(relative).collect()
    }

    /// The spatial label of every ordered pair of objects, `M * M` ([`spatial::labels`]).
    pub fn spatial_labels(&self) -> Vec<u8> {
        spatial::labels(&self.boxes(), f64::from(self.width), f64::from(self.height))
    }

    /// The geometry feature of every ordered pair of objects, `M * M * 64`
    /// ([`spatial::geometries`]).
    pub fn geometries(&self) -> Vec<f32> {
        spatial::geometries(&self.boxes())
    }

    /// The bytes to keep under `key`: see the source for the layout.
    pub fn to_bytes(&self, key: &FeatureKey) -> Vec<u8> {
        let head = Head {
            width: self.width,
            height: self.height,
            channels: self.channels,
            objects: self.objects.clone(),
            tags: self.tags.clone(),
            embedding: self.embedding.len(),
        };
        // Plain numbers and strings in structs: there is nothing JSON could refuse.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        // MAGIC, key (32), length of the head (u32), head (JSON), grid, regions and embedding (f16),
        // all little-endian.
        let values = self.grid.iter().chain(&self.regions).chain(&self.embedding);
        let mut bytes =
            Vec::with_capacity(MAGIC.len() + 36 + head.len() + 2 * values.clone().count());
        bytes.extend(MAGIC);
        bytes.extend(key.0);
        bytes.extend((head.len() as u32).to_le_bytes());
        bytes.extend(head);
        for &value in values {
            bytes.extend(f16::from_f32(value).to_le_bytes());
        }
        bytes
    }

    /// Reads what [`ImageFeatures::to_bytes`] wrote under the same key.
    ///
    /// # Errors
    /// [`FeaturesError`] where the bytes are something else, belong to another image or other
    /// networks, or are damaged.
    pub fn from_bytes(bytes: &[u8], key: &FeatureKey) -> Result<Self, FeaturesError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(FeaturesError::NotFeatures)?;
        let damaged = |detail: &str| FeaturesError::Damaged {
            detail: detail.to_owned(),
        };
        let (found, rest) = rest
            .split_first_chunk::<32>()
            .ok_or_else(|| damaged("the key is cut"))?;
        if *found != key.0 {
            return Err(FeaturesError::Stale {
                found: FeatureKey(*found),
                wanted: *key,
            });
        }
        let (length, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| damaged("the head is cut"))?;
        let (head, values) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or_else(|| damaged("the head is cut"))?;
        let head: Head = serde_json::from_slice(head).map_err(|e| damaged(&e.to_string()))?;

        let maps = (GRID + head.objects.len()).checked_mul(head.channels);
        let expected = maps.and_then(|n| n.checked_add(head.embedding));
        if expected.and_then(|n| n.checked_mul(2)) != Some(values.len()) {
            return Err(damaged("the features are not as many as the head says"));
        }
        let mut grid: Vec<f32> = values
            .chunks_exact(2)
            .map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32())
            .collect();
        if grid.iter().any(|x| !x.is_finite()) {
            return Err(damaged("a feature is not a number"));
        }
        let mut regions = grid.split_off(GRID * head.channels);
        let embedding = regions.split_off(head.objects.len() * head.channels);
        Ok(Self {
            width: head.width,
            height: head.height,
            channels: head.channels,
            grid,
            objects: head.objects,
            regions,
            tags: head.tags,
            embedding,
        })
    }
}

const MAGIC: &[u8] = b"mner image features 2\n";

#[derive(Serialize, Deserialize)]
struct Head {
    width: u32,
    height: u32,
    channels: usize,
    objects: Vec<Object>,
    tags: Vec<Tag>,
    /// How many values the embedding has.
    embedding: usize,
}

/// Why kept features were not used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FeaturesError {
    /// The bytes do not begin as features of this version.
    #[error("these are no image features of this version; compute them again")]
    NotFeatures,
    /// They belong to another image or to other networks.
    #[error("the image features are of {found} and {wanted} is wanted; compute them again")]
    Stale {
        /// The key they were kept under.
        found: FeatureKey,
        /// The key asked for.
        wanted: FeatureKey,
    },
    /// They are cut or changed.
    #[error("the image features are damaged ({detail}); compute them again")]
    Damaged {
        /// What is wrong.
        detail: String,
    },
}

/// Names the features of one image file as seen by one set of networks: SHA-256 over both, so
/// other bytes, other weights or other settings never find each other's features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeatureKey([u8; 32]);

impl FeatureKey {
    /// `image`: the bytes of the image file; `networks`: [`crate::vision::encoder::VisionEncoder::fingerprint`].
    pub fn new(image: &[u8], networks: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(MAGIC);
        hash.update(networks);
        hash.update(Sha256::digest(image));
        Self(hash.finalize().into())
    }
}

impl fmt::Display for FeatureKey {
    /// 64 hexadecimal digits: fit for a file name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::tags::TagSource;
    use proptest::prelude::*;

    fn some() -> ImageFeatures {
        let channels = 3;
        let values = |count: usize| (0..count).map(|i| rounded(i as f32 / 7.0 - 3.0)).collect();
        ImageFeatures {
            width: 640,
            height: 480,
            channels,
            grid: values(GRID * channels),
            objects: [0.9, 0.1]
                .map(|score| Object {
                    class: 7,
                    score,
                    bounds: [0.1, 20.0, 320.7, 479.3],
                })
                .into(),
            regions: values(2 * channels),
            tags: vec![Tag {
                name: "naïve \"kite\"".into(),
                probability: 0.3,
                source: TagSource::Classifier,
            }],
            embedding: values(5),
        }
    }

    fn key() -> FeatureKey {
        FeatureKey::new(b"image", &[7; 32])
    }

    #[test]
    fn the_way_to_the_disk_and_back_changes_nothing() {
        let bytes = some().to_bytes(&key());
        assert_eq!(ImageFeatures::from_bytes(&bytes, &key()), Ok(some()));
    }

    #[test]
    fn another_image_or_other_networks_are_stale() {
        let bytes = some().to_bytes(&key());
        for other in [
            FeatureKey::new(b"other image", &[7; 32]),
            FeatureKey::new(b"image", &[8; 32]),
        ] {
            let read = ImageFeatures::from_bytes(&bytes, &other);
            let stale = FeaturesError::Stale {
                found: key(),
                wanted: other,
            };
            assert_eq!(read, Err(stale));
        }
    }

    #[test]
    fn cut_bytes_are_refused_at_every_length() {
        let bytes = some().to_bytes(&key());
        for length in 0..bytes.len() {
            assert!(ImageFeatures::from_bytes(&bytes[..length], &key()).is_err());
        }
        let longer = [&bytes[..], &[0, 0]].concat();
        assert!(ImageFeatures::from_bytes(&longer, &key()).is_err());
    }

    proptest! {
        #[test]
        fn changed_bytes_never_panic(at in 0usize..900, byte in any::<u8>()) {
            let mut bytes = some().to_bytes(&key());
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = ImageFeatures::from_bytes(&bytes, &key());
        }
    }

    #[test]
    fn boxes_relative_to_the_image() {
        let mut features = some();
        features.objects[0].bounds = [160.0, 120.0, 480.0, 480.0];
        let expected = [0.25, 0.25, 0.75, 1.0, 0.375];
        assert_eq!(features.relative_boxes()[0], expected);
        assert_eq!(features.spatial_labels().len(), 4);
        assert_eq!(features.geometries().len(), 4 * spatial::GEOMETRY);
    }

    #[test]
    fn values_beyond_half_precision_are_bounded() {
        assert_eq!(rounded(1e9), 65504.0);
        assert_eq!(rounded(-1e9), -65504.0);
        assert_eq!(rounded(0.1), 0.099_975_586);
    }
}
