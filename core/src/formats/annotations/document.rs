//! What every annotation format is read into and written from: a text with spans.

use crate::decode::entities::Entity;
use serde_json::{Map, Value};
use std::ops::Range;

/// A text with what is annotated in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Where it stood in what was read, for messages: `line 3`, `record 2`, `7.ann`.
    pub place: String,
    /// Its name: a tweet's id, a task's number, a file's name without its ending.
    pub id: Option<String>,
    /// The text that the spans are of.
    pub text: String,
    /// The annotated stretches, by start, then end, then type; they may overlap.
    pub spans: Vec<Span>,
    /// The words as byte ranges of the text, left to right and without overlap; `None` where the format leaves cutting words
    /// to whoever reads it.
    pub tokens: Option<Vec<Range<usize>>>,
    /// Paths or addresses of its images, as they were given.
    pub images: Vec<String>,
    /// What found the spans, if they are a model's answer and no person's annotation.
    pub model: Option<String>,
    /// What else was said of it, by name.
    pub extra: Map<String, Value>,
}

/// An annotated stretch of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Start and end in UTF-8 bytes, on borders of characters and not empty.
    pub bytes: Range<usize>,
    /// The type's name, as it was written.
    pub kind: String,
    /// What it is more finely, if a model says so; only columns have room for it.
    pub fine_type: Option<String>,
    /// How likely it is, 0 to 1, if a model says so.
    pub confidence: Option<f64>,
    /// The control or layer it belongs to, where a tool has several.
    pub layer: Option<String>,
}

impl Span {
    /// A span of which nothing is known but its place and type.
    pub fn new(bytes: Range<usize>, kind: impl Into<String>) -> Self {
        Self {
            bytes,
            kind: kind.into(),
            fine_type: None,
            confidence: None,
            layer: None,
        }
    }
}

impl Document {
    /// A text that `model` has read, with the entities it found in it.
    pub fn answered(text: &str, entities: &[Entity], model: &str) -> Self {
        let spans = entities.iter().map(|entity| Span {
            fine_type: entity.fine_type.as_ref().map(|told| told.name.clone()),
            confidence: Some(entity.confidence),
            ..Span::new(entity.bytes[0]..entity.bytes[1], entity.kind.name())
        });
        let mut document = Self {
            text: text.to_owned(),
            spans: spans.collect(),
            model: Some(model.to_owned()),
            ..Self::default()
        };
        document.sort();
        document
    }

    /// A text that is its words with a blank between each two, as formats in columns give it.
    pub fn of_words<S: AsRef<str>>(words: &[S]) -> Self {
        let (mut text, mut tokens) = (String::new(), Vec::with_capacity(words.len()));
        for word in words {
            if !tokens.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(word.as_ref());
            tokens.push(start..text.len());
        }
        Self {
            text,
            tokens: Some(tokens),
            ..Self::default()
        }
    }

    /// With the members of a JSON record: `id`, `image` or `images`, and `model`, where they are what they are called; the
    /// rest is extra.
    pub fn with_members(mut self, mut members: Map<String, Value>) -> Self {
        let id = match members.get("id") {
            Some(Value::String(id)) => Some(Some(id.clone())),
            Some(Value::Number(id)) => Some(Some(id.to_string())),
            Some(Value::Null) => Some(None),
            _ => None,
        };
        if let Some(id) = id {
            members.remove("id");
            self.id = id;
        }
        for name in ["image", "images"] {
            if let Some(paths) = members.get(name).and_then(paths) {
                members.remove(name);
                self.images.extend(paths);
            }
        }
        if let Some(Value::String(model)) = members.get("model") {
            self.model.get_or_insert(model.clone());
            members.remove("model");
        }
        self.extra = members;
        self
    }

    /// What lies between the ends of a span.
    pub fn of(&self, span: &Span) -> &str {
        self.text.get(span.bytes.clone()).unwrap_or_default()
    }

    /// Brings the spans into their order.
    pub fn sort(&mut self) {
        self.spans.sort_by(|a, b| {
            let key = |span: &Span| (span.bytes.start, span.bytes.end);
            key(a).cmp(&key(b)).then_with(|| a.kind.cmp(&b.kind))
        });
    }

    /// Start and end of a stretch in Unicode scalar values.
    pub(super) fn chars(&self, bytes: &Range<usize>) -> [usize; 2] {
        let count = |end: usize| self.text.get(..end).map_or(0, |text| text.chars().count());
        [count(bytes.start), count(bytes.end)]
    }
}

/// The paths that a member is, if it is any.
fn paths(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(path) if path.is_empty() => Some(Vec::new()),
        Value::String(path) => Some(vec![path.clone()]),
        Value::Array(list) => {
            let path = |path: &Value| path.as_str().map(str::to_owned);
            list.iter().map(path).collect()
        }
        _ => None,
    }
}
