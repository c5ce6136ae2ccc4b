//! Where an entity may begin and end among the words of a text.
//!
//! 1. Nothing is found inside a link or an address.
//! 2. No entity reaches out of a user name or hashtag, or into one; its sigil is outside.
//! 3. No entity begins or ends with a word without letters and digits, a mark or an emoji. `&lt` and its like are marks. None ends
//!    before an apostrophe behind the first letter or two of a word: `Joan d'Arc`.
//! 4. The dot of an abbreviation belongs to the entity that ends with it: `U.S.`, `L.A.`, `King Jr.`
//!    The Broad Twitter Corpus, WNUT-17 and Tweebank do so, and English; the benchmarks, which cut
//!    such a dot off, label it `O`. More dots may follow (`King Jr...`). Initials are all of a name or none. Every other dot after an entity ends the sentence and not the name.
//! 5. A suffix behind a comma belongs to the name before it: `King, Jr.`, `Acme, Inc.` Of firms the corpora label it so with the
//!    comma, 3 in 3; of persons Twitter-2015 labels `Jr` and not the comma, 2 in 2, Twitter-2017 neither, 1 in 1.

use crate::tweet::reading::{Reading, Unseen, enclosed, fold, is_image};
use crate::tweet::words::abbreviations::{is_among, is_short};
use crate::tweet::words::clusters::{is_letter_mark, is_tag_dot};
use crate::tweet::words::links::is_link;
use crate::tweet::words::{ESCAPES, Sigils, Word, read_words};
use std::borrow::Cow;

/// What the labels of one word may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Whether an entity may begin with it.
    pub begins: bool,
    /// Whether it may continue the entity of the word before.
    pub continues: bool,
    /// Whether an entity may end with it.
    pub ends: bool,
    /// Whether it has no label of its own: it is part of the entity that the word before ends, or
    /// of none.
    pub follows: bool,
}

impl Bound {
    /// Anything may be.
    pub const FREE: Self = Self {
        begins: true,
        continues: true,
        ends: true,
        follows: false,
    };

    /// Part of what the word before ends.
    const FOLLOWS: Self = Self {
        follows: true,
        ..Self::OUTSIDE
    };

    /// Outside of entities.
    const OUTSIDE: Self = Self {
        begins: false,
        continues: false,
        ends: false,
        follows: false,
    };
}

/// What a word is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Nothing but the text.
    Text,
    /// A user name, `@` included.
    UserName,
    /// A hashtag, `#` included.
    Hashtag,
}

/// The words of a text with what may be found in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What each word may be.
    pub words: Vec<Bound>,
    /// What each word is part of.
    pub parts: Vec<Part>,
}

impl Bounds {
    /// Bounds of the words that `text` was split into.
    pub fn new(text: &str, words: &[Word], sigils: Sigils) -> Self {
        let read = read_words(text, words);
        let folded: Vec<_> = read.iter().map(|word| fold(word)).collect();
        // What stands between a word and the one before, and whether that is nothing, or nothing that is read.
        let between: Vec<Reading> = (0..words.len())
            .map(|at| {
                at.checked_sub(1)
                    .map_or(0, |before| words[before].bytes.end)
            })
            .zip(words)
            .map(|(end, word)| Reading::new(&text[end..word.bytes.start]))
            .collect();
        let empty = |(at, between): (usize, &Reading)| at > 0 && between.text.is_empty();
        let close: Vec<bool> = between.iter().enumerate().map(empty).collect();
        let mut bounds: Vec<Bound> = read.iter().map(|word| alone(word)).collect();
        let mut parts = vec![Part::Text; words.len()];
        let mut at = 0;
        while at < words.len() {
            let part = match read[at].chars().next() {
                _ if is_image(&read[at]) => Part::Text,
                Some('@') => Part::UserName,
                Some('#') => Part::Hashtag,
                _ => Part::Text,
            };
            let bare = read[at].chars().count() == 1;
            let end = match part != Part::Text && bare && sigils == Sigils::Apart {
                true => tag_end(&read, &between, at, part),
                false => at + 1,
            };
            if part == Part::Text || is_link(&read[at]) || (bare && end == at + 1) {
                at += 1;
                continue;
            }
            parts[at..end].fill(part);
            if bare {
                bounds[at] = Bound::OUTSIDE;
            }
            for border in [at, at + usize::from(bare), end] {
                if let Some(bound) = bounds.get_mut(border) {
                    bound.continues = false;
                }
            }
            at = end;
        }
        for at in 1..words.len() {
            if within_initials(&folded, &close, at) {
                bounds[at - 1].ends = false;
                bounds[at + 1].begins = false;
            }
            if parts[at - 1] == Part::Text && within_word(&folded, &close, at) {
                bounds[at - 1].ends = false;
            }
            if close[at]
                && read[at] == "."
                && parts[at - 1] == Part::Text
                && abbreviates(&folded, &close, at)
            {
                bounds[at] = Bound::FOLLOWS;
            }
            if at > 1 && parts[at - 2] == Part::Text && ends_behind_comma(&folded, &close, at) {
                bounds[at - 1..=at].fill(Bound::FOLLOWS);
            }
        }
        Self {
            words: bounds,
            parts,
        }
    }
}

/// What a word may be whatever stands beside it.
fn alone(word: &str) -> Bound {
    if is_link(word) {
        return Bound::OUTSIDE;
    }
    let letter = |c: char| c.is_alphanumeric() && !is_letter_mark(c) || enclosed(c).is_some();
    let sign = word
        .strip_prefix('&')
        .is_some_and(|name| ESCAPES.contains(&name));
    let named = !is_image(word) && !sign && word.chars().any(letter);
    Bound {
        begins: named,
        ends: named,
        ..Bound::FREE
    }
}

/// The end of the user name or hashtag whose sigil is the word `at`. A mark nobody sees ends it, but for joiners and right behind
/// the sigil.
fn tag_end(read: &[Cow<'_, str>], between: &[Reading], at: usize, part: Part) -> usize {
    let glued = |end: usize| {
        let unbroken = |b: &Reading| end == at + 1 || b.unseen(0) <= Unseen::Joiner;
        between
            .get(end)
            .is_some_and(|b| b.text.is_empty() && unbroken(b))
    };
    let fits = |end: usize| glued(end) && of_tag(&read[end], part, end - at);
    let dot =
        |end: usize| part == Part::Hashtag && end > at + 1 && glued(end) && is_tag_dot(&read[end]);
    let mut end = at + 1;
    while fits(end) || (dot(end) && fits(end + 1)) {
        end += 1;
    }
    end
}

/// Whether a word continues a user name or hashtag, as its `nth` word after the sigil.
fn of_tag(word: &str, part: Part, nth: usize) -> bool {
    let first = word.chars().next();
    let letter = first.is_some_and(|c| c.is_alphanumeric() || c == '_') && !is_link(word);
    let name = nth == 1 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    letter && (part == Part::Hashtag || name)
}

/// States and provinces that are written short behind a place and a comma (`Norfolk, Va.`), and are words elsewhere. Given names,
/// which may be called by behind a comma too, are left out.
const STATES: [&str; 26] = [
    "Ala", "Ark", "Ga", "Ia", "Ill", "Ind", "Kan", "Kans", "Ky", "La", "Mass", "Md", "Mont", "Neb",
    "Nebr", "Nev", "Ont", "Ore", "Pa", "Penna", "Que", "Sask", "Va", "Vt", "Wash", "Wyo",
];

/// Whether at `at` is an apostrophe inside what is one word to its reader, `d'Arc`: behind a letter or two. A short form has its own,
/// and behind more, or behind initials, often stands what is no part of the name: `Obama'nın`, `UN'in`, `'Obama'said`.
fn within_word(read: &[Cow<'_, str>], close: &[bool], at: usize) -> bool {
    let short = |word: &str| match word.chars().count() {
        1 => true,
        2 => !word.chars().all(char::is_uppercase),
        _ => false,
    };
    matches!(&*read[at], "'" | "’" | "‘" | "´" | "`" | "′")
        && close[at]
        && close.get(at + 1) == Some(&true)
        && short(&read[at - 1])
        && read[at - 1].ends_with(char::is_alphabetic)
        && read[at + 1].starts_with(char::is_alphabetic)
        && !is_link(&read[at + 1])
}

/// Whether the dot `at` stands between two initials, of which a name has both or none.
fn within_initials(read: &[Cow<'_, str>], close: &[bool], at: usize) -> bool {
    let capital =
        |word: &str| word.starts_with(char::is_uppercase) && word.chars().all(char::is_alphabetic);
    read[at] == "."
        && close[at]
        && close.get(at + 1) == Some(&true)
        && capital(&read[at - 1])
        && read[at - 1].chars().count() <= 2
        && capital(&read[at + 1])
        && read[at + 1].chars().count() == 1
}

/// Whether the dot `at` ends an abbreviation: initials (`U.S.`, `L.A.`, `Ph.D.`), a word written short
/// (`Jr.`, `St.`), or one initial where the sentence goes on (`George W. said`).
fn abbreviates(read: &[Cow<'_, str>], close: &[bool], at: usize) -> bool {
    let word = &read[at - 1];
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let initial = letters == 1 && word.chars().all(char::is_alphabetic);
    if initial {
        let before = at >= 3
            && close[at - 1]
            && close[at - 2]
            && read[at - 2] == "."
            && read[at - 3].chars().all(char::is_alphabetic)
            && read[at - 3].chars().count() <= 2;
        let more = close.get(at + 1) == Some(&true)
            && read[at + 1].chars().all(char::is_alphabetic)
            && read[at + 1].chars().count() == 1
            && read.get(at + 2).is_some_and(|next| next == ".")
            && close[at + 2];
        let goes_on = word.chars().all(char::is_uppercase)
            && read
                .get(at + 1)
                .and_then(|next| next.chars().next())
                .is_some_and(|c| c == ',' || (c.is_lowercase() && !close[at + 1]));
        // Initials one by one: the dots between them are theirs too, but are words of the entity.
        return !more && (before || goes_on);
    }
    let behind_place =
        at >= 3 && read[at - 2] == "," && read[at - 3].starts_with(char::is_uppercase);
    is_short(word) || (behind_place && is_among(word, &STATES))
}

/// Whether the word `at` ends the name before the comma before it: `King, Jr.`, `Acme, Inc.`
fn ends_behind_comma(read: &[Cow<'_, str>], close: &[bool], at: usize) -> bool {
    /// Those that are no other words, and those that may be, unless a name follows them.
    const SUFFIXES: [&str; 8] = ["Jr", "Jnr", "Inc", "Ltd", "LLC", "LLP", "Plc", "GmbH"];
    const DOUBTFUL: [&str; 6] = ["Sr", "Snr", "Esq", "Corp", "III", "IV"];
    if read[at - 1] != "," || !close[at - 1] {
        return false;
    }
    let (name, word) = (&*read[at - 2], &*read[at]);
    let capital = |word: &str| word.starts_with(char::is_uppercase);
    // `Hey, JR Smith`: capitals alone are initials, unless the name is written so too.
    let loud = |word: &str| word.chars().all(|c| c.is_uppercase() || !c.is_alphabetic());
    let among = |suffixes: &[&str]| {
        suffixes.iter().any(|suffix| {
            let alike = word.eq_ignore_ascii_case(suffix) && capital(word);
            word == *suffix || (alike && (loud(name) || !loud(word)))
        })
    };
    let dotted = close.get(at + 1) == Some(&true) && read[at + 1] == ".";
    let next = read.get(at + 1 + usize::from(dotted));
    let named = next.is_some_and(|next| capital(next));
    capital(name)
        && name.chars().count() > 1
        && ((among(&SUFFIXES) && (dotted || !named)) || (among(&DOUBTFUL) && !named))
}

#[cfg(test)]
mod tests;
