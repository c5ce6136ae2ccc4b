//! Raw tweets to words with exact spans.
//!
//! The splitter reads the text first (see [`reading`](crate::tweet::reading)): marks nobody sees are
//! no part of it, a character reference is the character it means. It then walks over extended
//! grapheme clusters (UAX #29), so that no span can split what a reader sees as one character, and
//! applies the first of these rules that fits:
//!
//! 1. White space separates words and belongs to none.
//! 2. A URL is one word, without the closing punctuation that follows it. It may begin in the
//!    middle of a word, a user name or a hashtag: `readhttp://t.co/x`, `Houstonpic.twitter.com/x`. A t.co link ends with its slug; any other where
//!    Twitter's own rules (twitter-text) end it: its path and query have no letters but Latin and
//!    Cyrillic ones, and a short form (`'s`) is not part of it. It may have any scheme, or none where a path follows its
//!    host (`bit.ly/2x`) or the host is in small letters and can be nothing else (`nasa.gov`), and `mailto:` with what it asks
//!    to be in the letter.
//! 3. An address, `user@host.tld`, `@user@host.tld` or `@user.bsky.social`, is one word.
//! 4. `@user`, `#topic` and `$TICKER` are one word. A sigil always begins a new word: `RT@nasa`.
//!    Or, as [`Sigils::Apart`], `@` and `#` are words of their own, and a user name is a word up to
//!    where Twitter ends it. No word reaches out of a hashtag: `#NASA-led` is as many words as `#NASA -led`.
//! 5. `&amp`, `&lt`, `&gt` and `&quot` that are no references for want of a `;` are one word (the
//!    benchmarks split the `;` off).
//! 6. Letters, digits and `_` form a word, which neither begins nor ends with `_`: `_Houston_` is three. Hyphens join two such runs (`Spider-Man`, `COVID-19`),
//!    `$` joins letters (`A$AP`), and `.` `,` `:` `/` join digits (`3.5`, `10,000`, `7:30pm`, `9/11`).
//!    So do marks in names as stars write them: `P!nk`, `will.i.am`, `N*E*R*D`, `B*Witched`, `Joey Bada$$`. A slash joins
//!    no letters: `AC/DC` is three words of one name, which models have learnt to find.
//! 7. In scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese) each character is
//!    a word, so that every name can be covered exactly.
//! 8. An apostrophe, straight, curly or a letter (U+02BC), with the short form it begins is one word: `It 's`, `can 't`,
//!    `they ’re`. Other apostrophes stand alone: `O ' Hare`, as in both benchmarks; but the letter, and others that look like marks,
//!    are letters of their word, other than at its edge: `Mʼbappé`, `Hawaiʻi`.
//! 9. A run of one ASCII punctuation mark is one word: `...`, `!!!`, `--`. The dot of an abbreviation is none of the run
//!    that follows it: `Jr . ..`
//! 10. Anything else, an emoji for example, is a word of one grapheme.
//!
//! A full stop after or between letters is a word too: `St .`, `U . S .`.
//!
//! A mark nobody sees ends a link, an address, a user name or a hashtag, and changes no other word; a joiner does not end a hashtag.
//!
//! Graphemes and their kinds are in `clusters`, words of letters and digits in `names`, the short forms behind them in `apostrophes`, addresses in
//! `addresses`, links in `links`, the hosts of both in `hosts`, and what is written short in `abbreviations`.

pub(crate) mod abbreviations;
mod addresses;
mod apostrophes;
pub(crate) mod clusters;
mod hosts;
pub(crate) mod links;
mod names;

use crate::tweet::reading::{Reading, Unseen, read};
use crate::tweet::words::abbreviations::abbreviation_ends;
use crate::tweet::words::addresses::LONGEST_LOCAL;
use crate::tweet::words::apostrophes::{is_apostrophe, short_form};
use crate::tweet::words::clusters::{Cluster, Kind, clusters};
use crate::tweet::words::hosts::joined;
use crate::tweet::words::links::{link_end, link_inside};
use crate::tweet::words::names::{dollars_end, name_end};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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
/// Spans refer to `text` itself; [`read_words`] makes the words of what they
/// hold. Time and memory are linear in the length of the text, which has no limit.
pub fn split_words(text: &str, sigils: Sigils) -> Vec<Word> {
    let reading = Reading::new(text);
    let clusters = clusters(&reading);
    let glued = |at: usize| clusters[at].unseen == Unseen::Nothing;
    let mut words = Vec::new();
    let mut place = Place::default();
    // Of what is read: bytes and characters before cluster `at`.
    let (mut byte, mut char) = (0, 0);
    // Where the last hashtag ends whose sigil is a word of its own.
    let mut tag = 0;
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
        // Not in a hashtag, nor again at each part of a host that was none.
        let inside = match clusters[..at] {
            _ if at < tag => true,
            [.., ref name, Cluster { text: ".", .. }] => name.is_word() && glued(at),
            [.., ref sigil] => is_tag_sigil(sigil.text),
            [] => false,
        };
        let end = link_end(&clusters, at, addressed, !inside)
            .unwrap_or_else(|| word_end(&clusters, at, sigils, tag));
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
        if sigils == Sigils::Apart && clusters[at].text == "#" && end == at + 1 {
            tag = hashtag_end(&clusters, end);
        }
        at = end;
    }
    words
}

/// The words of a text as they are read, each where it stands: `&amp` before a name is `&`, and a word of its own by itself.
pub fn read_words<'a>(text: &'a str, words: &[Word]) -> Vec<Cow<'a, str>> {
    let reading = Reading::new(text);
    let mut rest = reading.characters().peekable();
    let of_word = |word: &Word| {
        let mut own = String::new();
        while rest
            .next_if(|(_, source)| source.start < word.bytes.start)
            .is_some()
        {}
        while let Some((c, _)) = rest.next_if(|(_, source)| source.start < word.bytes.end) {
            own.push(c);
        }
        match own == word.of(text) {
            true => read(word.of(text)),
            false => Cow::Owned(read(&own).into_owned()),
        }
    };
    words.iter().map(of_word).collect()
}

fn is_tag_sigil(cluster: &str) -> bool {
    matches!(cluster, "@" | "#")
}

/// The names of marks that texts escape again and again, and cut the `;` off.
pub(crate) const ESCAPES: [&str; 4] = ["amp", "lt", "gt", "quot"];

/// The cluster after the word (or white space) that starts at cluster `at`, and is no link; `tag` is where the last hashtag ends
/// whose sigil is a word of its own.
fn word_end(clusters: &[Cluster], at: usize, sigils: Sigils, tag: usize) -> usize {
    let rest = &clusters[at + 1..];
    let first = &clusters[at];
    let next = rest.first();
    if sigils == Sigils::Apart
        && at > 0
        && clusters[at - 1].text == "@"
        && let Some(end) = user_name_end(clusters, at)
    {
        return end;
    }
    if at < tag && first.is_word() {
        let rest = &clusters[at..tag];
        return at + rest.iter().take_while(|c| c.is_word()).count();
    }
    let run =
        |fits: &dyn Fn(&Cluster) -> bool| at + 1 + rest.iter().take_while(|c| fits(c)).count();
    match first.text {
        sigil if sigils == Sigils::Apart && is_tag_sigil(sigil) => return at + 1,
        "@" => return user_run_end(clusters, at + 1),
        "#" => return hashtag_end(clusters, at + 1),
        "_" => return run(&|c| c.text == "_"),
        "." if abbreviation_ends(clusters, at) => return at + 1,
        "$" if next.is_some_and(|c| c.kind == Kind::Letter) => {
            let end = run(&|c| c.is_word());
            let link = (at + 2..end).find(|&inner| link_inside(clusters, at + 1, inner));
            let end = link.unwrap_or(end);
            return dollars_end(clusters, at + 1, end).unwrap_or(end);
        }
        "&" => {
            if let Some(end) = escape_end(clusters, at + 1) {
                return end;
            }
        }
        _ if is_apostrophe(first) => {
            if let Some(letters) = short_form(clusters, at) {
                return at + 1 + letters;
            }
        }
        _ => {}
    }
    if first.is_word() && !first.is_letter_mark() {
        return name_end(clusters, at);
    }
    if first.text.len() == 1 && first.kind == Kind::Other {
        return run(&|c| c.text == first.text);
    }
    at + 1
}

/// Rule 5: the end of the name of a mark whose `&` stands before `at`, and which has no `;`.
fn escape_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    let ends = |escape: &&str| {
        let end = at + escape.len();
        let name = clusters.get(at..end).unwrap_or_default();
        joined(name) == *escape && !clusters.get(end).is_some_and(Cluster::is_word)
    };
    let escape = ESCAPES.into_iter().find(ends)?;
    Some(at + escape.len())
}

/// The end of the run behind a sigil that begins at cluster `at`: of what fits, before a link, and before more of what nobody
/// sees than it may have; what stands right behind the sigil changes nothing.
fn run_end(clusters: &[Cluster], at: usize, most: Unseen, fits: impl Fn(usize) -> bool) -> usize {
    let mut end = at;
    while let Some(cluster) = clusters.get(end)
        && fits(end)
        && (end == at || cluster.unseen <= most)
        && !link_inside(clusters, at, end)
    {
        end += 1;
    }
    end
}

/// The end of a hashtag's run. It has dots between others.
fn hashtag_end(clusters: &[Cluster], at: usize) -> usize {
    let letter = |at: usize| {
        let cluster = clusters.get(at);
        cluster.is_some_and(|c| c.is_word() || c.kind == Kind::Unspaced)
    };
    let dot = |end: usize| end > at && clusters[end].joins_tag() && letter(end + 1);
    run_end(clusters, at, Unseen::Joiner, |end| letter(end) || dot(end))
}

/// The end of a user name's run.
fn user_run_end(clusters: &[Cluster], at: usize) -> usize {
    run_end(clusters, at, Unseen::Nothing, |end| {
        in_user_name(&clusters[end])
    })
}

/// Rule 4: the end of the user name at `at`, whose sigil is a word of its own; `None` where Twitter
/// sees no user name: before a Latin letter that none has, and before a mark on its last letter.
fn user_name_end(clusters: &[Cluster], at: usize) -> Option<usize> {
    let end = user_run_end(clusters, at);
    let letter = |c: char| {
        matches!(c as u32, 0xC0..=0x24F | 0x253..=0x257 | 0x259 | 0x25B | 0x263 | 0x268 | 0x26F | 0x272 | 0x289 | 0x28B
            | 0x2BB | 0x1E00..=0x1EFF)
    };
    // One that has ended before a link fits.
    let refused = |c: &Cluster| {
        c.unseen == Unseen::Nothing
            && c.is_word()
            && !in_user_name(c)
            && c.text.starts_with(|c: char| c.is_ascii() || letter(c))
    };
    (end > at && !clusters.get(end).is_some_and(refused)).then_some(end)
}

/// What a user name may have behind its sigil.
fn in_user_name(cluster: &Cluster) -> bool {
    cluster.is_word() && cluster.text.is_ascii()
}

#[cfg(test)]
mod tests;
