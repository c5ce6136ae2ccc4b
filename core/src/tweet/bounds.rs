//! Where an entity may begin and end among the words of a text.
//!
//! 1. Nothing is found inside a link or an address.
//! 2. No entity reaches out of a user name or hashtag, or into one; its sigil is outside.
//! 3. No entity begins or ends with a word without letters and digits, a mark or an emoji. `&lt` and its like are marks.
//! 4. The dot of an abbreviation belongs to the entity that ends with it: `U.S.`, `L.A.`, `King Jr.`
//!    The Broad Twitter Corpus, WNUT-17 and Tweebank do so, and English; the benchmarks, which cut
//!    such a dot off, label it `O`. More dots may follow (`King Jr...`). Initials are all of a name or none. Every other dot after an entity ends the sentence and not the name.
//! 5. A suffix behind a comma belongs to the name before it: `King, Jr.`, `Acme, Inc.` Of firms the corpora label it so with the
//!    comma, 3 in 3; of persons Twitter-2015 labels `Jr` and not the comma, 2 in 2, Twitter-2017 neither, 1 in 1.

use crate::tweet::reading::{enclosed, is_image, read};
use crate::tweet::words::abbreviations::{is_among, is_short};
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
        // Whether nothing, or nothing that is read, stands between a word and the one before.
        let close: Vec<bool> = (0..words.len())
            .map(|at| {
                at > 0
                    && self::read(&text[words[at - 1].bytes.end..words[at].bytes.start]).is_empty()
            })
            .collect();
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
            let mut end = at + 1;
            if part != Part::Text && bare && sigils == Sigils::Apart {
                while end < words.len() && close[end] && of_tag(&read[end], part, end - at) {
                    end += 1;
                }
            }
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
            if within_initials(&read, &close, at) {
                bounds[at - 1].ends = false;
                bounds[at + 1].begins = false;
            }
            if close[at]
                && read[at] == "."
                && parts[at - 1] == Part::Text
                && abbreviates(&read, &close, at)
            {
                bounds[at] = Bound::FOLLOWS;
            }
            if at > 1 && parts[at - 2] == Part::Text && ends_behind_comma(&read, &close, at) {
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
    let letter = |c: char| c.is_alphanumeric() || enclosed(c).is_some();
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
mod tests {
    use super::*;
    use crate::tweet::words::split_words;

    /// The words of a text, each with what it may be: `B` begin, `I` continue, `E` end an entity, `+`
    /// for one that follows, and `@` or `#` for its part.
    fn bounds(text: &str, sigils: Sigils) -> String {
        let words = split_words(text, sigils);
        let bounds = Bounds::new(text, &words, sigils);
        let all = words.iter().zip(&bounds.words).zip(&bounds.parts);
        let word = |((word, bound), part): ((&Word, &Bound), &Part)| {
            let mut line = format!("{}:", read(word.of(text)));
            for (is, mark) in [
                (bound.begins, 'B'),
                (bound.continues, 'I'),
                (bound.ends, 'E'),
                (bound.follows, '+'),
                (*part == Part::UserName, '@'),
                (*part == Part::Hashtag, '#'),
            ] {
                if is {
                    line.push(mark);
                }
            }
            line
        };
        all.map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nothing_is_found_in_links_and_addresses() {
        for link in [
            "https://t.co/x",
            "www.nasa.gov",
            "nasa.gov",
            "https://obama@nasa.gov/x",
            "pic.twitter.com/x",
            "john.smith@nasa.gov",
            "@user@host.tld",
        ] {
            for sigils in [Sigils::Joined, Sigils::Apart] {
                let expected = format!("a:BIE {link}: b:BIE");
                assert_eq!(bounds(&format!("a {link} b"), sigils), expected);
            }
        }
    }

    #[test]
    fn user_names_and_hashtags_are_names_by_themselves() {
        for (sigils, text, expected) in [
            (
                Sigils::Joined,
                "a #Wittz Renae b",
                "a:BIE #Wittz:BE# Renae:BE b:BIE",
            ),
            (
                Sigils::Joined,
                "RT @nasa's x",
                "RT:BIE @nasa:BE@ 's:BE x:BIE",
            ),
            (
                Sigils::Apart,
                "a #Wittz Renae b",
                "a:BIE #:# Wittz:BE# Renae:BE b:BIE",
            ),
            (Sigils::Apart, "@nasa: x", "@:@ nasa:BE@ :: x:BIE"),
            (Sigils::Apart, "#東京 x", "#:# 東:BE# 京:BIE# x:BE"),
            (
                Sigils::Apart,
                "@\u{200B}nasa &num;x",
                "@:@ nasa:BE@ #:# x:BE#",
            ),
            (
                Sigils::Apart,
                "@ nasa # x @José #",
                "@:I nasa:BIE #:I x:BIE @:I José:BIE #:I",
            ),
            (Sigils::Apart, "@a@b", "@:@ a:BE@ @:@ b:BE@"),
            (
                Sigils::Apart,
                "the #NASA-led x",
                "the:BIE #:# NASA:BE# -: led:BIE x:BIE",
            ),
            (Sigils::Apart, "#東NASA-x", "#:# 東:BE# NASA:BIE# -: x:BIE"),
            (
                Sigils::Apart,
                "＠ｎａｓａ ＃Ｘ_ y",
                "@:@ nasa:BE@ #:# X_:BE# y:BE",
            ),
        ] {
            assert_eq!(bounds(text, sigils), expected, "{text:?}");
        }
    }

    #[test]
    fn a_name_has_all_initials_or_none() {
        for sigils in [Sigils::Joined, Sigils::Apart] {
            assert_eq!(
                bounds("U.S.A. St. in Ph.D.", sigils),
                "U:BI .:I S:I .:I A:IE .:+ St:BIE .:+ in:BIE Ph:BI .:I D:IE .:+"
            );
            assert_eq!(
                bounds("Paris.I L.a", sigils),
                "Paris:BIE .:I I:BIE L:BIE .:I a:BIE"
            );
        }
    }

    #[test]
    fn signs_are_no_ends_of_names() {
        assert_eq!(
            bounds("Avengers: “X” – 🇺🇸 A+ 's $5 1️⃣ #️⃣ ℹ️", Sigils::Joined),
            "Avengers:BIE ::I “:I X:BIE ”:I –:I 🇺🇸:I A:BIE +:I 's:BIE $:I 5:BIE 1️⃣:I #️⃣:I ℹ️:I"
        );
    }

    #[test]
    fn letters_in_parentheses_are_letters() {
        assert_eq!(
            bounds("⒝⒜ 🄑🄐 (b)", Sigils::Joined),
            "⒝⒜:BIE 🄑🄐:BIE (:I b:BIE ):I"
        );
    }

    #[test]
    fn what_is_glued_to_a_name_is_no_part_of_it() {
        for (text, expected) in [
            (
                "&ltObama&gt; a &lt b",
                "&lt:I Obama:BIE >:I a:BIE &lt:I b:BIE",
            ),
            ("_Houston_ x", "_:I Houston:BIE _:I x:BIE"),
            ("Obama\u{1F3FB} x", "Obama:BIE \u{1F3FB}:I x:BIE"),
            ("\u{600}Obama\u{6DD}", "\u{600}:I Obama:BIE \u{6DD}:I"),
            ("Houstonpic.twitter.com/A", "Houston:BIE pic.twitter.com/A:"),
        ] {
            for sigils in [Sigils::Joined, Sigils::Apart] {
                assert_eq!(bounds(text, sigils), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn a_suffix_behind_a_comma_follows_the_name() {
        assert_eq!(
            bounds("Luther King, Jr., said", Sigils::Apart),
            "Luther:BIE King:BIE ,:+ Jr:+ .:+ ,:I said:BIE"
        );
        for (text, count) in [
            ("Acme, Inc.", 3),
            ("Acme, LLC now", 2),
            ("ACME, INC. Reports", 3),
            ("Acme, inc", 0),
            ("Luther King, Jr. Day", 3),
            ("KING, JR.", 3),
            ("J. Kohler, Sr. (second)", 3),
            ("Wainwright, III is", 2),
            ("Hey, JR Smith", 0),
            ("Hey, Jr Walker", 0),
            ("Jarrett, Sr. Advisor", 1),
            ("so, Inc.", 1),
            ("#King, Jr.", 1),
            ("Paris, London", 0),
            (", Jr", 0),
        ] {
            for sigils in [Sigils::Joined, Sigils::Apart] {
                assert_eq!(bounds(text, sigils).matches(":+").count(), count, "{text}");
            }
        }
    }

    #[test]
    fn the_dot_of_an_abbreviation_follows_it() {
        for text in [
            "U.S.",
            "L.A.",
            "U.K.",
            "D.C.",
            "N.W.A.",
            "U.S.A.",
            "Ph.D.",
            "King Jr.",
            "Wall St.",
            "KING JR.",
            "Apple Inc.",
            "(L.A.)",
            "L.A., yes",
            "L.A. Lakers",
            "St. Louis",
            "George W. said",
            "Norfolk, Va.",
            "Philadelphia, PA. now",
            "Boston, Mass., and",
            "Sammy Davis Jnr.",
            "Mme. Curie",
            "Barclays Plc.",
            "ACME LLC.",
            "Η.Π.Α.",
            "С.Ш.А.",
            "J.K. Rowling",
            "F.C. Barcelona",
            "Louis C.K.",
            "L.A.\u{200B}",
            "L.A..",
            "Robert Downey Jr... wow",
            "in the U.S.. now",
            "ACME INC.....",
            "Ｕ．Ｓ．",
            "Ｊ．Ｋ． Ｒｏｗｌｉｎｇ",
            "Ｋｉｎｇ Ｊｒ．",
        ] {
            for sigils in [Sigils::Joined, Sigils::Apart] {
                assert_eq!(bounds(text, sigils).matches(".:+").count(), 1, "{text:?}");
            }
        }
        for text in [
            "Obama.",
            "Cardi B. Yes",
            "Malcolm X.",
            "L.A",
            "wow...",
            "Obama..",
            "George W... x",
            "#St... #U.S...",
            "L . A .",
            "I am in Paris.",
            "#St. @Jr.",
            "J. Cole",
            "will.i.am.",
            "5.",
            "Washington DC.",
            "I live in La.",
            "We went to Mass.",
            "Hey, Mo.",
            "sand, Mass.",
            "...",
            "stop.",
        ] {
            for sigils in [Sigils::Joined, Sigils::Apart] {
                assert_eq!(bounds(text, sigils).matches(".:+").count(), 0, "{text:?}");
            }
        }
    }
}
