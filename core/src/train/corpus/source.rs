//! One corpus as a training configuration names it.

use super::{CorpusError, Format, LabelMap, Prefixes, Reader, Sample};
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
    /// How often each sample is used in an epoch, see [`super::mixture`]; 1 unless given.
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
        }
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
