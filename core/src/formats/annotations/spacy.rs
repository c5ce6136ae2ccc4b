//! spaCy's lists of `[start, end, type]`.
//!
//! `["..", {"entities": [[0, 5, "PER"]]}]` in one array or a line each, or `{"text": "..", "entities": [[0, 5, "PER"]]}` a line.
//! Offsets are Python's, code points. A document of spaCy's has no overlapping entities.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::{ReadOptions, Reading, WriteOptions};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{
    Members, Record, beside, is_pair, number, place_of, records, stretch,
};
use crate::formats::annotations::words::apart;
use serde_json::{Value, json};

const SPANS: &str = "entities [start, end, type]";

pub(super) fn read(
    text: &str,
    options: &ReadOptions,
    reading: &mut Reading,
) -> Result<(), AnnotationError> {
    let unit = options.offsets.unwrap_or(Unit::Chars);
    for record in records(text)? {
        let (text, mut members) = parts(record)?;
        let list = members.list(&["entities"], SPANS)?;
        let offsets = Offsets::new(&text, unit);
        let mut spans = Vec::with_capacity(list.len());
        for item in &list {
            let start = item.get(0).and_then(number);
            let end = item.get(1).and_then(number);
            let kind = item.get(2).and_then(Value::as_str);
            let (Some(start), Some(end), Some(kind)) = (start, end, kind) else {
                return Err(members.shape(item, SPANS));
            };
            if item.get(3).is_some() {
                let what = "what follows the type of an entity is not read";
                beside(&mut reading.losses, &members.place, what);
            }
            let bytes = stretch(&offsets, unit, &members.place, kind, (start, end))?;
            spans.push(Span::new(bytes, kind));
        }
        let mut document = members.document(text);
        document.spans = spans;
        reading.documents.push(document);
    }
    Ok(())
}

fn parts(record: Record) -> Result<(String, Members), AnnotationError> {
    match record.value {
        Value::Array(list) if is_pair(&list) => {
            let mut list = list.into_iter();
            let (Some(Value::String(text)), Some(Value::Object(map))) = (list.next(), list.next())
            else {
                unreachable!("a pair is a text and an object");
            };
            Ok((
                text,
                Members {
                    place: record.place,
                    map,
                },
            ))
        }
        value => {
            let place = record.place;
            let mut members = Record { place, value }.object(Format::Spacy.shape())?;
            let text = members.text(&["text"], "a text under \"text\"")?;
            Ok((text, members))
        }
    }
}

pub(super) fn write(
    documents: &[Document],
    options: &WriteOptions,
    losses: &mut Vec<Loss>,
) -> String {
    let unit = options.offsets.unwrap_or(Unit::Chars);
    let mut lines = Vec::with_capacity(documents.len());
    for document in documents {
        // `Example.from_dict` refuses members that it does not know.
        let more =
            document.id.is_some() || !document.images.is_empty() || !document.extra.is_empty();
        if more || document.model.is_some() {
            let what = "ids, images and further members are not kept in this format";
            beside(losses, &document.place, what);
        }
        let offsets = Offsets::new(&document.text, unit);
        let mut entities = Vec::new();
        for span in apart(document, losses) {
            if let Some((start, end)) = place_of(&offsets, document, span, losses) {
                entities.push(json!([start, end, span.kind]));
            }
        }
        lines.push(json!([document.text, {"entities": entities}]).to_string());
    }
    match lines.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n{}\n]\n", lines.join(",\n")),
    }
}
