//! Lines of columns: what is a label, a comment, a number before a word.

use crate::formats::annotations::format::Format;
use crate::formats::annotations::tags::is_tag;
use serde::de::IgnoredAny;

/// Whether a line begins as an object or array does: `[CLS]`, `[@Obama#PER*]` and `{{name}}` are words. Python's ways to print them count.
pub fn begins_json(line: &str) -> bool {
    let next = |rest: &str| rest.trim_start().chars().next();
    match (line.strip_prefix('{'), line.strip_prefix('[')) {
        (Some(rest), _) => matches!(next(rest), None | Some('"' | '}' | '\'')),
        (_, Some(rest)) => matches!(next(rest), None | Some('"' | '{' | '[' | ']' | '\'' | '(')),
        _ => false,
    }
}

impl Format {
    /// The format of columns, or JSON objects, whose first line with content this could be.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let columns = columns(line);
        let labelled = columns.last().is_some_and(|last| is_tag(last));
        // A tweet may begin with a brace or be about image ids: `{"<TAB>O` is a word and its label.
        let json = || serde_json::from_str::<IgnoredAny>(line).is_ok();
        let data = labelled && matches!(columns.len(), 2 | 4) && !json();
        let object = line.starts_with('{') && begins_json(line);
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
    pub(crate) fn numbered(lines: &[&str], known: impl Fn(&str) -> bool) -> Option<usize> {
        let rows: Vec<Vec<&str>> = lines.iter().map(|line| columns(line)).collect();
        let width = rows.first()?.len();
        let rows = &rows[..counted(&rows)?];
        // `1 - - O`: the words of a tweet may be numbers that count.
        let unused = |row: &Vec<&str>| matches!(row[1], "-" | "_");
        if width < 3 || rows.iter().all(unused) {
            return None;
        }
        let all = |column: usize| rows.iter().all(|row| is_tag(row[column]));
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

/// The number in a first column that counts words, and what stands before it: `1`, `1.`, and `3-1` for the first word of sentence 3.
pub(crate) fn number(field: &str) -> Option<(&str, usize)> {
    const MARKS: [char; 4] = ['-', '.', '_', ':'];
    const LONGEST: usize = 6;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let field = field.strip_suffix(['.', ')', ':']).unwrap_or(field);
    let (before, number) = field.rsplit_once(MARKS).unwrap_or(("", field));
    // `-1` is a word.
    let known = digits(before) && digits(number) && !field.starts_with(MARKS);
    (known && number.len() <= LONGEST).then_some((before, number.parse().ok()?))
}

/// How many lines of a first tweet are counted from 0 or 1 in their first column; `None` unless most are.
///
/// A line that is not as the others is a fault of its own, once the format is known.
fn counted(rows: &[Vec<&str>]) -> Option<usize> {
    let width = rows.first()?.len();
    let (before, start) = number(rows.first()?.first()?)?;
    let counts = |(at, row): &(usize, &Vec<&str>)| {
        row.len() == width && number(row[0]) == Some((before, start + at))
    };
    let counted = rows.iter().enumerate().take_while(counts).count();
    let most = counted == rows.len() || (counted > 1 && 2 * counted > rows.len());
    (most && start <= 1).then_some(counted)
}

/// Whether the first column of a first tweet's lines counts its words.
#[cfg(feature = "train")]
pub(crate) fn counts_words(lines: &[&str]) -> bool {
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| columns(line)).collect();
    counted(&rows).is_some()
}

/// Whether the lines of a first tweet have the number of the sentence before that of the word, a word, and a tag last.
pub(crate) fn counts_sentences(lines: &[&str]) -> bool {
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| columns(line)).collect();
    let Some([sentence, _, _, ..]) = rows.first().map(Vec::as_slice) else {
        return false;
    };
    let own: Vec<&Vec<&str>> = rows.iter().take_while(|row| row[0] == *sentence).collect();
    let behind: Vec<Vec<&str>> = own.iter().map(|row| row[1..].to_vec()).collect();
    let labelled = own
        .iter()
        .all(|row| row.last().is_some_and(|last| is_tag(last)));
    // `7 1 - O`: the words of a tweet may be numbers.
    let unused = own
        .iter()
        .all(|row| matches!(row.get(2), Some(&("-" | "_"))));
    let numbers = number(sentence).is_some() && counted(&behind).is_some();
    numbers && rows[0].len() > 3 && labelled && !unused
}

/// Whether a line is a comment: `# sent_id = 3`, `# id x<TAB>domain=en`, `#begin document`, `#<TAB>http://source [2009-10-17]` as
/// in GermEval 2014. A line whose word is a lone `#` or a hashtag is none.
pub(crate) fn is_comment(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('#') else {
        return false;
    };
    let columns = columns(line);
    let data = columns.len() > 1 && columns.last().is_some_and(|last| is_tag(last));
    let names = |field: &&str| field.contains([' ', ':']);
    let source = rest.starts_with('\t') && columns.len() == 2 && names(&columns[1]) && !data;
    let assigns = !line.contains('\t') && columns.len() > 2 && line.contains(" = ");
    assigns
        || source
        || (rest.starts_with(' ') && !data)
        || rest.starts_with("begin document")
        || rest == "end document"
}

/// What follows `IMGID:` in a line that begins a tweet. `IMGID:<TAB>O` is a word and its label.
pub(crate) fn image_id(line: &str) -> Option<&str> {
    let id = line.strip_prefix("IMGID:")?;
    let word = matches!(columns(line).as_slice(), [_, label] if is_tag(label));
    (!word).then(|| id.trim_matches([' ', '\t']))
}

/// Whether the columns of a line are a document's start in CoNLL-2003, `-DOCSTART-` alone or with two columns and more behind it.
pub(crate) fn starts_document(columns: &[&str]) -> bool {
    matches!(columns, ["-DOCSTART-"] | ["-DOCSTART-", .., _, _])
}

/// The word and the tag of a line in a format of columns; `None` if it has other columns. `tag`: the tag's place in a numbered line.
pub(crate) fn word_and_tag<'a>(
    columns: &[&'a str],
    format: Format,
    tag: usize,
) -> Option<(&'a str, &'a str)> {
    let (word, tag): (&str, &str) = match (columns, format) {
        ([word, tag], Format::ImgId | Format::Conll2) | ([word, _, _, tag], Format::Conll4) => {
            (word, tag)
        }
        ([first, word, ..], Format::Numbered) if columns.len() <= 4 && number(first).is_some() => {
            (word, columns.get(tag)?)
        }
        _ => return None,
    };
    // Blanks of other kinds, and of no width, that editors leave behind a label.
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}');
    Some((word, tag.trim_matches(blank)))
}

/// The columns of a line.
pub(crate) fn columns(line: &str) -> Vec<&str> {
    if line.contains('\t') {
        line.split('\t')
            .map(|field| field.trim_matches(' '))
            .collect()
    } else {
        line.split(' ').filter(|field| !field.is_empty()).collect()
    }
}

/// The beginning of a line, short enough for a message.
pub(crate) fn shorten(line: &str) -> String {
    const LIMIT: usize = 60;
    match line.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
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
            assert_eq!(Format::of_line(line), format, "{line:?}");
        }
    }

    #[test]
    fn blanks_behind_a_label_are_none_of_it() {
        for tag in ["B-PER\u{a0}", "B-PER\u{200B}", "\u{feff}B-PER"] {
            let found = word_and_tag(&["Obama", tag], Format::Conll2, 0);
            assert_eq!(found, Some(("Obama", "B-PER")));
        }
    }

    #[test]
    fn comments_are_told_from_words() {
        for line in [
            "# sent_id = x",
            "# text = He lives in B-PER O",
            "# id 1f2\tdomain=en",
            "#\thttp://de.wikipedia.org/wiki/X [2009-10-17]",
            "#\tn-tv.de vom 26.02.2005 [2005-02-26]",
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
        assert_eq!(numbered("1-1\tAngela\tB-PER\n1-2\tlacht\tO"), Some(2));
        assert_eq!(numbered("1.\tAngela\tB-PER\n2.\tlacht\tO"), Some(2));
        assert_eq!(numbered("0:0 Angela NNP B-PER\n0:1 lacht VB O"), Some(3));
        // A day, a score and a negative number are words.
        assert_eq!(numbered("17-06 CD O\n- CD O"), None);
        assert_eq!(numbered("1-0 beat O\n2-0 beat O"), None);
        assert_eq!(numbered("-1 is O\n-2 is O"), None);
        assert_eq!(numbered("1 CD I-NP O"), None);
        assert_eq!(numbered("1 CD I-NP O\nst CD I-NP O"), None);
        assert_eq!(numbered("1 - - O\n2 - - O"), None);
    }

    #[test]
    fn sentences_are_counted_where_words_are() {
        for (lines, counts) in [
            (["7\t1\tAngela\tB-PER", "7\t2\tlacht\tO"], true),
            (["7\t1\tAngela\tB-PER", "8\t1\tNein\tO"], true),
            (["7\t1\tAngela\tB-PER", "7\tO"], false),
            (["7\t1\t-\tO", "7\t2\t-\tO"], false),
            (["7\tO", "7\tO"], false),
        ] {
            assert_eq!(counts_sentences(&lines), counts, "{lines:?}");
        }
    }
}
