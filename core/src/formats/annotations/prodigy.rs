//! Prodigy's JSONL: a text, its tokens, and spans over them.
//!
//! `{"text": "..", "tokens": [{"text", "start", "end", "id", "ws"}], "spans": [{"start", "end", "token_start", "token_end",
//! "label"}], "answer": "accept"}`, `token_end` being the span's last token. Offsets are Python's, code points.

use crate::formats::annotations::document::Document;
use crate::formats::annotations::exchange::Reading;
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::lines::shorten;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{
    Members, about, beside, number, object, place_of, records, said, words,
};
use serde_json::{Map, Value, json};
use std::ops::Range;

const SPANS: &str = "spans {\"start\", \"end\", \"label\"}";
const TOKENS: &str = "tokens {\"text\", \"start\", \"end\"}";

pub(super) fn read(text: &str, unit: Unit, reading: &mut Reading) -> Result<(), AnnotationError> {
    for record in records(text)? {
        let mut members = record.object(Format::Prodigy.shape())?;
        if let Some(answer @ ("reject" | "ignore")) =
            members.map.get("answer").and_then(Value::as_str)
        {
            let what = match answer {
                "reject" => "records with the answer \"reject\" are left out",
                _ => "records with the answer \"ignore\" are left out",
            };
            beside(&mut reading.losses, &members.place, what);
            continue;
        }
        members.refuse_others(&["spans"], SPANS)?;
        let text = members.text(&["text"], "a text under \"text\"")?;
        let offsets = Offsets::new(&text, unit);
        let spans = members.spans(&["spans"], SPANS, &offsets, |item| {
            let (start, end) = ends(item)?;
            Some((start, end, item.get("label")?.as_str()?))
        })?;
        let tokens = tokens(&mut members, &offsets)?;
        let mut document = members.document(text);
        document.spans = spans;
        document.tokens = tokens;
        reading.documents.push(document);
    }
    Ok(())
}

fn ends(item: &Value) -> Option<(u64, u64)> {
    Some((number(item.get("start")?)?, number(item.get("end")?)?))
}

fn tokens(
    members: &mut Members,
    offsets: &Offsets,
) -> Result<Option<Vec<Range<usize>>>, AnnotationError> {
    let list = members.list(&["tokens"], TOKENS)?;
    if list.is_empty() {
        return Ok(None);
    }
    let mut tokens: Vec<Range<usize>> = Vec::with_capacity(list.len());
    for item in &list {
        let Some(ends) = ends(item) else {
            return Err(members.shape(item, TOKENS));
        };
        let words = words(item);
        let bytes = said(offsets, &members.place, "a token", ends, words)?;
        if tokens.last().is_some_and(|last| bytes.start < last.end) {
            return Err(AnnotationError::Token {
                place: members.place.clone(),
                token: words.unwrap_or_default().to_owned(),
            });
        }
        tokens.push(bytes);
    }
    match between(offsets.text(), &tokens) {
        None => Ok(Some(tokens)),
        Some(text) => Err(AnnotationError::NoToken {
            place: members.place.clone(),
            text: shorten(text),
        }),
    }
}

/// The first part of a text that lies in none of its tokens, white space aside.
fn between<'a>(text: &'a str, tokens: &[Range<usize>]) -> Option<&'a str> {
    let starts = tokens.iter().map(|token| token.start).chain([text.len()]);
    let ends = [0].into_iter().chain(tokens.iter().map(|token| token.end));
    let gaps = ends
        .zip(starts)
        .filter_map(|(end, start)| text.get(end..start));
    gaps.map(str::trim).find(|gap| !gap.is_empty())
}

pub(super) fn write(documents: &[Document], unit: Unit, losses: &mut Vec<Loss>) -> String {
    let mut out = String::new();
    for document in documents {
        let offsets = Offsets::new(&document.text, unit);
        let mut own = about(document, false);
        own.push(("text", json!(document.text)));
        let mut spans = Vec::with_capacity(document.spans.len());
        for span in &document.spans {
            let Some((start, end)) = place_of(&offsets, document, span, losses) else {
                continue;
            };
            let mut members = Map::new();
            members.insert("start".to_owned(), json!(start));
            members.insert("end".to_owned(), json!(end));
            members.insert("label".to_owned(), json!(span.kind));
            let tokens = document.tokens.as_deref().unwrap_or_default();
            let first = tokens
                .iter()
                .position(|token| token.start == span.bytes.start);
            let last = tokens.iter().position(|token| token.end == span.bytes.end);
            if let (Some(first), Some(last)) = (first, last) {
                members.insert("token_start".to_owned(), json!(first));
                members.insert("token_end".to_owned(), json!(last));
            }
            spans.push(Value::Object(members));
        }
        own.push(("spans", Value::Array(spans)));
        if let Some(tokens) = written_tokens(document, &offsets) {
            own.push(("tokens", tokens));
        }
        out.push_str(&object(document, own, losses).to_string());
        out.push('\n');
    }
    out
}

/// The tokens, with whether white space follows each; none where there are none, the unit cuts them, or they are not all of the text.
fn written_tokens(document: &Document, offsets: &Offsets) -> Option<Value> {
    let tokens = document.tokens.as_ref()?;
    if between(&document.text, tokens).is_some() {
        return None;
    }
    let tokens = tokens.iter().enumerate().map(|(id, token)| {
        let (start, end) = (offsets.offset(token.start)?, offsets.offset(token.end)?);
        let text = document.text.get(token.clone())?;
        let space = document.text[token.end..].starts_with(char::is_whitespace);
        Some(json!({"text": text, "start": start, "end": end, "id": id, "ws": space}))
    });
    tokens.collect::<Option<Vec<Value>>>().map(Value::Array)
}
