//! Raw tweets to words with exact spans.
//!
//! The splitter reads the text first (see [`reading`](crate::tweet::reading)): marks nobody sees are
//! no part of it, a character reference is the character it means. It then walks over extended
//! grapheme clusters (UAX #29), so that no span can split what a reader sees as one character, and
//! applies the first of these rules that fits:
//!
//! 1. White space separates words and belongs to none.
//! 2. A URL is one word, without the closing punctuation that follows it. It may begin in the
//!    middle of a word: `readhttp://t.co/x`. A t.co link ends with its slug; any other where
//!    Twitter's own rules (twitter-text) end it: its path and query have no letters but Latin and
//!    Cyrillic ones, and a short form (`'s`) is not part of it.
//! 3. An address, `user@host.tld` or `@user@host.tld`, is one word.
//! 4. `@user`, `#topic` and `$TICKER` are one word. A sigil always begins a new word: `RT@nasa`.
//!    Or, as [`Sigils::Apart`], `@` and `#` are words of their own, and a user name is a word up to
//!    where Twitter ends it.
//! 5. `&amp`, `&lt`, `&gt` and `&quot` that are no references for want of a `;` are one word (the
//!    benchmarks split the `;` off).
//! 6. Letters, digits and `_` form a word. Hyphens join two such runs (`Spider-Man`, `COVID-19`),
//!    `$` joins letters (`A$AP`), and `.` `,` `:` `/` join digits (`3.5`, `10,000`, `7:30pm`, `9/11`).
//!    So do marks in names as stars write them: `P!nk`, `will.i.am`, `N*E*R*D`. A slash joins
//!    no letters: `AC/DC` is three words of one name, which models have learnt to find.
//! 7. In scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese) each character is
//!    a word, so that every name can be covered exactly.
//! 8. An apostrophe, straight or curly, with the short form it begins is one word: `It 's`, `can 't`,
//!    `they ’re`. Other apostrophes stand alone: `O ' Hare`, as in both benchmarks.
//! 9. A run of one ASCII punctuation mark is one word: `...`, `!!!`, `--`.
//! 10. Anything else, an emoji for example, is a word of one grapheme.
//!
//! A full stop after or between letters is a word too: `St .`, `U . S .`.

use crate::tweet::reading::{Reading, enclosed, is_blank};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// A stretch of a text, measured three ways. The three ranges always denote the same stretch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// UTF-8 bytes: how Rust slices.
    pub bytes: Range<usize>,
    /// Unicode scalar values: how Python slices.
    pub chars: Range<usize>,
    /// UTF-16 code units: how JavaScript slices.
    pub utf16: Range<usize>,
}

impl Word {
    /// The word itself. `text` is the text that was split.
    ///
    /// # Panics
    /// If `text` is another text and the span falls outside it or inside one of its characters.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        &text[self.bytes.clone()]
    }

    /// The stretch from the start of `self` to the end of `last`: the span of an entity, from its
    /// first and last word.
    pub fn to(&self, last: &Word) -> Word {
        Word {
            bytes: self.bytes.start..last.bytes.end,
            chars: self.chars.start..last.chars.end,
            utf16: self.utf16.start..last.utf16.end,
        }
    }

    /// The name without the `#` or `@` before it: `Boeing` of `#Boeing`. A bare sigil stays.
    ///
    /// Twitter-2017 and the Broad Twitter Corpus keep the sigil outside the entity; Twitter-2015
    /// cannot, its hashtags are single tokens. What is shown to a person is the name. A sigil
    /// inside a longer stretch (`Kansas City #Royals`) stays.
    pub fn name(&self, text: &str) -> Word {
        let reading = Reading::new(self.of(text));
        let mut graphemes = reading.text.graphemes(true);
        match (graphemes.next(), graphemes.next()) {
            (Some(sigil), Some(second)) if is_tag_sigil(sigil) => {
                let bytes = sigil.len()..sigil.len() + second.len();
                let source = reading.source(bytes, 1..1 + second.chars().count());
                let mut from = Place::at(self);
                from.advance(text, self.bytes.start + source.start);
                from.to(&Place {
                    byte: self.bytes.end,
                    char: self.chars.end,
                    utf16: self.utf16.end,
                })
            }
            _ => self.clone(),
        }
    }
}

/// A place in a text, measured three ways.
#[derive(Clone, Copy, Default)]
struct Place {
    byte: usize,
    char: usize,
    utf16: usize,
}

impl Place {
    /// Where a word begins.
    fn at(word: &Word) -> Self {
        Self {
            byte: word.bytes.start,
            char: word.chars.start,
            utf16: word.utf16.start,
        }
    }

    /// Goes on to a later byte of the text.
    fn advance(&mut self, text: &str, byte: usize) {
        for c in text[self.byte..byte].chars() {
            self.char += 1;
            self.utf16 += c.len_utf16();
        }
        self.byte = byte;
    }

    /// The stretch up to a later place.
    fn to(self, end: &Self) -> Word {
        Word {
            bytes: self.byte..end.byte,
            chars: self.char..end.char,
            utf16: self.utf16..end.utf16,
        }
    }
}

/// Whether `@user` and `#topic` are one word or two. Corpora disagree, and a model finds names
/// behind a sigil where it is cut as the model has learnt it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Sigils {
    /// One word, as in Twitter-2015.
    #[default]
    Joined,
    /// Two words, as in Twitter-2017.
    Apart,
}

/// Splits a text into words, in order and disjoint, with nothing between them but white space and
/// marks nobody sees. Such marks are inside a word's span where they stand inside the word.
///
/// Spans refer to `text` itself; [`read`](crate::tweet::reading::read) makes the word of what a span
/// holds. Time and memory are linear in the length of the text, which has no limit.
pub fn split_words(text: &str, sigils: Sigils) -> Vec<Word> {
    let reading = Reading::new(text);
    let clusters = clusters(&reading.text);
    let mut words = Vec::new();
    let mut place = Place::default();
    // Of what is read: bytes and characters before cluster `at`.
    let (mut byte, mut char) = (0, 0);
    let mut signs = clusters
        .iter()
        .enumerate()
        .filter(|(_, c)| c.text == "@")
        .map(|(i, _)| i)
        .peekable();
    let mut at = 0;
    while at < clusters.len() {
        while signs.next_if(|&sign| sign <= at).is_some() {}
        let addressed = signs
            .peek()
            .is_some_and(|&sign| sign <= at + LONGEST_LOCAL + 1);
        let end = addressed
            .then(|| address_end(&clusters, at))
            .flatten()
            .unwrap_or_else(|| word_end(&reading.text, &clusters, at, byte, sigils));
        let (first_byte, first_char) = (byte, char);
        for cluster in &clusters[at..end] {
            byte += cluster.text.len();
            char += cluster.text.chars().count();
        }
        if clusters[at].kind != Kind::Space {
            let source = reading.source(first_byte..byte, first_char..char);
            place.advance(text, source.start);
            let start = place;
            place.advance(text, source.end);
            words.push(start.to(&place));
        }
        at = end;
    }
    words
}

/// The graphemes of what is read. White space is one by itself, also where a character joins it: a
/// sign of Arabic numbers the space after it, a skin colour the one before. A combining mark is part
/// of the one before, also where Unicode's rules let it stand alone.
fn clusters(text: &str) -> Vec<Cluster<'_>> {
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
enum Kind {
    Space,
    /// A letter or `_`.
    Letter,
    Digit,
    /// A letter of a script written without spaces.
    Unspaced,
    Other,
}

struct Cluster<'a> {
    text: &'a str,
    kind: Kind,
}

impl<'a> Cluster<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            kind: kind(text),
        }
    }

    /// Whether it can be inside a word of rule 6.
    fn is_word(&self) -> bool {
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
    // A variation selector or a keycap makes an image of a letter or digit.
    if cluster.contains(['\u{FE0F}', '\u{20E3}']) {
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

fn is_tag_sigil(cluster: &str) -> bool {
    matches!(cluster, "@" | "#" | "＠" | "＃")
}

/// The cluster after the word (or white space) that starts at cluster `at`, byte `byte`.
fn word_end(text: &str, clusters: &[Cluster], at: usize, byte: usize, sigils: Sigils) -> usize {
    let rest = &clusters[at + 1..];
    let first = &clusters[at];
    let next = rest.first();
    if let Some(length) = url_prefix(&text[byte..])
        && let Some(end) = url_end(clusters, at, length)
    {
        return end;
    }
    if sigils == Sigils::Apart
        && at > 0
        && matches!(clusters[at - 1].text, "@" | "＠")
        && let Some(end) = user_name_end(clusters, at)
    {
        return end;
    }
    let run =
        |fits: &dyn Fn(&Cluster) -> bool| at + 1 + rest.iter().take_while(|c| fits(c)).count();
    match first.text {
        sigil if sigils == Sigils::Apart && is_tag_sigil(sigil) => return at + 1,
        "@" | "＠" => return run(&|c| c.is_word() && c.text.is_ascii()),
        "#" | "＃" => return run(&|c| c.is_word() || c.kind == Kind::Unspaced),
        "$" if next.is_some_and(|c| c.kind == Kind::Letter) => return run(&|c| c.is_word()),
        "&" => {
            let name = &text[byte + 1..];
            let escape = ["amp", "lt", "gt", "quot"]
                .into_iter()
                .find(|e| name.starts_with(e));
            if let Some(escape) = escape
                && clusters[at + 1..]
                    .iter()
                    .take(escape.len())
                    .all(|c| c.text.len() == 1)
                && !clusters
                    .get(at + 1 + escape.len())
                    .is_some_and(Cluster::is_word)
            {
                return at + 1 + escape.len();
            }
        }
        "'" | "’" => {
            if let Some(letters) = short_form(rest) {
                return at + 1 + letters;
            }
        }
        _ => {}
    }
    if first.is_word() {
        return styled_name_end(clusters, at)
            .unwrap_or_else(|| plain_end(text, clusters, at, byte));
    }
    if first.text.len() == 1 && first.kind == Kind::Other {
        return run(&|c| c.text == first.text);
    }
    at + 1
}

/// Rule 8: how many letters after an apostrophe form a short form that ends there.
fn short_form(rest: &[Cluster]) -> Option<usize> {
    let letters = rest.iter().take(3).take_while(|c| c.is_word()).count();
    let form: String = rest[..letters].iter().map(|c| c.text).collect();
    matches!(
        form.to_ascii_lowercase().as_str(),
        "s" | "m" | "d" | "t" | "re" | "ve" | "ll"
    )
    .then_some(letters)
}

/// Rule 6: the end of a run of letters and digits with what may join them.
fn plain_end(text: &str, clusters: &[Cluster], at: usize, byte: usize) -> usize {
    let mut end = at;
    let mut byte = byte;
    while let Some(cluster) = clusters.get(end) {
        let inside = end > at;
        let fits = if cluster.is_word() {
            !(inside
                && url_prefix(&text[byte..]).is_some_and(|n| url_end(clusters, end, n).is_some()))
        } else {
            inside
                && clusters
                    .get(end + 1)
                    .is_some_and(|next| joins(clusters[end - 1].kind, cluster.text, next.kind))
        };
        if !fits {
            break;
        }
        byte += cluster.text.len();
        end += 1;
    }
    end
}

/// Whether a mark joins what stands on its two sides into one word.
fn joins(before: Kind, mark: &str, after: Kind) -> bool {
    let both = |kinds: &[Kind]| kinds.contains(&before) && kinds.contains(&after);
    match mark {
        // Hyphen-minus, hyphen, non-breaking hyphen, soft hyphen.
        "-" | "\u{2010}" | "\u{2011}" | "\u{AD}" => both(&[Kind::Letter, Kind::Digit]),
        "$" => both(&[Kind::Letter]),
        "." | "," | ":" | "/" => both(&[Kind::Digit]),
        _ => false,
    }
}

/// Rule 6: the end of a name with marks for letters or between them that begins at `at`.
fn styled_name_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    let letters = |from: usize| {
        let rest = clusters.get(from..).unwrap_or_default();
        let ascii = |c: &&Cluster| c.text.len() == 1 && c.kind == Kind::Letter && c.text != "_";
        from + rest.iter().take(16).take_while(ascii).count()
    };
    let text =
        |from: usize, to: usize| -> String { clusters[from..to].iter().map(|c| c.text).collect() };
    let is = |at: usize, mark: &str| clusters.get(at).is_some_and(|c| c.text == mark);
    let ends = |at: usize| !clusters.get(at).is_some_and(Cluster::is_word);
    let capitals = |s: &str| s.chars().all(|c| c.is_ascii_uppercase());
    let first = letters(at);
    let mark = clusters.get(first)?.text;
    // Most words end here.
    let begins = match mark {
        "!" => first - at <= 2,
        "." => first - at >= 2,
        "*" => first - at == 1,
        _ => false,
    };
    if !begins || ends(first + 1) {
        return None;
    }
    let mut segments = vec![text(at, first)];
    let mut end = first;
    while is(end, mark) && segments.len() < 8 {
        let next = letters(end + 1);
        if next == end + 1 || !ends(next) {
            break;
        }
        segments.push(text(end + 1, next));
        end = next;
    }
    let lengths: Vec<usize> = segments.iter().map(String::len).collect();
    let more = is(end, mark) && !ends(end + 1);
    let fits = match (mark, segments.as_slice()) {
        // An exclamation mark for an i: nothing else is a vowel before it.
        ("!", [before, after]) => {
            let vowel = |c: char| "aeiouyAEIOUY".contains(c);
            after.len() >= 2
                && !before.contains(vowel)
                && !after.starts_with(vowel)
                && (capitals(before) || !after.starts_with(|c: char| c.is_ascii_uppercase()))
        }
        // Short words between longer ones; not the countries' `.co.uk`.
        (".", [_, inner @ .., _]) => {
            !inner.is_empty()
                && lengths[lengths.len() - 1] >= 2
                && inner.iter().all(|s| s.len() <= 2 && s != "co" && s != "ac")
        }
        ("*", [first, rest]) => rest.len() >= 3 && capitals(first) && capitals(rest),
        ("*", [_, _, _, ..]) => segments.iter().all(|s| s.len() == 1 && capitals(s)),
        _ => false,
    };
    (fits && !more).then_some(end)
}

/// Rule 4: the end of the user name at `at`, whose sigil is a word of its own; `None` where Twitter
/// sees no user name.
fn user_name_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    let name = |c: &&Cluster| c.is_word() && c.text.is_ascii();
    let end = at + clusters[at..].iter().take_while(name).count();
    (end > at && !clusters.get(end).is_some_and(Cluster::is_word)).then_some(end)
}

/// The longest name before the `@` of an address (RFC 5321).
const LONGEST_LOCAL: usize = 64;

/// Rule 3: the end of the address that begins at `at`. Its host has a dot and ends with two letters or
/// more in one case, so that of `RT@nasa.Great` the user name is left.
fn address_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    let remote = clusters[at].text == "@";
    let from = at + usize::from(remote);
    let rest = clusters.get(from..)?;
    let local = |c: &&Cluster| c.is_word() || matches!(c.text, "." | "_" | "-" | "+" | "%");
    let length = rest
        .iter()
        .take(LONGEST_LOCAL + 1)
        .take_while(local)
        .count();
    let sign = from + length;
    let last = clusters.get(sign.checked_sub(1)?)?;
    let is_name =
        length > 0 && rest[0].is_word() && last.text != "." && clusters.get(sign)?.text == "@";
    if !is_name || length > LONGEST_LOCAL {
        return None;
    }
    // Words that precede a user name.
    let word: String = clusters[from..sign].iter().map(|c| c.text).collect();
    if !remote && ["rt", "mt", "ht", "cc", "via", "by"].contains(&word.to_lowercase().as_str()) {
        return None;
    }
    let end = host_end(clusters, sign + 1);
    let dot = (sign + 1..end).rfind(|&at| clusters[at].text == ".")?;
    let top: String = clusters[dot + 1..end].iter().map(|c| c.text).collect();
    let one_case = top.to_lowercase() == top || top.to_uppercase() == top;
    let letters = top.chars().all(char::is_alphabetic) || top.starts_with("xn--");
    (one_case && letters && top.chars().count() >= 2).then_some(end)
}

/// The end of a host name, or `from` where there is none. Its last part ends where ASCII letters and
/// others meet, and is not of another script than the part before.
fn host_end(clusters: &[Cluster], from: usize) -> usize {
    /// The longest host (RFC 1035).
    const LONGEST: usize = 255;
    let part = |at: usize| {
        let rest = clusters.get(at..).unwrap_or_default();
        let fits = |c: &&Cluster| c.is_word() || c.text == "-";
        at + rest.iter().take(LONGEST).take_while(fits).count()
    };
    let mut before: Option<(usize, bool)> = None;
    let mut at = from;
    loop {
        let end = part(at);
        let more = end > at
            && end - from < LONGEST
            && clusters.get(end).is_some_and(|c| c.text == ".")
            && clusters.get(end + 1).is_some_and(Cluster::is_word);
        let ascii = clusters.get(at).is_some_and(|c| c.text.is_ascii());
        if more {
            let ascii = clusters[at..end].iter().all(|c| c.text.is_ascii());
            before = Some((end, ascii));
            at = end + 1;
            continue;
        }
        if let Some((end, true)) = before
            && !ascii
        {
            return end;
        }
        let same = |c: &&Cluster| c.text.is_ascii() == ascii;
        let mut last = at + clusters[at..end].iter().take_while(same).count();
        while last > at && clusters[last - 1].text == "-" {
            last -= 1;
        }
        return last;
    }
}

/// Rule 2: the end of a URL whose prefix is `prefix` ASCII characters long; `None` where nothing
/// follows the prefix.
fn url_end(clusters: &[Cluster], at: usize, prefix: usize) -> Option<usize> {
    let body = at + prefix;
    let is = |at: usize, mark: &str| clusters.get(at).is_some_and(|c| c.text == mark);
    let slug = |from: usize| {
        let rest = clusters.get(from..).unwrap_or_default();
        let another = |at: usize| {
            let head = clusters.get(at..).unwrap_or_default().iter().take(8);
            let head: String = head.map(|c| c.text).collect();
            url_prefix(&head).is_some_and(|length| length > "www.".len())
        };
        let length = rest.iter().take_while(|c| is_latin(c, false)).count();
        let slug = from..from + length;
        slug.clone()
            .find(|&at| matches!(clusters[at].text, "h" | "H") && another(at))
            .unwrap_or(slug.end)
    };
    let short = |host: &[Cluster]| {
        host.iter()
            .map(|c| c.text)
            .collect::<String>()
            .eq_ignore_ascii_case("t.co")
    };
    let mut end;
    if clusters.get(body - 1)?.text == "/" && !is(body - 2, "/") {
        // A picture's page: the prefix has the host.
        end = slug(body);
    } else {
        end = host_end(clusters, body);
        if end == body + 4 && short(&clusters[body..end]) && is(end, "/") {
            end = slug(end + 1);
            // `?amp=1`
            if is(end, "?") && is(slug(end + 1), "=") && slug(end + 1) > end + 1 {
                let value = slug(end + 1) + 1;
                end = if slug(value) > value {
                    slug(value)
                } else {
                    end
                };
            }
        } else if end > body {
            if is(end, ":") && clusters.get(end + 1).is_some_and(|c| c.kind == Kind::Digit) {
                end += 1;
                end += clusters[end..]
                    .iter()
                    .take_while(|c| c.kind == Kind::Digit)
                    .count();
            }
            end = path_end(clusters, end);
        }
    }
    // Twitter cuts retweets off in the middle of a URL.
    if is(end, "…") {
        end += 1;
    }
    (end > body).then_some(end)
}

/// The end of the path and query that begin at `from`, after twitter-text 3.1: which characters they
/// may have, and which may be their last. A short form (`'s`) ends them, other than there.
fn path_end(clusters: &[Cluster], from: usize) -> usize {
    let mut end = from;
    let mut at = from;
    match clusters.get(at).map(|c| c.text) {
        Some("/" | "?") => {}
        _ => return end,
    }
    let mut query = false;
    while let Some(cluster) = clusters.get(at) {
        let mark = cluster.text;
        if mark == "?" {
            query = true;
        } else if is_latin(cluster, !query)
            || matches!(mark, "=" | "_" | "#" | "/" | "-")
            || (mark == "+" && !query)
            || (mark == "&" && query)
        {
            end = at + 1;
        } else if mark == "(" && !query {
            match balanced(clusters, at) {
                Some(after) => (end, at) = (after, after),
                None => break,
            }
            continue;
        } else if mark == "'" {
            if short_form(&clusters[at + 1..]).is_some() {
                break;
            }
        } else if !matches!(
            (mark, query),
            (
                "!" | "*"
                    | ";"
                    | ":"
                    | "+"
                    | ","
                    | "."
                    | "$"
                    | "%"
                    | "["
                    | "]"
                    | "~"
                    | "@"
                    | "|"
                    | "&",
                _
            ) | ("–", false)
                | ("(" | ")", true)
        ) {
            break;
        }
        at += 1;
    }
    end
}

/// The end of the parentheses that open at `at` and close in the same path.
fn balanced(clusters: &[Cluster], at: usize) -> Option<usize> {
    /// Links to `Star_Wars_(film)` have short ones.
    const LONGEST: usize = 64;
    let inside = clusters[at + 1..].iter().take(LONGEST);
    let mut depth = 1;
    for (i, cluster) in inside.enumerate() {
        match cluster.text {
            "(" if depth == 1 => depth = 2,
            ")" => depth -= 1,
            "!" | "*" | "'" | ";" | ":" | "=" | "+" | "," | "." | "$" | "/" | "%" | "#" | "["
            | "]" | "-" | "–" | "_" | "~" | "@" | "|" | "&" => {}
            _ if is_latin(cluster, true) => {}
            _ => return None,
        }
        if depth == 0 {
            return (i > 0).then_some(at + i + 2);
        }
    }
    None
}

/// An ASCII letter or digit or, in `wide` places, a Latin or Cyrillic one.
fn is_latin(cluster: &Cluster, wide: bool) -> bool {
    let Some(first) = cluster.text.chars().next() else {
        return false;
    };
    (cluster.text.len() == 1 && first.is_ascii_alphanumeric())
        || wide
            && cluster.is_word()
            && (first.is_ascii_alphanumeric()
                || matches!(u32::from(first), 0xC0..=0x24F | 0x253..=0x2BB | 0x400..=0x4FF | 0x1E00..=0x1EFF))
}

/// Prefixes that make a word a URL, in lower case.
const URL_PREFIXES: [&str; 4] = ["http://", "https://", "www.", "pic.twitter.com/"];

/// Length in bytes of the URL prefix that `text` begins with, in any case.
fn url_prefix(text: &str) -> Option<usize> {
    let head = |n| text.as_bytes().get(..n).unwrap_or_default();
    URL_PREFIXES
        .iter()
        .map(|p| p.as_bytes())
        .find(|p| p.eq_ignore_ascii_case(head(p.len())))
        .map(<[u8]>::len)
}

/// Whether a word that is read is a link or an address: nothing is named in it.
pub(crate) fn is_link(word: &str) -> bool {
    url_prefix(word).is_some() || is_address(word)
}

/// Whether a word that is read is `user@host.tld` or `@user@host.tld`.
fn is_address(word: &str) -> bool {
    // Most words end here.
    if !word.get(1..).is_some_and(|rest| rest.contains('@')) {
        return false;
    }
    let clusters = clusters(word);
    address_end(&clusters, 0) == Some(clusters.len())
}

#[cfg(test)]
mod tests;
