//! The records of mner's JSONL: a tweet in words with their labels, or as it was written with its entities.

use crate::data::corpus::{Fault, foreign};
use crate::formats::annotations::mner;
use crate::formats::lone_surrogates::without_lone_surrogates;
use crate::tweet::words::{Sigils, Word, split_words};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A line of JSONL; fields of other names are somebody else's.
#[derive(Deserialize)]
struct Record {
    tokens: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    /// A tweet as it was written, in place of tokens and labels; without `entities` nobody labelled it.
    text: Option<String>,
    entities: Option<Vec<Span>>,
    image: Option<String>,
    id: Option<Value>,
}

/// An entity of a raw tweet, as `mner predict` writes it.
#[derive(Deserialize)]
struct Span {
    #[serde(rename = "type")]
    kind: String,
    /// Start and end in Unicode scalar values.
    chars: [usize; 2],
}

/// The tweet of a record.
pub(super) struct Tweet {
    /// Words that may be empty, each with its label as it is written; labels are absent where nobody labelled the tweet.
    pub(super) words: Vec<String>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) id: Option<String>,
    pub(super) image: Option<String>,
}

/// Reads the record on a line; `None` if it says why `mner predict` could not read a tweet. `unlabelled`: whether a tweet
/// without labels will do.
pub(super) fn tweet(line: &str, unlabelled: bool) -> Result<Option<Tweet>, Fault> {
    // Records without these names are no answers and parsed once.
    let asks = |name: &str| line.contains(name);
    let answer = match asks("entities\"") || asks("error\"") {
        true => members(line),
        false => None,
    };
    if answer.as_ref().is_some_and(mner::is_fault) {
        return Ok(None);
    }
    let record = match answer.filter(|map| mner::prefix(map).is_some()).map(plain) {
        Some(Ok(record)) => record,
        _ => parse(line)?,
    };
    let (words, labels) = match (record.tokens, record.labels, record.text) {
        (None, None, Some(text)) if record.entities.is_some() => {
            let (words, labels) = labelled(&text, &record.entities.unwrap_or_default())?;
            (words, Some(labels))
        }
        (Some(words), Some(labels), _) => {
            if words.len() != labels.len() {
                return Err(Fault::Lengths {
                    tokens: words.len(),
                    labels: labels.len(),
                });
            }
            let words = words
                .iter()
                .map(|word| word.trim_matches(BLANKS).to_owned());
            (words.collect(), Some(labels))
        }
        (None, None, Some(text)) if unlabelled => {
            let words = split_words(&text, Sigils::Joined);
            (of(&words, &text), None)
        }
        (None, None, Some(_)) => {
            return Err(foreign::object(line).unwrap_or(Fault::Unlabelled));
        }
        (tokens, ..) => {
            if let Some(fault) = foreign::object(line) {
                return Err(fault);
            }
            let missing = if tokens.is_some() { "labels" } else { "tokens" };
            return Err(Fault::Json {
                message: format!("missing field `{missing}`"),
                column: line.len(),
            });
        }
    };
    let id = match record.id {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Some(id.to_string()),
        Some(_) => {
            return Err(Fault::Json {
                message: "an \"id\" that is neither text nor a whole number".to_owned(),
                column: line.len(),
            });
        }
    };
    Ok(Some(Tweet {
        words,
        labels,
        id,
        image: record.image,
    }))
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn members(line: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&without_lone_surrogates(line.as_bytes())).ok()
}

/// An answer as if its text and entities had their usual names.
fn plain(mut answer: Map<String, Value>) -> Result<Record, serde_json::Error> {
    mner::make_plain(&mut answer);
    serde_json::from_value(Value::Object(answer))
}

fn parse(line: &str) -> Result<Record, Fault> {
    let mended = without_lone_surrogates(line.as_bytes());
    serde_json::from_slice(&mended).map_err(|error| {
        if let Some(fault) = foreign::object(line) {
            return fault;
        }
        let message = error.to_string();
        // "at line 1 column 5": the line is always 1 here, and the column is told apart.
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        Fault::Json {
            message,
            column: error.column(),
        }
    })
}

/// Words and labels of a raw tweet whose entities are spans of it. Sigils are words of their own, since spans leave them out.
fn labelled(text: &str, entities: &[Span]) -> Result<(Vec<String>, Vec<String>), Fault> {
    let words = split_words(text, Sigils::Apart);
    let mut labels = vec!["O".to_owned(); words.len()];
    for entity in entities {
        let [start, end] = entity.chars;
        let inside = |word: &Word| word.chars.start >= start && word.chars.end <= end;
        let touched = |word: &Word| word.chars.start < end && word.chars.end > start;
        let first = words.iter().position(touched);
        let whole = words.iter().filter(|word| touched(word)).all(inside);
        let Some(first) = first.filter(|_| whole) else {
            let all = text.chars().skip(start);
            return Err(Fault::Span {
                found: all.take(end.saturating_sub(start)).collect(),
                start,
                end,
            });
        };
        for (at, _) in words.iter().enumerate().filter(|(_, word)| inside(word)) {
            let prefix = if at == first { "B" } else { "I" };
            labels[at] = format!("{prefix}-{}", entity.kind);
        }
    }
    Ok((of(&words, text), labels))
}

/// Words as they stand in a text.
fn of(words: &[Word], text: &str) -> Vec<String> {
    words.iter().map(|word| word.of(text).to_owned()).collect()
}
