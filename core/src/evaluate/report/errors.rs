//! Every mistake in its tweet, by kind.

use crate::evaluate::mistakes::{Kind, Mistake};
use crate::evaluate::report::tweet::{Marked, around, words};
use crate::evaluate::report::{Judged, percent};
use maud::{Markup, html};
use std::cmp::Ordering;

/// Most mistakes of a kind that are shown.
pub(super) const SHOWN: usize = 100;

/// A mistake with its tweet.
struct Case<'a> {
    tweet: &'a Judged<'a>,
    /// The tweet's id.
    name: String,
    mistake: &'a Mistake,
}

impl Case<'_> {
    /// How sure the model was of what is wrong: the confidence of the likeliest entity it found, else one less the probability
    /// it gave to the label.
    fn confidence(&self) -> f64 {
        let found = self.mistake.found.iter().map(|entity| entity.confidence);
        let missed = self.mistake.gold.iter().map(|gold| 1.0 - gold.probability);
        match self.mistake.kind() {
            Kind::Missed => missed.fold(0.0, f64::max),
            _ => found.fold(0.0, f64::max),
        }
    }
}

pub(super) fn section(tweets: &[Judged]) -> Markup {
    let kinds = [
        (
            Kind::Missed,
            "Missed names",
            "Names of the labels where nothing was found, those first that the model thought least likely.",
        ),
        (
            Kind::Invented,
            "Invented names",
            "Entities where the labels have none, the surest first. Some are names that the labels miss.",
        ),
        (
            Kind::WrongType,
            "Wrong types",
            "The right words under another type, the surest first.",
        ),
        (
            Kind::WrongEnds,
            "Other ends",
            "Some of the words alone, or more than they, the surest first.",
        ),
    ];
    html! {
        section #errors aria-labelledby="errors-title" {
            h2 #errors-title { "Mistakes" }
            p {
                em { "Confidence" } " is the model's probability of exactly the span and type it found; " em { "probability" }
                " is what it gave to exactly those of the labels."
            }
            @for (kind, title, text) in kinds { (of_kind(tweets, kind, title, text)) }
        }
    }
}

fn of_kind(tweets: &[Judged], kind: Kind, title: &str, text: &str) -> Markup {
    let mut cases: Vec<Case> = Vec::new();
    for (at, tweet) in tweets.iter().enumerate() {
        let mistakes = tweet
            .mistakes
            .iter()
            .filter(|mistake| mistake.kind() == kind);
        cases.extend(mistakes.map(|mistake| Case {
            tweet,
            name: tweet.name(at),
            mistake,
        }));
    }
    let order = |a: &Case, b: &Case| b.confidence().partial_cmp(&a.confidence());
    cases.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
    let all = cases.len();
    cases.truncate(SHOWN);
    html! {
        details open[kind == Kind::Missed || kind == Kind::Invented] {
            summary { h3 { (title) " " span.count { (all) } } }
            p {
                (text)
                @if all > cases.len() { " The first " (cases.len()) " of " (all) " are shown." }
            }
            @if !cases.is_empty() { (table(title, kind, &cases)) }
        }
    }
}

/// Mistakes of one kind; of missed names there is nothing of the model to show, of invented ones nothing of the labels.
fn table(caption: &str, kind: Kind, cases: &[Case]) -> Markup {
    let (labels, model) = (kind != Kind::Invented, kind != Kind::Missed);
    html! {
        div.scroll {
            table.errors {
                caption.hidden { (caption) }
                thead {
                    tr {
                        @if labels {
                            th scope="col" { "labels" }
                            th.number scope="col" { "probability, %" }
                        }
                        @if model {
                            th scope="col" { "model" }
                            th.number scope="col" { "confidence, %" }
                        }
                        th scope="col" { "in context" }
                        th scope="col" { "tweet" }
                    }
                }
                tbody { @for case in cases { (row(case)) } }
            }
        }
    }
}

fn row(case: &Case) -> Markup {
    let tokens = &case.tweet.sample.tokens;
    let Mistake { gold, found } = case.mistake;
    let place = case.mistake.words();
    let mark = Marked {
        words: place.clone(),
        kind: None,
        note: String::new(),
    };
    let name = |start: usize, end: usize| tokens[start..end].join(" ");
    html! {
        tr {
            @if !gold.is_empty() {
                td {
                    @for gold in gold {
                        div { (name(gold.chunk.start, gold.chunk.end)) " " (badge(gold.chunk.kind.name())) }
                    }
                }
                td.number { @for gold in gold { div { (percent(gold.probability, 1)) } } }
            }
            @if !found.is_empty() {
                td {
                    @for entity in found {
                        div { (name(entity.words.start, entity.words.end)) " " (badge(entity.kind.name())) }
                    }
                }
                td.number { @for entity in found { div { (percent(entity.confidence, 1)) } } }
            }
            td.context { (words(tokens, &[mark], around(&place, tokens.len()))) }
            td.id { (case.name) }
        }
    }
}

fn badge(kind: &str) -> Markup {
    html! { span.type.(kind.to_lowercase()) { (kind) } }
}
