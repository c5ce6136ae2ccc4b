//! An evaluation as one HTML file that needs nothing else: `mner evaluate --report`.
//!
//! | part | where |
//! |---|---|
//! | what is shown | here |
//! | scores by type | `scores` |
//! | which type was taken for which | `confusion` |
//! | whether confidences mean what they say | `calibration` |
//! | every mistake in its tweet | `errors` |
//! | the worst tweets, with their images | `worst`, `thumbnails` |
//! | how a tweet with names in it is written | `tweet` |
//!
//! Text goes through maud, which escapes all that is put in. The page loads nothing: its content security policy forbids it to.

mod calibration;
mod confusion;
mod errors;
mod scores;
#[cfg(test)]
mod tests;
mod thumbnails;
mod tweet;
mod worst;

pub use thumbnails::{IMAGE_BYTES, IMAGES, SIDE};

use crate::data::corpus::Sample;
use crate::decode::entities::WordEntity;
use crate::evaluate::calibration::Calibration;
use crate::evaluate::confusion::Confusion;
use crate::evaluate::mistakes::{Gold, Mistake, mistakes};
use crate::evaluate::scores::Report;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::path::PathBuf;

/// Everything the page shows.
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    /// Name of the model.
    pub model: &'a str,
    /// Where the labelled tweets come from.
    pub data: String,
    /// How the model was asked: names and values, such as *images* and *the tweets' own*.
    pub settings: Vec<(&'static str, String)>,
    /// Scores, each with the sentence that says of what. The first are those of `tweets`.
    pub tables: Vec<(String, Report)>,
    /// Entities found, by their confidence.
    pub calibration: Calibration,
    /// Every tweet.
    pub tweets: Vec<Judged<'a>>,
}

/// A tweet with what the labels and what the model find in it; both without what is not scored.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The words, and the tweet's id.
    pub sample: &'a Sample,
    /// The names of the labels, left to right.
    pub gold: Vec<Gold>,
    /// The entities of the answer, left to right.
    pub found: Vec<WordEntity>,
    /// The image it was read with.
    pub image: Option<ShownImage>,
    mistakes: Vec<Mistake>,
}

/// An image that a tweet was read with.
#[derive(Clone, Debug)]
pub struct ShownImage {
    /// Its file.
    pub path: PathBuf,
    /// What the vision encoder sees in it, the surest first.
    pub tags: Vec<String>,
}

impl<'a> Judged<'a> {
    /// Compares labels and answer.
    pub fn new(
        sample: &'a Sample,
        gold: Vec<Gold>,
        found: Vec<WordEntity>,
        image: Option<ShownImage>,
    ) -> Self {
        Self {
            sample,
            mistakes: mistakes(&gold, &found),
            gold,
            found,
            image,
        }
    }

    /// The id of the tweet, or its place in the data.
    fn name(&self, at: usize) -> String {
        match &self.sample.id {
            Some(id) => id.clone(),
            None => format!("tweet {} of the data", at + 1),
        }
    }
}

/// The page. Reads the image files of the worst tweets; one that cannot be read is left out, and the page says so.
pub fn page(evaluation: &Evaluation) -> String {
    let mut table = Confusion::default();
    for tweet in &evaluation.tweets {
        table.add(&tweet.gold, &tweet.mistakes);
    }
    let body = html! {
        (header(evaluation))
        main {
            (scores::section(evaluation))
            (confusion::section(&table))
            (calibration::section(&evaluation.calibration))
            (errors::section(&evaluation.tweets))
            (worst::section(&evaluation.tweets))
        }
    };
    document(
        &format!("{} on {}", evaluation.model, evaluation.data),
        &body,
    )
    .into_string()
}

fn document(title: &str, body: &Markup) -> Markup {
    let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { (body) }
        }
    }
}

fn header(evaluation: &Evaluation) -> Markup {
    let sections = [
        ("scores", "Scores"),
        ("confusion", "Types"),
        ("calibration", "Calibration"),
        ("errors", "Mistakes"),
        ("worst", "Worst tweets"),
    ];
    html! {
        header {
            h1 { (evaluation.model) " on " (evaluation.data) }
            dl.settings {
                @for (name, value) in &evaluation.settings {
                    div { dt { (name) } dd { (value) } }
                }
            }
            nav aria-label="Sections" {
                @for (id, name) in sections { a href={ "#" (id) } { (name) } }
            }
        }
    }
}

/// A fraction as per cent with `digits` after the point.
fn percent(fraction: f64, digits: usize) -> String {
    format!("{:.digits$}", 100.0 * fraction)
}
