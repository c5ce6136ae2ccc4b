//! Answers as files of annotation tools.

use crate::error::coded;
use mner_core::formats::annotations::{Document, Format, Span, WriteOptions};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

#[derive(Deserialize)]
struct Annotated {
    text: String,
    entities: Vec<Found>,
    model: Option<String>,
    #[serde(default)]
    images: Vec<String>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "type")]
    kind: String,
    bytes: [usize; 2],
    confidence: Option<f64>,
}

#[derive(Serialize)]
struct Written {
    files: Vec<WrittenFile>,
    losses: Vec<String>,
}

#[derive(Serialize)]
struct WrittenFile {
    name: String,
    text: String,
}

/// Writes texts and what was found in them in a format of the command line's `convert`: `doccano`, `label-studio`, `prodigy`,
/// `brat`, `datasets`, `conllu`, `spacy` and others.
///
/// # Errors
/// An `Error` with `code` `"input"`: there is no such format, or a span is none of its text.
#[wasm_bindgen(unchecked_return_type = "Writing")]
pub fn annotations(
    format: &str,
    #[wasm_bindgen(unchecked_param_type = "Annotated[]")] documents: JsValue,
) -> Result<JsValue, JsValue> {
    let Some(format) = Format::ALL.into_iter().find(|one| one.name() == format) else {
        let names = Format::ALL.map(Format::name).join(", ");
        return Err(coded(
            "input",
            &format!("there is no format {format:?}; choose one of {names}"),
        ));
    };
    let given: Vec<Annotated> = serde_wasm_bindgen::from_value(documents).map_err(|error| {
        let words = format!("the answers must be an array of {{text, entities}}: {error}");
        coded("input", &words)
    })?;
    let documents = given
        .into_iter()
        .map(document)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|words| coded("input", &words))?;
    let writing = format.write(&documents, &WriteOptions::default());
    let written = Written {
        files: writing
            .files
            .into_iter()
            .map(|file| WrittenFile {
                name: file.name,
                text: file.text,
            })
            .collect(),
        losses: writing.losses.iter().map(ToString::to_string).collect(),
    };
    written
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|error| coded("input", &error))
}

/// The document, or what is wrong with its spans.
fn document(given: Annotated) -> Result<Document, String> {
    let Annotated {
        text,
        entities,
        model,
        images,
    } = given;
    let mut spans = Vec::with_capacity(entities.len());
    for Found {
        kind,
        bytes: [start, end],
        confidence,
    } in entities
    {
        if text.get(start..end).is_none_or(str::is_empty) {
            let length = text.len();
            return Err(format!(
                "the span {start} to {end} ({kind}) is none of this text of {length} bytes"
            ));
        }
        spans.push(Span {
            confidence,
            ..Span::new(start..end, kind)
        });
    }
    let mut document = Document {
        text,
        spans,
        model,
        images,
        ..Document::default()
    };
    document.sort();
    Ok(document)
}
