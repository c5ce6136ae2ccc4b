//! Raw tweets to words with exact spans.
//!
//! The splitter walks over extended grapheme clusters (UAX #29), so that no span can split what
//! a reader sees as one character, and applies the first of these rules that fits:
//!
//! 1. White space separates words and belongs to none.
//! 2. A URL is one word, without the closing punctuation that follows it. It may begin in the
//!    middle of a word: `readhttp://t.co/x`.
//! 3. `@user`, `#topic` and `$TICKER` are one word. A sigil always begins a new word: `RT@nasa`.
//!    Or, as [`Sigils::Apart`], `@` and `#` are words of their own.
//! 4. `&amp`, `&lt`, `&gt` and `&quot` are one word (Twitter's API escapes text; the benchmarks
//!    split the `;` off).
//! 5. Letters, digits and `_` form a word. Hyphens join two such runs (`Spider-Man`, `COVID-19`),
//!    `$` joins letters (`A$AP`), and `.` `,` `:` `/` join digits (`3.5`, `10,000`, `7:30pm`, `9/11`).
//! 6. In scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese) each character is
//!    a word, so that every name can be covered exactly.
//! 7. An apostrophe, straight or curly, with the short form it begins is one word: `It 's`, `can 't`,
//!    `they ’re`. Other apostrophes stand alone: `O ' Hare`, as in both benchmarks.
//! 8. A run of one ASCII punctuation mark is one word: `...`, `!!!`, `--`.
//! 9. Anything else, an emoji for example, is a word of one grapheme.
//!
//! A full stop after or between letters is a word too: `St .`, `U . S .`.

use crate::tweet::shape::url_prefix;
use serde::{Deserialize, Serialize};
use std::ops::Range;
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
        let word = self.of(text);
        let mut graphemes = word.graphemes(true);
        match graphemes.next() {
            Some(sigil) if is_tag_sigil(sigil) && graphemes.next().is_some() => {
                let mut name = self.clone();
                name.bytes.start += sigil.len();
                name.chars.start += 1;
                name.utf16.start += 1;
                name
            }
            _ => self.clone(),
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

/// Splits a text into words, in order and disjoint, with nothing but white space between them.
///
/// Spans refer to `text` itself: nothing is normalised, trimmed or dropped. Time and memory are
/// linear in the length of the text, which has no limit.
pub fn split_words(text: &str, sigils: Sigils) -> Vec<Word> {
    let clusters: Vec<Cluster> = text.graphemes(true).map(Cluster::new).collect();
    let mut words = Vec::new();
    let (mut byte, mut char, mut utf16) = (0, 0, 0);
    let mut at = 0;
    while at < clusters.len() {
        let end = word_end(text, &clusters, at, byte, sigils);
        let start = (byte, char, utf16);
        for cluster in &clusters[at..end] {
            byte += cluster.text.len();
            for c in cluster.text.chars() {
                char += 1;
                utf16 += c.len_utf16();
            }
        }
        if clusters[at].kind != Kind::Space {
            words.push(Word {
                bytes: start.0..byte,
                chars: start.1..char,
                utf16: start.2..utf16,
            });
        }
        at = end;
    }
    words
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

    /// Whether it can be inside a word of rule 5.
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
            c if c.is_whitespace() => Kind::Space,
            c if c.is_ascii_digit() => Kind::Digit,
            'a'..='z' | 'A'..='Z' | '_' => Kind::Letter,
            _ => Kind::Other,
        };
    }
    // A variation selector or a keycap makes an image of a letter or digit.
    if cluster.contains(['\u{FE0F}', '\u{20E3}']) {
        Kind::Other
    } else if cluster.chars().all(char::is_whitespace) {
        Kind::Space
    } else if is_unspaced(first) {
        Kind::Unspaced
    } else if first.is_numeric() {
        Kind::Digit
    } else if first.is_alphabetic() || first == '_' {
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
        return plain_end(text, clusters, at, byte);
    }
    if first.text.len() == 1 && first.kind == Kind::Other {
        return run(&|c| c.text == first.text);
    }
    at + 1
}

/// Rule 7: how many letters after an apostrophe form a short form that ends there.
fn short_form(rest: &[Cluster]) -> Option<usize> {
    let letters = rest.iter().take(3).take_while(|c| c.is_word()).count();
    let form: String = rest[..letters].iter().map(|c| c.text).collect();
    matches!(
        form.to_ascii_lowercase().as_str(),
        "s" | "m" | "d" | "t" | "re" | "ve" | "ll"
    )
    .then_some(letters)
}

/// Rule 5: the end of a run of letters and digits with what may join them.
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

/// Rule 2: the end of a URL whose prefix is `prefix` ASCII characters long; `None` where nothing
/// follows the prefix.
fn url_end(clusters: &[Cluster], at: usize, prefix: usize) -> Option<usize> {
    let body = at + prefix;
    let in_url = |c: &Cluster| match c.text {
        "\"" | "<" | ">" => false,
        // Twitter cuts retweets off in the middle of a URL.
        "…" => true,
        t => {
            c.is_word()
                || (t.len() == 1 && c.kind == Kind::Other && !t.starts_with(char::is_control))
        }
    };
    let rest = clusters.get(body..)?;
    let mut end = body + rest.iter().take_while(|c| in_url(c)).count();
    while end > body && closes(clusters[end - 1].text) {
        end -= 1;
    }
    (end > body).then_some(end)
}

/// Punctuation that ends the sentence around a URL and not the URL.
fn closes(mark: &str) -> bool {
    matches!(
        mark,
        "." | "," | ":" | ";" | "!" | "?" | "'" | ")" | "]" | "}"
    )
}

#[cfg(test)]
mod tests;
