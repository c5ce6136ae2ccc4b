//! A text as a person reads it: without the marks nobody sees, with character references as the
//! characters they mean; and where in the text each character of it stands.
//!
//! - Marks without a look of their own are left out: variation selectors, zero-width spaces and
//!   joiners, direction marks, embeddings and isolates, soft hyphens, word joiners, byte order marks,
//!   tag characters, control characters. What makes an emoji what it is stays: `❤️ 1️⃣ 👩‍🚀 🏴󠁧󠁢󠁳󠁣󠁴󠁿`.
//! - A combining mark that follows no character (at the start, after white space) is left out.
//! - `&#39;`, `&#x27;` and the names of HTML 4 and of what HTML 5 names besides (letters, quotes, dashes,
//!   spaces, signs; not all of mathematics) count as the character they mean, escaped once or more often
//!   (`&amp;#39;`). So do letters of Latin-1 without the `;`, `Beyonc&eacute`, `Bj&oumlrk`, and `&nbsp`; `&lt`, `&gt`, `&amp`
//!   and `&quot` before a name, `&ltObama`; and `&copy` and `&reg` where they are no part of a word.
//! - The full-width form of an ASCII character counts as that: `Ｏ＇Ｎｅａｌ` is `O'Neal`; so do mathematical letters and digits: `𝐏!𝐧𝐤`.
//!   A mark of full width behind a link stays, and ends it: `nasa.gov/x，`.
//!
//! [`fold`] goes one step further, for what is looked up by its letters: the tokenizer's vocabulary,
//! tables of names, word shapes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text as it is read.
pub(super) struct Reading<'a> {
    /// What is read.
    pub text: Cow<'a, str>,
    /// The bytes of the text given that each character of `text` stands for; none where `text` is the
    /// text given.
    sources: Option<Vec<Range<usize>>>,
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
            return Self {
                text: Cow::Borrowed(text),
                sources: None,
            };
        }
        let sources = text.char_indices().map(|(at, c)| at..at + c.len_utf8());
        let whole = Characters {
            text: text.to_owned(),
            sources: sources.collect(),
        };
        // A mark may stand inside a reference, and a reference may mean a mark.
        let mut read = whole.seen();
        if read.text.contains('&') {
            read = read.resolved().seen();
        }
        Self {
            text: Cow::Owned(read.text),
            sources: Some(read.sources),
        }
    }

    /// What is read, character by character, each with the bytes of the text given that it stands for.
    pub fn characters(&self) -> impl Iterator<Item = (char, Range<usize>)> {
        let chars = self.text.char_indices().enumerate();
        chars.map(|(at, (byte, c))| match &self.sources {
            Some(sources) => (c, sources[at].clone()),
            None => (c, byte..byte + c.len_utf8()),
        })
    }

    /// Where in the text given a stretch of what is read stands, by its bytes and its characters.
    ///
    /// # Panics
    /// If the stretch is empty, or not of this text.
    pub fn source(&self, bytes: Range<usize>, chars: Range<usize>) -> Range<usize> {
        match &self.sources {
            Some(sources) => sources[chars.start].start..sources[chars.end - 1].end,
            None => bytes,
        }
    }
}

/// Characters with the bytes of a text that they stand for.
struct Characters {
    text: String,
    sources: Vec<Range<usize>>,
}

impl Characters {
    /// Without what nobody sees, and what is of full width or styled as any other.
    fn seen(self) -> Self {
        let mut seen = Self {
            text: String::with_capacity(self.text.len()),
            sources: Vec::with_capacity(self.sources.len()),
        };
        let mut last = None;
        let mut run = Run::default();
        let mut units = self.text.chars().zip(self.sources).peekable();
        while let Some((c, source)) = units.next() {
            let next = units.peek().map(|&(c, _)| c);
            let c = match run.ends_a_link(c) {
                true => c,
                false => plain_letter(c),
            };
            if is_read(last, c, next) {
                seen.text.push(c);
                seen.sources.push(source);
                last = Some(c);
            }
        }
        seen
    }

    /// With references as what they mean.
    fn resolved(self) -> Self {
        let mut resolved = Self {
            text: String::with_capacity(self.text.len()),
            sources: Vec::with_capacity(self.sources.len()),
        };
        let (mut byte, mut at) = (0, 0);
        while let Some(first) = self.text[byte..].chars().next() {
            // A reference is ASCII: as many characters as bytes.
            let (c, bytes, chars) = match reference(&self.text[byte..]) {
                Some((c, length)) => (c, length, length),
                None => (first, first.len_utf8(), 1),
            };
            resolved.text.push(c);
            let source = self.sources[at].start..self.sources[at + chars - 1].end;
            resolved.sources.push(source);
            byte += bytes;
            at += chars;
        }
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
    /// Whether this character, the next, is a mark of full width behind a link in ASCII, which ends there: in texts without spaces
    /// nothing else is between the link and what follows.
    fn ends_a_link(&mut self, c: char) -> bool {
        let [before, dot, after] = self.link;
        let ends = after && half_width(c) != c && !half_width(c).is_ascii_alphanumeric();
        self.link = match c {
            _ if c.is_ascii_alphanumeric() => [true, dot, dot],
            '.' | ':' if before => [true, true, after],
            '!'..='~' => self.link,
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

/// The words of a tweet as they are looked up: each [folded](fold), and underscores by themselves, `_` before and behind an
/// _emphasised_ word, are `*`, by which others emphasise. Models know a `_` as what Twitter-2015 cuts out of user names, `@ann _ lee`,
/// behind which nothing is a name: there it stays. So it does before an emphasised word right behind a user name, which looks alike.
pub fn fold_words<S: AsRef<str>>(words: &[S]) -> Vec<Cow<'_, str>> {
    let is_line = |word: &str| !word.is_empty() && word.bytes().all(|b| b == b'_');
    let mut of_user_name = false;
    let mut before = "";
    words
        .iter()
        .map(|word| {
            let (word, last) = (word.as_ref(), before);
            before = word;
            let goes_on = is_line(word) || is_line(last) && word.starts_with(char::is_alphanumeric);
            of_user_name = word.starts_with(['@', '＠']) || of_user_name && goes_on;
            match is_line(word) && !of_user_name {
                true => Cow::Borrowed("*"),
                false => fold(word),
            }
        })
        .collect()
}

/// A word as it is looked up: read, its characters composed (NFC), and styled letters and digits
/// (mathematical, full-width, circled, squared, superscript, small capitals, presentation forms, struck out, piled up with marks)
/// as plain ones; hyphens are one. Other marks, `…` and `™` for example, stay what they are, and so does case. What is nothing to
/// read stays.
pub fn fold(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|b| b.is_ascii_graphic() && b != b'&') {
        return Cow::Borrowed(word);
    }
    let read = read(word);
    if read.is_empty() {
        return Cow::Borrowed(word);
    }
    let mut folded = String::with_capacity(read.len());
    let mut chars = read.chars().peekable();
    while let Some(c) = chars.next() {
        // An emoji made of a letter.
        if chars.peek() == Some(&'\u{FE0F}') {
            folded.push(c);
        } else if let Some(plain) = enclosed(c).or(plain_mark(c)).or(small_capital(c)) {
            folded.push(plain);
        } else if is_styled(c) {
            folded.extend(c.nfkc());
        } else {
            folded.push(c);
        }
    }
    let image = is_image(&read);
    let folded: String = folded
        .nfc()
        .filter(|&c| image || !is_decoration(c))
        .collect();
    // Marks alone are what there is to read.
    if folded == word || folded.is_empty() {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(folded)
    }
}

/// A letter or digit whose compatibility form is letters and digits alone. Scripts whose everyday
/// letters have such forms (Thai, Lao, Tibetan, Korean jamo) are left as they are written.
fn is_styled(c: char) -> bool {
    let everyday = matches!(c as u32, 0..=0xA9 | 0xE00..=0xFFF | 0x1100..=0x11FF | 0x3130..=0x318F | 0xFFA0..=0xFFDC);
    !everyday
        && c.is_alphanumeric()
        && std::iter::once(c).nfkc().ne(std::iter::once(c).nfc())
        && std::iter::once(c)
            .nfkc()
            .all(|p| p.is_alphanumeric() || is_combining_mark(p))
}

/// The letter of a letter in parentheses, or on a black circle or square: Unicode gives them no plain
/// form, or one with the parentheses.
pub(super) fn enclosed(c: char) -> Option<char> {
    let c = u32::from(c);
    let plain = match c {
        0x249C..=0x24B5 => c - 0x249C + 0x61,
        0x1F110..=0x1F129 => c - 0x1F110 + 0x41,
        0x1F150..=0x1F169 => c - 0x1F150 + 0x41,
        0x1F170..=0x1F189 => c - 0x1F170 + 0x41,
        _ => return None,
    };
    char::from_u32(plain)
}

/// The letter of a small capital, which stands for a small letter in styled words (`Bᴀʀᴀᴄᴋ`): Unicode takes them for letters of
/// phonetic alphabets and gives them no plain form.
fn small_capital(c: char) -> Option<char> {
    const CAPITALS: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ";
    if c.is_ascii() {
        return None;
    }
    let place = CAPITALS.chars().position(|capital| capital == c)?;
    (b'a'..=b'z').nth(place).map(char::from)
}

/// The hyphen of any other.
fn plain_mark(c: char) -> Option<char> {
    matches!(c, '\u{2010}' | '\u{2011}' | '\u{FE63}').then_some('-')
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

fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// Unicode's Default_Ignorable_Code_Point, control characters, and marks of annotations.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF | 0xFFF0..=0xFFFB
            | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
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

/// The longest name of a reference, and the most digits of one that are looked at.
const LONGEST: usize = 32;

/// The character that the reference at the start of `text` means, and its length; `&` of an escaped
/// reference takes what follows with it.
fn reference(text: &str) -> Option<(char, usize)> {
    let (mut c, mut length) = escape(text.strip_prefix('&')?).map(|(c, n)| (c, n + 1))?;
    // Escaping `&` again and again is what programs do that hand tweets on. Four times is enough.
    for _ in 0..4 {
        match escape(&text[length..]) {
            Some((inner, more)) if c == '&' => (c, length) = (inner, length + more),
            _ => break,
        }
    }
    Some((c, length))
}

/// What stands after the `&` of a reference.
fn escape(rest: &str) -> Option<(char, usize)> {
    if let Some(number) = rest.strip_prefix('#') {
        let (digits, radix, before) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16, 2),
            None => (number, 10, 1),
        };
        let count = digits
            .bytes()
            .take(LONGEST)
            .take_while(|b| char::from(*b).is_digit(radix))
            .count();
        if count == 0 {
            return None;
        }
        let value = u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX);
        let closed = digits.as_bytes().get(count) == Some(&b';');
        // Without its `;` a number may be a rank (`R&B #1` without the space): only what is escaped
        // again and again.
        let common = matches!(value, 34 | 38 | 39 | 60 | 62 | 160 | 0x2010..=0x203A);
        return (closed || common)
            .then(|| (number_means(value), before + count + usize::from(closed)));
    }
    // No word begins so, and browsers want no `;` behind it.
    if let Some(after) = rest.strip_prefix("nbsp") {
        return Some(('\u{A0}', 4 + usize::from(after.starts_with(';'))));
    }
    let count = rest
        .bytes()
        .take(LONGEST)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let named = NAMES.get(&rest[..count]).copied();
    let next = rest.as_bytes().get(count);
    match (named, next) {
        (Some(c), Some(b';')) => Some((c, count + 1)),
        // HTML knows the letters of Latin-1 without it too; a name of three letters may be a word.
        (Some(c), _) if count > 3 && is_latin_1(c) => Some((c, count)),
        // `&regId=1`: what a link asks for.
        _ if next == Some(&b'=') => None,
        _ => unclosed(rest).or_else(|| letter_inside(&rest[..count])),
    }
}

/// The letter of Latin-1 whose name, without its `;`, begins a word, as browsers read it: `Bj&oumlrk`. `&thorn` may be one (`R&thornton`).
fn letter_inside(word: &str) -> Option<(char, usize)> {
    /// The longest of their names: `Ccedil`, `Agrave`.
    const LONGEST: usize = 6;
    let mut lengths = (4..=LONGEST.min(word.len())).rev();
    lengths.find_map(|length| {
        let c = *NAMES.get(&word[..length])?;
        let fits = is_latin_1(c) && !matches!(c, 'þ' | 'Þ');
        fits.then_some((c, length))
    })
}

/// Whether a character is a letter of Latin-1 beyond ASCII.
fn is_latin_1(c: char) -> bool {
    matches!(c, 'À'..='ÿ') && c.is_alphabetic()
}

/// The sign whose name stands without its `;`, as HTML reads it: before a name or a number. Before small
/// letters it may be a word (`R&regret`). Where nothing follows, `&lt` and its like are words of their own.
fn unclosed(rest: &str) -> Option<(char, usize)> {
    const SIGNS: [(&str, char); 6] = [
        ("lt", '<'),
        ("gt", '>'),
        ("amp", '&'),
        ("quot", '"'),
        ("copy", '©'),
        ("reg", '®'),
    ];
    let (name, sign) = SIGNS.into_iter().find(|(name, _)| rest.starts_with(name))?;
    let next = rest[name.len()..].chars().next();
    let named = next.is_some_and(|c| c.is_alphanumeric() && !c.is_ascii_lowercase());
    let alone = !sign.is_ascii()
        && next.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '&' | '_' | '-'));
    (named || alone).then_some((sign, name.len()))
}

/// The character of a numeric reference, after HTML 5: those of Windows-1252 for 128..=159, U+FFFD
/// for what is no character.
fn number_means(value: u32) -> char {
    const WINDOWS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž',
        '\u{8F}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}',
        'ž', 'Ÿ',
    ];
    match value {
        0 => '\u{FFFD}',
        0x80..=0x9F => WINDOWS[value as usize - 0x80],
        _ => char::from_u32(value).map_or('\u{FFFD}', half_width),
    }
}

/// The names: HTML 4's, and of HTML 5's those of single characters below U+2100 and of the signs and arrows
/// that people write.
static NAMES: LazyLock<HashMap<&str, char>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (name, value) = line.split_once(' ')?;
        Some((name, char::from_u32(u32::from_str_radix(value, 16).ok()?)?))
    };
    include_str!("references.txt")
        .lines()
        .filter_map(line)
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_emphasise_but_in_user_names() {
        for (words, expected) in [
            ("_ Houston _ is hot", "* Houston * is hot"),
            ("__ Ann __", "* Ann *"),
            ("RT @ann _ lee : hi _ Bob _", "RT @ann _ lee : hi * Bob *"),
            ("@a _ b _ c _ d and _ Ann _", "@a _ b _ c _ d and * Ann *"),
            ("@a and _ Ann", "@a and * Ann"),
            ("@a Ann _", "@a Ann *"),
            ("RT @ann _ : _ Bob _", "RT @ann _ : * Bob *"),
            ("＠ann _ lee", "@ann _ lee"),
            ("snake_case _", "snake_case *"),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(fold_words(&words).join(" "), expected);
        }
    }

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
    fn references_are_the_characters_they_mean() {
        for (text, expected) in [
            (
                "O&#39;Neal O&#x27;Neal O&#X0027;Neal O&apos;Neal",
                "O'Neal O'Neal O'Neal O'Neal",
            ),
            ("Beyonc&eacute; &Aacute; &zcaron; &hearts;", "Beyoncé Á ž ♥"),
            ("Beyonc&eacute Bj&oumlrk M&eth", "Beyoncé Björk M&eth"),
            (
                "S&atildeo Citro&eumln &Ccedilelik ?a=1&eacutez=2 R&thornton &ETHan",
                "São Citroën Çelik ?a=1&eacutez=2 R&thornton &ETHan",
            ),
            (
                "&ltObama&gt; &quotParis&quot AT&ampT &amp;lt東 &lt3 &gtÉ",
                "<Obama> \"Paris&quot AT&T <東 <3 >É",
            ),
            (
                "&lt &gt. &amp, &ltd rock&regret &copyright &copy=1 &regId=1 &reg&b &reg-x",
                "&lt &gt. &amp, &ltd rock&regret &copyright &copy=1 &regId=1 &reg&b &reg-x",
            ),
            (
                "&copy 2024 NASA&reg, &copyNASA &copy",
                "© 2024 NASA®, ©NASA ©",
            ),
            (
                "&OpenCurlyQuote;&CloseCurlyQuote;&rsquor;&lsquor;&ldquor;&rdquor;",
                "‘’’‚„”",
            ),
            ("&COPY;&REG;&TRADE;&mldr;&bullet;&half;", "©®™…•½"),
            (
                "a&numsp;b&puncsp;c&NonBreakingSpace;d&MediumSpace;e",
                "a\u{2007}b\u{2008}c\u{A0}d\u{205F}e",
            ),
            (
                "&lsquo;&rsquo;&ldquo;&rdquo;&ndash;&mdash;&hellip;&euro;&trade;",
                "‘’“”–—…€™",
            ),
            ("&#8217;&#x2019;&#X2019;&#08217;&#x02019;", "’’’’’"),
            ("&lt;3 &amp; &gt; &quot;", "<3 & > \""),
            ("O&amp;#39;Neal &amp;amp; &amp;amp;amp;lt;", "O'Neal & <"),
            (
                "It&#39s R&B&#1 &amp &nosuch; &; &#; &#x; &",
                "It's R&B&#1 &amp &nosuch; &; &#; &#x; &",
            ),
            (
                "&#146;&#0;&#xD800;&#99999999999;",
                "’\u{FFFD}\u{FFFD}\u{FFFD}",
            ),
            ("a&nbsp;b&zwj;c&#8203;d&shy;e", "a\u{A0}bcde"),
            ("a&nbspb &amp;nbsp", "a\u{A0}b \u{A0}"),
            ("&Alpha;&alpha;&yuml;&commat;&num;", "Ααÿ@#"),
            ("&am\u{200B}p; &\u{FE0F}#3\u{AD}9;", "& '"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
            assert_eq!(read(&read(text)), expected);
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
        ] {
            assert_eq!(read(text), expected, "{text:?}");
            assert_eq!(read(&read(text)), expected);
        }
    }

    #[test]
    fn styled_letters_fold_and_nothing_else_does() {
        for (text, expected) in [
            ("𝓑𝓪𝓻𝓪𝓬𝓴", "Barack"),
            ("𝐎𝒃𝖺𝚖𝕒", "Obama"),
            ("ＮＡＳＡ２", "NASA2"),
            ("＃ＮＡＳＡ", "#NASA"),
            ("ⓃⒶⓈⒶ", "NASA"),
            ("🄽🄰🅂🄰", "NASA"),
            ("🅝🅐🅢🅐", "NASA"),
            ("🅽🅰🆂🅰", "NASA"),
            ("⒩⒜", "na"),
            ("ᴮᵃʳᵃᶜᵏ", "Barack"),
            ("ªº²①", "ao21"),
            ("Bᴀʀᴀᴄᴋ ᴏʙᴀᴍᴀ ꜱꜰ", "Barack obama sf"),
            ("ℕ𝔸𝕊𝔸 𝔑𝔄𝔖𝔄 𝙽𝙰𝚂𝙰 ₁₂ₐ", "NASA NASA NASA 12a"),
            ("ⓑⓐⓡⓐⓒⓚ 𝟮𝟬𝟮𝟰 Ⅷ", "barack 2024 VIII"),
            ("ﬁﬂ", "fifl"),
            ("ｶﾞ", "ガ"),
            ("e\u{301}", "é"),
            ("Beyonce\u{301}", "Beyoncé"),
            ("O\u{336}b\u{336}a\u{336}m\u{336}a\u{336}", "Obama"),
            ("N\u{20DD}A\u{20E3}S\u{20DE}A\u{20E0}", "NASA"),
            ("O\u{334}\u{301}\u{352}\u{489}b\u{35C}a\u{FE20}", "Óba"),
            ("Москва\u{301}", "Москва"),
            ("Jay\u{2011}Z Spider\u{FF0D}Man", "Jay-Z Spider-Man"),
        ] {
            assert_eq!(fold(text), expected, "{text:?}");
            assert_eq!(fold(&fold(text)), expected);
        }
        for same in [
            "…",
            "™",
            "‼",
            "½",
            "№",
            "ภาษา",
            "น้ำ",
            "हिन्दी",
            "ㅋㅋㅋ",
            "서울",
            "é",
            "ß",
            "\u{FE0F}",
            "\u{200B}",
            "\u{20E2}\u{20E3}",
            "",
            "a&b",
        ] {
            assert_eq!(fold(same), same);
        }
    }
}
