//! What an image shows, in words: names of detected objects and of the classifier's best
//! classes, with probabilities.

use crate::vision::detections::Object;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A word or phrase about the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// The name, lower case where the label file has it so.
    pub name: String,
    /// How sure the network is, in `[0, 1]`.
    pub probability: f32,
    /// Which network says so.
    pub source: TagSource,
}

/// Where a tag comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagSource {
    /// The object detector: the thing is in the image.
    Detector,
    /// The classifier: the image is of this kind.
    Classifier,
}

/// Why a label file was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the label file names {found} classes and the network has {expected}; use its own file")]
pub struct ClassNamesError {
    /// Lines with a name.
    pub found: usize,
    /// Classes of the network.
    pub expected: usize,
}

/// The class names of a network, in output order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassNames(Vec<String>);

impl ClassNames {
    /// Reads one class a line. Of synonyms joined by commas (ImageNet's) the first is the name.
    ///
    /// # Errors
    /// [`ClassNamesError`] unless there are exactly `classes` lines with a name.
    pub fn parse(text: &str, classes: usize) -> Result<Self, ClassNamesError> {
        let names: Vec<String> = text
            .lines()
            .filter_map(|line| line.split(',').next())
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        match names.len() == classes {
            true => Ok(Self(names)),
            false => Err(ClassNamesError {
                found: names.len(),
                expected: classes,
            }),
        }
    }

    /// How many classes there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The name of a class, none where there is no such class.
    pub fn name(&self, class: usize) -> Option<&str> {
        self.0.get(class).map(String::as_str)
    }
}

/// Which classes of the classifier become tags.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagConfig {
    /// Most classes of the classifier.
    pub classes: usize,
    /// Classes less probable than this are left out.
    pub probability: f32,
}

impl Default for TagConfig {
    /// The 5 best classes with a probability of at least 0.05.
    fn default() -> Self {
        Self {
            classes: 5,
            probability: 0.05,
        }
    }
}

/// The tags of an image: the detector's classes by their best score, then the classifier's best
/// classes by probability. A name occurs once, with the detector's word first.
///
/// `objects`: the detections; `logits`: the classifier's, one per class. Classes without a name
/// are passed over.
pub fn tags(
    objects: &[Object],
    detector: &ClassNames,
    logits: &[f32],
    classifier: &ClassNames,
    config: &TagConfig,
) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    let mut add = |name: Option<&str>, probability: f32, source: TagSource| {
        let Some(name) = name else { return };
        if !tags.iter().any(|tag| tag.name == name) {
            tags.push(Tag {
                name: name.to_owned(),
                probability,
                source,
            });
        }
    };
    let mut best_first: Vec<&Object> = objects.iter().collect();
    best_first.sort_by(|a, b| b.score.total_cmp(&a.score));
    for object in best_first {
        add(
            detector.name(object.class),
            object.score,
            TagSource::Detector,
        );
    }
    let mut classes: Vec<(usize, f32)> = softmax(logits).into_iter().enumerate().collect();
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (class, probability) in classes.into_iter().take(config.classes) {
        if probability >= config.probability {
            add(classifier.name(class), probability, TagSource::Classifier);
        }
    }
    tags
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&x| f64::from(x - largest).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|x| (x / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula;

    fn object(class: usize, score: f32) -> Object {
        Object {
            class,
            score,
            bounds: [0.0, 0.0, 1.0, 1.0],
        }
    }

    #[test]
    fn detector_first_each_name_once() {
        let detector = ClassNames::parse("person\nkite\n", 2).unwrap();
        let classifier = ClassNames::parse("kite, hawk\ncoast\nsnow\n", 3).unwrap();
        let objects = [
            object(0, 0.4),
            object(1, 0.9),
            object(0, 0.8),
            object(7, 0.99),
        ];
        // Probabilities 0.5, 0.4, 0.1.
        let logits = [5f32, 4.0, 1.0].map(f32::ln);
        let config = TagConfig {
            classes: 3,
            probability: 0.2,
        };
        let tags = tags(&objects, &detector, &logits, &classifier, &config);
        let said: Vec<(&str, f32, TagSource)> = tags
            .iter()
            .map(|t| (t.name.as_str(), t.probability, t.source))
            .collect();
        use TagSource::{Classifier, Detector};
        assert_eq!(
            said[..2],
            [("kite", 0.9, Detector), ("person", 0.8, Detector)]
        );
        assert_eq!((said.len(), said[2].0, said[2].2), (3, "coast", Classifier));
        assert!((said[2].1 - 0.4).abs() < 1e-6);
    }

    #[test]
    fn a_label_file_of_another_network_is_refused() {
        let error = ClassNames::parse("a\n\nb\n", 3).unwrap_err();
        assert_eq!((error.found, error.expected), (2, 3));
    }

    #[test]
    fn reference_logits_give_the_expected_classes() {
        let files = [
            "weights/reference/expected.json",
            "weights/imagenet_labels.txt",
            "weights/coco_labels.txt",
        ];
        let [Some(expected), Some(imagenet), Some(coco)] = files.map(formula::shared) else {
            return;
        };
        let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let imagenet = ClassNames::parse(&text(imagenet), 1000).unwrap();
        let coco = ClassNames::parse(&text(coco), 80).unwrap();
        for (image, reference) in formula::of_photographs("mobilenet_v2") {
            let logits: Vec<f32> = reference["output"].try_to_vec().unwrap();
            let config = TagConfig {
                classes: 5,
                probability: 0.0,
            };
            let tags = tags(&[], &coco, &logits, &imagenet, &config);
            let theirs = expected["mobilenet_v2"][image].as_array().unwrap();
            assert_eq!(tags.len(), theirs.len());
            for (ours, theirs) in tags.iter().zip(theirs) {
                assert!(theirs["label"].as_str().unwrap().starts_with(&ours.name));
                let probability = theirs["prob"].as_f64().unwrap();
                assert!((f64::from(ours.probability) - probability).abs() < 1e-3);
            }
        }
    }
}
