//! Schemes of tags: how a row of words says where entities begin and end.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// A scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `I-` for every word of an entity, `B-` only for the first of one that follows another of its type at once
    Iob1,
    /// `B-` for the first word of an entity, `I-` for its others; also called BIO
    Iob2,
    /// `B-`, `I-`, `E-` for the first, inner and last word, `S-` for an only one. Read with the letters of BILOU (`L-`, `U-`)
    /// and BMEWO (`M-`, `W-`) too
    Bioes,
}

/// A type over words.
pub type WordSpan = (Range<usize>, String);

impl Scheme {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iob1 => "iob1",
            Self::Iob2 => "iob2",
            Self::Bioes => "bioes",
        }
    }

    /// Its tags, for messages.
    pub(super) fn tags(self) -> &'static str {
        match self {
            Self::Iob1 | Self::Iob2 => "`O`, `B-<type>` or `I-<type>`",
            Self::Bioes => "`O`, or `B-`, `I-`, `E-` or `S-` before a type",
        }
    }

    /// The scheme that tags are of, as far as they show it: tags as IOB1 has them are IOB1's only if an entity begins with
    /// `I-`, and none with a `B-` that IOB1 would not write.
    pub fn detect<'a>(sentences: impl IntoIterator<Item = &'a [String]>) -> Self {
        let (mut bare, mut marked) = (false, false);
        for sentence in sentences {
            let mut before = None;
            for tag in sentence {
                let tag = parse(tag).flatten();
                match tag {
                    Some((b'E' | b'S' | b'L' | b'U' | b'M' | b'W', _)) => return Self::Bioes,
                    Some((b'I', kind)) => bare |= before != Some(kind),
                    Some((_, kind)) => marked |= before != Some(kind),
                    None => {}
                }
                before = tag.map(|(_, kind)| kind);
            }
        }
        if bare && !marked {
            Self::Iob1
        } else {
            Self::Iob2
        }
    }

    /// The tags of entities over `count` words, given in order and without overlap.
    pub fn write(self, count: usize, entities: &[WordSpan]) -> Vec<String> {
        let mut tags = vec!["O".to_owned(); count];
        let mut before: Option<&WordSpan> = None;
        for entity in entities {
            let (words, kind) = entity;
            let touches =
                before.is_some_and(|(other, same)| other.end == words.start && same == kind);
            for at in words.clone() {
                let (first, last) = (at == words.start, at + 1 == words.end);
                let letter = match self {
                    Self::Iob1 if first && touches => 'B',
                    Self::Iob1 => 'I',
                    Self::Bioes if first && last => 'S',
                    Self::Bioes if last => 'E',
                    _ if first => 'B',
                    _ => 'I',
                };
                if let Some(tag) = tags.get_mut(at) {
                    *tag = format!("{letter}-{kind}");
                }
            }
            before = Some(entity);
        }
        tags
    }

    /// The first tag that this scheme would have written otherwise; the letters of BILOU and BMEWO are those of BIOES.
    pub fn first_irregular<S: AsRef<str>>(self, tags: &[S]) -> Option<usize> {
        let entities = entities(tags).ok()?;
        let regular = self.write(tags.len(), &entities);
        tags.iter().zip(&regular).position(|(tag, regular)| {
            let tag = tag.as_ref();
            let same =
                |letter: &str| tag.get(1..) == regular.get(1..) && regular.starts_with(letter);
            tag != regular
                && !match tag.as_bytes().first() {
                    Some(b'L') => same("E"),
                    Some(b'U' | b'W') => same("S"),
                    Some(b'M') => same("I"),
                    _ => false,
                }
        })
    }

    /// Whether it has this tag.
    pub(super) fn has(self, tag: &str) -> bool {
        match parse(tag) {
            None => false,
            Some(None) => true,
            Some(Some((letter, _))) => self == Self::Bioes || matches!(letter, b'B' | b'I'),
        }
    }
}

/// The letter and type of a tag, none for `O`; `None` if it is no tag.
fn parse(tag: &str) -> Option<Option<(u8, &str)>> {
    if tag == "O" {
        return Some(None);
    }
    let (letter, kind) = tag.split_once('-')?;
    match letter.as_bytes() {
        [letter @ (b'B' | b'I' | b'E' | b'S' | b'L' | b'U' | b'M' | b'W')] if !kind.is_empty() => {
            Some(Some((*letter, kind)))
        }
        _ => None,
    }
}

/// A tag, or of a number the name that stands at it.
pub(crate) fn named<'a>(tag: &'a str, names: &'a [String]) -> &'a str {
    let number = tag.parse::<usize>().ok();
    let name = number.and_then(|number| names.get(number));
    name.map_or(tag, String::as_str)
}

/// Whether a column looks like a tag, of whatever types.
pub fn is_tag(column: &str) -> bool {
    parse(column).is_some()
}

/// Whether a tag goes on with the entity of the tag before.
fn continues(before: Option<(u8, &str)>, tag: (u8, &str)) -> bool {
    before.is_some_and(|(letter, kind)| {
        matches!(letter, b'B' | b'I' | b'M')
            && matches!(tag.0, b'I' | b'E' | b'L' | b'M')
            && kind == tag.1
    })
}

/// The entities that tags stand for, of whatever scheme: conlleval's rule, and seqeval's default. An `I-` or `E-` that
/// continues nothing begins an entity.
///
/// # Errors
/// The place of the first that is no tag.
pub fn entities<S: AsRef<str>>(tags: &[S]) -> Result<Vec<WordSpan>, usize> {
    let mut found: Vec<WordSpan> = Vec::new();
    let mut before = None;
    for (at, tag) in tags.iter().enumerate() {
        let tag = parse(tag.as_ref()).ok_or(at)?;
        match (tag, found.last_mut()) {
            (None, _) => {}
            (Some(tag), Some((words, _))) if continues(before, tag) => words.end = at + 1,
            (Some((_, kind)), _) => found.push((at..at + 1, kind.to_owned())),
        }
        before = tag;
    }
    Ok(found)
}

/// A tag in BIO, given the tag before it as it was written; a tag of IOB2 and what is no tag stay as they are.
pub fn bio<'a>(before: &str, tag: &'a str) -> Cow<'a, str> {
    let Some(Some((letter, kind))) = parse(tag) else {
        return Cow::Borrowed(tag);
    };
    let before = parse(before).flatten();
    let ended =
        before.is_some_and(|(letter, same)| !matches!(letter, b'B' | b'I' | b'M') && same == kind);
    match letter {
        b'B' => Cow::Borrowed(tag),
        b'I' if !ended => Cow::Borrowed(tag),
        _ if continues(before, (letter, kind)) => Cow::Owned(format!("I-{kind}")),
        _ => Cow::Owned(format!("B-{kind}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn schemes_are_told_apart() {
        for (text, scheme) in [
            ("I-PER I-PER O I-LOC B-LOC", Scheme::Iob1),
            ("B-PER I-PER O B-LOC B-LOC", Scheme::Iob2),
            // As Twitter-2015: IOB2 with faults.
            ("B-PER I-PER O I-LOC", Scheme::Iob2),
            ("B-PER E-PER O S-LOC", Scheme::Bioes),
            ("B-PER L-PER O U-LOC", Scheme::Bioes),
            ("O O", Scheme::Iob2),
        ] {
            assert_eq!(Scheme::detect([tags(text).as_slice()]), scheme, "{text}");
        }
    }

    #[test]
    fn irregular_tags_are_found() {
        assert_eq!(
            Scheme::Iob2.first_irregular(&tags("B-A I-A O I-A")),
            Some(3)
        );
        assert_eq!(
            Scheme::Iob1.first_irregular(&tags("I-A I-A O B-A")),
            Some(3)
        );
        assert_eq!(
            Scheme::Bioes.first_irregular(&tags("B-A L-A U-A W-A B-A M-A E-A")),
            None
        );
        assert_eq!(Scheme::Bioes.first_irregular(&tags("S-A B-A O")), Some(1));
    }

    proptest! {
        #[test]
        fn every_scheme_says_any_entities(
            parts in prop::collection::vec((0..3usize, 1..4usize, "[A-C]"), 0..8), rest in 0..3usize,
        ) {
            let mut expected: Vec<WordSpan> = Vec::new();
            let mut at = 0;
            for (gap, size, kind) in parts {
                at += gap;
                expected.push((at..at + size, kind));
                at += size;
            }
            for scheme in [Scheme::Iob1, Scheme::Iob2, Scheme::Bioes] {
                let tags = scheme.write(at + rest, &expected);
                prop_assert_eq!(&entities(&tags).unwrap(), &expected);
                prop_assert_eq!(scheme.first_irregular(&tags), None);
                // Tag by tag in BIO, from BIOES or IOB2.
                let mut before = "O".to_owned();
                let mut bio_tags = Vec::new();
                for tag in &tags {
                    bio_tags.push(bio(&before, tag).into_owned());
                    before.clone_from(tag);
                }
                prop_assert_eq!(&entities(&bio_tags).unwrap(), &expected);
                if scheme != Scheme::Iob1 {
                    prop_assert_eq!(bio_tags, Scheme::Iob2.write(at + rest, &expected));
                }
            }
        }

        #[test]
        fn no_tags_panic(tags in prop::collection::vec("[BIOESLUMW]?-?[A-B]?|\\PC{0,3}", 0..6)) {
            let _ = Scheme::detect([tags.as_slice()]);
            if let Ok(found) = entities(&tags) {
                prop_assert_eq!(entities(&Scheme::Bioes.write(tags.len(), &found)).unwrap(), found);
            }
        }
    }
}
