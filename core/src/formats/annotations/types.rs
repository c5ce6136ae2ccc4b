//! What the type names of other tools and corpora mean here.
//!
//! | read as | names |
//! |---|---|
//! | PER | PER, PERSON, PEOPLE, PERS |
//! | LOC | LOC, LOCATION, PLACE, GPE, GEO, GEO-LOC, FAC, FACILITY, CITY, COUNTRY |
//! | ORG | ORG, ORGANIZATION, ORGANISATION, COMPANY, CORPORATION, CORP, INSTITUTION |
//! | MISC | MISC, MISCELLANEOUS, OTHER, OTH, NORP, EVENT, EVE, PRODUCT, PROD, WORK_OF_ART, CREATIVE-WORK, ART, LAW, LANGUAGE |
//! | no name, `O` | DATE, TIME, TIM, PERCENT, MONEY, QUANTITY, ORDINAL, CARDINAL |
//!
//! Case, blanks, `_` and `-` do not count. They are the names of CoNLL-2003, OntoNotes 5 as spaCy has it, Universal NER, WikiNER,
//! GermEval, WNUT-17, Tweebank-NER and the Groningen Meaning Bank. `NORP` (nationalities and religious or political groups) is
//! MISC as in CoNLL-2003, `FAC` a place as there. A corpus that means something else says so in its `labels`.

use crate::label::EntityType;

/// What a type name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An entity of this type.
    Entity(EntityType),
    /// A date, an amount or the like, which is no name.
    NoName,
}

const TABLE: [(Meaning, &[&str]); 5] = [
    (
        Meaning::Entity(EntityType::Per),
        &["per", "person", "people", "pers"],
    ),
    (
        Meaning::Entity(EntityType::Loc),
        &[
            "loc", "location", "place", "gpe", "geo", "geoloc", "fac", "facility", "city",
            "country",
        ],
    ),
    (
        Meaning::Entity(EntityType::Org),
        &[
            "org",
            "organization",
            "organisation",
            "company",
            "corporation",
            "corp",
            "institution",
        ],
    ),
    (
        Meaning::Entity(EntityType::Misc),
        &[
            "misc",
            "miscellaneous",
            "other",
            "oth",
            "norp",
            "event",
            "eve",
            "product",
            "prod",
            "workofart",
            "creativework",
            "art",
            "law",
            "language",
        ],
    ),
    (
        Meaning::NoName,
        &[
            "date", "time", "tim", "percent", "money", "quantity", "ordinal", "cardinal",
        ],
    ),
];

/// What a type name means here; `None` if the table has it not.
pub fn meaning(name: &str) -> Option<Meaning> {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    let row = TABLE
        .iter()
        .find(|(_, names)| names.contains(&plain.as_str()));
    row.map(|(meaning, _)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_tools_are_known() {
        for (name, expected) in [
            ("PERSON", Some(Meaning::Entity(EntityType::Per))),
            ("Geo-Loc", Some(Meaning::Entity(EntityType::Loc))),
            ("WORK_OF_ART", Some(Meaning::Entity(EntityType::Misc))),
            ("Organisation", Some(Meaning::Entity(EntityType::Org))),
            ("CARDINAL", Some(Meaning::NoName)),
            ("group", None),
            ("", None),
        ] {
            assert_eq!(meaning(name), expected, "{name}");
        }
        for kind in EntityType::ALL {
            assert_eq!(meaning(kind.name()), Some(Meaning::Entity(kind)));
        }
    }

    /// The table of the documentation is the table of the code.
    #[test]
    fn the_documented_table_is_this_one() {
        let rows = include_str!("types.rs").lines().filter_map(|line| {
            let row = line.strip_prefix("//! | ")?.strip_suffix(" |")?;
            let (read, names) = row.split_once(" | ")?;
            (read != "read as").then_some((read, names))
        });
        let mut count = 0;
        for (read, names) in rows {
            for name in names.split(", ") {
                let said = match meaning(name).expect(name) {
                    Meaning::Entity(kind) => kind.name(),
                    Meaning::NoName => "no name, `O`",
                };
                assert_eq!(said, read, "{name}");
                count += 1;
            }
        }
        assert_eq!(
            count,
            TABLE.iter().map(|(_, names)| names.len()).sum::<usize>()
        );
    }
}
