//! spaCy's lists of `[start, end, type]`.
//!
//! `["..", {"entities": [[0, 5, "PER"]]}]` in one array or a line each, or `{"text": "..", "entities": [[0, 5, "PER"]]}` a line;
//! also what `Doc.to_json` gives, `"ents": [{"start", "end", "label"}]`, and span groups, `"spans": {"sc": [..]}`, in place of entities.
//! Offsets are Python's, code points. A document of spaCy's has no overlapping entities.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::Reading;
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{
    Members, Record, beside, is_pair, number, place_of, records,
};
use crate::formats::annotations::words::apart;
use serde_json::{Value, json};

const SPANS: &str = "entities [start, end, type] or {\"start\", \"end\", \"label\"}";

pub(super) fn read(text: &str, unit: Unit, reading: &mut Reading) -> Result<(), AnnotationError> {
    for record in records(text)? {
        let (text, mut members) = parts(record)?;
        let list = members.map.get("entities").and_then(Value::as_array);
        if list.is_some_and(|list| list.iter().any(|item| item.get(3).is_some())) {
            let what = "what follows the type of an entity is not read";
            beside(&mut reading.losses, &members.place, what);
        }
        let offsets = Offsets::new(&text, unit);
        let spans = spans(&mut members, &offsets, &mut reading.losses)?;
        // spaCy's own, which other tools would take for theirs.
        for name in ["tokens", "sents"] {
            members.map.remove(name);
        }
        let mut document = members.document(text);
        document.spans = spans;
        reading.documents.push(document);
    }
    Ok(())
}

/// The entities, or where there are none the spans of all groups.
fn spans(
    members: &mut Members,
    offsets: &Offsets,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Span>, AnnotationError> {
    members.refuse_others(&["entities", "ents", "spans"], SPANS)?;
    let entities = members.spans(&["entities", "ents"], SPANS, offsets, span)?;
    if let Some(Value::Object(groups)) = members.map.get("spans") {
        let lists = groups.values().filter_map(Value::as_array);
        let list = lists.flatten().cloned().collect();
        members.map.insert("spans".to_owned(), Value::Array(list));
    }
    let grouped = members.spans(&["spans"], SPANS, offsets, span)?;
    if entities.is_empty() {
        return Ok(grouped);
    }
    if !grouped.is_empty() {
        let what = "span groups are not read where there are entities";
        beside(losses, &members.place, what);
    }
    Ok(entities)
}

/// Start, end and type of a span.
fn span(item: &Value) -> Option<(u64, u64, &str)> {
    let [start, end, kind] = match item {
        Value::Array(list) => [0, 1, 2].map(|at| list.get(at)),
        _ => ["start", "end", "label"].map(|name| item.get(name)),
    };
    Some((number(start?)?, number(end?)?, kind?.as_str()?))
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

pub(super) fn write(documents: &[Document], unit: Unit, losses: &mut Vec<Loss>) -> String {
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
