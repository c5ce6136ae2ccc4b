//! What an image says in words, and who reads it out of one.

use crate::image::Image;
use crate::vision::ImageFeatures;
use crate::vision::tags::Tag;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::future::Future;
use std::pin::Pin;

/// What is known of one image in words; also what a context side file holds for an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageText {
    /// Sentences about the whole image, the best first.
    pub captions: Vec<String>,
    /// Things in the image.
    pub objects: Vec<NamedObject>,
    /// Text written in the image, in reading order.
    pub ocr: Vec<String>,
}

/// A thing in an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedObject {
    /// What it is.
    pub name: String,
    /// How sure the detector is; higher is surer.
    #[serde(default)]
    pub score: f32,
    /// What it is like: `red`, `wooden`.
    #[serde(default)]
    pub attrs: Vec<String>,
}

/// What [`ImageReader::read`] gives in the end.
pub type Reading<'a> =
    Pin<Box<dyn Future<Output = Result<ImageText, Box<dyn Error + Send + Sync>>> + 'a>>;

/// Reads words out of images: a captioner, a tagger, an optical character reader.
pub trait ImageReader {
    /// What it is, for messages: `captioner`.
    fn name(&self) -> &str;

    /// Reads an image, given also what the system's own networks saw in it.
    fn read<'a>(&'a self, image: &'a Image, features: &'a ImageFeatures) -> Reading<'a>;
}

/// Reads out the tags that the system's own networks gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct TagReader;

impl ImageReader for TagReader {
    fn name(&self) -> &str {
        "tagger"
    }

    fn read<'a>(&'a self, _: &'a Image, features: &'a ImageFeatures) -> Reading<'a> {
        Box::pin(std::future::ready(Ok(ImageText::from_tags(&features.tags))))
    }
}

impl ImageText {
    /// The tags as objects.
    pub fn from_tags(tags: &[Tag]) -> Self {
        let object = |tag: &Tag| NamedObject {
            name: tag.name.clone(),
            score: tag.probability,
            attrs: Vec::new(),
        };
        Self {
            objects: tags.iter().map(object).collect(),
            ..Self::default()
        }
    }

    /// Adds what `other` says.
    pub fn extend(&mut self, other: Self) {
        self.captions.extend(other.captions);
        self.objects.extend(other.objects);
        self.ocr.extend(other.ocr);
    }
}
