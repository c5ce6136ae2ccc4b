//! The shape of a word: what an uncased vocabulary throws away.

use crate::tweet::words::links::is_link;

/// What a word looks like. Of the first ten, a word has the first one that fits.
///
/// A letter is a character with Unicode's property Alphabetic. A capital is an upper-case or
/// title-case letter; every other letter counts as lower case, those of scripts without case
/// included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WordShape {
    /// `@` and more: `@nasa`.
    Mention,
    /// `#` and more: `#Boeing`, `#1`.
    Hashtag,
    /// Begins with `http://`, `https://`, `www.` or `pic.twitter.com/`, or is a host, `nasa.gov`, or an
    /// address: `user@host.tld`, `@user@host.tld`.
    Url,
    /// No letter at all: `2024`, `...`, `@`, an emoji.
    NoLetters,
    /// At least two letters, all capitals: `NASA`, `COVID-19`.
    AllCaps,
    /// A single letter, a capital: `I`, `J`, `F1`.
    OneCapital,
    /// The first letter is the only capital among several letters: `Houston`, `2Pac`.
    Capitalised,
    /// The first letter is a capital, there are more, but not all: `McDonald`, `LeBron`.
    CapitalMore,
    /// The first letter is no capital but a later one is: `iPhone`.
    Mixed,
    /// Letters without any capital: `back`, `東`, `हिन्दी`.
    Lower,
    /// The encoder's own subwords: `[CLS]`, `[SEP]`, padding. Never the shape of a tweet's word.
    Special,
    /// A word of the image's description that ITA appends to the tweet; given by the caller.
    Context,
}

impl WordShape {
    /// Number of shapes: the rows of the embedding table.
    pub const COUNT: usize = 12;

    /// All shapes in the order of the embedding's rows.
    pub const ALL: [WordShape; Self::COUNT] = [
        Self::Mention,
        Self::Hashtag,
        Self::Url,
        Self::NoLetters,
        Self::AllCaps,
        Self::OneCapital,
        Self::Capitalised,
        Self::CapitalMore,
        Self::Mixed,
        Self::Lower,
        Self::Special,
        Self::Context,
    ];

    /// The shape of a word of a tweet, as [`fold_words`](crate::tweet::reading::fold_words) makes it: never [`Special`](Self::Special) or [`Context`](Self::Context).
    pub fn of(word: &str) -> Self {
        let mut chars = word.chars();
        match chars.next() {
            _ if is_link(word) => return Self::Url,
            Some('@' | '＠') if chars.next().is_some() => return Self::Mention,
            Some('#' | '＃') if chars.next().is_some() => return Self::Hashtag,
            _ => {}
        }
        let mut letters = word.chars().filter(|c| c.is_alphabetic()).map(is_capital);
        let Some(first) = letters.next() else {
            return Self::NoLetters;
        };
        let (mut count, mut capitals) = (1, usize::from(first));
        for capital in letters {
            count += 1;
            capitals += usize::from(capital);
        }
        match (first, count, capitals) {
            (true, 1, 1) => Self::OneCapital,
            (true, n, k) if n == k => Self::AllCaps,
            (true, _, 1) => Self::Capitalised,
            (true, _, _) => Self::CapitalMore,
            (false, _, 0) => Self::Lower,
            (false, _, _) => Self::Mixed,
        }
    }

    /// The row of the embedding table, below [`COUNT`](Self::COUNT).
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Upper case, or title case as in `ǅ`, which is the one other kind of letter that has a lower form.
fn is_capital(c: char) -> bool {
    c.is_uppercase() || c.to_lowercase().next() != Some(c)
}

#[cfg(test)]
mod tests {
    use super::WordShape::{self, *};

    #[test]
    fn every_rule_by_example() {
        let table: [(WordShape, &[&str]); 10] = [
            (
                Mention,
                &["@nasa", "@NASA", "@_", "＠nasa", "@JayKenMinaj_"],
            ),
            (Hashtag, &["#Boeing", "#1", "#東京", "＃tag", "##"]),
            (
                Url,
                &[
                    "t.co/",
                    "http://t.co/x",
                    "HTTPS://T.CO",
                    "www.nasa.gov",
                    "nasa.gov",
                    "pic.twitter.com/a",
                    "http://",
                    "john.smith@nasa.gov",
                    "JOHN@NASA.GOV",
                    "@user@host.tld",
                ],
            ),
            (
                NoLetters,
                &[
                    "",
                    "2024",
                    "...",
                    "@",
                    "#",
                    "👩🏽‍🚀",
                    "🇺🇸",
                    "_",
                    "\u{FFFD}",
                    "\u{301}",
                ],
            ),
            (
                AllCaps,
                &["NASA", "COVID-19", "A$AP", "МОСКВА", "ÉTÉ", "USA.", "B2B"],
            ),
            (OneCapital, &["I", "J", "F1", "É", "E\u{301}", "ǅ"]),
            (
                Capitalised,
                &[
                    "Houston",
                    "2Pac",
                    "'Tis",
                    "Москва",
                    "Élan",
                    "Spider-man",
                    "ǅa",
                    "Iş",
                ],
            ),
            (
                CapitalMore,
                &["McDonald", "LeBron", "Spider-Man", "USAs", "DeJean-Jones"],
            ),
            (Mixed, &["iPhone", "eBay", "aB", "ßA", "東A"]),
            (
                Lower,
                &[
                    "back",
                    "s",
                    "5th",
                    "東",
                    "हिन्दी",
                    "שלום",
                    "москва",
                    "ß",
                    "http",
                ],
            ),
        ];
        for (shape, words) in table {
            for word in words {
                assert_eq!(WordShape::of(word), shape, "{word:?}");
            }
        }
    }

    #[test]
    fn indices_follow_the_order() {
        for (i, shape) in WordShape::ALL.into_iter().enumerate() {
            assert_eq!(shape.index(), i);
        }
    }
}
