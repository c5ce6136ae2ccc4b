//! doccano's JSONL of sequence labelling, with and without relations.
//!
//! `{"id": 1, "text": "..", "label": [[0, 5, "PER"]], "Comments": []}`, or in projects with relations `"entities": [{"id": 1,
//! "label": "PER", "start_offset": 0, "end_offset": 5}], "relations": []`. Older versions say `labels`, and `data` for the
//! text. Offsets are what its front end sends, UTF-16 units, or grapheme clusters in a project that is set so; the server
//! stores and exports what it is given, as it does with files that were imported.

use crate::formats::annotations::document::Document;
use crate::formats::annotations::exchange::Reading;
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{about, beside, number, object, place_of, records};
use serde_json::{Value, json};

const SPANS: &str = "spans [start, end, type] or {\"label\", \"start_offset\", \"end_offset\"}";

pub(super) fn read(text: &str, unit: Unit, reading: &mut Reading) -> Result<(), AnnotationError> {
    for record in records(text)? {
        let mut members = record.object(Format::Doccano.shape())?;
        members.refuse_others(&["label", "labels", "entities"], SPANS)?;
        let text = members.text(&["text", "data"], "a text under \"text\" or \"data\"")?;
        let offsets = Offsets::new(&text, unit);
        let mut spans = members.spans(&["label", "labels"], SPANS, &offsets, parts)?;
        spans.extend(members.spans(&["entities"], SPANS, &offsets, parts)?);
        if let Some(Value::Array(relations)) = members.take(&["relations"])
            && !relations.is_empty()
        {
            let what = "relations are not read";
            beside(&mut reading.losses, &members.place, what);
        }
        let mut document = members.document(text);
        document.spans = spans;
        reading.documents.push(document);
    }
    Ok(())
}

/// Start, end and type of a span.
fn parts(item: &Value) -> Option<(u64, u64, &str)> {
    let named = |names: [&str; 2]| item.get(names[0]).or_else(|| item.get(names[1]));
    let (start, end, kind) = match item {
        Value::Array(list) => (list.first(), list.get(1), list.get(2)),
        _ => (
            named(["start_offset", "start"]),
            named(["end_offset", "end"]),
            item.get("label"),
        ),
    };
    Some((number(start?)?, number(end?)?, kind?.as_str()?))
}

pub(super) fn write(documents: &[Document], unit: Unit, losses: &mut Vec<Loss>) -> String {
    let mut out = String::new();
    for document in documents {
        let offsets = Offsets::new(&document.text, unit);
        let mut label = Vec::with_capacity(document.spans.len());
        for span in &document.spans {
            if let Some((start, end)) = place_of(&offsets, document, span, losses) {
                label.push(json!([start, end, span.kind]));
            }
        }
        let mut own = about(document, true);
        own.push(("text", json!(document.text)));
        own.push(("label", Value::Array(label)));
        out.push_str(&object(document, own, losses).to_string());
        out.push('\n');
    }
    out
}
