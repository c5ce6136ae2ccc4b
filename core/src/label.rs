//! The label set: four entity types in BIO, in the order every weight matrix uses.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Number of BIO labels over the four entity types.
pub const LABELS: usize = 9;

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EntityType {
    /// A person.
    Per,
    /// A place.
    Loc,
    /// An organisation.
    Org,
    /// Any other name: works, events, products. Twitter-2015 writes it OTHER.
    Misc,
}

impl EntityType {
    /// All types, in label order.
    pub const ALL: [EntityType; 4] = [Self::Per, Self::Loc, Self::Org, Self::Misc];

    /// The name used in data files and on screen: `PER`, `LOC`, `ORG`, `MISC`.
    pub fn name(self) -> &'static str {
        ["PER", "LOC", "ORG", "MISC"][self as usize]
    }

    /// Reads a type name as the benchmarks write it; `OTHER` is `MISC`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "OTHER" => Some(Self::Misc),
            _ => Self::ALL.into_iter().find(|t| t.name() == name),
        }
    }
}

impl fmt::Display for EntityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A BIO label of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// Outside every entity.
    O,
    /// First word of an entity.
    B(EntityType),
    /// Further word of an entity.
    I(EntityType),
}

impl Label {
    /// Position in the label order `O, B-PER, I-PER, B-LOC, I-LOC, B-ORG, I-ORG, B-MISC, I-MISC`.
    pub fn index(self) -> usize {
        match self {
            Self::O => 0,
            Self::B(t) => 1 + 2 * t as usize,
            Self::I(t) => 2 + 2 * t as usize,
        }
    }

    /// The label at `index`.
    ///
    /// # Panics
    /// If `index >= LABELS`.
    pub fn from_index(index: usize) -> Self {
        assert!(index < LABELS, "label index {index} is not below {LABELS}");
        match index {
            0 => Self::O,
            i if i % 2 == 1 => Self::B(EntityType::ALL[i / 2]),
            i => Self::I(EntityType::ALL[i / 2 - 1]),
        }
    }

    /// Reads `O`, `B-PER`, `I-OTHER`, ...
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('-') {
            None if text == "O" => Some(Self::O),
            Some(("B", name)) => EntityType::parse(name).map(Self::B),
            Some(("I", name)) => EntityType::parse(name).map(Self::I),
            _ => None,
        }
    }

    /// The entity type, `None` for `O`.
    pub fn entity_type(self) -> Option<EntityType> {
        match self {
            Self::O => None,
            Self::B(t) | Self::I(t) => Some(t),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::O => f.write_str("O"),
            Self::B(t) => write!(f, "B-{t}"),
            Self::I(t) => write!(f, "I-{t}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_documented_one() {
        let names: Vec<_> = (0..LABELS)
            .map(|i| Label::from_index(i).to_string())
            .collect();
        assert_eq!(
            names.join(" "),
            "O B-PER I-PER B-LOC I-LOC B-ORG I-ORG B-MISC I-MISC"
        );
        for (i, name) in names.iter().enumerate() {
            assert_eq!(Label::parse(name).unwrap().index(), i);
        }
    }

    #[test]
    fn other_is_misc_and_nonsense_is_nothing() {
        assert_eq!(Label::parse("B-OTHER"), Some(Label::B(EntityType::Misc)));
        for bad in ["", "B", "B-", "X-PER", "B-per", "o", "PER"] {
            assert_eq!(Label::parse(bad), None, "{bad:?}");
        }
    }
}
