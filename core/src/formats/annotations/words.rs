//! From spans of a text to labels of words.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::fault::{Loss, Unfit};
use crate::formats::annotations::record::beside;
use crate::formats::annotations::tags::WordSpan;
use crate::tweet::words::{Sigils, split_words};
use std::ops::Range;

/// The words of a document and which of them are entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    /// The words as byte ranges of the text.
    pub words: Vec<Range<usize>>,
    /// The entities over them, in order and without overlap.
    pub entities: Vec<WordSpan>,
}

impl Labelled {
    /// The words themselves.
    pub fn tokens<'a>(&self, document: &'a Document) -> Vec<&'a str> {
        let word = |word: &Range<usize>| document.text.get(word.clone()).unwrap_or_default();
        self.words.iter().map(word).collect()
    }
}

/// A document's words, its own or else as [`split_words`] cuts them with sigils apart (spans leave the `#` and `@` out), and
/// its spans over them.
///
/// White space inside the ends of a span belongs to no word and does not count. A span that cuts a word, holds none or overlaps
/// one that begins earlier (of those that begin together: the longest) is left out, a [`Loss::Words`].
pub fn labelled(document: &Document, losses: &mut Vec<Loss>) -> Labelled {
    let text = document.text.as_str();
    let words: Vec<Range<usize>> = match &document.tokens {
        Some(tokens) => {
            // spaCy has white space as tokens of its own.
            let blank = [' ', '\t', '\r', '\n'];
            let seen = |token: &&Range<usize>| {
                text.get((*token).clone())
                    .is_some_and(|word| !word.trim_matches(blank).is_empty())
            };
            tokens.iter().filter(seen).cloned().collect()
        }
        None => split_words(text, Sigils::Apart)
            .into_iter()
            .map(|word| word.bytes)
            .collect(),
    };
    let mut entities: Vec<WordSpan> = Vec::new();
    let mut last: Option<&Span> = None;
    for span in longest_first(document) {
        let Range { start, end } = span.bytes;
        let from = words.partition_point(|word| word.end <= start);
        let to = words.partition_point(|word| word.start < end);
        let inside = |word: &Range<usize>| start <= word.start && word.end <= end;
        let why = match words.get(from..to) {
            _ if span.kind.is_empty() || span.kind.contains(['\t', '\n', '\r']) => {
                Some(Unfit::Kind)
            }
            None | Some([]) => Some(Unfit::NoWord),
            Some(covered) if !covered.iter().all(inside) => Some(Unfit::CutsWord),
            Some(_) if entities.last().is_some_and(|(words, _)| from < words.end) => {
                // The same once more says nothing new.
                if last.is_some_and(|last| same(last, span)) {
                    continue;
                }
                Some(Unfit::Overlaps)
            }
            Some(_) => None,
        };
        match why {
            Some(why) => losses.push(unfit(document, span, why)),
            None => {
                entities.push((from..to, span.kind.clone()));
                last = Some(span);
            }
        }
    }
    Labelled { words, entities }
}

/// [`labelled`], unless the document has no words, which is a [`Loss`].
pub(super) fn with_words(document: &Document, losses: &mut Vec<Loss>) -> Option<Labelled> {
    let found = labelled(document, losses);
    if found.words.is_empty() {
        beside(losses, &document.place, "a text without words is left out");
        return None;
    }
    Some(found)
}

/// The spans of a document without those that overlap one that begins earlier, or a longer one that begins with them.
pub(super) fn apart<'a>(document: &'a Document, losses: &mut Vec<Loss>) -> Vec<&'a Span> {
    let mut kept: Vec<&Span> = Vec::new();
    for span in longest_first(document) {
        match kept.last() {
            Some(last) if same(last, span) => {}
            Some(last) if span.bytes.start < last.bytes.end => {
                losses.push(unfit(document, span, Unfit::Overlaps));
            }
            _ => kept.push(span),
        }
    }
    kept
}

fn longest_first(document: &Document) -> Vec<&Span> {
    let mut spans: Vec<&Span> = document.spans.iter().collect();
    spans.sort_by_key(|span| (span.bytes.start, std::cmp::Reverse(span.bytes.end)));
    spans
}

fn same(a: &Span, b: &Span) -> bool {
    a.bytes == b.bytes && a.kind == b.kind
}

fn unfit(document: &Document, span: &Span, why: Unfit) -> Loss {
    Loss::Words {
        place: document.place.clone(),
        kind: span.kind.clone(),
        text: document.of(span).to_owned(),
        chars: document.chars(&span.bytes),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str, spans: &[(&str, &str)]) -> Document {
        let mut from = 0;
        let mut document = Document {
            place: "line 3".to_owned(),
            text: text.to_owned(),
            ..Document::default()
        };
        for (words, kind) in spans {
            let start = from + text[from..].find(words).unwrap();
            from = start;
            document
                .spans
                .push(Span::new(start..start + words.len(), *kind));
        }
        document
    }

    #[test]
    fn spans_become_words_and_what_does_not_fit_is_named() {
        let tweet = document(
            "RT @nasa: Sunita Williams in #Houston's sky ",
            &[
                ("nasa", "ORG"),
                ("Sunita Williams", "PER"),
                ("Williams in", "X"),
                ("in ", "Y"),
                ("#Hou", "LOC"),
                ("Houston", "LOC"),
                (" ", "Z"),
                ("sky ", "S"),
            ],
        );
        let mut losses = Vec::new();
        let found = labelled(&tweet, &mut losses);
        let words = found.tokens(&tweet);
        let shown: Vec<String> = found
            .entities
            .iter()
            .map(|(at, kind)| format!("{kind} {}", words[at.clone()].join(" ")))
            .collect();
        assert_eq!(
            shown,
            [
                "ORG nasa",
                "PER Sunita Williams",
                "Y in",
                "LOC Houston",
                "S sky"
            ]
        );
        let said: Vec<String> = losses.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "line 3: the span \"Williams in\" (X, code points 17 to 28) overlaps another, and a word has one label; left out",
                "line 3: the span \"#Hou\" (LOC, code points 29 to 33) cuts a word; left out",
                "line 3: the span \" \" (Z, code points 39 to 40) holds no word; left out",
            ]
        );
    }

    #[test]
    fn the_longest_of_those_that_begin_together_stays() {
        let mut nested = document(
            "New York Times",
            &[("New York", "LOC"), ("New York Times", "ORG")],
        );
        nested.sort();
        nested.spans.push(nested.spans[1].clone());
        let mut losses = Vec::new();
        let found = labelled(&nested, &mut losses);
        assert_eq!(found.entities, [(0..3, "ORG".to_owned())]);
        assert_eq!(losses.len(), 1, "{losses:?}");
        losses.clear();
        assert_eq!(apart(&nested, &mut losses).len(), 1);
        assert_eq!(losses.len(), 1, "{losses:?}");
    }
}
