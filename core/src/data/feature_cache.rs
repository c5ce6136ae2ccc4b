//! Image features on disk: images are encoded once, training reads them many times.

use crate::vision::ImageFeatures;
use crate::vision::features::FeatureKey;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A folder of image features, one file an image, named by [`FeatureKey`].
#[derive(Clone, Debug)]
pub struct FeatureCache {
    folder: PathBuf,
    networks: [u8; 32],
}

/// Why the folder could not be used.
#[derive(Debug, Error)]
#[error("the image features in {} cannot be {action} ({cause}); is the folder writable and the disk not full?", path.display())]
pub struct CacheError {
    /// The file or folder.
    pub path: PathBuf,
    /// `read` or `written`.
    pub action: &'static str,
    /// What the system said.
    #[source]
    pub cause: Error,
}

impl FeatureCache {
    /// The cache in `folder`, made if absent, for the networks with this
    /// [fingerprint](crate::vision::encoder::VisionEncoder::fingerprint).
    ///
    /// # Errors
    /// [`CacheError`] where the folder cannot be made.
    pub fn open(folder: &Path, networks: [u8; 32]) -> Result<Self, CacheError> {
        let folder = folder.to_owned();
        match std::fs::create_dir_all(&folder) {
            Ok(()) => Ok(Self { folder, networks }),
            Err(cause) => Err(CacheError {
                path: folder,
                action: "written",
                cause,
            }),
        }
    }

    /// The features of an image file's bytes, none where there are none that can be trusted:
    /// absent, of other networks, cut or changed.
    ///
    /// # Errors
    /// [`CacheError`] where a file is there and cannot be read.
    pub fn get(&self, image: &[u8]) -> Result<Option<ImageFeatures>, CacheError> {
        let key = FeatureKey::new(image, &self.networks);
        let path = self.path(&key);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(ImageFeatures::from_bytes(&bytes, &key).ok()),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(CacheError {
                path,
                action: "read",
                cause,
            }),
        }
    }

    /// Keeps the features of an image file's bytes. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`CacheError`] where it cannot be written.
    pub fn put(&self, image: &[u8], features: &ImageFeatures) -> Result<(), CacheError> {
        let key = FeatureKey::new(image, &self.networks);
        let path = self.path(&key);
        let unfinished = path.with_extension(format!("{}.part", std::process::id()));
        std::fs::write(&unfinished, features.to_bytes(&key))
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .map_err(|cause| CacheError {
                path,
                action: "written",
                cause,
            })
    }

    fn path(&self, key: &FeatureKey) -> PathBuf {
        self.folder.join(format!("{key}.features"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::features::GRID;

    #[test]
    fn only_what_was_kept_for_the_same_networks_comes_back() {
        let name = format!("mner-feature-cache-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let features = ImageFeatures {
            width: 4,
            height: 3,
            channels: 1,
            grid: vec![0.5; GRID],
            objects: Vec::new(),
            regions: Vec::new(),
            tags: Vec::new(),
            embedding: Vec::new(),
        };
        let cache = FeatureCache::open(&folder, [1; 32]).unwrap();
        assert_eq!(cache.get(b"image").unwrap(), None);
        cache.put(b"image", &features).unwrap();
        assert_eq!(cache.get(b"image").unwrap(), Some(features));
        assert_eq!(cache.get(b"other image").unwrap(), None);
        let newer = FeatureCache::open(&folder, [2; 32]).unwrap();
        assert_eq!(newer.get(b"image").unwrap(), None);

        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(files.len(), 1, "no unfinished file stays");
        let path = files[0].as_ref().unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(cache.get(b"image").unwrap(), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
