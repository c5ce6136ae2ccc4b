//! `mner evaluate --contrast` and `--pairs`: whether the image decides, and whether its relevance is one.

use crate::failure::Failure;
use crate::image_text::id_of;
use crate::images::ImageArgs;
use crate::output;
use mner_core::data::contrast::{self, Contrast};
use mner_core::data::corpus::Sample;
use mner_core::data::pairs::{self, Pair};
use mner_core::evaluate::contrast::{Followed, Reading, auc, type_of};
use mner_core::label::EntityType;
use mner_core::recognizer::Recognizer;
use mner_core::systems::image_batch::EncodedImage;
use mner_core::systems::ita::image_text::ImageText;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// An image, and what is known of it in words.
type Shown<'a> = (&'a EncodedImage, Option<&'a ImageText>);

/// How often the type of a name followed the image.
#[derive(Serialize)]
pub struct Follows {
    /// Beside the image of the reading asked for.
    own: Followed,
    /// Beside an image of the next tweet: what is asked for is what its own image makes of it.
    another: Followed,
    /// Without an image.
    none: Followed,
}

impl Follows {
    pub fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return output::print(&format!("{}\n", serde_json::to_string_pretty(self)?));
        }
        output::print(&format!(
            "its own image   {}\nanother's image {}\nno image        {}\n",
            self.own, self.another, self.none
        ))
    }
}

fn encoded(
    recognizer: &Recognizer,
    file: &Path,
    images: &ImageArgs,
    paths: impl Iterator<Item = String>,
) -> Result<Vec<EncodedImage>, Failure> {
    let samples: Vec<Sample> = paths
        .map(|image| Sample {
            image: Some(image),
            ..Sample::default()
        })
        .collect();
    let found = images
        .beside(file, recognizer)?
        .encoded_images(&samples, 1, 0)?;
    let pairs = samples.into_iter().zip(found);
    let all = pairs.map(|(sample, mut found)| {
        let path = sample.image.unwrap_or_default();
        found.pop().ok_or_else(|| {
            Failure::Message(format!("{}: there is no image {path}", file.display()))
        })
    });
    all.collect()
}

/// Reads a contrast set beside its images, beside others' and without. `texts`: what images show in words, by [`id_of`].
pub fn followed(
    recognizer: &Recognizer,
    file: &Path,
    images: &ImageArgs,
    texts: &HashMap<String, ImageText>,
) -> Result<Follows, Failure> {
    let tweets = contrast::read(file)?;
    let paths = tweets.iter().flat_map(|tweet| &tweet.images);
    let paths = paths.map(|typed| typed.image.to_string_lossy().into_owned());
    let encoded = encoded(recognizer, file, images, paths)?;
    let mut encoded = encoded.iter();
    let images: Vec<Vec<Shown>> = tweets
        .iter()
        .map(|tweet| {
            let own = tweet.images.iter().zip(&mut encoded);
            own.map(|(typed, encoded)| (encoded, texts.get(&*id_of(&typed.image))))
                .collect()
        })
        .collect();
    let mut report = Follows {
        own: Followed::default(),
        another: Followed::default(),
        none: Followed::default(),
    };
    for (at, tweet) in tweets.iter().enumerate() {
        let next = &images[(at + 1) % tweets.len()];
        let none = found(recognizer, tweet, None)?;
        let (mut own, mut another, mut without) = (Vec::new(), Vec::new(), Vec::new());
        for (i, typed) in tweet.images.iter().enumerate() {
            let wanted = typed.kind;
            let read = |image| -> Result<Reading, Failure> {
                let found = found(recognizer, tweet, Some(image))?;
                Ok(Reading { wanted, found })
            };
            own.push(read(images[at][i])?);
            another.push(read(next[i % next.len()])?);
            without.push(Reading {
                wanted,
                found: none,
            });
        }
        report.own.add(&own);
        report.another.add(&another);
        report.none.add(&without);
    }
    Ok(report)
}

fn found(
    recognizer: &Recognizer,
    tweet: &Contrast,
    shown: Option<Shown>,
) -> Result<Option<EntityType>, Failure> {
    let (image, text) = shown.map_or((None, None), |(image, text)| (Some(image), text));
    let answer = pollster::block_on(recognizer.recognize_with(&tweet.text, image, text))?;
    Ok(type_of(&tweet.name, &tweet.text, &answer.entities))
}

/// How well the relevance tells own images from others'.
#[derive(Serialize)]
pub struct ToldApart {
    /// Tweets.
    tweets: usize,
    /// Mean relevance of the own image, over the grains there are.
    own: f64,
    /// Of another tweet's.
    another: f64,
    /// Area under the ROC curve; none for a system without relevance.
    auc: Option<f64>,
}

impl ToldApart {
    pub fn print(&self, json: bool) -> Result<(), Failure> {
        let text = match self.auc {
            _ if json => serde_json::to_string_pretty(self)?,
            Some(auc) => format!(
                "relevance of {} tweets: own {:.3}, another's {:.3}, AUC {auc:.3}",
                self.tweets, self.own, self.another
            ),
            None => "this system does not measure relevance".to_owned(),
        };
        output::print(&format!("{text}\n"))
    }
}

/// Reads tweets beside their own image and beside the next tweet's.
pub fn told_apart(
    recognizer: &Recognizer,
    file: &Path,
    images: &ImageArgs,
) -> Result<ToldApart, Failure> {
    let pairs = pairs::read::<Pair>(file)?;
    let encoded = encoded(
        recognizer,
        file,
        images,
        pairs.iter().map(|pair| pair.image.clone()),
    )?;
    let (mut own, mut another) = (Vec::new(), Vec::new());
    for (at, pair) in pairs.iter().enumerate() {
        let next = (at + 1) % pairs.len();
        for (scores, image) in [(&mut own, &encoded[at]), (&mut another, &encoded[next])] {
            let answer =
                pollster::block_on(recognizer.recognize_with(&pair.text, Some(image), None))?;
            let relevance = answer.image.and_then(|image| image.relevance);
            scores.extend(relevance.map(|relevance| relevance.mean()));
        }
    }
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    Ok(ToldApart {
        tweets: pairs.len(),
        own: mean(&own),
        another: mean(&another),
        auc: auc(&own, &another),
    })
}
