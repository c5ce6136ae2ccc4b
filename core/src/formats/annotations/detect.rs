//! Which format a file is of.

use crate::formats::annotations::exchange::TextFile;
use crate::formats::annotations::format::Format;
use crate::formats::annotations::lines::{begins_json, columns, counts_sentences, is_comment};
use crate::formats::annotations::mner;
use crate::formats::annotations::record::{Record, is_pair, records};
use crate::formats::annotations::tags::is_tag;
use serde::de::IgnoredAny;
use serde_json::Value;

/// How many records are looked at.
const SOME: usize = 100;

/// The format that files look like: by the names of several, by the content of one.
pub(super) fn detect(files: &[TextFile]) -> Option<Format> {
    if files.iter().any(|file| file.name.ends_with(".ann")) {
        return Some(Format::Brat);
    }
    let mut found = files.iter().map(|file| of_text(&file.text));
    let first = found.next()??;
    found.all(|other| other == Some(first)).then_some(first)
}

fn of_text(text: &str) -> Option<Format> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = || {
        let lines = text
            .lines()
            .map(|line| line.trim_end_matches([' ', '\t', '\r']));
        lines.filter(|line| !line.is_empty())
    };
    // `-DOCSTART- -X- O` is not of the width of the lines after it.
    let opening = |line: &str| line.starts_with("-DOCSTART-") && columns(line).len() != 2;
    let first = lines().find(|line| !is_comment(line) && !opening(line))?;
    if begins_json(first) {
        let labelled = columns(first).last().is_some_and(|last| is_tag(last));
        // Of lines that are records each, some are enough; an array over many lines is read whole.
        let lined = serde_json::from_str::<IgnoredAny>(first).is_ok();
        let some = lined.then(|| lines().take(SOME).collect::<Vec<_>>().join("\n"));
        if (lined || !labelled)
            && let Ok(records) = records(some.as_deref().unwrap_or(text))
        {
            return of_records(&records);
        }
    }
    of_lines(text, first)
}

fn of_lines(text: &str, first: &str) -> Option<Format> {
    // Lines that end in a carriage return alone are one.
    if first.contains('\r') {
        return None;
    }
    let tabs: Vec<&str> = first.split('\t').collect();
    let numbered = tabs[0]
        .split(['-', '.'])
        .all(|part| part.parse::<u32>().is_ok());
    if numbered && tabs.len() == 10 {
        return Some(Format::ConllU);
    }
    if numbered && matches!(tabs.len(), 4..=6) && is_tag(tabs[2]) {
        // GermEval's fourth column is a tag too.
        let others = tabs[3..].iter().any(|column| !is_tag(column));
        if others {
            return Some(Format::UniversalNer);
        }
    }
    let sentence: Vec<&str> = text
        .lines()
        .map(|line| line.trim_end_matches([' ', '\t', '\r']))
        .skip_while(|line| *line != first)
        .take_while(|line| !line.is_empty())
        .collect();
    if Format::numbered(&sentence, is_tag).is_some() {
        return Some(Format::Numbered);
    }
    // The number is not the word.
    if counts_sentences(&sentence) || first.starts_with("Sentence: ") {
        return None;
    }
    let labelled = columns(first).last().is_some_and(|last| is_tag(last));
    match Format::of_line(first) {
        Some(Format::ImgId) => Some(Format::ImgId),
        Some(format @ (Format::Conll2 | Format::Conll4)) if labelled => Some(format),
        // `-DOCSTART- -X- -X- O` says so itself; a line whose tag is missing is not for us to judge.
        _ => None,
    }
}

fn of_records(records: &[Record]) -> Option<Format> {
    let mut fallback = None;
    for record in records {
        match of_record(&record.value) {
            Some((format, true)) => return Some(format),
            Some((format, false)) => fallback = fallback.or(Some(format)),
            None => {}
        }
    }
    fallback
}

/// The format of one record, and whether that is certain.
fn of_record(value: &Value) -> Option<(Format, bool)> {
    if let Value::Array(list) = value {
        return is_pair(list).then_some((Format::Spacy, true));
    }
    // First of all, since the tweets in them may be in any form.
    if let Some(spans) = value.as_object().and_then(mner::renamed) {
        return Some((Format::Mner, spans > 0));
    }
    let has = |name: &str| value.get(name).is_some_and(|value| !value.is_null());
    let list = |name: &str| value.get(name).and_then(Value::as_array);
    let first = |name: &str| list(name).and_then(|list| list.first());
    if value.get("data").is_some_and(Value::is_object)
        || (has("data") && has("annotations"))
        || has("completions")
    {
        return Some((Format::LabelStudio, true));
    }
    if list("tokens").is_some_and(|list| list.iter().all(Value::is_string))
        || list("words").is_some()
    {
        if ["ner_tags", "tags", "ner"]
            .iter()
            .any(|name| list(name).is_some())
        {
            return Some((Format::Datasets, true));
        }
        let words = |name: &str| first(name).is_none_or(Value::is_string) && list(name).is_some();
        if words("labels") {
            return Some((Format::Jsonl, true));
        }
        if list("labels").is_some() || list("label").is_some() {
            return Some((Format::Datasets, true));
        }
    }
    // spaCy's `Doc.to_json`.
    if list("ents").is_some() && has("text") {
        let groups = value.get("spans").and_then(Value::as_object);
        let grouped = groups.is_some_and(|groups| !groups.is_empty());
        return Some((Format::Spacy, grouped || first("ents").is_some()));
    }
    if list("spans").is_some() {
        let sure = first("spans").is_some() || has("tokens") || has("answer");
        return Some((Format::Prodigy, sure));
    }
    if let Some(entity) = first("entities") {
        let doccano = entity.get("start_offset").is_some();
        let mner = entity.get("type").is_some();
        return match entity {
            Value::Array(_) => Some((Format::Spacy, true)),
            Value::Object(_) if doccano => Some((Format::Doccano, true)),
            Value::Object(_) if mner => Some((Format::Mner, true)),
            _ => None,
        };
    }
    if list("entities").is_some() && (has("relations") || has("Comments")) {
        return Some((Format::Doccano, true));
    }
    if list("entities").is_some() {
        return Some((Format::Mner, false));
    }
    let regions = |value: &Value| value.get("labels").is_some() && value.get("start").is_some();
    let object = value.as_object()?;
    let minimal = |list: &Vec<Value>| !list.is_empty() && list.iter().all(regions);
    if object.values().filter_map(Value::as_array).any(minimal) {
        return Some((Format::LabelStudio, true));
    }
    for name in ["label", "labels"] {
        let span = |value: &Value| value.is_array() || value.get("start_offset").is_some();
        match first(name) {
            Some(value) if span(value) => return Some((Format::Doccano, true)),
            None if list(name).is_some() && (has("text") || has("data")) => {
                return Some((Format::Doccano, false));
            }
            _ => {}
        }
    }
    let unlabelled = |name: &str| value.get(name).is_some_and(Value::is_null);
    if has("text") && (unlabelled("label") || unlabelled("labels")) {
        return Some((Format::Doccano, false));
    }
    // Answers of `mner predict` to a text without entities have the member all the same; this one nobody labelled.
    None
}
