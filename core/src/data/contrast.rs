//! Tweets in which the image decides: an ambiguous name in a context that fits any reading, with images of several readings.
//!
//! [`read`] takes the sets that are scored (`evaluate::contrast`); [`compose`] makes such tweets, to learn
//! from or to score, out of names, contexts and photographs whose reading is known.

use crate::data::corpus::Sample;
use crate::formats::annotations::no_value::in_line;
use crate::formats::lone_surrogates::without_lone_surrogates;
use crate::label::{EntityType, Label};
use crate::splitmix::SplitMix64;
use crate::tweet::words::{Sigils, split_words};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A line of a set, for messages.
const SHAPE: &str = "{\"text\", \"name\", \"pictures\": [{\"image\", \"type\"}, ..]}";

/// A tweet whose name could be of several types, and images that settle which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// The raw tweet.
    pub text: String,
    /// The ambiguous name as it stands in the tweet.
    pub name: String,
    /// Images of its readings.
    #[serde(rename = "pictures")]
    pub images: Vec<TypedImage>,
}

/// An image and what it makes of the name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypedImage {
    /// The image file; what it is relative to is the caller's matter.
    pub image: PathBuf,
    /// What the name is beside this image.
    #[serde(rename = "type")]
    pub kind: EntityType,
}

/// Why tweets could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum ContrastError {
    /// A file that cannot be read.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A line or file that is not what it must be.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// No photograph of a reading that some name has.
    #[error("no photograph shows {0}: add one, or leave out the names that can be of this type")]
    NoPhotographs(EntityType),
}

/// The text of a file, without the mark that some editors begin a text with.
pub(super) fn content(path: &Path) -> Result<String, ContrastError> {
    let text = std::fs::read_to_string(path).map_err(|cause| ContrastError::Io {
        path: path.to_owned(),
        cause,
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(unmarked) => unmarked.to_owned(),
        None => text,
    })
}

/// Reads a set: JSONL, an object `{"text", "name", "pictures": [{"image", "type"}, ...]}` a line.
///
/// # Errors
/// [`ContrastError::Io`], [`ContrastError::Line`]; a name that does not stand in its text is one.
pub fn read(path: &Path) -> Result<Vec<Contrast>, ContrastError> {
    let mut all = Vec::new();
    for (number, line) in content(path)?.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let problem = |problem: String| ContrastError::Line {
            path: path.to_owned(),
            line: number + 1,
            problem,
        };
        let mended = without_lone_surrogates(line.as_bytes());
        let other = |error: serde_json::Error| {
            let error = in_line(&error);
            problem(format!("{error}; each line is {SHAPE}"))
        };
        let item: Contrast = serde_json::from_slice(&mended).map_err(other)?;
        if item.name.is_empty() || !item.text.contains(&item.name) {
            return Err(problem(format!(
                "the name {:?} does not stand in the text",
                item.name
            )));
        }
        if item.images.is_empty() {
            return Err(problem("it has no image".to_owned()));
        }
        all.push(item);
    }
    Ok(all)
}

/// A name and the types it can be of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AmbiguousName {
    /// The name.
    pub name: String,
    /// Its readings, two or more.
    pub types: Vec<EntityType>,
}

/// A photograph and the reading it settles.
#[derive(Clone, Debug, PartialEq)]
pub struct Photograph {
    /// The file, relative to wherever all of them lie.
    pub image: PathBuf,
    /// What a name is beside it.
    pub kind: EntityType,
}

/// What tweets are made of.
#[derive(Clone, Debug)]
pub struct Ingredients {
    /// Names of several readings.
    pub names: Vec<AmbiguousName>,
    /// Tweets with `{}` for the name.
    pub contexts: Vec<String>,
    /// Photographs of each reading.
    pub photographs: Vec<Photograph>,
}

impl Ingredients {
    /// Reads one part of a collection: names and contexts are JSON objects of lists by part (`train`, `eval`),
    /// photographs a table `path<TAB>type<TAB>part`.
    ///
    /// # Errors
    /// [`ContrastError::Io`], [`ContrastError::Line`]; also where a part is empty.
    pub fn read(
        names: &Path,
        contexts: &Path,
        photographs: &Path,
        part: &str,
    ) -> Result<Self, ContrastError> {
        Ok(Self {
            names: list(names, part)?,
            contexts: list(contexts, part)?,
            photographs: table(photographs, part)?,
        })
    }
}

fn list<T: serde::de::DeserializeOwned>(path: &Path, part: &str) -> Result<Vec<T>, ContrastError> {
    use std::collections::HashMap;
    let problem = |line, problem| ContrastError::Line {
        path: path.to_owned(),
        line,
        problem,
    };
    let mut parts: HashMap<String, Vec<T>> =
        serde_json::from_str(&content(path)?).map_err(|e| problem(e.line(), e.to_string()))?;
    match parts.remove(part) {
        Some(list) if !list.is_empty() => Ok(list),
        _ => Err(problem(1, format!("there is nothing under {part:?}"))),
    }
}

fn table(path: &Path, part: &str) -> Result<Vec<Photograph>, ContrastError> {
    let mut photographs = Vec::new();
    for (number, line) in content(path)?.lines().enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        let kind = fields.get(1).and_then(|kind| EntityType::parse(kind));
        match (fields.as_slice(), kind) {
            ([image, _, of, ..], Some(kind)) if *of == part => photographs.push(Photograph {
                image: PathBuf::from(image),
                kind,
            }),
            ([_, _, _, ..], Some(_)) => {}
            _ if line.trim().is_empty() => {}
            _ => {
                return Err(ContrastError::Line {
                    path: path.to_owned(),
                    line: number + 1,
                    problem: format!("expected a path, a type and a part, found {line:?}"),
                });
            }
        }
    }
    Ok(photographs)
}

/// `count` tweets, each an ambiguous name in a context, with an image of every reading of the name. Names come in
/// turn, contexts and photographs by chance, and no photograph comes again before all of its reading have come.
///
/// # Errors
/// [`ContrastError::NoPhotographs`]
pub fn compose(
    from: &Ingredients,
    count: usize,
    seed: u64,
) -> Result<Vec<Contrast>, ContrastError> {
    let mut rng = SplitMix64(seed);
    let mut decks: Vec<Vec<&Path>> = vec![Vec::new(); EntityType::ALL.len()];
    let mut names: Vec<usize> = Vec::new();
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        if names.is_empty() {
            names = (0..from.names.len()).collect();
            rng.shuffle(&mut names);
        }
        let Some(name) = names.pop().map(|at| &from.names[at]) else {
            break;
        };
        let context = &from.contexts[rng.below(from.contexts.len())];
        let mut images = Vec::with_capacity(name.types.len());
        for &kind in &name.types {
            let deck = &mut decks[kind as usize];
            if deck.is_empty() {
                let of_kind = from.photographs.iter().filter(|photo| photo.kind == kind);
                deck.extend(of_kind.map(|photo| photo.image.as_path()));
                rng.shuffle(deck);
            }
            let image = deck.pop().ok_or(ContrastError::NoPhotographs(kind))?;
            images.push(TypedImage {
                image: image.to_owned(),
                kind,
            });
        }
        all.push(Contrast {
            text: context.replacen("{}", &name.name, 1),
            name: name.name.clone(),
            images,
        });
    }
    Ok(all)
}

impl Contrast {
    /// The tweet once for each of its images, labelled by what the image makes of the name; no other word is labelled.
    pub fn samples(&self, sigils: Sigils) -> Vec<Sample> {
        let words = split_words(&self.text, sigils);
        let start = self.text.find(&self.name).unwrap_or(0);
        let name = start..start + self.name.len();
        let label = |kind| {
            let mut inside = false;
            let of_word = words.iter().map(|word| {
                if word.bytes.start >= name.end || word.bytes.end <= name.start {
                    return Label::O;
                }
                match std::mem::replace(&mut inside, true) {
                    true => Label::I(kind),
                    false => Label::B(kind),
                }
            });
            of_word.collect::<Vec<_>>()
        };
        let samples = self.images.iter().map(|typed| Sample {
            id: None,
            tokens: words
                .iter()
                .map(|word| word.of(&self.text).to_owned())
                .collect(),
            labels: label(typed.kind),
            image: Some(typed.image.to_string_lossy().into_owned()),
        });
        samples.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn ingredients() -> Ingredients {
        use EntityType::{Loc, Org, Per};
        let name = |name: &str, types: &[EntityType]| AmbiguousName {
            name: name.to_owned(),
            types: types.to_vec(),
        };
        let photo = |image: &str, kind| Photograph {
            image: PathBuf::from(image),
            kind,
        };
        Ingredients {
            names: vec![
                name("Jordan", &[Per, Loc]),
                name("St. Pauli", &[Loc, Org]),
                name("Wendy", &[Per, Org]),
            ],
            contexts: vec!["with {} today".to_owned(), "#{} !".to_owned()],
            photographs: vec![
                photo("p1", Per),
                photo("p2", Per),
                photo("l1", Loc),
                photo("l2", Loc),
                photo("o1", Org),
            ],
        }
    }

    #[test]
    fn every_name_and_photograph_takes_its_turn() {
        let from = ingredients();
        let made = compose(&from, 6, 1).unwrap();
        assert_eq!(made, compose(&from, 6, 1).unwrap());
        let mut names = BTreeMap::<&str, usize>::new();
        let mut photographs = BTreeMap::<&Path, usize>::new();
        for item in &made {
            *names.entry(&item.name).or_default() += 1;
            assert!(item.text.contains(&item.name));
            let types: Vec<_> = item.images.iter().map(|p| p.kind).collect();
            let known = from.names.iter().find(|name| name.name == item.name);
            assert_eq!(types, known.unwrap().types);
            for typed in &item.images {
                *photographs.entry(&typed.image).or_default() += 1;
            }
        }
        assert!(names.values().all(|&count| count == 2), "{names:?}");
        let uses: BTreeSet<usize> = photographs.values().copied().collect();
        assert_eq!(photographs.len(), 5, "{photographs:?}");
        assert_eq!(uses, BTreeSet::from([2, 4]));
    }

    #[test]
    fn a_reading_without_photographs_is_named() {
        let mut from = ingredients();
        from.photographs.retain(|p| p.kind != EntityType::Org);
        let error = compose(&from, 3, 1).unwrap_err().to_string();
        assert!(error.contains("shows ORG"), "{error}");
    }

    #[test]
    fn the_name_alone_is_labelled_by_each_image() {
        let item = Contrast {
            text: "with St. Pauli today".to_owned(),
            name: "St. Pauli".to_owned(),
            images: vec![
                TypedImage {
                    image: PathBuf::from("a/l1.jpg"),
                    kind: EntityType::Loc,
                },
                TypedImage {
                    image: PathBuf::from("o1.jpg"),
                    kind: EntityType::Org,
                },
            ],
        };
        let [place, club] = item.samples(Sigils::Apart).try_into().unwrap();
        let named: Vec<_> = place.labels.iter().filter(|&&l| l != Label::O).collect();
        assert_eq!(named[0], &Label::B(EntityType::Loc));
        assert!(named[1..].iter().all(|&&l| l == Label::I(EntityType::Loc)));
        assert_eq!(place.labels[0], Label::O);
        assert_eq!(place.labels.last(), Some(&Label::O));
        assert_eq!(place.image.as_deref(), Some("a/l1.jpg"));
        assert_eq!(club.tokens, place.tokens);
        assert!(club.labels.contains(&Label::B(EntityType::Org)));
    }

    #[test]
    fn a_set_is_read_and_its_faults_are_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = r#"{"text": "Jordan!", "name": "Jordan", "pictures": [{"image": "a.jpg", "type": "PER"}]}"#;
        std::fs::write(file.path(), format!("\u{feff}{line}\n\n")).unwrap();
        let read_back = read(file.path()).unwrap();
        assert_eq!(read_back[0].images[0].kind, EntityType::Per);
        let other = line.replace("\"name\": \"Jordan\"", "\"name\": \"Oslo\"");
        std::fs::write(file.path(), format!("{line}\n{other}\n")).unwrap();
        let error = read(file.path()).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("Oslo"),
            "{error}"
        );
        let bare = r#"{"text": "Jordan!", "name": "Jordan", "pictures": []}"#;
        std::fs::write(file.path(), bare).unwrap();
        let error = read(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("no image"));
    }
}
