//! mner's own answers: `{"text": "..", "entities": [{"type", "text", "utf16", "chars", "bytes"}]}` a line.
//!
//! Those of `mner predict --input` are the objects that went in, whatever they hold: the text may stand elsewhere (`read_field`),
//! the names may have a beginning (`mner_entities`), and of a tweet that could not be read the answer is an `error`.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::{ReadOptions, Reading};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{
    Members, about, beside, number, object, records, said, words,
};
use serde_json::{Map, Value, json};

/// Where the text may be.
const TEXTS: [&str; 5] = ["text", "full_text", "tweet", "content", "body"];
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
    let mut faults = Vec::new();
    for record in records(text)? {
        let members = record.object(Format::Mner.shape())?;
        if is_fault(&members.map) {
            faults.push(members.place);
            continue;
        }
        reading.documents.push(document(members, options)?);
    }
    if let Some(first) = faults.first() {
        beside(&mut reading.losses, first, &passed_over(faults.len()));
    }
    Ok(())
}

/// The sentence for so many answers that are faults.
pub(crate) fn passed_over(faults: usize) -> String {
    format!("{faults} answer(s) that say why a tweet could not be read are passed over")
}

/// What stands before `entities` in the name of the member that holds an answer's: nothing, or a beginning that made way for the
/// members of others. Of several the longest, which made way for all.
pub(crate) fn prefix(map: &Map<String, Value>) -> Option<&str> {
    if map.get("entities").and_then(spans_in).is_some() {
        return Some("");
    }
    let others = map.iter().filter_map(|(name, value)| {
        let prefix = name.strip_suffix("entities")?;
        // Another's list under such a name may be as empty.
        let known = spans_in(value)? > 0
            || prefix.starts_with("mner_")
            || map.contains_key(&format!("{prefix}read_field"));
        known.then_some(prefix)
    });
    others.max_by_key(|prefix| prefix.len())
}

/// How many spans of this format a member is a list of, if it is one.
fn spans_in(value: &Value) -> Option<usize> {
    let list = value.as_array()?;
    let placed = |item: &Value| UNITS.iter().any(|(name, _)| item.get(name).is_some());
    let span = |item: &Value| item.get("type").is_some_and(Value::is_string) && placed(item);
    list.iter().all(span).then_some(list.len())
}

/// How many spans an answer has whose text or entities are called otherwise than usual; `None` if it is no such answer.
pub(super) fn renamed(map: &Map<String, Value>) -> Option<usize> {
    let prefix = prefix(map).filter(|_| !has_words(map))?;
    let spans = map.get(&format!("{prefix}entities")).and_then(spans_in)?;
    let read = map.contains_key(&format!("{prefix}read_field"));
    let lost = spans > 0 && !map.contains_key("text");
    (read || lost || !prefix.is_empty()).then_some(spans)
}

fn has_words(map: &Map<String, Value>) -> bool {
    map.contains_key("tokens") || map.contains_key("words")
}

/// Whether an object says why a tweet could not be read.
pub(crate) fn is_fault(map: &Map<String, Value>) -> bool {
    let fault = |(name, value): (&String, &Value)| {
        let Some(prefix) = name.strip_suffix("error").filter(|_| value.is_string()) else {
            return false;
        };
        prefix.is_empty() || map.contains_key(&format!("{prefix}line"))
    };
    !has_words(map) && prefix(map).is_none() && map.iter().any(fault)
}

/// Gives the text and the entities of an answer their usual names.
pub(crate) fn make_plain(map: &mut Map<String, Value>) {
    let Some(prefix) = prefix(map).map(str::to_owned) else {
        return;
    };
    if let Some(entities) = map.remove(&format!("{prefix}entities")) {
        map.insert("entities".to_owned(), entities);
    }
    let field = match map.remove(&format!("{prefix}read_field")) {
        Some(Value::String(field)) => Some(field),
        // Where answers did not say what was read, it was one of these.
        _ => TEXTS
            .into_iter()
            .find(|name| map.get(*name).is_some_and(Value::is_string))
            .map(str::to_owned),
    };
    if let Some(text) = field.and_then(|field| text_at(map, &field)) {
        map.insert("text".to_owned(), text);
    }
}

/// Takes the text under a name, or copies that at a path of names with dots between them.
fn text_at(map: &mut Map<String, Value>, field: &str) -> Option<Value> {
    if map.get(field).is_some_and(Value::is_string) {
        return map.remove(field);
    }
    let mut path = field.split('.');
    let first = map.get(path.next()?)?;
    let text = path.try_fold(first, |value, name| value.get(name))?;
    text.is_string().then(|| text.clone())
}

/// The document of one record.
pub(super) fn document(
    mut members: Members,
    options: &ReadOptions,
) -> Result<Document, AnnotationError> {
    make_plain(&mut members.map);
    members.refuse_others(&["entities"], SPANS)?;
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
    let place = &members.place;
    let bytes = said(offsets, place, kind, (start, end), words(item))?;
    // The other units are of the same words.
    let expected = &offsets.text()[bytes.clone()];
    for (start, end, offsets) in given {
        let other = said(offsets, place, kind, (start, end), Some(expected))?;
        if other != bytes {
            return Err(members.shape(item, "an entity whose offsets are of one stretch"));
        }
    }
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

#[cfg(test)]
mod tests {
    use crate::formats::annotations::{Format, ReadOptions, Reading, TextFile};

    /// Lines as the format that they look like.
    fn read(lines: &[&str]) -> (Format, Reading) {
        let files = [TextFile {
            text: lines.join("\n"),
            ..TextFile::default()
        }];
        let format = Format::detect(&files).expect(lines[0]);
        (
            format,
            format.read(&files, &ReadOptions::default()).unwrap(),
        )
    }

    #[test]
    fn answers_are_read_wherever_their_text_and_entities_are() {
        let span = r#"[{"type":"PER","utf16":[0,5],"chars":[0,5],"bytes":[0,5]}]"#;
        for line in [
            r#"{"full_text":"Obama won","entities":{"urls":[]},"mner_entities":SPAN}"#,
            r#"{"tweet":"Obama won","entities":SPAN}"#,
            r#"{"text":"Ob…","full_text":"Obama won","entities":SPAN,"read_field":"full_text"}"#,
            r#"{"text":"Ob…","truncated":true,"extended_tweet":{"full_text":"Obama won"},"entities":SPAN,"read_field":"extended_tweet.full_text"}"#,
            r#"{"data":{"text":"Obama won"},"entities":SPAN,"read_field":"data.text"}"#,
            r#"{"text":"no","entities":{},"read_field":1,"x_entities":SPAN,"x_read_field":"a.b","a":{"b":"no"},"a.b":"Obama won"}"#,
            r#"{"text":"Obama won","entities":{},"mner_entities":[],"mner_mner_entities":SPAN}"#,
            r#"{"text":"Obama won","entities":SPAN,"mner_entities":[]}"#,
        ] {
            let (format, reading) = read(&[&line.replace("SPAN", span)]);
            assert_eq!(format, Format::Mner, "{line}");
            let [document] = &reading.documents[..] else {
                panic!("{line}");
            };
            assert_eq!(document.text, "Obama won", "{line}");
            assert_eq!(document.of(&document.spans[0]), "Obama", "{line}");
        }
        let (format, reading) = read(&[
            r#"{"data":{"text":"Hi"},"entities":[],"read_field":"data.text"}"#,
            r#"{"text":"Hi","entities":{"urls":[]},"mner_entities":[]}"#,
        ]);
        assert_eq!(format, Format::Mner);
        assert!(
            reading
                .documents
                .iter()
                .all(|one| one.text == "Hi" && one.spans.is_empty())
        );
    }

    #[test]
    fn answers_without_a_tweet_are_passed_over_and_counted() {
        let good = r#"{"text":"Obama won","entities":[{"type":"PER","chars":[0,5]}]}"#;
        let (_, reading) = read(&[
            r#"{"error":"not JSON","line":1}"#,
            good,
            r#"{"id":7,"text":3,"line":3,"error":"\"text\" is not a string"}"#,
            r#"{"text":3,"line":9,"error":0,"mner_line":4,"mner_error":"\"text\" is not a string"}"#,
        ]);
        assert_eq!(reading.documents.len(), 1);
        let said: Vec<String> = reading.losses.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            ["line 1: 3 answer(s) that say why a tweet could not be read are passed over"]
        );
    }
}
