//! The formats: what they are called and how they count.

use crate::formats::annotations::offsets::Unit;
use serde::{Deserialize, Serialize};

/// How annotated texts are written.
///
/// Columns are separated by tabs, or by spaces in a line without a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A line `IMGID:<id>`, then `word<TAB>label` lines, then a blank line: the form in which UMT
    /// (Yu et al. 2020) distributes Twitter-2015 and Twitter-2017
    #[serde(rename = "imgid")]
    #[cfg_attr(feature = "cli", value(name = "imgid"))]
    ImgId,
    /// `word<TAB>label` lines and blank lines: Broad Twitter Corpus, WNUT-17
    Conll2,
    /// `word - - label` lines and blank lines, as CoNLL-2003 and Tweebank-NER write it
    Conll4,
    /// `number<TAB>word<TAB>label` lines and blank lines, the words of a tweet counted from 1 or 0, as GermEval 2014 writes it. Of
    /// four columns the label is the third, where that is one in the first tweet (the fourth is then of names within names,
    /// and not read), else the last
    Numbered,
    /// One object `{"tokens": [..], "labels": [..], "image": "..", "id": ".."}` a line, the last two
    /// optional
    Jsonl,
    /// One object `{"text": "..", "entities": [{"type", "chars", ..}]}` a line, as `mner predict --json` writes it
    Mner,
    /// doccano: one object `{"text": "..", "label": [[start, end, type]]}` a line
    Doccano,
    /// Label Studio: a JSON array of tasks with annotations or predictions
    LabelStudio,
    /// Prodigy: one object `{"text": "..", "spans": [{"start", "end", "label"}]}` a line
    Prodigy,
    /// brat standoff: a `.txt` and an `.ann` file a document
    Brat,
    /// Hugging Face datasets: one object `{"tokens": [..], "ner_tags": [..]}` a line, tags as names or numbers
    Datasets,
    /// CoNLL-U, the tag in the column MISC (`NE=B-PER`)
    #[serde(rename = "conllu")]
    #[cfg_attr(feature = "cli", value(name = "conllu"))]
    ConllU,
    /// Universal NER: `number<TAB>word<TAB>tag<TAB>-<TAB>annotator` lines under CoNLL-U's comments
    UniversalNer,
    /// spaCy: a JSON array of `["..", {"entities": [[start, end, type]]}]`, or such, or
    /// `{"text", "entities"}`, a line
    Spacy,
}

impl Format {
    /// All of them, those of other tools last.
    pub const ALL: [Self; 14] = [
        Self::ImgId,
        Self::Conll2,
        Self::Conll4,
        Self::Numbered,
        Self::Jsonl,
        Self::Mner,
        Self::Doccano,
        Self::LabelStudio,
        Self::Prodigy,
        Self::Brat,
        Self::Datasets,
        Self::ConllU,
        Self::UniversalNer,
        Self::Spacy,
    ];

    /// Its name on the command line and in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImgId => "imgid",
            Self::Conll2 => "conll2",
            Self::Conll4 => "conll4",
            Self::Numbered => "numbered",
            Self::Jsonl => "jsonl",
            Self::Mner => "mner",
            Self::Doccano => "doccano",
            Self::LabelStudio => "label-studio",
            Self::Prodigy => "prodigy",
            Self::Brat => "brat",
            Self::Datasets => "datasets",
            Self::ConllU => "conllu",
            Self::UniversalNer => "universal-ner",
            Self::Spacy => "spacy",
        }
    }

    /// What a record of it looks like, for messages.
    pub fn shape(self) -> &'static str {
        match self {
            Self::ImgId => "`IMGID:<id>` or the two columns `word<TAB>label`",
            Self::Conll2 => "the two columns `word<TAB>label`",
            Self::Conll4 => "the four columns `word - - label`",
            Self::Numbered => "the columns `number<TAB>word<TAB>label` with a word's number first",
            Self::Jsonl => "a JSON object {\"tokens\": [..], \"labels\": [..]}",
            Self::Mner => "an object {\"text\": \"..\", \"entities\": [{\"type\", \"chars\"}]}",
            Self::Doccano => "an object {\"text\": \"..\", \"label\": [[start, end, type]]}",
            Self::LabelStudio => {
                "a task {\"data\": {\"text\"}, \"annotations\": [{\"result\": [..]}]}"
            }
            Self::Prodigy => {
                "an object {\"text\": \"..\", \"spans\": [{\"start\", \"end\", \"label\"}]}"
            }
            Self::Brat => "pairs of files, NAME.txt and NAME.ann",
            Self::Datasets => "an object {\"tokens\": [..], \"ner_tags\": [..]}",
            Self::ConllU => "the ten columns of CoNLL-U",
            Self::UniversalNer => "the columns `number<TAB>word<TAB>tag`",
            Self::Spacy => "[\"..\", {\"entities\": [[start, end, type]]}]",
        }
    }

    /// What its tool counts; `None` where a format has words in place of offsets.
    pub fn unit(self) -> Option<Unit> {
        match self {
            Self::Doccano => Some(Unit::Utf16),
            Self::Mner | Self::LabelStudio | Self::Prodigy | Self::Brat | Self::Spacy => {
                Some(Unit::Chars)
            }
            _ => None,
        }
    }

    /// What the offsets of a file of it count: what was asked for, else [what its tool counts](Self::unit).
    pub(super) fn counting(self, asked: Option<Unit>) -> Unit {
        asked.or(self.unit()).unwrap_or(Unit::Chars)
    }

    /// How the name of its file ends, with the dot; of brat's annotations `.ann`.
    pub fn ending(self) -> &'static str {
        match self {
            Self::ImgId | Self::Conll2 | Self::Conll4 | Self::Numbered => ".conll",
            Self::Jsonl | Self::Mner | Self::Doccano | Self::Prodigy | Self::Datasets => ".jsonl",
            Self::LabelStudio | Self::Spacy => ".json",
            Self::Brat => ".ann",
            Self::ConllU => ".conllu",
            Self::UniversalNer => ".iob2",
        }
    }
}
