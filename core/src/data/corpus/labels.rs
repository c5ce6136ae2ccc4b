//! A corpus's own type names, mapped to the four entity types.

use crate::data::corpus::Fault;
use crate::formats::annotations::types::{Meaning, meaning};
use crate::label::{EntityType, Label};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Which entity type a corpus's type name means; `null` drops the type, its words become `O`.
///
/// The four types, `OTHER` (Twitter-2015's name for `MISC`) and the names of
/// [the table](crate::formats::annotations::types) need no entry, but an entry goes first. The names of entries are compared
/// exactly.
///
/// WNUT-17 has six types. Its `group` holds bands, clubs, sports teams and other groups of people that
/// are no company. Of the `group` mentions in WNUT-17 whose text is also annotated in Twitter-2015 or
/// Twitter-2017, three quarters are `ORG` there (62 of 83: teams, clubs, parties, universities), the
/// rest mostly places that lend a team its name. So `ORG` is the type that agrees:
///
/// ```
/// use mner_core::data::corpus::LabelMap;
///
/// let wnut17: LabelMap = serde_json::from_str(
///     r#"{
///         "person": "PER",
///         "location": "LOC",
///         "corporation": "ORG",
///         "group": "ORG",
///         "product": "MISC",
///         "creative-work": "MISC"
///     }"#,
/// )?;
/// assert_eq!(wnut17.label("I-creative-work").unwrap().to_string(), "I-MISC");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelMap(BTreeMap<String, Option<EntityType>>);

impl LabelMap {
    /// Reads a label such as `O`, `B-PER` or `I-creative-work`.
    ///
    /// # Errors
    /// [`Fault::UnknownLabel`], [`Fault::UnknownType`].
    pub fn label(&self, text: &str) -> Result<Label, Fault> {
        let (first, name) = match text.split_once('-') {
            None if text == "O" => return Ok(Label::O),
            Some(("B", name)) => (true, name),
            Some(("I", name)) => (false, name),
            _ => {
                return Err(Fault::UnknownLabel {
                    found: text.to_owned(),
                });
            }
        };
        Ok(match self.kind(name)? {
            None => Label::O,
            Some(kind) if first => Label::B(kind),
            Some(kind) => Label::I(kind),
        })
    }

    /// The entity type that a name means; `None` where it is dropped, or no name's.
    ///
    /// # Errors
    /// [`Fault::UnknownType`].
    pub fn kind(&self, name: &str) -> Result<Option<EntityType>, Fault> {
        if let Some(mapped) = self.0.get(name) {
            return Ok(*mapped);
        }
        match meaning(name) {
            Some(Meaning::Entity(kind)) => Ok(Some(kind)),
            Some(Meaning::NoName) => Ok(None),
            None => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, name: &str) -> Fault {
        let own = self.0.keys().map(String::as_str);
        let names: Vec<_> = EntityType::ALL
            .iter()
            .map(|t| t.name())
            .chain(["OTHER"])
            .chain(own)
            .collect();
        Fault::UnknownType {
            found: name.to_owned(),
            expected: names.join(", "),
        }
    }
}

impl FromIterator<(String, Option<EntityType>)> for LabelMap {
    fn from_iter<T: IntoIterator<Item = (String, Option<EntityType>)>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// How often each type name was read by [the table](crate::formats::annotations::types), which is worth saying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnTypes(BTreeMap<String, usize>);

impl OwnTypes {
    /// Counts an entity, if its name is in the table alone.
    pub(super) fn count(&mut self, map: &LabelMap, name: &str) {
        if map.0.contains_key(name) || EntityType::parse(name).is_some() {
            return;
        }
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(name.to_owned(), 1)),
        }
    }
}

impl fmt::Display for OwnTypes {
    /// `types read as: person as PER (3), DATE as no name (2)`; nothing where there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.iter().filter_map(|(name, count)| {
            let read = match meaning(name)? {
                Meaning::Entity(kind) => kind.name(),
                Meaning::NoName => "no name",
            };
            Some(format!("{name} as {read} ({count})"))
        });
        let known: Vec<String> = known.collect();
        if known.is_empty() {
            return Ok(());
        }
        write!(f, "types read: {}", known.join(", "))
    }
}

/// What to do with text that is no label, but nearly one; `None` if nothing comes to mind.
pub fn remedy(text: &str) -> Option<String> {
    const HEADS: [&str; 8] = [
        "tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "entity",
    ];
    if HEADS.contains(&text.to_lowercase().as_str()) {
        return Some("if the line is the head of a table, take it out".to_owned());
    }
    let place = |part: &str| matches!(part, "B" | "I" | "b" | "i").then(|| part.to_uppercase());
    let (place, kind) = ['-', '_', '.', ':', '/'].iter().find_map(|&separator| {
        let before = text.split_once(separator);
        let after = text.rsplit_once(separator);
        let before = before.and_then(|(first, kind)| Some((place(first)?, kind)));
        before.or_else(|| after.and_then(|(kind, last)| Some((place(last)?, kind))))
    })?;
    (!kind.is_empty()).then(|| format!("write `{place}-{kind}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_goes_before_the_built_in_types_and_null_drops() {
        let map: LabelMap =
            serde_json::from_str(r#"{"geo-loc": "LOC", "OTHER": null, "ORG": "MISC"}"#).unwrap();
        for (text, label) in [
            ("O", Label::O),
            ("B-geo-loc", Label::B(EntityType::Loc)),
            ("I-geo-loc", Label::I(EntityType::Loc)),
            ("B-OTHER", Label::O),
            ("I-OTHER", Label::O),
            ("B-ORG", Label::B(EntityType::Misc)),
            ("I-PER", Label::I(EntityType::Per)),
        ] {
            assert_eq!(map.label(text), Ok(label), "{text}");
        }
        assert_eq!(
            serde_json::to_string(&map).unwrap(),
            r#"{"ORG":"MISC","OTHER":null,"geo-loc":"LOC"}"#
        );
    }

    #[test]
    fn without_entries_other_is_misc() {
        assert_eq!(
            LabelMap::default().label("I-OTHER"),
            Ok(Label::I(EntityType::Misc))
        );
    }

    #[test]
    fn names_of_other_tools_need_no_entry() {
        let map: LabelMap = serde_json::from_str(r#"{"GPE": null}"#).unwrap();
        let label = |text: &str| map.label(text).unwrap().to_string();
        assert_eq!(label("B-person"), "B-PER");
        assert_eq!(label("I-WORK_OF_ART"), "I-MISC");
        assert_eq!(label("B-DATE"), "O");
        assert_eq!(label("B-GPE"), "O");
        let mut types = OwnTypes::default();
        for name in ["person", "DATE", "person", "PER", "GPE"] {
            types.count(&map, name);
        }
        assert_eq!(
            types.to_string(),
            "types read: DATE as no name (1), person as PER (2)"
        );
    }

    #[test]
    fn labels_that_are_nearly_some_are_told_how_to_be() {
        for (text, right) in [
            ("B_PER", "B-PER"),
            ("I_work_of_art", "I-work_of_art"),
            ("b-PER", "B-PER"),
            ("PERSON_B", "B-PERSON"),
            ("PER-I", "I-PER"),
            ("B:LOC", "B-LOC"),
        ] {
            assert_eq!(remedy(text), Some(format!("write `{right}`")));
            assert!(LabelMap::default().label(right).is_ok());
        }
        assert!(remedy("NER_tags").is_some_and(|said| said.contains("the head of a table")));
        for text in ["", "PER", "S-PER", "o", "B_", "-B", "walk-in", "well_known"] {
            assert_eq!(remedy(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_unknown_is_named() {
        let map: LabelMap = serde_json::from_str(r#"{"person": "PER"}"#).unwrap();
        for text in ["", "PER", "S-PER", "b-PER", "o"] {
            assert_eq!(
                map.label(text),
                Err(Fault::UnknownLabel {
                    found: text.to_owned()
                })
            );
        }
        let fault = map.label("B-drug").unwrap_err().to_string();
        assert!(
            fault.contains("`drug`") && fault.contains("PER, LOC, ORG, MISC, OTHER, person"),
            "{fault}"
        );
    }
}
