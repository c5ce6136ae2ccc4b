//! From tags of tokens to spans.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::ReadOptions;
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::record::beside;
use crate::formats::annotations::tags::{Scheme, WordSpan, entities};

/// The spans that tags stand for, one tag a token of the document.
pub(super) fn spans(
    document: &Document,
    tags: &[String],
    scheme: Scheme,
    options: &ReadOptions,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Span>, AnnotationError> {
    let bad = |tag: &str, expected: &'static str| AnnotationError::Tag {
        place: document.place.clone(),
        found: tag.to_owned(),
        expected,
    };
    if let Some(asked) = options.scheme
        && let Some(tag) = tags.iter().find(|tag| !asked.has(tag))
    {
        return Err(bad(tag, asked.tags()));
    }
    let found = entities(tags).map_err(|at| bad(&tags[at], Scheme::Bioes.tags()))?;
    if scheme.first_irregular(tags).is_some() {
        let what = format!(
            "some tags are not as {} writes them; one that continues nothing begins an entity",
            scheme.name()
        );
        beside(losses, &document.place, &what);
    }
    let tokens = document.tokens.as_deref().unwrap_or_default();
    let span = |(words, kind): WordSpan| {
        let covered = tokens.get(words).unwrap_or_default();
        match (covered.first(), covered.last()) {
            (Some(first), Some(last)) if first.start < last.end => {
                Ok(Span::new(first.start..last.end, kind))
            }
            _ => Err(AnnotationError::Shape {
                place: document.place.clone(),
                found: format!("an empty word labelled {kind}"),
                expected: "a word, or the tag `O`",
            }),
        }
    };
    found.into_iter().map(span).collect()
}
