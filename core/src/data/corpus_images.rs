//! The images of a corpus, encoded.

pub mod index;

use crate::data::corpus::Sample;
use crate::data::corpus_images::index::ImageIndex;
use crate::data::feature_cache::{CacheError, FeatureCache};
use crate::image::Image;
use crate::image::decode::Limits;
use crate::notice;
use crate::systems::image_batch::{EarlyMap, EncodedImage};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::vision::ImageFeatures;
use crate::vision::encoder::{VisionEncoder, VisionError};
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
    /// None for a file that holds no image.
    seen: HashMap<PathBuf, Option<EncodedImage>>,
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

    /// The images each tweet may have, the best first and at most `most`. A file that holds no
    /// image is named on standard error and left out; long looking is reported there too.
    ///
    /// # Errors
    /// [`CorpusImagesError`], also where no tweet has an image at all.
    pub fn encoded_images(
        &mut self,
        samples: &[Sample],
        most: usize,
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
        let mut fresh: Vec<&PathBuf> = paths.iter().flatten().collect();
        fresh.sort();
        fresh.dedup();
        fresh.retain(|path| !self.seen.contains_key(*path));
        let (started, mut last) = (Instant::now(), Instant::now());
        for (done, path) in fresh.iter().enumerate() {
            let encoded = self.encode_image(path)?;
            self.seen.insert((*path).clone(), encoded);
            if last.elapsed() >= INTERVAL {
                last = Instant::now();
                let pace = (done + 1) as f64 / started.elapsed().as_secs_f64();
                notice!("images {}/{}  {pace:.1} a second", done + 1, fresh.len());
            }
        }
        let encoded_images: Vec<Vec<EncodedImage>> = paths
            .iter()
            .map(|paths| {
                let seen = paths.iter().filter_map(|path| self.seen.get(path));
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

    fn encode_image(&self, path: &Path) -> Result<Option<EncodedImage>, CorpusImagesError> {
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
        let kept = match &self.cache {
            Some(cache) => cache.get(&bytes)?,
            None => None,
        };
        let mut image = None;
        if kept.is_none() || self.early.is_some() {
            match Image::decode(&bytes) {
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
                    cache.put(&bytes, &features)?;
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
