//! One corpus as a training configuration names it.

use crate::data::corpus::{CorpusError, Format, LabelMap, Prefixes, Reader, Sample};
use crate::label::{EntityType, Label};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// Which file to read, how, and how often its samples are used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file; also what errors name.
    pub path: PathBuf,
    /// How often each sample is used in an epoch, see [`crate::data::corpus::mixture`]; 1 unless given.
    #[serde(default = "once")]
    pub weight: f64,
    /// The format; found from the content unless given.
    #[serde(default)]
    pub format: Option<Format>,
    /// The corpus's own type names.
    #[serde(default)]
    pub labels: LabelMap,
    /// Whether mentions and hashtags are one word or two.
    #[serde(default)]
    pub prefixes: Prefixes,
    /// Labels every mention `O`, as Twitter-2015 does (4,097 of its 4,102 are).
    #[serde(default)]
    pub mentions_outside: bool,
    /// Types that the corpus does not label: whether a word it leaves `O` is of one of them is not
    /// known, and the loss does not ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlabelled: Vec<EntityType>,
    /// Its labels hold beside its images alone, as in tweets in which the image decides: images are neither left out
    /// nor exchanged while training.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub image_decides: bool,
}

fn once() -> f64 {
    1.0
}

impl Source {
    /// A file read as it is, each sample once.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            weight: once(),
            format: None,
            labels: LabelMap::default(),
            prefixes: Prefixes::default(),
            mentions_outside: false,
            unlabelled: Vec::new(),
            image_decides: false,
        }
    }

    /// Indices of the labels that a word left `O` may have all the same.
    pub fn open_labels(&self) -> Vec<usize> {
        let labels = |&kind: &EntityType| [Label::B(kind).index(), Label::I(kind).index()];
        self.unlabelled.iter().flat_map(labels).collect()
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// See [`CorpusError`]; a file without a single tweet is one.
    pub fn read(&self) -> Result<Vec<Sample>, CorpusError> {
        let file = File::open(&self.path).map_err(|cause| CorpusError::Io {
            file: self.path.clone(),
            cause,
        })?;
        Reader::new(BufReader::new(file), self).collect()
    }
}
