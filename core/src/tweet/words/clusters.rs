//! The graphemes of a text and what each is to the splitter's rules.

use crate::tweet::reading::{Reading, Unseen, enclosed, has_image, is_blank, is_image};
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// The graphemes of what is read. White space is one by itself, also where a character joins it: a
/// sign of Arabic numbers the space after it, a skin colour the one before. So is a skin colour behind what is no image, a
/// sign of numbers before what is no digit, as a letter of a name has neither, and a half of a flag behind a mark nobody sees. A
/// combining mark is part of the one before, also where Unicode's rules let it stand alone.
pub(super) fn clusters<'a>(reading: &'a Reading) -> Vec<Cluster<'a>> {
    let text: &str = &reading.text;
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut chars = 0;
    for (start, grapheme) in text.grapheme_indices(true) {
        let mut from = 0;
        for at in parts(grapheme, |at| reading.unseen(chars + at)) {
            add(text, &mut ranges, start + from..start + at);
            from = at;
        }
        add(text, &mut ranges, start + from..start + grapheme.len());
        chars += grapheme.chars().count();
    }
    let mut clusters = Vec::with_capacity(ranges.len());
    let mut chars = 0;
    for range in ranges {
        let own = &text[range];
        clusters.push(Cluster::new(own, reading.unseen(chars)));
        chars += own.chars().count();
    }
    set_ahead(text, &mut clusters);
    clusters
}

/// Tells each grapheme how far a link may go that begins with it.
fn set_ahead<'a>(text: &'a str, clusters: &mut [Cluster<'a>]) {
    let mut byte = text.len();
    let mut stop = (clusters.len(), text.len());
    for (at, cluster) in clusters.iter_mut().enumerate().rev() {
        byte -= cluster.text.len();
        cluster.stop = stop.0;
        cluster.ahead = &text[byte..stop.1];
        if cluster.unseen != Unseen::Nothing {
            stop = (at, byte);
        }
    }
}

/// What may be part of a link, an address or a user name that begins at `at`, with what stands before: up to where there is
/// a mark nobody sees.
pub(super) fn unbroken<'c, 'a>(clusters: &'c [Cluster<'a>], at: usize) -> &'c [Cluster<'a>] {
    match clusters.get(at) {
        Some(cluster) => &clusters[..cluster.stop],
        None => clusters,
    }
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
fn parts(grapheme: &str, unseen: impl Fn(usize) -> Unseen) -> Vec<usize> {
    // Most are of one character.
    if grapheme.chars().nth(1).is_none() || grapheme == "\r\n" {
        return Vec::new();
    }
    let image = is_image(grapheme);
    let mut cuts = Vec::new();
    let mut before = None;
    // Whether the part begins with what a skin colour belongs to.
    let mut coloured = false;
    for (nth, (at, c)) in grapheme.char_indices().enumerate() {
        let cut = before.is_some_and(|before| {
            is_blank(before)
                || is_blank(c)
                || (is_number_sign(before) && !c.is_numeric())
                || (is_skin_colour(c) && !coloured)
                || (is_flag_half(c) && unseen(nth) != Unseen::Nothing)
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

/// The letters of which two make a flag.
fn is_flag_half(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
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
    /// What nobody sees before it.
    pub(super) unseen: Unseen,
    /// The first behind it with something nobody sees before it, or their number.
    stop: usize,
    /// What is read from it to there.
    pub(super) ahead: &'a str,
}

impl<'a> Cluster<'a> {
    fn new(text: &'a str, unseen: Unseen) -> Self {
        Self {
            text,
            kind: kind(text),
            unseen,
            stop: 0,
            ahead: text,
        }
    }

    /// Whether it can be inside a word of rule 6.
    pub(super) fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Letter | Kind::Digit)
    }

    /// Whether it is an ASCII letter or digit, with marks on it or without.
    pub(super) fn is_ascii_based(&self) -> bool {
        self.is_word() && self.text.starts_with(|c: char| c.is_ascii_alphanumeric())
    }

    /// Whether it is such with marks on it.
    pub(super) fn is_marked(&self) -> bool {
        self.is_ascii_based() && self.text.len() > 1
    }

    /// Whether it is a dot between the words of a hashtag.
    pub(super) fn joins_tag(&self) -> bool {
        is_tag_dot(self.text)
    }

    /// Whether it is inside a word of rule 6 only between others.
    pub(super) fn joins(&self) -> bool {
        self.text == "_" || self.is_letter_mark()
    }

    /// Whether it is a mark that Unicode takes for a letter.
    pub(super) fn is_letter_mark(&self) -> bool {
        self.text.starts_with(is_letter_mark)
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
    } else if first == 'ℹ' {
        // A sign, though Unicode has it among letters.
        Kind::Other
    } else if first.is_alphabetic() || first == '_' || enclosed(first).is_some() {
        Kind::Letter
    } else {
        Kind::Other
    }
}

/// Whether it is a dot that Twitter has in hashtags.
pub(crate) fn is_tag_dot(text: &str) -> bool {
    matches!(text, "·" | "・")
}

/// How many graphemes at the start of these fit, and are of one part of a link: a mark on an ASCII letter ends it behind that.
pub(super) fn run_length(clusters: &[Cluster], fits: impl Fn(&Cluster) -> bool) -> usize {
    let length = clusters.iter().take_while(|c| fits(c)).count();
    let marked = clusters[..length].iter().position(Cluster::is_marked);
    marked.map_or(length, |marked| marked + 1)
}

/// Marks that Unicode takes for letters: apostrophes, quotes, signs of stress, length and tone. Inside a word they may be a letter,
/// `Hawaiʻi`; at its edge people write them as the marks they look like.
pub(crate) fn is_letter_mark(c: char) -> bool {
    matches!(c as u32, 0x2B9..=0x2D1 | 0x2EC | 0x2EE | 0x7F4..=0x7F5 | 0xA78B..=0xA78C)
}

/// Letters of Han, Kana, Thai, Lao, Khmer and Burmese.
fn is_unspaced(c: char) -> bool {
    c.is_alphanumeric()
        && matches!(c as u32,
            0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3005..=0x3007 | 0x3021..=0x30FF
            | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
            | 0xFF66..=0xFF9F | 0x1AFF0..=0x1B16F | 0x20000..=0x3FFFF)
}
