//! Texts and the images that belong to them, or what captions say of these, without labels.

use crate::data::contrast::ContrastError;
use crate::formats::annotations::no_value::in_line;
use crate::formats::lone_surrogates::without_lone_surrogates;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// A text and its own image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Pair {
    /// The raw text.
    pub text: String,
    /// The image file; what it is relative to is the caller's matter.
    pub image: String,
}

/// A text and a caption of its own image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// The raw text.
    pub text: String,
    /// What the image shows.
    pub caption: String,
}

/// A line of a file of pairs.
pub trait Line: DeserializeOwned {
    /// What it is, for messages.
    const SHAPE: &'static str;
}

impl Line for Pair {
    const SHAPE: &'static str = "{\"text\", \"image\"}";
}

impl Line for Told {
    const SHAPE: &'static str = "{\"text\", \"caption\"}";
}

/// Reads pairs, [`Pair`] or [`Told`]: JSONL, an object a line; what else it holds is passed over.
///
/// # Errors
/// [`ContrastError::Io`], [`ContrastError::Line`].
pub fn read<T: Line>(path: &Path) -> Result<Vec<T>, ContrastError> {
    let content = fs::read(path).map_err(|cause| ContrastError::Io {
        path: path.to_owned(),
        cause,
    })?;
    let mut pairs = Vec::new();
    for (number, line) in content.split(|&byte| byte == b'\n').enumerate() {
        // Files that were put together have a mark where each begins.
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let pair = serde_json::from_slice(&without_lone_surrogates(line));
        pairs.push(pair.map_err(|error| ContrastError::Line {
            path: path.to_owned(),
            line: number + 1,
            problem: format!("{}; each line is {}", in_line(&error), T::SHAPE),
        })?);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pairs_and_names_the_line_that_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs.jsonl");
        let good = "\u{feff}{\"id\": 3, \"text\": \"a \\ud83d b\", \"image\": \"1.jpg\"}\r\n\n";
        fs::write(&path, good).unwrap();
        let pair = Pair {
            text: "a \u{fffd} b".to_owned(),
            image: "1.jpg".to_owned(),
        };
        assert_eq!(read::<Pair>(&path).unwrap(), [pair]);
        fs::write(&path, format!("{good}{{\"text\": \"b\"}}\n")).unwrap();
        let error = read::<Pair>(&path).unwrap_err().to_string();
        assert!(
            error.contains("line 3") && error.contains("each line is {\"text\", \"image\"}"),
            "{error}"
        );
        let missing = read::<Pair>(&folder.path().join("none"))
            .unwrap_err()
            .to_string();
        assert!(missing.contains("none"), "{missing}");
    }
}
