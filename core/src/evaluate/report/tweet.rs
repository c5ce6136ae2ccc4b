//! A tweet with names marked in it.

use crate::label::EntityType;
use maud::{Markup, html};
use std::ops::Range;

/// A name to mark.
pub(super) struct Marked {
    pub words: Range<usize>,
    /// None where the words of several names are marked as one.
    pub kind: Option<EntityType>,
    /// What stands beside the type.
    pub note: String,
}

/// Words shown on either side of the place that matters, where a tweet is not shown whole.
const AROUND: usize = 12;

/// The words within `shown` with names marked; dots where words are left out. Marks are in order and do not overlap.
pub(super) fn words(words: &[String], marks: &[Marked], shown: Range<usize>) -> Markup {
    let end = shown.end.min(words.len());
    let mut pieces: Vec<Markup> = Vec::new();
    let mut at = shown.start;
    for mark in marks {
        let from = mark.words.start.clamp(at, end);
        let to = mark.words.end.clamp(from, end);
        pieces.extend(words[at..from].iter().map(|word| html! { (word) }));
        if from < to {
            pieces.push(name(&words[from..to].join(" "), mark));
        }
        at = to;
    }
    pieces.extend(words[at..end].iter().map(|word| html! { (word) }));
    html! {
        @if shown.start > 0 { "… " }
        @for (at, piece) in pieces.iter().enumerate() {
            @if at > 0 { " " }
            (piece)
        }
        @if end < words.len() { " …" }
    }
}

/// The part of a tweet of `length` words around the words `place`.
pub(super) fn around(place: &Range<usize>, length: usize) -> Range<usize> {
    place.start.saturating_sub(AROUND)..(place.end + AROUND).min(length)
}

fn name(text: &str, mark: &Marked) -> Markup {
    let class = mark.kind.map(|kind| kind.name().to_lowercase());
    html! {
        mark class=[class] {
            (text)
            @if let Some(kind) = mark.kind { " " span.type { (kind.name()) } }
            @if !mark.note.is_empty() { " " span.note { (mark.note) } }
        }
    }
}
