//! The graphemes of a text and what each is to the splitter's rules.

use crate::tweet::reading::{enclosed, is_blank, is_image};
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// The graphemes of what is read. White space is one by itself, also where a character joins it: a
/// sign of Arabic numbers the space after it, a skin colour the one before. A combining mark is part
/// of the one before, also where Unicode's rules let it stand alone.
pub(super) fn clusters(text: &str) -> Vec<Cluster<'_>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, grapheme) in text.grapheme_indices(true) {
        let end = start + grapheme.len();
        if grapheme.len() > 1 && grapheme != "\r\n" && grapheme.contains(is_blank) {
            let mut at = start;
            for (offset, blank) in grapheme.match_indices(is_blank) {
                let blank = start + offset..start + offset + blank.len();
                if at < blank.start {
                    ranges.push(at..blank.start);
                }
                at = blank.end;
                ranges.push(blank);
            }
            if at < end {
                ranges.push(at..end);
            }
            continue;
        }
        match ranges.last_mut() {
            Some(before)
                if !grapheme.is_ascii()
                    && grapheme.starts_with(is_combining_mark)
                    && !text[before.clone()].ends_with(is_blank) =>
            {
                before.end = end;
            }
            _ => ranges.push(start..end),
        }
    }
    ranges
        .into_iter()
        .map(|range| Cluster::new(&text[range]))
        .collect()
}

/// What a grapheme is to the rules above.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    /// A letter or `_`.
    Letter,
    Digit,
    /// A letter of a script written without spaces.
    Unspaced,
    Other,
}

pub(super) struct Cluster<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind,
}

impl<'a> Cluster<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            kind: kind(text),
        }
    }

    /// Whether it can be inside a word of rule 6.
    pub(super) fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Letter | Kind::Digit)
    }
}

fn kind(cluster: &str) -> Kind {
    let Some(first) = cluster.chars().next() else {
        return Kind::Space;
    };
    if first.is_ascii() && cluster.len() == 1 {
        return match first {
            c if is_blank(c) => Kind::Space,
            c if c.is_ascii_digit() => Kind::Digit,
            'a'..='z' | 'A'..='Z' | '_' => Kind::Letter,
            _ => Kind::Other,
        };
    }
    if is_image(cluster) {
        Kind::Other
    } else if cluster.chars().all(is_blank) {
        Kind::Space
    } else if is_unspaced(first) {
        Kind::Unspaced
    } else if first.is_numeric() {
        Kind::Digit
    } else if first.is_alphabetic() || first == '_' || enclosed(first).is_some() {
        Kind::Letter
    } else {
        Kind::Other
    }
}

/// Letters of Han, Kana, Thai, Lao, Khmer and Burmese.
fn is_unspaced(c: char) -> bool {
    c.is_alphanumeric()
        && matches!(c as u32,
            0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3005..=0x3007 | 0x3021..=0x30FF
            | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
            | 0xFF66..=0xFF9F | 0x1AFF0..=0x1B16F | 0x20000..=0x3FFFF)
}
