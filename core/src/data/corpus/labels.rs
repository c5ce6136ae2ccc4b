//! A corpus's own type names, mapped to the four entity types.

use crate::data::corpus::Fault;
use crate::label::{EntityType, Label};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which entity type a corpus's type name means; `null` drops the type, its words become `O`.
///
/// The four types and `OTHER` (Twitter-2015's name for `MISC`) need no entry, but an entry goes first.
/// Names are compared exactly.
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
        let kind = match self.0.get(name) {
            Some(mapped) => *mapped,
            None => Some(EntityType::parse(name).ok_or_else(|| self.unknown(name))?),
        };
        Ok(match kind {
            None => Label::O,
            Some(kind) if first => Label::B(kind),
            Some(kind) => Label::I(kind),
        })
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
        let fault = map.label("B-Person").unwrap_err().to_string();
        assert!(
            fault.contains("`Person`") && fault.contains("PER, LOC, ORG, MISC, OTHER, person"),
            "{fault}"
        );
    }
}
