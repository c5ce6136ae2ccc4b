//! The images of a corpus: which file belongs to which tweet, and what the networks see in it.

use crate::data::corpus::Sample;
use crate::data::feature_cache::{CacheError, FeatureCache};
use crate::image::Image;
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
        "none of the {tweets} tweets has a picture in {}; is it of other tweets?", path.display()
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

/// Image files by the id of their tweet.
#[derive(Clone, Debug)]
pub struct ImageIndex {
    origin: PathBuf,
    /// What a path in a record is relative to.
    folder: PathBuf,
    /// The best first.
    files: HashMap<String, Vec<PathBuf>>,
}

impl ImageIndex {
    /// No file by id: records name theirs, relative to `folder`.
    pub fn relative_to(folder: &Path) -> Self {
        Self {
            origin: folder.to_owned(),
            folder: folder.to_owned(),
            files: HashMap::new(),
        }
    }

    /// The files of a folder; the id is the file's name with or without its extension.
    ///
    /// # Errors
    /// [`CorpusImagesError::Io`] where the folder cannot be listed.
    pub fn folder(folder: &Path) -> Result<Self, CorpusImagesError> {
        let io = |cause| CorpusImagesError::Io {
            path: folder.to_owned(),
            cause,
        };
        let mut files = HashMap::new();
        for entry in fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            for name in [path.file_name(), path.file_stem()].into_iter().flatten() {
                files.insert(name.to_string_lossy().into_owned(), vec![path.clone()]);
            }
        }
        Ok(Self {
            origin: folder.to_owned(),
            folder: folder.to_owned(),
            files,
        })
    }

    /// A table of stand-ins, a line a tweet: `id<TAB>path|similarity<TAB>...`, the best first.
    /// Paths are relative to the table's folder.
    ///
    /// # Errors
    /// [`CorpusImagesError::Io`], [`CorpusImagesError::Line`].
    pub fn table(path: &Path) -> Result<Self, CorpusImagesError> {
        let text = fs::read_to_string(path).map_err(|cause| CorpusImagesError::Io {
            path: path.to_owned(),
            cause,
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut files = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let mut fields = line.split('\t');
            let id = fields.next().unwrap_or(line);
            let paths: Vec<PathBuf> = fields
                .map(|field| field.split('|').next().unwrap_or(field))
                .filter(|path| !path.is_empty())
                .map(|path| folder.join(path))
                .collect();
            if paths.is_empty() {
                return Err(CorpusImagesError::Line {
                    path: path.to_owned(),
                    line: number + 1,
                    found: line.to_owned(),
                });
            }
            files.insert(id.to_owned(), paths);
        }
        Ok(Self {
            origin: path.to_owned(),
            folder,
            files,
        })
    }

    /// The images a tweet may have, the best first: the path its record gives if there is such a
    /// file, else its id's.
    pub fn find(&self, sample: &Sample) -> Vec<PathBuf> {
        let given = sample.image.as_ref().map(|path| self.folder.join(path));
        match given.filter(|path| path.is_file()) {
            Some(path) => vec![path],
            None => {
                let files = sample.id.as_ref().and_then(|id| self.files.get(id));
                files.cloned().unwrap_or_default()
            }
        }
    }
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
                eprintln!("pictures {}/{}  {pace:.1} a second", done + 1, fresh.len());
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
        let bytes = fs::read(path).map_err(|cause| CorpusImagesError::Io {
            path: path.to_owned(),
            cause,
        })?;
        let kept = match &self.cache {
            Some(cache) => cache.get(&bytes)?,
            None => None,
        };
        let mut image = None;
        if kept.is_none() || self.early.is_some() {
            match Image::decode(&bytes) {
                Ok(decoded) => image = Some(decoded),
                Err(error) => {
                    eprintln!("{}: {error}", path.display());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(id: Option<&str>, image: Option<&str>) -> Sample {
        Sample {
            id: id.map(str::to_owned),
            image: image.map(str::to_owned),
            ..Sample::default()
        }
    }

    #[test]
    fn ids_and_records_lead_to_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("12.jpg"), b"").unwrap();
        fs::write(path("own.png"), b"").unwrap();
        let index = ImageIndex::folder(folder.path()).unwrap();
        assert_eq!(index.find(&sample(Some("12"), None)), [path("12.jpg")]);
        let both = sample(Some("12"), Some("own.png"));
        assert_eq!(index.find(&both), [path("own.png")]);
        let lost = sample(Some("12"), Some("lost.png"));
        assert_eq!(index.find(&lost), [path("12.jpg")]);
        assert!(index.find(&sample(Some("13"), None)).is_empty());
        assert!(index.find(&sample(None, None)).is_empty());

        let table = path("table.tsv");
        fs::write(&table, "7\ta/b.jpg|0.6\tc.jpg|0.5\n\n8\td.jpg\t\n").unwrap();
        let index = ImageIndex::table(&table).unwrap();
        let stand_ins = [path("a/b.jpg"), path("c.jpg")];
        assert_eq!(index.find(&sample(Some("7"), None)), stand_ins);
        assert_eq!(index.find(&sample(Some("8"), None)), [path("d.jpg")]);
        for line in ["9", "9\t"] {
            fs::write(&table, format!("7\ta.jpg\n{line}\n")).unwrap();
            let error = ImageIndex::table(&table).unwrap_err().to_string();
            assert!(error.contains("line 2") && error.contains("\"9"), "{error}");
        }
    }
}
