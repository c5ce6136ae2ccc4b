//! Tokens and their tags in lists: Hugging Face datasets, and mner's own JSONL.
//!
//! `{"tokens": ["..", ".."], "ner_tags": ["O", "B-PER"]}` or `"ner_tags": [0, 1]`, whose names the dataset's features hold;
//! mner's own lines say `labels`. A line of mner's with a `text` in place of tokens is read as `mner predict` writes it.

use crate::formats::annotations::document::Document;
use crate::formats::annotations::exchange::{ReadOptions, Reading, WriteOptions};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::mner;
use crate::formats::annotations::record::{Members, about, number, object, records, shown};
use crate::formats::annotations::tagged::spans;
use crate::formats::annotations::tags::Scheme;
use crate::formats::annotations::words::with_words;
use serde_json::{Value, json};

const TOKENS: &str = "a list of words under \"tokens\"";
const TAGS: &str = "a list of tags under \"ner_tags\" or \"labels\"";
/// What the list of tags may be called.
pub(super) const TAG_MEMBERS: [&str; 5] = ["ner_tags", "labels", "tags", "ner", "label"];

pub(super) fn read(
    text: &str,
    options: &ReadOptions,
    reading: &mut Reading,
) -> Result<(), AnnotationError> {
    let mut tagged = Vec::new();
    for record in records(text)? {
        let mut members = record.object(Format::Datasets.shape())?;
        let has_tokens = members
            .map
            .get("tokens")
            .or(members.map.get("words"))
            .is_some();
        if !has_tokens && members.map.contains_key("text") {
            reading.documents.push(mner::document(members, options)?);
            continue;
        }
        let tokens = words(&mut members)?;
        let tags = tags(&mut members, options, tokens.len())?;
        let mut document = members.document(String::new());
        let Document { text, tokens, .. } = Document::of_words(&tokens);
        document.text = text;
        document.tokens = tokens;
        tagged.push((reading.documents.len(), tags));
        reading.documents.push(document);
    }
    let all = tagged.iter().map(|(_, tags)| tags.as_slice());
    let scheme = options.scheme.unwrap_or_else(|| Scheme::detect(all));
    for (at, tags) in &tagged {
        let document = &mut reading.documents[*at];
        document.spans = spans(document, tags, scheme, options, &mut reading.losses)?;
    }
    if !tagged.is_empty() {
        reading.scheme = Some(scheme);
    }
    Ok(())
}

fn words(members: &mut Members) -> Result<Vec<String>, AnnotationError> {
    let Some(Value::Array(list)) = members.take(&["tokens", "words"]) else {
        let found = Value::Object(members.map.clone());
        return Err(members.shape(&found, TOKENS));
    };
    let word = |value: &Value| match value {
        Value::String(word) => Ok(word.clone()),
        other => Err(members.shape(other, TOKENS)),
    };
    list.iter().map(word).collect()
}

fn tags(
    members: &mut Members,
    options: &ReadOptions,
    tokens: usize,
) -> Result<Vec<String>, AnnotationError> {
    let Some(Value::Array(list)) = members.take(&TAG_MEMBERS) else {
        let found = Value::Object(members.map.clone());
        return Err(members.shape(&found, TAGS));
    };
    let tag = |value: &Value| match value {
        Value::String(tag) => Ok(tag.clone()),
        Value::Number(_) => {
            let at = number(value).and_then(|at| usize::try_from(at).ok());
            let name = at.and_then(|at| options.names.get(at));
            name.cloned().ok_or_else(|| AnnotationError::Number {
                place: members.place.clone(),
                found: value.to_string(),
                known: options.names.len(),
            })
        }
        other => Err(members.shape(other, TAGS)),
    };
    let tags: Vec<String> = list.iter().map(tag).collect::<Result<_, _>>()?;
    if tags.len() != tokens {
        return Err(AnnotationError::Shape {
            place: members.place.clone(),
            found: format!("{tokens} tokens and {} tags", tags.len()),
            expected: "one tag a token",
        });
    }
    Ok(tags)
}

pub(super) fn write(
    format: Format,
    documents: &[Document],
    options: &WriteOptions,
    losses: &mut Vec<Loss>,
) -> String {
    let mut out = String::new();
    for document in documents {
        let Some(found) = with_words(document, losses) else {
            continue;
        };
        let tags = options.scheme.write(found.words.len(), &found.entities);
        let mut own = about(document, false);
        own.push(("tokens", json!(found.tokens(document))));
        let name = match format {
            Format::Jsonl => "labels",
            _ => "ner_tags",
        };
        own.push((name, json!(tags)));
        out.push_str(&object(document, own, losses).to_string());
        out.push('\n');
    }
    out
}

/// The names of tags in a dataset's `dataset_info.json`, or in its `features` alone: those of the first class label, alone or
/// in a list, that is called as tags are, else of the only one.
pub fn names(info: &str) -> Result<Vec<String>, AnnotationError> {
    let shape = |found: String| AnnotationError::Shape {
        place: "dataset_info.json".to_owned(),
        found,
        expected: "features with a class label, {\"ner_tags\": {\"feature\": {\"names\": [..]}}}",
    };
    let value: Value = serde_json::from_str(info).map_err(|error| AnnotationError::Json {
        place: "dataset_info.json".to_owned(),
        message: error.to_string(),
    })?;
    let features = value.get("features").unwrap_or(&value);
    let features = features.as_object().ok_or_else(|| shape(shown(&value)))?;
    let of = |feature: &Value| -> Option<Vec<String>> {
        let label = feature.get("feature").unwrap_or(feature);
        let names = label.get("names")?.as_array()?;
        names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect()
    };
    let called = TAG_MEMBERS.iter().find_map(|name| of(features.get(*name)?));
    let only = || {
        let mut all = features.values().filter_map(of);
        all.next().filter(|_| all.next().is_none())
    };
    called.or_else(only).ok_or_else(|| shape(shown(&value)))
}
