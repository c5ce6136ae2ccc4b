//! The images of a corpus, encoded.

pub mod index;

use crate::data::corpus::Sample;
use crate::data::corpus_images::index::ImageIndex;
use crate::data::feature_cache::{CacheError, FeatureCache};
use crate::image::Image;
use crate::image::decode::Limits;
use crate::image::view::view as random_view;
use crate::notice;
use crate::splitmix::SplitMix64;
use crate::systems::image_batch::{EarlyMap, EncodedImage};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::vision::ImageFeatures;
use crate::vision::encoder::{VisionEncoder, VisionError};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Why the images of a corpus could not be had.
#[derive(Debug, Error)]
pub enum CorpusImagesError {
    /// A folder or table that cannot be read.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A line of a table that is not `id<TAB>path|similarity`.
    #[error("{}, line {line}: expected an id, a tab and a path, found {found:?}", path.display())]
    Line {
        /// The table.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// Not one tweet has an image.
    #[error(
        "none of the {tweets} tweets has an image in {}; is it of other tweets?", path.display()
    )]
    Nothing {
        /// The folder or table.
        path: PathBuf,
        /// How many tweets were looked up.
        tweets: usize,
    },
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The networks.
    #[error(transparent)]
    VisionEncoder(#[from] VisionError),
    /// The tags' subwords.
    #[error(transparent)]
    Pieces(#[from] TokenizerError),
}

/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);

/// A backbone whose last stages learn: what these read of an image is computed once.
pub trait EarlyStages {
    /// The map before the learning stages.
    ///
    /// # Errors
    /// [`VisionError`] where the device fails.
    fn early(&self, image: &Image) -> Result<EarlyMap, VisionError>;
}

/// Images as the networks see them, each encoded once.
pub struct CorpusImages<'a> {
    index: ImageIndex,
    vision: &'a VisionEncoder,
    tokenizer: &'a SubwordTokenizer,
    cache: Option<FeatureCache>,
    /// What the learning stages of a backbone read, if some learn.
    early: Option<&'a dyn EarlyStages>,
    /// By the file and which view of it, 0 being all of it; none for a file that holds no image.
    seen: HashMap<(PathBuf, usize), Option<EncodedImage>>,
}

impl<'a> CorpusImages<'a> {
    /// The images of `index`; with `cache`, what was seen is kept in that folder.
    ///
    /// # Errors
    /// [`CorpusImagesError::Cache`], [`CorpusImagesError::VisionEncoder`].
    pub fn open(
        index: ImageIndex,
        vision: &'a VisionEncoder,
        tokenizer: &'a SubwordTokenizer,
        cache: Option<&Path>,
    ) -> Result<Self, CorpusImagesError> {
        let cache = match cache {
            Some(folder) => Some(FeatureCache::open(folder, vision.fingerprint()?)?),
            None => None,
        };
        Ok(Self {
            index,
            vision,
            tokenizer,
            cache,
            early: None,
            seen: HashMap::new(),
        })
    }

    /// The same corpus_images, whose images also carry what the learning stages of the backbone read.
    #[must_use]
    pub fn for_tuning(mut self, early: Option<&'a dyn EarlyStages>) -> Self {
        self.early = early;
        self
    }

    /// The images each tweet may have, the best first and at most `most`, each followed by `views` views of it. A file that holds
    /// no image is named on standard error and left out; long looking is reported there too.
    ///
    /// # Errors
    /// [`CorpusImagesError`], also where no tweet has an image at all.
    pub fn encoded_images(
        &mut self,
        samples: &[Sample],
        most: usize,
        views: usize,
    ) -> Result<Vec<Vec<EncodedImage>>, CorpusImagesError> {
        let paths: Vec<Vec<PathBuf>> = samples
            .iter()
            .map(|sample| {
                let mut paths = self.index.find(sample);
                paths.truncate(most);
                paths
            })
            .collect();
        if let Some(lost) = index::lost_images(samples, &paths) {
            notice!("{}: {lost}", self.index.origin.display());
        }
        let mut files: Vec<&PathBuf> = paths.iter().flatten().collect();
        files.sort();
        files.dedup();
        let views_of = |path: &PathBuf| {
            let path = path.clone();
            (0..=views).map(move |view| (path.clone(), view))
        };
        let mut fresh: Vec<(PathBuf, usize)> = files.into_iter().flat_map(views_of).collect();
        fresh.retain(|key| !self.seen.contains_key(key));
        let (started, mut last) = (Instant::now(), Instant::now());
        for (done, (path, view)) in fresh.iter().enumerate() {
            let encoded = self.encode_image(path, *view)?;
            self.seen.insert((path.clone(), *view), encoded);
            if last.elapsed() >= INTERVAL {
                last = Instant::now();
                let pace = (done + 1) as f64 / started.elapsed().as_secs_f64();
                notice!("images {}/{}  {pace:.1} a second", done + 1, fresh.len());
            }
        }
        let encoded_images: Vec<Vec<EncodedImage>> = paths
            .iter()
            .map(|paths| {
                let keys = paths.iter().flat_map(views_of);
                let seen = keys.filter_map(|key| self.seen.get(&key));
                seen.flatten().cloned().collect()
            })
            .collect();
        match encoded_images.iter().all(Vec::is_empty) {
            true => Err(self.nothing(samples.len())),
            false => Ok(encoded_images),
        }
    }

    /// The error where none of so many tweets has an image.
    pub fn nothing(&self, tweets: usize) -> CorpusImagesError {
        CorpusImagesError::Nothing {
            path: self.index.origin.clone(),
            tweets,
        }
    }

    fn encode_image(
        &self,
        path: &Path,
        view: usize,
    ) -> Result<Option<EncodedImage>, CorpusImagesError> {
        let bytes = match read_image(path) {
            Ok(bytes) => bytes,
            Err(ReadError::This(error)) => {
                notice!("{}: {error}", path.display());
                return Ok(None);
            }
            Err(ReadError::Disk(cause)) => {
                return Err(CorpusImagesError::Io {
                    path: path.to_owned(),
                    cause,
                });
            }
        };
        // What the cache knows a view by.
        let mut key = Cow::Borrowed(&bytes);
        if view > 0 {
            key.to_mut().extend(format!("view {view}").bytes());
        }
        let kept = match &self.cache {
            Some(cache) => cache.get(&key)?,
            None => None,
        };
        let mut image = None;
        if kept.is_none() || self.early.is_some() {
            match Image::decode(&bytes) {
                Ok(decoded) if view > 0 => {
                    let mut rng = SplitMix64((bytes.len() as u64) << 8 | view as u64);
                    image = Some(random_view(&decoded, &mut rng));
                }
                Ok(decoded) => image = Some(decoded),
                Err(error) => {
                    notice!("{}: {error}", path.display());
                    return Ok(None);
                }
            }
        }
        let features: ImageFeatures = match (kept, &image) {
            (None, Some(image)) => {
                let features = pollster::block_on(self.vision.encode_image(image))?;
                if let Some(cache) = &self.cache {
                    cache.put(&key, &features)?;
                }
                features
            }
            (Some(features), _) => features,
            (None, None) => return Ok(None),
        };
        let encoded = EncodedImage::new(Arc::new(features), self.tokenizer)?;
        Ok(Some(match (self.early, &image) {
            (Some(stages), Some(image)) => {
                let early = stages.early(image)?;
                encoded.with_early(Arc::new(early))
            }
            _ => encoded,
        }))
    }
}

/// Why a file was not read.
enum ReadError {
    /// This file is no image that could be read.
    This(String),
    /// The next one will not be read either.
    Disk(std::io::Error),
}

fn read_image(path: &Path) -> Result<Vec<u8>, ReadError> {
    use std::io::ErrorKind as Kind;
    let other = |cause: std::io::Error| match cause.kind() {
        Kind::NotFound | Kind::PermissionDenied | Kind::IsADirectory | Kind::NotADirectory => {
            ReadError::This(cause.to_string())
        }
        _ => ReadError::Disk(cause),
    };
    let size = fs::metadata(path).map_err(other)?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Limits::default()
        .check_file(size)
        .map_err(|error| ReadError::This(error.to_string()))?;
    fs::read(path).map_err(other)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::tweet::tiny::tokenizer;
    use crate::vision::tiny::vision_encoder;
    use burn::tensor::Device;

    #[test]
    fn views_follow_their_image_and_are_kept_apart() {
        let vision = vision_encoder(&Device::flex()).unwrap();
        let tokenizer = tokenizer().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rgb = (0..40 * 30 * 3).map(|i| (i * i % 251) as u8).collect();
        let image = image::RgbImage::from_raw(40, 30, rgb).unwrap();
        image.save(folder.path().join("a.png")).unwrap();
        let samples = ["a", "a", "b"].map(|id| Sample {
            id: Some(id.to_owned()),
            ..Sample::default()
        });
        let cache = folder.path().join("cache");
        let seen = |views| {
            let index = ImageIndex::folder(folder.path()).unwrap();
            let images = CorpusImages::open(index, &vision, &tokenizer, Some(&cache));
            let found = images.unwrap().encoded_images(&samples, 1, views).unwrap();
            found
                .into_iter()
                .map(|images| images.into_iter().map(|image| image.features).collect())
                .collect::<Vec<Vec<_>>>()
        };
        let alone = seen(0);
        assert_eq!(alone.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 0]);
        let with_views = seen(2);
        assert_eq!(with_views[0], with_views[1]);
        let [whole, one, other] = &with_views[0][..] else {
            panic!("an image and two views of it");
        };
        assert_eq!(*whole, alone[0][0]);
        assert!(one != whole && other != whole && one != other);
        // From the cache.
        assert_eq!(seen(2), with_views);
    }
}
