//! CoNLL-U with the tag in the column MISC, and Universal NER's five columns.
//!
//! MISC holds `NE=B-PER` (spaCy), `ner=S-PER` (stanza), `NER=..`, `name=..`, or the tag alone; `NE=` is written. The text is put
//! together of the words by `SpaceAfter=No` and UDPipe's `SpacesAfter`; where there is none of the latter and the words lie in
//! `# text` one after the other, it is that. A token of several words (`1-2`) is one word here, with what is
//! annotated on its words; empty nodes (`8.1`) are passed over. Other columns (lemmas, heads, ...) are not read.

mod space;

use crate::formats::annotations::conllu::space::{Token, aligned, escaped, joined, token};
use crate::formats::annotations::document::Document;
use crate::formats::annotations::exchange::{ReadOptions, Reading, WriteOptions};
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::lines::shorten;
use crate::formats::annotations::record::beside;
use crate::formats::annotations::tagged::spans;
use crate::formats::annotations::tags::Scheme;
use crate::formats::annotations::words::{Labelled, with_words};
use serde_json::{Map, Value};
use std::ops::Range;

/// What the tag may be called in MISC.
const NAMES: [&str; 6] = ["NE", "ner", "NER", "name", "Entity", "NamedEntity"];

/// A sentence as it was read.
#[derive(Default)]
struct Sentence {
    line: usize,
    comments: Map<String, Value>,
    tokens: Vec<Token>,
    /// The tags of its words, and the token that each belongs to.
    tags: Vec<String>,
    token_of: Vec<usize>,
    /// The last word of the token of several words that is being read.
    inside: usize,
}

pub(super) fn read(
    format: Format,
    text: &str,
    options: &ReadOptions,
    reading: &mut Reading,
) -> Result<(), AnnotationError> {
    let sentences = sentences(format, text, &mut reading.losses)?;
    let all = sentences.iter().map(|sentence| sentence.tags.as_slice());
    let scheme = options.scheme.unwrap_or_else(|| Scheme::detect(all));
    reading.scheme = Some(scheme);
    for sentence in sentences {
        let document = sentence.document(scheme, options, &mut reading.losses)?;
        reading.documents.push(document);
    }
    Ok(())
}

fn sentences(
    format: Format,
    text: &str,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Sentence>, AnnotationError> {
    let (mut found, mut open) = (Vec::new(), Sentence::default());
    for (at, line) in text.lines().enumerate() {
        let place = || format!("line {}", at + 1);
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() {
            if !open.tokens.is_empty() {
                found.push(std::mem::take(&mut open));
            }
            continue;
        }
        if let Some(comment) = line.strip_prefix('#')
            && open.tokens.is_empty()
        {
            match comment.split_once('=') {
                Some((name, value)) => {
                    let value = Value::from(value.strip_prefix(' ').unwrap_or(value));
                    open.comments.insert(name.trim().to_owned(), value);
                }
                None => beside(losses, &place(), "comments without a value are not kept"),
            }
            continue;
        }
        if open.tokens.is_empty() {
            open.line = at + 1;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let shape = || AnnotationError::Shape {
            place: place(),
            found: format!("`{}`", shorten(line)),
            expected: format.shape(),
        };
        let (id, form, tag, misc) = match (fields.as_slice(), format) {
            ([id, form, _, _, _, _, _, _, _, misc], Format::ConllU) => (*id, *form, None, *misc),
            ([id, form, tag, ..], Format::UniversalNer) => (*id, *form, Some(*tag), "_"),
            _ => return Err(shape()),
        };
        if id.contains('.') {
            continue;
        }
        let tag = tag.or_else(|| misc_tag(misc)).unwrap_or("O");
        let word = |id: &str| id.parse::<usize>().ok();
        match (id.split_once('-'), word(id)) {
            (Some((first, last)), _) => {
                let (Some(first), Some(last)) = (word(first), word(last)) else {
                    return Err(shape());
                };
                if first > last || form.is_empty() {
                    return Err(shape());
                }
                open.tokens.push(token(form, misc));
                open.inside = last;
                if tag != "O" {
                    open.tags.push(tag.to_owned());
                    open.token_of.push(open.tokens.len() - 1);
                }
            }
            (None, Some(number)) => {
                if form.is_empty() {
                    return Err(shape());
                }
                if number > open.inside || open.tokens.is_empty() {
                    open.tokens.push(token(form, misc));
                    open.inside = 0;
                }
                open.tags.push(tag.to_owned());
                open.token_of.push(open.tokens.len() - 1);
            }
            (None, None) => return Err(shape()),
        }
    }
    if !open.tokens.is_empty() {
        found.push(open);
    }
    Ok(found)
}

/// The tag in a MISC column, if one is there.
fn misc_tag(misc: &str) -> Option<&str> {
    let named = misc.split('|').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        NAMES.contains(&name).then_some(value)
    });
    let alone = || misc.split('|').find(|part| Scheme::Bioes.has(part));
    named.or_else(alone)
}

impl Sentence {
    fn document(
        mut self,
        scheme: Scheme,
        options: &ReadOptions,
        losses: &mut Vec<Loss>,
    ) -> Result<Document, AnnotationError> {
        let place = format!("line {}", self.line);
        let take = |comments: &mut Map<String, Value>, name: &str| {
            let value = comments.remove(name)?;
            value.as_str().map(str::to_owned)
        };
        let given = take(&mut self.comments, "text");
        let id = take(&mut self.comments, "sent_id");
        let model = take(&mut self.comments, "model");
        let image = take(&mut self.comments, "image");
        let spelled = self.tokens.iter().any(|token| token.spelled);
        let aligned = given.filter(|_| !spelled).and_then(|text| {
            let tokens = aligned(&text, &self.tokens)?;
            Some((text, tokens))
        });
        let (text, tokens) = aligned.unwrap_or_else(|| joined(&self.tokens));
        // The tags are of words: of a document whose words are the syntactic ones.
        let words: Vec<&Range<usize>> = self.token_of.iter().map(|&at| &tokens[at]).collect();
        let of_words = Document {
            place: place.clone(),
            text: text.clone(),
            tokens: Some(words.into_iter().cloned().collect()),
            ..Document::default()
        };
        let mut spans = spans(&of_words, &self.tags, scheme, options, losses)?;
        spans.dedup();
        Ok(Document {
            place,
            id,
            text,
            spans,
            tokens: Some(tokens),
            images: image.into_iter().collect(),
            model,
            extra: self.comments,
        })
    }
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
        comments(document, losses, &mut out);
        if format == Format::UniversalNer && !lies_in_text(document, &found) {
            let what = "white space other than one blank between words is not kept in this format";
            beside(losses, &document.place, what);
        }
        let found = sayable(document, found, losses);
        let tags = options.scheme.write(found.words.len(), &found.entities);
        for (at, (word, tag)) in found.words.iter().zip(&tags).enumerate() {
            let form = document.text.get(word.clone()).unwrap_or_default();
            let plain = form.replace(['\n', '\r', '\t'], " ");
            if plain != form {
                let what = "tabs and line breaks in a word are not kept";
                beside(losses, &document.place, what);
            }
            let number = at + 1;
            let row = match format {
                Format::UniversalNer => format!("{number}\t{plain}\t{tag}\t-\t-\n"),
                _ => {
                    let misc = misc(document, &found.words, at, tag);
                    format!("{number}\t{plain}\t_\t_\t_\t_\t_\t_\t_\t{misc}\n")
                }
            };
            out.push_str(&row);
        }
        out.push('\n');
    }
    out
}

/// Whether a reader finds the words of a text where they are by `# text` alone.
fn lies_in_text(document: &Document, found: &Labelled) -> bool {
    let tokens = found.tokens(document).into_iter();
    let tokens: Vec<Token> = tokens.map(|form| token(form, "_")).collect();
    let again = aligned(&document.text, &tokens);
    again.as_ref() == Some(&found.words) && !document.text.contains(['\n', '\r'])
}

/// Without the entities whose type has a sign that separates in MISC.
fn sayable(document: &Document, mut found: Labelled, losses: &mut Vec<Loss>) -> Labelled {
    let words = &found.words;
    found.entities.retain(|(range, kind)| {
        let plain = !kind.contains(|c: char| c == '|' || c == '=' || c.is_whitespace());
        if !plain {
            let bytes = words[range.start].start..words[range.end - 1].end;
            losses.push(Loss::Span {
                place: document.place.clone(),
                kind: kind.clone(),
                text: document.text.get(bytes).unwrap_or_default().to_owned(),
                why: "has a type with white space, | or =, which CoNLL-U cannot say",
            });
        }
        plain
    });
    found
}

fn comments(document: &Document, losses: &mut Vec<Loss>, out: &mut String) {
    let line = |value: &str| value.replace(['\n', '\r'], " ");
    if let Some(id) = &document.id {
        out.push_str(&format!("# sent_id = {}\n", line(id)));
    }
    out.push_str(&format!("# text = {}\n", line(&document.text)));
    if let [image, others @ ..] = document.images.as_slice() {
        out.push_str(&format!("# image = {}\n", line(image)));
        if !others.is_empty() {
            let what = "of several images the first is kept";
            beside(losses, &document.place, what);
        }
    }
    if let Some(model) = &document.model {
        out.push_str(&format!("# model = {}\n", line(model)));
    }
    for (name, value) in &document.extra {
        let value = match value {
            Value::String(text) => line(text),
            other => other.to_string(),
        };
        if name.contains(['=', '\n', '\r']) {
            let what = "further members with such names are not kept";
            beside(losses, &document.place, what);
        } else {
            out.push_str(&format!("# {name} = {value}\n"));
        }
    }
}

/// The MISC column of a word: its tag and the white space around it, where that is not one blank.
fn misc(document: &Document, words: &[Range<usize>], at: usize, tag: &str) -> String {
    let mut parts = Vec::new();
    if tag != "O" {
        parts.push(format!("NE={tag}"));
    }
    let text = &document.text;
    let end = words[at].end;
    let next = words.get(at + 1).map(|word| word.start);
    let after = text
        .get(end..next.unwrap_or(text.len()))
        .unwrap_or_default();
    match (after, next) {
        (" ", Some(_)) | ("", None) => {}
        ("", Some(_)) => parts.push("SpaceAfter=No".to_owned()),
        _ => parts.push(format!("SpacesAfter={}", escaped(after))),
    }
    let before = text.get(..words[0].start).unwrap_or_default();
    if at == 0 && !before.is_empty() {
        parts.push(format!("SpacesBefore={}", escaped(before)));
    }
    match parts.is_empty() {
        true => "_".to_owned(),
        false => parts.join("|"),
    }
}
