//! The file formats, and how to tell them apart.

use serde::{Deserialize, Serialize};

/// How a corpus file is written.
///
/// Columns are separated by tabs, or by spaces in a line without a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A line `IMGID:<id>`, then `word<TAB>label` lines, then a blank line: the form in which UMT
    /// (Yu et al. 2020) distributes Twitter-2015 and Twitter-2017.
    ImgId,
    /// `word<TAB>label` lines and blank lines: Broad Twitter Corpus, WNUT-17.
    Conll2,
    /// `word - - label` lines and blank lines, as CoNLL-2003 and Tweebank-NER write it.
    Conll4,
    /// One object `{"tokens": [..], "labels": [..], "image": "..", "id": ".."}` a line, the last two
    /// optional.
    Jsonl,
}

impl Format {
    /// What a line looks like, for messages.
    pub(super) fn line(self) -> &'static str {
        match self {
            Self::ImgId => "`IMGID:<id>` or the two columns `word<TAB>label`",
            Self::Conll2 => "the two columns `word<TAB>label`",
            Self::Conll4 => "the four columns `word - - label`",
            Self::Jsonl => "a JSON object",
        }
    }

    /// The format whose first line with content this could be.
    pub(super) fn detect(line: &str) -> Option<Self> {
        // A tweet may begin with a brace: `{<TAB>O` is a word and its label.
        let object = line
            .strip_prefix('{')
            .is_some_and(|rest| matches!(rest.trim_start().chars().next(), None | Some('"' | '}')));
        match columns(line).len() {
            _ if line.starts_with("IMGID:") => Some(Self::ImgId),
            _ if object => Some(Self::Jsonl),
            2 => Some(Self::Conll2),
            4 => Some(Self::Conll4),
            _ => None,
        }
    }
}

/// The columns of a line.
pub(super) fn columns(line: &str) -> Vec<&str> {
    if line.contains('\t') {
        line.split('\t')
            .map(|field| field.trim_matches(' '))
            .collect()
    } else {
        line.split(' ').filter(|field| !field.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_shows_the_format() {
        for (line, format) in [
            ("IMGID:17_06_12483", Some(Format::ImgId)),
            ("RT\tO", Some(Format::Conll2)),
            ("RT O", Some(Format::Conll2)),
            ("{\tO", Some(Format::Conll2)),
            ("ke s\tO", Some(Format::Conll2)),
            ("\u{a0}\tO", Some(Format::Conll2)),
            ("RT\t-\t-\tO", Some(Format::Conll4)),
            ("EU NNP I-NP B-ORG", Some(Format::Conll4)),
            (
                r#"{"tokens": ["a b"], "labels": ["O"]}"#,
                Some(Format::Jsonl),
            ),
            (r#"{ "tokens": []"#, Some(Format::Jsonl)),
            ("RT", None),
            ("a b c", None),
        ] {
            assert_eq!(Format::detect(line), format, "{line:?}");
        }
    }
}
