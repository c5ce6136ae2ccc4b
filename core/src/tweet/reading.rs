//! A text as a person reads it: without the marks nobody sees, with character references as the
//! characters they mean; and where in the text each character of it stands.
//!
//! - Marks without a look of their own are left out: variation selectors, zero-width spaces and
//!   joiners, direction marks, embeddings and isolates, soft hyphens, word joiners, byte order marks,
//!   tag characters, control characters. What makes an emoji what it is stays: `❤️ 1️⃣ 👩‍🚀 🏴󠁧󠁢󠁳󠁣󠁴󠁿`.
//!   Where one stood is known, since Twitter ends links, user names and hashtags there.
//! - A combining mark that follows no character (at the start, after white space) is left out; so is one behind a sign that makes
//!   no letter, a line through `#` for example.
//! - `&#39;`, `&#x27;` and the names that HTML has for single characters count as the character they mean, escaped once or more
//!   often (`&amp;#39;`). So do numbers of signs and of Latin-1 without the `;`, `It&#39s`; letters of Latin-1,
//!   `Beyonc&eacute`, `Bj&oumlrk`, and `&nbsp`; `&lt`, `&gt`, `&amp` and `&quot` before a name, `&ltObama`; and its signs,
//!   `&copy`, `&laquo`, where they are no part of a word.
//! - The full-width form of an ASCII character counts as that: `Ｏ＇Ｎｅａｌ` is `O'Neal`; so do mathematical letters and digits: `𝐏!𝐧𝐤`.
//!   One right behind a link stays, and ends it: `nasa.gov/x，`.
//!
//! [`fold`] goes one step further, for what is looked up by its letters: the tokenizer's vocabulary,
//! tables of names, word shapes.

mod folding;
mod references;

pub(super) use folding::enclosed;
pub use folding::{fold, fold_words};

use crate::tweet::reading::references::{MOST_ESCAPES, reference};
use std::borrow::Cow;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text as it is read.
pub(super) struct Reading<'a> {
    /// What is read.
    pub text: Cow<'a, str>,
    /// Where each character of `text` comes from; none where `text` is the text given.
    origins: Option<Origins>,
}

/// Where characters come from.
#[derive(Default)]
struct Origins {
    /// The bytes of the text given that each stands for.
    sources: Vec<Range<usize>>,
    /// What nobody sees before each, and behind the last.
    unseen: Vec<Unseen>,
}

/// What nobody sees at a place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unseen {
    #[default]
    Nothing,
    /// Joiners, and marks on the character before: Twitter's hashtags go on behind them.
    Joiner,
    /// Any other mark.
    Mark,
}

impl Unseen {
    /// What a character is that is not read.
    fn of(c: char) -> Self {
        match matches!(c, '\u{200C}' | '\u{200D}') || is_combining_mark(c) {
            true => Self::Joiner,
            false => Self::Mark,
        }
    }
}

impl<'a> Reading<'a> {
    /// Reads a text. Linear in its length.
    pub fn new(text: &'a str) -> Self {
        let plain = |c: char| match c {
            ' '..='~' => c != '&',
            _ if plain_letter(c) != c => false,
            _ => is_blank(c) || !(is_unseen(c) || is_combining_mark(c)),
        };
        if text.chars().all(plain) {
            return Self::of_read(text);
        }
        let sources = text.char_indices().map(|(at, c)| at..at + c.len_utf8());
        let sources: Vec<_> = sources.collect();
        let unseen = vec![Unseen::Nothing; sources.len() + 1];
        let whole = Characters {
            text: text.to_owned(),
            origins: Origins { sources, unseen },
        };
        // A mark may stand inside a reference, and a reference may mean a mark.
        let mut read = whole.seen();
        // What references mean may make others, as deep as one wants: as often as they are escaped is enough.
        for _ in 0..=MOST_ESCAPES {
            let count = read.origins.sources.len();
            if !read.text.contains('&') {
                break;
            }
            read = read.resolved().seen();
            if read.origins.sources.len() == count {
                break;
            }
        }
        Self {
            text: Cow::Owned(read.text),
            origins: Some(read.origins),
        }
    }

    /// A text that has been read before.
    pub fn of_read(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            origins: None,
        }
    }

    /// What nobody sees before the character `at` of what is read; of as many as there are, behind the last.
    pub fn unseen(&self, at: usize) -> Unseen {
        let unseen = self.origins.as_ref().and_then(|o| o.unseen.get(at));
        unseen.copied().unwrap_or_default()
    }

    /// What is read, character by character, each with the bytes of the text given that it stands for.
    pub fn characters(&self) -> impl Iterator<Item = (char, Range<usize>)> {
        let chars = self.text.char_indices().enumerate();
        chars.map(|(at, (byte, c))| match &self.origins {
            Some(origins) => (c, origins.sources[at].clone()),
            None => (c, byte..byte + c.len_utf8()),
        })
    }

    /// Where in the text given a stretch of what is read stands, by its bytes and its characters.
    ///
    /// # Panics
    /// If the stretch is empty, or not of this text.
    pub fn source(&self, bytes: Range<usize>, chars: Range<usize>) -> Range<usize> {
        match &self.origins {
            Some(Origins { sources, .. }) => sources[chars.start].start..sources[chars.end - 1].end,
            None => bytes,
        }
    }
}

/// Characters with where they come from.
#[derive(Default)]
struct Characters {
    text: String,
    origins: Origins,
}

impl Characters {
    /// None yet, with room for as many as these.
    fn like(other: &Self) -> Self {
        let count = other.origins.sources.len();
        Self {
            text: String::with_capacity(other.text.len()),
            origins: Origins {
                sources: Vec::with_capacity(count),
                unseen: Vec::with_capacity(count + 1),
            },
        }
    }

    fn push(&mut self, c: char, source: Range<usize>, unseen: Unseen) {
        self.text.push(c);
        self.origins.sources.push(source);
        self.origins.unseen.push(unseen);
    }

    /// Without what nobody sees, and what is of full width or styled as any other.
    fn seen(self) -> Self {
        let mut seen = Self::like(&self);
        let mut last = None;
        // The last that is no mark on another.
        let mut base = None;
        let mut run = Run::default();
        let mut unseen = Unseen::Nothing;
        let mut before = self.origins.unseen.into_iter();
        let mut units = self.text.chars().zip(self.origins.sources).peekable();
        while let Some((c, source)) = units.next() {
            let next = units.peek().map(|&(c, _)| c);
            unseen = unseen.max(before.next().unwrap_or_default());
            let c = match run.ends_a_link(c) {
                true => c,
                false => plain_letter(c),
            };
            let decorated = !is_decoration(c) || is_decorated(base, last, c);
            if decorated && is_read(last, c, next) {
                seen.push(c, source, std::mem::take(&mut unseen));
                last = Some(c);
                base = if is_combining_mark(c) { base } else { last };
            } else {
                unseen = unseen.max(Unseen::of(c));
            }
        }
        let behind = unseen.max(before.next().unwrap_or_default());
        seen.origins.unseen.push(behind);
        seen
    }

    /// With references as what they mean.
    fn resolved(self) -> Self {
        let mut resolved = Self::like(&self);
        let Origins { sources, unseen } = &self.origins;
        let (mut byte, mut at) = (0, 0);
        while let Some(first) = self.text[byte..].chars().next() {
            // A reference is ASCII: as many characters as bytes.
            let (c, bytes, chars) = match reference(&self.text[byte..]) {
                Some((c, length)) => (c, length, length),
                None => (first, first.len_utf8(), 1),
            };
            let source = sources[at].start..sources[at + chars - 1].end;
            resolved.push(c, source, unseen[at]);
            byte += bytes;
            at += chars;
        }
        resolved.origins.unseen.push(unseen[at]);
        resolved
    }
}

/// What stands before a character since the last white space, as far as it says whether that is a link.
#[derive(Default)]
struct Run {
    /// Whether there was a letter or digit, then a dot or `://`, then a letter or digit, all of them ASCII.
    link: [bool; 3],
}

impl Run {
    /// Whether this character, the next, is one of full width or styled right behind a link in ASCII, which ends there: in texts
    /// without spaces nothing else is between the link and what follows.
    fn ends_a_link(&mut self, c: char) -> bool {
        let [before, dot, after] = self.link;
        let ends = after && plain_letter(c) != c;
        self.link = match c {
            _ if c.is_ascii_alphanumeric() => [true, dot, dot],
            '.' | ':' if before => [true, true, after],
            '!'..='~' => self.link,
            // Letters that a path may have: those of Latin and Cyrillic, as on Twitter.
            '\u{C0}'..='\u{24F}' | '\u{400}'..='\u{4FF}' if after => self.link,
            _ => [false; 3],
        };
        ends
    }
}

/// A word as it is read: without marks nobody sees, with character references as characters and ASCII
/// characters of full width or in mathematical letters as any others. Reading it again changes nothing.
pub fn read(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|b| b.is_ascii_graphic() && b != b'&') {
        return Cow::Borrowed(word);
    }
    Reading::new(word).text
}

/// The ASCII letter or digit of a mathematical one, [`half_width`] of any other.
fn plain_letter(c: char) -> char {
    let mathematical = matches!(c as u32, 0x2102..=0x2138 | 0x1D400..=0x1D7FF);
    if !(mathematical && c.is_alphanumeric()) {
        return half_width(c);
    }
    let mut plain = std::iter::once(c).nfkc();
    match (plain.next(), plain.next()) {
        (Some(plain), None) if plain.is_ascii_alphanumeric() => plain,
        _ => c,
    }
}

/// The ASCII character of one of full width; any other as it is.
fn half_width(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// Marks on letters of any kind that make no letter with them, in composed text: lines through them, circles around them, piles of
/// accents. The vowels of scripts that need them are others.
fn is_decoration(c: char) -> bool {
    matches!(c as u32,
        0x300..=0x36F | 0x483..=0x489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// Whether what is read is an emoji made of a letter, digit or sign: by a variation selector, or a digit or sign by a keycap.
pub(super) fn is_image(word: &str) -> bool {
    let keycap = || word.find('\u{20E3}').map(|at| &word[..at]);
    word.contains('\u{FE0F}')
        || keycap().is_some_and(|before| !before.contains(char::is_alphabetic))
}

/// White space, or a character that looks like it: Hangul fillers, the Braille blank, the place of an
/// object that is not there, and the control characters that separate fields.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{1C}'..='\u{1F}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FFFC}'
        )
}

/// Whether a character is read, between what was read before it and what follows it.
fn is_read(last: Option<char>, c: char, next: Option<char>) -> bool {
    match c {
        // A selector chooses between the text and the image of an emoji.
        '\u{FE0E}' | '\u{FE0F}' => {
            last.is_some_and(has_image)
                || last.is_some_and(|l| l.is_ascii_digit() || matches!(l, '#' | '*'))
                    && next == Some('\u{20E3}')
        }
        // A joiner joins two emoji.
        '\u{200D}' => {
            last.is_some_and(|l| has_image(l) || is_selector(l) || is_tag(l))
                && next.is_some_and(has_image)
        }
        // Tags make a flag of a black one.
        _ if is_tag(c) => last.is_some_and(|l| l == '\u{1F3F4}' || is_tag(l)),
        _ if is_blank(c) => true,
        _ if is_unseen(c) => false,
        _ if is_combining_mark(c) => last.is_some_and(|l| !is_blank(l)),
        _ => true,
    }
}

/// Whether a decoration is read behind `last`, where `base` has the marks: on letters and digits, and a keycap on signs that have
/// one. A `;` may end the reference to a letter.
fn is_decorated(base: Option<char>, last: Option<char>, decoration: char) -> bool {
    let sign = |last: char| is_selector(last) || matches!(last, '#' | '*');
    let keycap = decoration == '\u{20E3}' && last.is_some_and(sign);
    let letter = |base: char| base.is_alphanumeric() || enclosed(base).is_some() || base == ';';
    keycap || base.is_some_and(letter)
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// Unicode's Default_Ignorable_Code_Point, control characters, marks of annotations, and what is no character.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xFFFE == 0xFFFE
        || matches!(c as u32,
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF | 0xFDD0..=0xFDEF
            | 0xFFF0..=0xFFFB | 0x13430..=0x1343F | 0x16FE4 | 0x1BCA0..=0x1BCA3 | 0x1D159 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// Characters that may be shown as an image and are no digit.
pub(super) fn has_image(c: char) -> bool {
    matches!(
        c,
        '©' | '®'
            | '‼'
            | '⁉'
            | '™'
            | 'ℹ'
            | 'Ⓜ'
            | '🅰'
            | '🅱'
            | '🅾'
            | '🅿'
            | '〰'
            | '〽'
            | '㊗'
            | '㊙'
    ) || matches!(c as u32, 0x2190..=0x2BFF | 0x1F000..=0x1FBFF)
        && !c.is_alphanumeric()
        && !is_blank(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_nobody_sees_are_left_out_and_emoji_stay() {
        for (text, expected) in [
            ("Obama\u{FE0F}", "Obama"),
            ("O\u{200B}ba\u{AD}ma\u{2060}", "Obama"),
            (
                "\u{202A}\u{2066}Obama\u{2069}\u{202C}\u{200F}\u{61C}",
                "Obama",
            ),
            ("\u{FEFF}Oba\u{FEFF}ma\u{E0041}\u{E007F}\u{0}\u{8}", "Obama"),
            ("Oba\u{34F}ma\u{180E}\u{FE00}\u{E0100}", "Obama"),
            ("\u{301}Joe \u{301}Biden\n\u{FE0F}\u{20E3}", "Joe Biden\n"),
            ("Joe\u{200B} \u{200B}\u{301}Biden", "Joe Biden"),
            ("2\u{FE0F}024 a.\u{FE0E}b ’\u{FE0F}s", "2024 a.b ’s"),
            ("👩👩\u{200D} \u{200D}👩 a\u{200D}👩", "👩👩 👩 a👩"),
            ("می\u{200C}خواهم", "میخواهم"),
            (
                "Barack\u{FFFF} O\u{FDD0}ba\u{1FFFE}ma\u{1D159}\u{13430}",
                "Barack Obama",
            ),
            (
                "#\u{336}H\u{336}o\u{301} @\u{301}a ;\u{301} .\u{20DD}",
                "#H\u{336}o\u{301} @a ;\u{301} .",
            ),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        for emoji in [
            "1️⃣",
            "#️⃣",
            "*️⃣",
            "#⃣",
            "ℹ️",
            "©️",
            "™️",
            "❤️",
            "☀︎",
            "👩🏽‍🚀",
            "👨‍👩‍👧‍👦",
            "❤️‍🔥",
            "🏳️‍🌈",
            "🏴‍☠️",
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
            "🇺🇸",
            "⛹🏽‍♀️",
            "🅰️",
        ] {
            assert_eq!(read(emoji), emoji);
            assert_eq!(fold(emoji), emoji);
        }
    }

    #[test]
    fn ascii_of_full_width_is_ascii() {
        for (text, expected) in [
            ("Ｏ＇Ｎｅａｌ Ｊ．Ｋ． Ａ＄ＡＰ", "O'Neal J.K. A$AP"),
            ("＠ｎａｓａ ＃１ ＡＴ＆Ｔ ～！", "@nasa #1 AT&T ~!"),
            ("＆ａｍｐ； &#xFF06;amp; &#xFF21;", "& & A"),
            (
                "Ｎ\u{FE0F}ＡＳＡ 𝐎\u{FE0F}𝐛ama １\u{FE0F}２",
                "NASA Obama 12",
            ),
            ("東京、。「」ｶﾞ￥", "東京、。「」ｶﾞ￥"),
            (
                "𝐏!𝐧𝐤 𝗡*𝗘*𝗥*𝗗 𝐢𝐭'𝐬 𝟯𝑥 ℬ ℏ 𝛼 ²ªⓃ",
                "P!nk N*E*R*D it's 3x B ℏ 𝛼 ²ªⓃ",
            ),
            (
                "https://nasa.gov/x，Ｂ， nasa.gov？ a，b 3.5！ x．y",
                "https://nasa.gov/x，B, nasa.gov？ a,b 3.5！ x.y",
            ),
            (
                "https://t.co/x𝐎𝐛𝐚 nasa.govＯｂ",
                "https://t.co/x𝐎ba nasa.govＯb",
            ),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
            assert_eq!(read(&read(text)), expected);
        }
    }
}
