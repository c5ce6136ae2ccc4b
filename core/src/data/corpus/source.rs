//! One corpus as a training configuration names it.

use crate::data::annotation_files;
use crate::data::corpus::{
    CorpusError, Format, LabelMap, Prefixes, Reader, Sample, annotated, iob1,
};
use crate::formats::annotations::mner::passed_over;
use crate::formats::annotations::{Scheme, TextFile, Unit};
use crate::label::{EntityType, Label};
use crate::notice;
use serde::{Deserialize, Serialize};
use std::fs;
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
    /// The scheme of its tags; found from them unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// What the offsets of its spans count, if not what its tool counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<Unit>,
    /// The names of tags that are numbers, in the order of the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What to do with annotated spans that are no words.
    #[serde(default, skip_serializing_if = "UnfitSpans::is_default")]
    pub unfit_spans: UnfitSpans,
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
    /// How many [views](crate::image::view) of each image count as images of its tweet too, one of all being drawn each time.
    #[serde(default, skip_serializing_if = "is_none")]
    pub image_views: usize,
}

/// What to do with annotated spans that cut a word, overlap another or are in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum UnfitSpans {
    /// Use nothing of the file, and name them
    #[default]
    Refuse,
    /// Leave them out, and name them
    Drop,
}

impl UnfitSpans {
    fn is_default(&self) -> bool {
        *self == Self::Refuse
    }
}

fn is_none(views: &usize) -> bool {
    *views == 0
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
            scheme: None,
            offsets: None,
            names: Vec::new(),
            unfit_spans: UnfitSpans::Refuse,
            labels: LabelMap::default(),
            prefixes: Prefixes::default(),
            mentions_outside: false,
            unlabelled: Vec::new(),
            image_decides: false,
            image_views: 0,
        }
    }

    /// Indices of the labels that a word left `O` may have all the same.
    pub fn open_labels(&self) -> Vec<usize> {
        let labels = |&kind: &EntityType| [Label::B(kind).index(), Label::I(kind).index()];
        self.unlabelled.iter().flat_map(labels).collect()
    }

    /// Reads the whole file, or of brat's the whole folder. Standard error says what was found out about it: another tool's
    /// format, and type names that are read by [the table](crate::formats::annotations::types).
    ///
    /// # Errors
    /// See [`CorpusError`]; a file without a single tweet is one.
    pub fn read(&self) -> Result<Vec<Sample>, CorpusError> {
        let io = |cause| CorpusError::Io {
            file: self.path.clone(),
            cause,
        };
        let in_lines = |format: Format| {
            use Format::{Conll2, Conll4, ImgId, Jsonl, Mner, Numbered};
            matches!(format, ImgId | Conll2 | Conll4 | Numbered | Jsonl | Mner)
        };
        let brat = match self.format {
            None => annotation_files::is_brat(&self.path),
            Some(format) => format == Format::Brat,
        };
        if brat {
            let files = annotation_files::load_brat(&self.path).map_err(io)?;
            return annotated::read(self, Format::Brat, &files);
        }
        if let Some(format) = self.format.filter(|format| !in_lines(*format)) {
            let file = annotation_files::load(&self.path).map_err(io)?;
            return annotated::read(self, format, &[file]);
        }
        let bytes = fs::read(&self.path).map_err(io)?;
        if self.format.is_some() {
            return self.read_lines(&bytes);
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return self.read_lines(error.as_bytes()),
        };
        let name = String::new();
        let files = [TextFile { name, text }];
        match Format::detect(&files).filter(|format| !in_lines(*format)) {
            Some(format) => annotated::read(self, format, &files),
            None => self.read_lines(files[0].text.as_bytes()),
        }
    }

    /// Reads what [`Reader`] reads.
    fn read_lines(&self, bytes: &[u8]) -> Result<Vec<Sample>, CorpusError> {
        let lines = Self {
            format: self.format.map(|format| match format {
                Format::Mner => Format::Jsonl,
                other => other,
            }),
            ..self.clone()
        };
        let mut reader = Reader::new(bytes, &lines);
        let mut samples = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
        if reader.passed_over > 0 {
            let said = passed_over(reader.passed_over);
            notice!("{}: {said}", self.path.display());
        }
        let types = reader.types.to_string();
        if !types.is_empty() {
            notice!("{}: {types}", self.path.display());
        }
        let is_iob1 = match self.scheme {
            Some(scheme) => scheme == Scheme::Iob1,
            None => iob1::looks_like(&samples),
        };
        if is_iob1 {
            iob1::begin(&mut samples);
        }
        Ok(samples)
    }
}
