//! Captions of images that nothing was learnt from, beside the nearest caption of those that were.

use crate::caption::Captioner;
use crate::data::pairs::{self, Pair};
use crate::train::caption::images::ImageVectors;
use crate::train::caption::overlap::Overlap;
use crate::train::error::TrainError;
use crate::train::matching::vectors::broken;
use serde::Serialize;
use std::path::Path;

/// What is said of an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The image's path.
    pub image: String,
    /// What the captioner says.
    pub caption: String,
    /// How sure of its words it is.
    pub confidence: f64,
    /// The nearest caption of those that were learnt from.
    pub nearest: String,
    /// What people said.
    pub people: Vec<String>,
}

/// What is said of images that nothing was learnt from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldOut {
    /// Of the captioner.
    pub captioner: Overlap,
    /// Of the nearest captions.
    pub nearest: Overlap,
    /// Image by image.
    pub images: Vec<Held>,
}

impl HeldOut {
    /// Measures a captioner on images and what people said of them, a file of pairs. `known`: the captions that were learnt from, with
    /// their vectors of length 1.
    ///
    /// # Errors
    /// [`TrainError`], for files that cannot be read, a bundle without projector and a device that fails.
    pub fn of(
        path: &Path,
        images: &mut ImageVectors,
        captioner: &Captioner,
        known: &[(&str, &Vec<f32>)],
    ) -> Result<Self, TrainError> {
        let mut people: Vec<(String, Vec<String>)> = Vec::new();
        for pair in pairs::read::<Pair>(path)? {
            match people.iter_mut().find(|(image, _)| *image == pair.image) {
                Some((_, said)) => said.push(pair.text),
                None => people.push((pair.image, vec![pair.text])),
            }
        }
        let vectors = images.vectors(people.iter().map(|(image, _)| image.as_str()))?;
        let mut all = Self {
            captioner: Overlap::default(),
            nearest: Overlap::default(),
            images: Vec::new(),
        };
        for ((image, people), vector) in people.into_iter().zip(vectors) {
            let Some(vector) = vector else {
                continue;
            };
            let said = pollster::block_on(captioner.caption(&vector)).map_err(broken)?;
            let (caption, confidence) = said.map_or((String::new(), 0.0), |caption| {
                (caption.text, caption.confidence)
            });
            let nearest = nearest(&captioner.moved(&vector), known);
            let references: Vec<&str> = people.iter().map(String::as_str).collect();
            all.captioner.add(&caption, &references);
            all.nearest.add(nearest, &references);
            all.images.push(Held {
                image,
                caption,
                confidence,
                nearest: nearest.to_owned(),
                people,
            });
        }
        Ok(all)
    }
}

/// The caption whose vector is most alike.
fn nearest<'a>(vector: &[f32], known: &[(&'a str, &Vec<f32>)]) -> &'a str {
    let alike = |other: &[f32]| -> f32 { vector.iter().zip(other).map(|(a, b)| a * b).sum() };
    known
        .iter()
        .max_by(|(_, a), (_, b)| alike(a).total_cmp(&alike(b)))
        .map_or("", |(text, _)| text)
}
