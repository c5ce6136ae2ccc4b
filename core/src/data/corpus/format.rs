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
    /// `number<TAB>word<TAB>label` lines and blank lines, the words of a tweet counted from 1 or 0, as GermEval 2014 writes it. Of
    /// four columns the label is the third, where that is one in the first tweet (the fourth is then of names within names,
    /// and not read), else the last.
    Numbered,
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
            Self::Numbered => "the columns `number<TAB>word<TAB>label` with a word's number first",
            Self::Jsonl => "a JSON object",
        }
    }

    /// The format whose first line with content this could be.
    pub(super) fn detect(line: &str) -> Option<Self> {
        let columns = columns(line);
        let labelled = columns.last().is_some_and(|last| is_label(last));
        // A tweet may begin with a brace or be about image ids: `{"<TAB>O` is a word and its label.
        let data = labelled && matches!(columns.len(), 2 | 4);
        let object = line
            .strip_prefix('{')
            .is_some_and(|rest| matches!(rest.trim_start().chars().next(), None | Some('"' | '}')));
        match columns.len() {
            _ if line.starts_with("IMGID:") && !data => Some(Self::ImgId),
            _ if object && !data => Some(Self::Jsonl),
            2 => Some(Self::Conll2),
            4 => Some(Self::Conll4),
            _ => None,
        }
    }

    /// The place of the label, if the lines of a first tweet are numbered ones of this many columns.
    ///
    /// A tweet of one word may be about a number; then the type in its third column, known here or not, decides.
    pub(super) fn numbered(lines: &[&str], known: impl Fn(&str) -> bool) -> Option<usize> {
        let rows: Vec<Vec<&str>> = lines.iter().map(|line| columns(line)).collect();
        let width = rows.first()?.len();
        let start = rows.first()?.first()?.parse::<usize>().ok()?;
        let counts = |(i, row): (usize, &Vec<&str>)| {
            row.len() == width && row[0].len() < 7 && row[0].parse() == Ok(start + i)
        };
        let counted = rows
            .iter()
            .enumerate()
            .take_while(|&row| counts(row))
            .count();
        // A line that is not as the others is a fault of its own, once the format is known.
        let most = counted == rows.len() || (counted > 1 && 2 * counted > rows.len());
        let rows = &rows[..counted];
        // `1 - - O`: the words of a tweet may be numbers that count.
        let unused = |row: &Vec<&str>| matches!(row[1], "-" | "_");
        if !most || width < 3 || start > 1 || rows.iter().all(unused) {
            return None;
        }
        let all = |column: usize| rows.iter().all(|row| is_label(row[column]));
        match width {
            3 if all(2) => Some(2),
            4 if rows.len() == 1 => {
                let label = rows[0][2];
                (label == "O" || known(label)).then_some(2)
            }
            4 if all(2) => Some(2),
            4 if all(3) => Some(3),
            _ => None,
        }
    }
}

/// Whether a column looks like a label, of whatever types.
pub(super) fn is_label(column: &str) -> bool {
    column == "O"
        || ["B-", "I-"].iter().any(|prefix| {
            column
                .strip_prefix(prefix)
                .is_some_and(|kind| !kind.is_empty())
        })
}

/// Whether a line is a comment: `# sent_id = 3`, `# id x<TAB>domain=en`, `#begin document`. A line whose word is a lone `#` or a
/// hashtag is none.
pub(super) fn is_comment(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('#') else {
        return false;
    };
    let columns = columns(line);
    let data = columns.len() > 1 && columns.last().is_some_and(|last| is_label(last));
    let assigns = !line.contains('\t') && columns.len() > 2 && line.contains(" = ");
    assigns
        || (rest.starts_with(' ') && !data)
        || rest.starts_with("begin document")
        || rest == "end document"
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
            (r#"{"tokens" O"#, Some(Format::Conll2)),
            ("{\"\tB-PER", Some(Format::Conll2)),
            ("IMGID:7 O", Some(Format::Conll2)),
            ("IMGID: 7", Some(Format::ImgId)),
            ("RT", None),
            ("a b c", None),
        ] {
            assert_eq!(Format::detect(line), format, "{line:?}");
        }
    }
    #[test]
    fn comments_are_told_from_words() {
        for line in [
            "# sent_id = x",
            "# text = He lives in B-PER O",
            "# id 1f2\tdomain=en",
            "# newdoc",
            "#begin document (a); part 000",
            "#end document",
            "# text = O",
        ] {
            assert!(is_comment(line), "{line:?}");
        }
        for line in [
            "#\tO",
            "# O",
            "#",
            "#NBA\tB-ORG",
            "#NBA ORG",
            "# - - O",
            "a # b",
            "# B-PER",
        ] {
            assert!(!is_comment(line), "{line:?}");
        }
    }

    #[test]
    fn numbers_before_words_are_told_from_words() {
        let numbered = |text: &str| {
            let lines: Vec<&str> = text.lines().collect();
            Format::numbered(&lines, |label| label == "B-PER")
        };
        assert_eq!(numbered("1\tAngela\tB-PER\tO\n2\tlacht\tO\tO"), Some(2));
        assert_eq!(numbered("1\tAngela\tNNP\tB-PER\n2\tlacht\tVB\tO"), Some(3));
        assert_eq!(numbered("0 Angela B-PER\n1 lacht O"), Some(2));
        assert_eq!(numbered("1\tAngela\tB-PER\tO"), Some(2));
        assert_eq!(numbered("1 CD I-NP O"), None);
        assert_eq!(numbered("1 CD I-NP O\nst CD I-NP O"), None);
        assert_eq!(numbered("1 - - O\n2 - - O"), None);
    }
}
