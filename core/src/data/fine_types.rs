//! What people say the names of tweets are more finely, joined with corpora by the tweets' ids and the names' spelling.

use crate::data::contrast::{ContrastError, content};
use crate::data::corpus::Sample;
use crate::decode::chunks::{Rule, chunks};
use crate::decode::fine_types::{FineSpan, FineType, check};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;

/// Names and their fine types, by the tweets' ids.
#[derive(Clone, Debug, Default)]
pub struct FineTypeNames {
    by_id: HashMap<String, Vec<(String, FineType)>>,
    /// The coarse type of each fine one.
    coarse: BTreeMap<String, String>,
}

/// A line `{"id": "1", "entities": [{"name": "", "coarse": "", "fine": ""}]}`.
#[derive(Deserialize)]
struct Line {
    id: String,
    entities: Vec<Name>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
    coarse: String,
    fine: String,
}

/// A name without white space, as it is compared.
pub fn spelling(name: &str) -> String {
    name.split_whitespace().collect()
}

/// The words of a name, spelled alike.
pub fn spelled(words: &[String]) -> String {
    spelling(&words.concat())
}

impl FineTypeNames {
    /// Reads files of names and their fine types: JSONL, `{"id", "entities": [{"name", "coarse", "fine"}, ...]}` a line. A tweet
    /// that stands in several has the names of all.
    ///
    /// # Errors
    /// [`ContrastError::Io`], [`ContrastError::Line`]; also for a fine type under two coarse ones.
    pub fn read(paths: &[PathBuf]) -> Result<Self, ContrastError> {
        let mut all = Self::default();
        for path in paths {
            for (number, line) in content(path)?.lines().enumerate() {
                if line.trim().is_empty() {
                    continue;
                }
                all.add(line).map_err(|problem| ContrastError::Line {
                    path: path.clone(),
                    line: number + 1,
                    problem,
                })?;
            }
        }
        Ok(all)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let Line { id, entities } = serde_json::from_str(line).map_err(|error| {
            format!("{error}; each line is {{\"id\", \"entities\": [{{\"name\", \"coarse\", \"fine\"}}, ...]}}")
        })?;
        let names = self.by_id.entry(id).or_default();
        for Name { name, coarse, fine } in entities {
            let known = self.coarse.entry(fine.clone()).or_insert(coarse.clone());
            if *known != coarse {
                return Err(format!(
                    "\"{fine}\" stands under \"{known}\" and \"{coarse}\""
                ));
            }
            let fine_type = FineType { coarse, fine };
            check(std::slice::from_ref(&fine_type))?;
            names.push((spelling(&name), fine_type));
        }
        Ok(())
    }

    /// All fine types, by their names.
    pub fn types(&self) -> Vec<FineType> {
        let types = self.coarse.iter().map(|(fine, coarse)| FineType {
            coarse: coarse.clone(),
            fine: fine.clone(),
        });
        types.collect()
    }

    /// The names of a tweet as [`spelling`] has them; none of one that nobody looked at.
    pub fn of(&self, id: Option<&str>) -> Option<&[(String, FineType)]> {
        self.by_id.get(id?).map(Vec::as_slice)
    }

    /// The labelled spans of a sample whose names are among its tweet's, each name once, in order. Types that are not among `types`
    /// are passed over.
    pub fn spans(&self, sample: &Sample, types: &[FineType]) -> Vec<FineSpan> {
        let mut names: Vec<_> = self
            .of(sample.id.as_deref())
            .unwrap_or_default()
            .iter()
            .collect();
        let mut spans = Vec::new();
        for chunk in chunks(&sample.labels, Rule::Lenient) {
            let words: Range<usize> = chunk.start..chunk.end;
            let spelled = spelled(&sample.tokens[words.clone()]);
            let Some(at) = names.iter().position(|(name, _)| *name == spelled) else {
                continue;
            };
            let (_, fine_type) = names.remove(at);
            if let Some(fine) = types.iter().position(|other| other == fine_type) {
                spans.push(FineSpan {
                    words,
                    kind: chunk.kind,
                    fine,
                });
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{EntityType, Label};

    fn read(text: &str) -> Result<FineTypeNames, ContrastError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fine.jsonl");
        std::fs::write(&path, text).unwrap();
        FineTypeNames::read(&[path])
    }

    const LINE: &str = r#"{"id": "7", "set": "x", "entities": [
        {"name": "Ada Byron", "coarse": "person", "fine": "author"},
        {"name": "Ulm", "coarse": "location", "fine": "city"},
        {"name": "Ulm", "coarse": "organization", "fine": "sports_team"}]}"#;

    #[test]
    fn names_are_joined_by_spelling_in_order() {
        let line = LINE.replace('\n', "");
        let names = read(&format!("\u{feff}{line}\n\n")).unwrap();
        let types = names.types();
        let fine: Vec<&str> = types.iter().map(|t| t.fine.as_str()).collect();
        assert_eq!(fine, ["author", "city", "sports_team"]);
        let (b, i) = (Label::B, Label::I);
        let (per, loc, org) = (EntityType::Per, EntityType::Loc, EntityType::Org);
        let sample = |id: &str| Sample {
            id: Some(id.to_owned()),
            tokens: ["Ulm", "met", "Ada", "Byron", "of", "Ulm", "Ulm"]
                .map(str::to_owned)
                .to_vec(),
            labels: vec![b(loc), Label::O, b(per), i(per), Label::O, b(org), b(org)],
            image: None,
        };
        let span = |words, kind, fine| FineSpan { words, kind, fine };
        let expected = [span(0..1, loc, 1), span(2..4, per, 0), span(5..6, org, 2)];
        assert_eq!(names.spans(&sample("7"), &types), expected);
        // Of types that a system does not tell nothing is learnt.
        assert_eq!(
            names.spans(&sample("7"), &types[1..2]),
            [span(0..1, loc, 0)]
        );
        assert!(names.spans(&sample("8"), &types).is_empty());
        assert!(names.of(None).is_none());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let fault = |text: &str| read(text).unwrap_err().to_string();
        let two = "{\"id\":\"1\",\"entities\":[{\"name\":\"a\",\"coarse\":\"x\",\"fine\":\"f\"},{\"name\":\"a\",\"coarse\":\"y\",\"fine\":\"f\"}]}";
        assert!(fault(two).ends_with("line 1: \"f\" stands under \"x\" and \"y\""));
        assert!(fault("\n{\"id\": 1}").contains("line 2: "));
        let nameless =
            "{\"id\":\"1\",\"entities\":[{\"name\":\"a\",\"coarse\":\"\",\"fine\":\"f\"}]}";
        assert!(fault(nameless).ends_with("has no name"));
    }
}
