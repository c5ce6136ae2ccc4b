//! Side files that say in words what images show: JSONL, a line an image.

use crate::formats::lone_surrogates::without_lone_surrogates;
use crate::systems::ita::image_text::ImageText;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Which captions of a `*.captions.jsonl` file to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Captioner {
    /// BLIP-2: names things and reads text.
    #[default]
    Blip2,
    /// CATR: the style of COCO.
    Catr,
}

/// Why a side file cannot be used.
#[derive(Debug, Error)]
pub enum ImageContextError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not what it must be.
    #[error(
        "{}, line {line}: {source}; each line is a JSON object with the image's \"id\"", path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// A line `{"id": "1", "captions": [], "objects": [{"name": "", "score": 0, "attrs": []}], "ocr": []}`.
#[derive(Deserialize)]
struct ContextLine {
    id: String,
    #[serde(flatten)]
    text: ImageText,
}

/// A line `{"id": "1", "blip2": "", "catr": ""}`; either may be null or absent.
#[derive(Deserialize)]
struct CaptionLine {
    id: String,
    #[serde(default)]
    blip2: Option<String>,
    #[serde(default)]
    catr: Option<String>,
}

/// Reads a context side file: what each image, by id, says. Lines of one id add up.
///
/// # Errors
/// [`ImageContextError`].
pub fn read_context(path: &Path) -> Result<HashMap<String, ImageText>, ImageContextError> {
    let mut all: HashMap<String, ImageText> = HashMap::new();
    each_line(path, |line: ContextLine| {
        all.entry(line.id).or_default().extend(line.text);
    })?;
    Ok(all)
}

/// Reads the captions of one captioner out of a `*.captions.jsonl` file; images without one are
/// left out.
///
/// # Errors
/// [`ImageContextError`].
pub fn read_captions(
    path: &Path,
    captioner: Captioner,
) -> Result<HashMap<String, ImageText>, ImageContextError> {
    let mut all = HashMap::new();
    each_line(path, |line: CaptionLine| {
        let caption = match captioner {
            Captioner::Blip2 => line.blip2,
            Captioner::Catr => line.catr,
        };
        if let Some(caption) = caption {
            let text = ImageText {
                captions: vec![caption],
                ..ImageText::default()
            };
            all.insert(line.id, text);
        }
    })?;
    Ok(all)
}

/// What context and caption files together say of each image.
///
/// # Errors
/// [`ImageContextError`].
pub fn read_all(
    context: &[PathBuf],
    captions: &[PathBuf],
    captioner: Captioner,
) -> Result<HashMap<String, ImageText>, ImageContextError> {
    let mut all: HashMap<String, ImageText> = HashMap::new();
    let context = context.iter().map(|path| read_context(path));
    let captions = captions.iter().map(|path| read_captions(path, captioner));
    for file in context.chain(captions) {
        for (id, text) in file? {
            all.entry(id).or_default().extend(text);
        }
    }
    Ok(all)
}

fn each_line<T: serde::de::DeserializeOwned>(
    path: &Path,
    mut take: impl FnMut(T),
) -> Result<(), ImageContextError> {
    let content = std::fs::read_to_string(path).map_err(|source| ImageContextError::Io {
        path: path.to_owned(),
        source,
    })?;
    for (i, line) in content.lines().enumerate() {
        // Files that were put together have a mark where each begins.
        let line = line.trim_start_matches('\u{feff}');
        if line.trim().is_empty() {
            continue;
        }
        take(
            serde_json::from_slice(&without_lone_surrogates(line.as_bytes())).map_err(
                |source| ImageContextError::Line {
                    path: path.to_owned(),
                    line: i + 1,
                    source,
                },
            )?,
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn context_lines_of_one_image_add_up() {
        let file = file(
            r#"{"id": "1", "captions": ["a kite"], "objects": [{"name": "kite", "score": 0.5, "attrs": ["red"]}]}

{"id": "2"}
{"id": "1", "ocr": ["NASA"], "captions": ["sky"]}"#,
        );
        let all = read_context(file.path()).unwrap();
        assert_eq!(all["1"].captions, ["a kite", "sky"]);
        assert_eq!(all["1"].objects[0].attrs, ["red"]);
        assert_eq!(all["1"].ocr, ["NASA"]);
        assert_eq!(all["2"], ImageText::default());
    }

    #[test]
    fn half_an_emoji_and_a_byte_order_mark_lose_no_line() {
        let file = file("\u{feff}{\"id\": \"1\", \"captions\": [\"a kite \\ud83d\"]}\r\n");
        let all = read_context(file.path()).unwrap();
        assert_eq!(all["1"].captions, ["a kite \u{FFFD}"]);
    }

    #[test]
    fn captions_of_one_captioner() {
        let file = file(
            "{\"id\": \"1\", \"blip2\": \"b\", \"catr\": null}\n{\"id\": \"2\", \"catr\": \"c\"}\n",
        );
        let blip2 = read_captions(file.path(), Captioner::Blip2).unwrap();
        assert_eq!(
            (blip2.len(), &blip2["1"].captions[..]),
            (1, &["b".to_owned()][..])
        );
        let catr = read_captions(file.path(), Captioner::Catr).unwrap();
        assert_eq!(
            (catr.len(), &catr["2"].captions[..]),
            (1, &["c".to_owned()][..])
        );
    }

    #[test]
    fn errors_name_file_and_line() {
        let file = file("{\"id\": \"1\"}\n{\"captions\": []}\n");
        let error = read_context(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("id"), "{error}");
        let error = read_context(Path::new("absent.jsonl"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("absent.jsonl"), "{error}");
    }
}
