//! mner's own answers: `{"text": "..", "entities": [{"type", "text", "utf16", "chars", "bytes"}]}` a line.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::{ReadOptions, Reading};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{Members, about, number, object, records, stretch};
use serde_json::{Map, Value, json};

const SPANS: &str = "entities {\"type\", \"chars\": [start, end]}";
/// The members that hold offsets, and what they count.
const UNITS: [(&str, Unit); 3] = [
    ("chars", Unit::Chars),
    ("utf16", Unit::Utf16),
    ("bytes", Unit::Bytes),
];

pub(super) fn read(
    text: &str,
    options: &ReadOptions,
    reading: &mut Reading,
) -> Result<(), AnnotationError> {
    for record in records(text)? {
        let members = record.object(Format::Mner.shape())?;
        reading.documents.push(document(members, options)?);
    }
    Ok(())
}

/// The document of one record.
pub(super) fn document(
    mut members: Members,
    options: &ReadOptions,
) -> Result<Document, AnnotationError> {
    let text = members.text(&["text"], "a text under \"text\"")?;
    let list = members.list(&["entities"], SPANS)?;
    let offsets = places(&text);
    let spans = list
        .iter()
        .map(|item| span(item, &members, &offsets, options));
    let spans: Vec<Span> = spans.collect::<Result<_, _>>()?;
    let mut document = members.document(text);
    document.spans = spans;
    Ok(document)
}

/// The places of a text in every unit, by the member that holds them.
fn places(text: &str) -> [(&'static str, Offsets<'_>); 3] {
    UNITS.map(|(name, unit)| (name, Offsets::new(text, unit)))
}

fn span(
    item: &Value,
    members: &Members,
    offsets: &[(&'static str, Offsets<'_>)],
    options: &ReadOptions,
) -> Result<Span, AnnotationError> {
    let asked = |unit: Unit| options.offsets.is_none_or(|asked| asked == unit);
    let given = offsets.iter().filter(|(_, offsets)| asked(offsets.unit()));
    let mut given = given.filter_map(|(name, offsets)| {
        let ends = item.get(*name)?;
        Some((number(ends.get(0)?)?, number(ends.get(1)?)?, offsets))
    });
    let kind = item.get("type").and_then(Value::as_str);
    let (Some((start, end, offsets)), Some(kind)) = (given.next(), kind) else {
        return Err(members.shape(item, SPANS));
    };
    let bytes = stretch(offsets, &members.place, kind, (start, end))?;
    let layer = item.get("layer").and_then(Value::as_str);
    Ok(Span {
        confidence: item.get("confidence").and_then(Value::as_f64),
        layer: layer.map(str::to_owned),
        ..Span::new(bytes, kind)
    })
}

pub(super) fn write(documents: &[Document], losses: &mut Vec<Loss>) -> String {
    let mut out = String::new();
    for document in documents {
        let offsets = places(&document.text);
        let entities = document.spans.iter().map(|span| {
            let mut members = Map::new();
            members.insert("type".to_owned(), json!(span.kind));
            members.insert("text".to_owned(), json!(document.of(span)));
            for (name, offsets) in &offsets {
                let ends = [span.bytes.start, span.bytes.end].map(|byte| offsets.offset(byte));
                members.insert((*name).to_owned(), json!(ends));
            }
            if let Some(confidence) = span.confidence {
                members.insert("confidence".to_owned(), json!(confidence));
            }
            if let Some(layer) = &span.layer {
                members.insert("layer".to_owned(), json!(layer));
            }
            Value::Object(members)
        });
        let mut own = about(document, false);
        own.push(("text", json!(document.text)));
        own.push(("entities", entities.collect()));
        out.push_str(&object(document, own, losses).to_string());
        out.push('\n');
    }
    out
}
