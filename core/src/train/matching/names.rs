//! Names, and whether people saw in the tweet's image what they name.

use crate::data::corpus::Source;
use crate::data::fine_types::spelling;
use crate::data::image_text_files::{Captioner, read_all};
use crate::decode::chunks::{Chunk, Rule, chunks};
use crate::label::EntityType;
use crate::train::error::TrainError;
use crate::train::matching::vectors::SentenceEncoder;
use crate::tweet::words::Sigils;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A name in a tweet whose image people looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The state of the system's own encoder at its first word, `D` values.
    pub state: Vec<f32>,
    /// Its type.
    pub kind: EntityType,
    /// Whether its image shows it.
    pub seen: bool,
    /// Places of the image's captions among [`Names::captions`]; at least one.
    pub captions: Vec<usize>,
}

/// Names, and captions that stand in for their images.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The names.
    pub names: Vec<Named>,
    /// `S` values each, of length 1.
    pub captions: Vec<Vec<f32>>,
}

/// A line `{"id": "1", "visible": [{"name": ""}]}`.
#[derive(Deserialize)]
struct SeenLine {
    id: String,
    visible: Vec<Visible>,
}

#[derive(Deserialize)]
struct Visible {
    name: String,
}

/// What people saw, by the id of the tweet: names without white space.
pub type SeenNames = HashMap<String, HashSet<String>>;

/// Reads what people saw in images: JSONL, `{"id", "visible": [{"name"}, ...]}` a line.
///
/// # Errors
/// [`TrainError::Io`], [`TrainError::Seen`].
pub fn read_seen(path: &Path) -> Result<SeenNames, TrainError> {
    let text = fs::read_to_string(path).map_err(|source| TrainError::Io {
        path: path.to_owned(),
        source,
    })?;
    let mut all = SeenNames::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let line: SeenLine = serde_json::from_str(line).map_err(|source| TrainError::Seen {
            path: path.to_owned(),
            line: number + 1,
            source,
        })?;
        let names = line.visible.iter().map(|visible| spelling(&visible.name));
        all.entry(line.id).or_default().extend(names);
    }
    Ok(all)
}

impl Names {
    /// The names of corpora whose images were looked at and have captions.
    ///
    /// # Errors
    /// [`TrainError`] where a file cannot be read, or the device fails.
    pub fn new(
        corpora: &[Source],
        seen: &SeenNames,
        captions: &[PathBuf],
        sigils: Sigils,
        [frozen, own]: [&SentenceEncoder; 2],
    ) -> Result<Self, TrainError> {
        let by_captioner =
            [Captioner::Blip2, Captioner::Catr].map(|captioner| read_all(&[], captions, captioner));
        let mut by_id: HashMap<String, Vec<String>> = HashMap::new();
        for captions in by_captioner {
            for (id, image) in captions? {
                by_id.entry(id).or_default().extend(image.captions);
            }
        }
        // Only what stands in for an image of these corpora is encoded, once.
        let mut texts: Vec<String> = Vec::new();
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        let (mut tweets, mut found) = (Vec::new(), Vec::new());
        for source in corpora {
            for sample in source.read()? {
                let Some(id) = &sample.id else { continue };
                let (Some(visible), Some(captions)) = (seen.get(id), by_id.get(id)) else {
                    continue;
                };
                let names = chunks(&sample.labels, Rule::Lenient);
                if names.is_empty() {
                    continue;
                }
                let places = places.entry(id.clone()).or_insert_with(|| {
                    let first = texts.len();
                    texts.extend_from_slice(captions);
                    (first..texts.len()).collect()
                });
                found.push((names, visible, places.clone()));
                tweets.push(sample.tokens);
            }
        }
        let words: Vec<Vec<&str>> = tweets
            .iter()
            .map(|words| words.iter().map(String::as_str).collect())
            .collect();
        let wanted: Vec<Vec<usize>> = found
            .iter()
            .map(|(names, ..)| names.iter().map(|name| name.start).collect())
            .collect();
        let states = own.word_states(&words, &wanted)?;
        let mut names = Vec::new();
        for ((of, (chunks, visible, captions)), states) in words.iter().zip(found).zip(states) {
            for (Chunk { kind, start, end }, state) in chunks.into_iter().zip(states) {
                let Some(state) = state else { continue };
                names.push(Named {
                    state,
                    kind,
                    seen: visible.contains(&spelling(&of[start..end].concat())),
                    captions: captions.clone(),
                });
            }
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(Self {
            names,
            captions: frozen.encode(&texts, sigils)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_by_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen.jsonl");
        let line = r#"{"id": "7", "set": "2015", "visible": [{"name": "Kourtney K", "box": [1, 2, 3, 4]}]}"#;
        fs::write(
            &path,
            format!("{line}\n\n{{\"id\": \"8\", \"visible\": []}}\n"),
        )
        .unwrap();
        let seen = read_seen(&path).unwrap();
        assert!(seen["7"].contains("KourtneyK") && seen["8"].is_empty());
        fs::write(&path, "{\"id\": 7}\n").unwrap();
        let error = read_seen(&path).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
