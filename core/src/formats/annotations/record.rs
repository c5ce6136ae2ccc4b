//! Records of JSON: one array of them, or one a line.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::lines::shorten;
use crate::formats::annotations::no_value::{in_line, no_value};
use crate::formats::annotations::offsets::Offsets;
use crate::formats::lone_surrogates::without_lone_surrogates;
use serde_json::{Map, Value};
use std::ops::Range;

/// A record and where it stands.
pub(super) struct Record {
    pub(super) place: String,
    pub(super) value: Value,
}

/// The records of a file: the elements of one array, one value a line, or one object over many lines.
///
/// # Errors
/// [`AnnotationError::Json`].
pub(super) fn records(text: &str) -> Result<Vec<Record>, AnnotationError> {
    let lines = || {
        // Files that were put together have a mark where each begins.
        let lines = text.lines().map(|line| line.trim_start_matches('\u{feff}'));
        let lines = lines.enumerate();
        lines.filter(|(_, line)| !line.trim().is_empty())
    };
    let parse = |text: &str, place: &str| {
        serde_json::from_slice::<Value>(&without_lone_surrogates(text.as_bytes())).map_err(
            |error| AnnotationError::Json {
                place: place.to_owned(),
                message: message(text, &error),
            },
        )
    };
    let Some((_, first)) = lines().next() else {
        return Ok(Vec::new());
    };
    let whole = match parse(first, "") {
        // `["..", {..}]` is a record of spaCy's, another array holds records.
        Ok(Value::Array(list)) if !is_pair(&list) => lines().nth(1).is_none(),
        Ok(_) => false,
        // An array or object over many lines; a broken line of JSONL does not begin with its bracket alone.
        Err(_) => matches!(first.trim(), "[" | "{") || parse(text, "").is_ok(),
    };
    if !whole {
        return lines()
            .map(|(at, line)| {
                let place = format!("line {}", at + 1);
                let value = parse(line, &place)?;
                Ok(Record { place, value })
            })
            .collect();
    }
    let values = match parse(text, "the file")? {
        Value::Array(list) if is_pair(&list) => vec![Value::Array(list)],
        Value::Array(list) => list,
        value => vec![value],
    };
    let numbered = values.into_iter().enumerate();
    Ok(numbered
        .map(|(at, value)| Record {
            place: format!("record {}", at + 1),
            value,
        })
        .collect())
}

/// A text and its annotations, as spaCy has them.
pub(super) fn is_pair(list: &[Value]) -> bool {
    matches!(list, [Value::String(_), Value::Object(_)])
}

fn message(text: &str, error: &serde_json::Error) -> String {
    let start = text.trim_start();
    if start.starts_with("{'") || start.starts_with("[(") || start.starts_with("(") {
        return format!("{error}; this is how Python prints it, write it with json.dump");
    }
    let line = text.lines().nth(error.line().saturating_sub(1));
    let named = line.and_then(|line| no_value(line, error.column()));
    match text.lines().nth(1) {
        Some(_) => named.unwrap_or_else(|| error.to_string()),
        None => named.unwrap_or_else(|| in_line(error)),
    }
}

impl Record {
    /// Its members.
    pub(super) fn object(self, expected: &'static str) -> Result<Members, AnnotationError> {
        match self.value {
            Value::Object(map) => Ok(Members {
                place: self.place,
                map,
            }),
            other => Err(AnnotationError::Shape {
                place: self.place,
                found: shown(&other),
                expected,
            }),
        }
    }
}

/// The members of a record that nobody has taken yet.
pub(super) struct Members {
    pub(super) place: String,
    pub(super) map: Map<String, Value>,
}

impl Members {
    /// The member with the first of these names that is there and not null.
    pub(super) fn take(&mut self, names: &[&str]) -> Option<Value> {
        let name = names
            .iter()
            .find(|name| self.map.get(**name).is_some_and(|value| !value.is_null()))?;
        self.map.remove(*name)
    }

    /// A list under one of these names; none where there is no such member.
    pub(super) fn list(
        &mut self,
        names: &[&str],
        expected: &'static str,
    ) -> Result<Vec<Value>, AnnotationError> {
        match self.take(names) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(other) => Err(self.shape(&other, expected)),
        }
    }

    /// The text under one of these names.
    pub(super) fn text(
        &mut self,
        names: &[&str],
        expected: &'static str,
    ) -> Result<String, AnnotationError> {
        match self.take(names) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.shape(&other, expected)),
            None => {
                let names: Vec<&str> = self.map.keys().map(String::as_str).collect();
                Err(AnnotationError::Shape {
                    place: self.place.clone(),
                    found: format!("an object of {}", quoted(&names)),
                    expected,
                })
            }
        }
    }

    /// The spans in the list under one of these names. `parts` takes an item apart: start, end and type.
    pub(super) fn spans(
        &mut self,
        names: &[&str],
        expected: &'static str,
        offsets: &Offsets,
        parts: impl Fn(&Value) -> Option<(u64, u64, &str)>,
    ) -> Result<Vec<Span>, AnnotationError> {
        let list = self.list(names, expected)?;
        let span = |item| {
            let (start, end, kind) = parts(item).ok_or_else(|| self.shape(item, expected))?;
            let bytes = said(offsets, &self.place, kind, (start, end), words(item))?;
            Ok(Span::new(bytes, kind))
        };
        list.iter().map(span).collect()
    }

    /// Refuses a record with spans where another format has them, and nothing where this one does: the file is of several formats.
    pub(super) fn refuse_others(
        &self,
        own: &[&str],
        expected: &'static str,
    ) -> Result<(), AnnotationError> {
        const NAMES: [&str; 5] = ["spans", "ents", "entities", "label", "labels"];
        let is_span = |item: &Value| item.is_object() || item.is_array();
        let spans = |name: &&str| {
            let list = self.map.get(*name).filter(|_| !own.contains(name))?;
            let items = list.as_array()?;
            (!items.is_empty() && items.iter().all(is_span)).then_some(list)
        };
        let has_own = own
            .iter()
            .any(|name| self.map.get(*name).is_some_and(|value| !value.is_null()));
        match NAMES.iter().find_map(spans) {
            Some(list) if !has_own => Err(self.shape(list, expected)),
            _ => Ok(()),
        }
    }

    /// A document of this text, with what of the record nobody has taken.
    pub(super) fn document(self, text: String) -> Document {
        let document = Document {
            place: self.place,
            text,
            ..Document::default()
        };
        document.with_members(self.map)
    }

    /// The fault that a value is not what was expected.
    pub(super) fn shape(&self, value: &Value, expected: &'static str) -> AnnotationError {
        AnnotationError::Shape {
            place: self.place.clone(),
            found: shown(value),
            expected,
        }
    }
}

/// A whole number of a JSON value, `3.0` too.
pub(super) fn number(value: &Value) -> Option<u64> {
    const MOST: f64 = 9e15;
    match (value.as_u64(), value.as_f64()) {
        (Some(whole), _) => Some(whole),
        (None, Some(float)) if (0.0..MOST).contains(&float) && float.fract() == 0.0 => {
            Some(float as u64)
        }
        _ => None,
    }
}

/// A stretch of a text between offsets.
///
/// # Errors
/// [`AnnotationError::Offsets`].
pub(super) fn stretch(
    offsets: &Offsets,
    place: &str,
    kind: &str,
    (start, end): (u64, u64),
) -> Result<Range<usize>, AnnotationError> {
    let byte = |offset: u64| offsets.byte(usize::try_from(offset).ok()?);
    match (byte(start), byte(end)) {
        (Some(from), Some(to)) if from < to => Ok(from..to),
        _ => Err(AnnotationError::Offsets {
            place: place.to_owned(),
            kind: kind.to_owned(),
            start,
            end,
            length: offsets.len(),
            unit: offsets.unit(),
        }),
    }
}

/// [`stretch`], whose words are `expected`, if the record gives them.
///
/// # Errors
/// [`AnnotationError::Offsets`], [`AnnotationError::OtherText`].
pub(super) fn said(
    offsets: &Offsets,
    place: &str,
    kind: &str,
    (start, end): (u64, u64),
    expected: Option<&str>,
) -> Result<Range<usize>, AnnotationError> {
    let bytes = stretch(offsets, place, kind, (start, end))?;
    check_words(
        &offsets.text()[bytes.clone()],
        place,
        (start, end),
        expected,
    )?;
    Ok(bytes)
}

/// Checks the words that a record gives for a stretch, if it does, against those `found` there.
///
/// # Errors
/// [`AnnotationError::OtherText`].
pub(super) fn check_words(
    found: &str,
    place: &str,
    (start, end): (u64, u64),
    expected: Option<&str>,
) -> Result<(), AnnotationError> {
    match expected.filter(|expected| plain(expected) != plain(found)) {
        None => Ok(()),
        Some(expected) => Err(AnnotationError::OtherText {
            place: place.to_owned(),
            start,
            end,
            found: found.to_owned(),
            expected: expected.to_owned(),
        }),
    }
}

/// The words that an item gives for its stretch.
pub(super) fn words(item: &Value) -> Option<&str> {
    item.get("text").and_then(Value::as_str)
}

/// A text without white space: brat writes line breaks as blanks, Label Studio's front end as `\n`, two characters.
pub(super) fn plain(text: &str) -> String {
    let text = text.replace("\\n", "\n");
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The offsets of a stretch; a [`Loss`] where the unit has none for it.
pub(super) fn place_of(
    offsets: &Offsets,
    document: &Document,
    span: &Span,
    losses: &mut Vec<Loss>,
) -> Option<(usize, usize)> {
    let found = offsets
        .offset(span.bytes.start)
        .zip(offsets.offset(span.bytes.end));
    if found.is_none() {
        losses.push(Loss::Span {
            place: document.place.clone(),
            kind: span.kind.clone(),
            text: document.of(span).to_owned(),
            why: "begins or ends inside a grapheme cluster, which this unit cannot say",
        });
    }
    found
}

/// An object of a document's extra members with the format's own, which go first; a [`Loss`] for each that has to give way.
pub(super) fn object(
    document: &Document,
    own: impl IntoIterator<Item = (&'static str, Value)>,
    losses: &mut Vec<Loss>,
) -> Value {
    let mut map = document.extra.clone();
    for (name, value) in own {
        if map.insert(name.to_owned(), value).is_some() {
            losses.push(Loss::Beside {
                place: document.place.clone(),
                what: format!("its member {name:?} gives way to the format's own"),
            });
        }
    }
    Value::Object(map)
}

/// The members `id`, `image` or `images`, and `model`, where a document has them. Ids that are whole numbers are written as
/// such if `numbers`.
pub(super) fn about(document: &Document, numbers: bool) -> Vec<(&'static str, Value)> {
    let mut members = Vec::new();
    if let Some(id) = &document.id {
        let value = match id.parse::<u64>() {
            Ok(number) if numbers && number.to_string() == *id => Value::from(number),
            _ => Value::from(id.as_str()),
        };
        members.push(("id", value));
    }
    match document.images.as_slice() {
        [] => {}
        [image] => members.push(("image", Value::from(image.as_str()))),
        images => members.push(("images", Value::from(images.to_vec()))),
    }
    if let Some(model) = &document.model {
        members.push(("model", Value::from(model.as_str())));
    }
    members
}

/// Says once that something is not kept, and where it is first.
pub(super) fn beside(losses: &mut Vec<Loss>, place: &str, what: &str) {
    let said = |loss: &Loss| matches!(loss, Loss::Beside { what: other, .. } if other == what);
    if !losses.iter().any(said) {
        losses.push(Loss::Beside {
            place: place.to_owned(),
            what: what.to_owned(),
        });
    }
}

/// Says once that a format keeps no confidences, and no layers.
pub(super) fn say_unkept(documents: &[Document], losses: &mut Vec<Loss>) {
    for document in documents {
        if document.spans.iter().any(|span| span.confidence.is_some()) {
            let what = "confidences are not kept in this format";
            beside(losses, &document.place, what);
        }
        if document.spans.iter().any(|span| span.layer.is_some()) {
            let what = "the names of Label Studio's controls are not kept in this format";
            beside(losses, &document.place, what);
        }
    }
}

/// A value as a message shows it: short.
pub(super) fn shown(value: &Value) -> String {
    shorten(&value.to_string())
}

fn quoted(names: &[&str]) -> String {
    if names.is_empty() {
        return "no members".to_owned();
    }
    let names: Vec<String> = names
        .iter()
        .take(8)
        .map(|name| format!("{name:?}"))
        .collect();
    names.join(", ")
}
