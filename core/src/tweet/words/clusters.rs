//! The graphemes of a text and what each is to the splitter's rules.

use crate::tweet::reading::{enclosed, has_image, is_blank, is_image};
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// The graphemes of what is read. White space is one by itself, also where a character joins it: a
/// sign of Arabic numbers the space after it, a skin colour the one before. So is a skin colour behind what is no image, and a
/// sign of numbers before what is no digit: a letter of a name has neither. A combining mark is part
/// of the one before, also where Unicode's rules let it stand alone.
pub(super) fn clusters(text: &str) -> Vec<Cluster<'_>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, grapheme) in text.grapheme_indices(true) {
        let mut from = 0;
        for at in parts(grapheme) {
            add(text, &mut ranges, start + from..start + at);
            from = at;
        }
        add(text, &mut ranges, start + from..start + grapheme.len());
    }
    ranges
        .into_iter()
        .map(|range| Cluster::new(&text[range]))
        .collect()
}

/// Adds what stands in a range, or makes it part of the one before if it begins with a combining mark.
fn add(text: &str, ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    let own = &text[range.clone()];
    match ranges.last_mut() {
        Some(before)
            if !own.is_ascii()
                && own.starts_with(is_combining_mark)
                && !text[before.clone()].ends_with(is_blank) =>
        {
            before.end = range.end;
        }
        _ => ranges.push(range),
    }
}

/// Where a grapheme is cut: what is blank from what is not, and what only joins from a name.
fn parts(grapheme: &str) -> Vec<usize> {
    // Most are of one character.
    if grapheme.chars().nth(1).is_none() || grapheme == "\r\n" {
        return Vec::new();
    }
    let image = is_image(grapheme);
    let mut cuts = Vec::new();
    let mut before = None;
    // Whether the part begins with what a skin colour belongs to.
    let mut coloured = false;
    for (at, c) in grapheme.char_indices() {
        let cut = before.is_some_and(|before| {
            is_blank(before)
                || is_blank(c)
                || (is_number_sign(before) && !c.is_numeric())
                || (is_skin_colour(c) && !coloured)
        });
        if cut {
            cuts.push(at);
        }
        if cut || before.is_none() {
            coloured = image || has_image(c);
        }
        before = Some(c);
    }
    cuts
}

/// The colours of skin that an emoji takes.
pub(super) fn is_skin_colour(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

/// Signs that stand before a number and enclose it, which Unicode makes one grapheme with whatever follows
/// (Prepended_Concatenation_Mark).
pub(super) fn is_number_sign(c: char) -> bool {
    matches!(
        c,
        '\u{600}'..='\u{605}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{110BD}'
            | '\u{110CD}'
    )
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
