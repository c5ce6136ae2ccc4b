//! The tweets with the most mistakes, with their images.

use crate::decode::chunks::Chunk;
use crate::evaluate::report::thumbnails::{IMAGE_BYTES, IMAGES, SIDE, Thumbnail, Thumbnails};
use crate::evaluate::report::tweet::{Marked, words};
use crate::evaluate::report::{Judged, percent};
use maud::{Markup, html};
use std::cmp::Ordering;

/// Most tweets that are shown.
pub(super) const SHOWN: usize = 30;

/// Most words of a tweet that are shown.
const WORDS: usize = 200;

impl Judged<'_> {
    /// Entities of the labels that were not found as they are, and entities found that are not right.
    fn wrong(&self) -> usize {
        let each = |m: &crate::evaluate::mistakes::Mistake| m.gold.len() + m.found.len();
        self.mistakes.iter().map(each).sum()
    }

    /// How sure the model was of all that: between two tweets with as many mistakes, the surer one is worse.
    fn certainty(&self) -> f64 {
        let gold = self.mistakes.iter().flat_map(|mistake| &mistake.gold);
        let found = self.mistakes.iter().flat_map(|mistake| &mistake.found);
        let against: f64 = gold.map(|gold| 1.0 - gold.probability).sum();
        against + found.map(|entity| entity.confidence).sum::<f64>()
    }
}

pub(super) fn section(tweets: &[Judged]) -> Markup {
    let mut worst: Vec<(usize, &Judged)> = tweets
        .iter()
        .enumerate()
        .filter(|(_, tweet)| tweet.wrong() > 0)
        .collect();
    let sure = |a: &Judged, b: &Judged| b.certainty().partial_cmp(&a.certainty());
    worst.sort_by(|(_, a), (_, b)| {
        let surer = sure(a, b).unwrap_or(Ordering::Equal);
        b.wrong().cmp(&a.wrong()).then(surer)
    });
    let all = worst.len();
    worst.truncate(SHOWN);
    let mut images = Thumbnails::default();
    let cards: Vec<Markup> = worst
        .iter()
        .map(|(at, tweet)| card(*at, tweet, images.of(tweet.image.as_ref())))
        .collect();
    html! {
        section #worst aria-labelledby="worst-title" {
            h2 #worst-title { "Worst tweets" }
            p {
                (all) " of " (tweets.len()) " tweets have a mistake; here are " (cards.len()) ", those with the most wrong entities "
                "first, and of equals those whose mistakes the model was surest of. Images are scaled down to " (SIDE)
                " pixels; at most " (IMAGES) " of them, and " (IMAGE_BYTES / 1024) " KiB in all, are in this file."
            }
            ol.cards { @for card in &cards { li { (card) } } }
        }
    }
}

fn card(at: usize, tweet: &Judged, image: Thumbnail) -> Markup {
    let tokens = &tweet.sample.tokens;
    let shown = 0..tokens.len().min(WORDS);
    let is_right = |chunk: Chunk| {
        let wrong = |m: &crate::evaluate::mistakes::Mistake| {
            m.gold.iter().any(|gold| gold.chunk == chunk)
                || m.found.iter().any(|entity| Chunk::of(entity) == chunk)
        };
        !tweet.mistakes.iter().any(wrong)
    };
    let verdict = |chunk: Chunk| if is_right(chunk) { "✓" } else { "✗" };
    let gold = tweet.gold.iter().map(|gold| Marked {
        words: gold.chunk.start..gold.chunk.end,
        kind: Some(gold.chunk.kind),
        note: format!("{} %", percent(gold.probability, 0)),
    });
    let found = tweet.found.iter().map(|entity| Marked {
        words: entity.words.clone(),
        kind: Some(entity.kind),
        note: format!(
            "{} % {}",
            percent(entity.confidence, 0),
            verdict(Chunk::of(entity))
        ),
    });
    let (gold, found): (Vec<Marked>, Vec<Marked>) = (gold.collect(), found.collect());
    html! {
        article.card {
            (figure(image))
            div {
                h3 { (tweet.name(at)) " " span.count { (tweet.wrong()) " wrong" } }
                dl {
                    dt { "labels, with the model's probability of each" }
                    dd { (words(tokens, &gold, shown.clone())) }
                    dt { "model, with its confidence" }
                    dd { (words(tokens, &found, shown)) }
                }
            }
        }
    }
}

fn figure(image: Thumbnail) -> Markup {
    html! {
        @match image {
            Thumbnail::Without => {}
            Thumbnail::Shown { uri, alt, width, height } => {
                img src=(uri) alt=(alt) width=(width) height=(height) loading="lazy";
            }
            Thumbnail::LeftOut(why) => { p.left-out { (why) } }
        }
    }
}
