//! What speaks for an answer, as plain data: relevance, objects, and where the words looked.

use crate::decode::entities::EntityEvidence;
use crate::label::{EntityType, LABELS};
use crate::systems::image_batch::EncodedImage;
use crate::vision::detections::Box4;
use crate::vision::features::GRID;
use crate::vision::tags::{ClassNames, Tag};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What was seen in a tweet's image, and what it contributed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageEvidence {
    /// How relevant it was; absent from a system that does not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevance: Option<RelevanceScores>,
    /// What was found in it, the best first.
    pub objects: Vec<SeenObject>,
    /// What it shows, in words.
    pub tags: Vec<Tag>,
    /// Width of the image in the boxes' pixels.
    pub width: u32,
    /// Height of the image in the boxes' pixels.
    pub height: u32,
}

/// Relevance of the image to the tweet by grain, in `[0, 1]`; 0 for a grain that is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RelevanceScores {
    /// Of the whole image.
    pub global: f64,
    /// Of its objects.
    pub object: f64,
    /// Of its objects in the light of its tags.
    pub semantic: f64,
    /// Of how its objects lie to each other.
    pub spatial: f64,
}

impl RelevanceScores {
    /// The mean over the grains that are there.
    pub fn mean(&self) -> f64 {
        let all = [self.global, self.object, self.semantic, self.spatial];
        let there = all.iter().filter(|score| **score > 0.0).count();
        all.iter().sum::<f64>() / there.max(1) as f64
    }
}

/// An object with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenObject {
    /// Name of its class.
    pub name: String,
    /// How sure the detector is, in `[0, 1]`.
    pub score: f32,
    /// x1, y1, x2, y2 in pixels, y down.
    #[serde(rename = "box")]
    pub bounds: Box4,
}

/// What the system says of one tweet.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Emission scores, `[N * 9]`.
    pub emissions: Vec<f64>,
    /// Each word's share in the scores of fine types, `[N * C]`, from a system that tells them; see
    /// [`FineTypeTable`](crate::decode::fine_types::FineTypeTable).
    pub fine_types: Option<Vec<f64>>,
    /// What speaks for them; none without an image, or from a system that reads text alone.
    pub evidence: Option<WordEvidence>,
}

/// Relevance, and where each word looked.
#[derive(Clone, Debug, PartialEq)]
pub struct WordEvidence {
    /// How relevant the image was.
    pub relevance: RelevanceScores,
    /// Of each word: shares on the 49 cells, then on the objects.
    words: Vec<Vec<f64>>,
    /// Of each word, by type, how likely the image shows what a name that begins there names; none where that is not asked.
    seen: Option<Vec<[f64; TYPES]>>,
}

const TYPES: usize = EntityType::ALL.len();

/// Scores of relevance.
const GRAINS: usize = 4;

impl Answer {
    /// Takes apart the rows of [`crate::systems::hamlearning::explanation::Explanation::beside`],
    /// `columns` values a word, of a tweet with `objects` objects; `seen`: whether what is seen is among them.
    pub(crate) fn explained(rows: &[f64], columns: usize, objects: usize, seen: bool) -> Self {
        let rows = || rows.chunks_exact(columns);
        let words = rows()
            .map(|row| row[LABELS..LABELS + GRID + objects].to_vec())
            .collect();
        // The same on every word of a window; the windows of a long tweet may differ.
        let count = rows().len().max(1) as f64;
        let mean = |grain: usize| {
            let scores = rows().map(|row| row[columns - GRAINS + grain]);
            scores.sum::<f64>() / count
        };
        Self {
            emissions: rows().flat_map(|row| &row[..LABELS]).copied().collect(),
            fine_types: None,
            evidence: Some(WordEvidence {
                relevance: RelevanceScores {
                    global: mean(0),
                    object: mean(1),
                    semantic: mean(2),
                    spatial: mean(3),
                },
                words,
                seen: seen.then(|| {
                    let of = |row: &[f64]| {
                        let first = columns - GRAINS - TYPES;
                        std::array::from_fn(|kind| row[first + kind])
                    };
                    rows().map(of).collect()
                }),
            }),
        }
    }
}

impl Answer {
    /// The answer for a tweet from those for its parts, in order; relevance is the mean over the words.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self {
            emissions: Vec::new(),
            fine_types: None,
            evidence: None,
        };
        for part in parts {
            let before = (whole.emissions.len() / LABELS) as f64;
            let count = (part.emissions.len() / LABELS) as f64;
            whole.emissions.extend(part.emissions);
            if let Some(scores) = part.fine_types {
                whole.fine_types.get_or_insert_default().extend(scores);
            }
            whole.evidence = match (whole.evidence.take(), part.evidence) {
                (Some(mut sum), Some(more)) => {
                    let share = count / (before + count).max(1.0);
                    sum.relevance.approach(&more.relevance, share);
                    sum.words.extend(more.words);
                    if let (Some(seen), Some(more)) = (&mut sum.seen, more.seen) {
                        seen.extend(more);
                    }
                    Some(sum)
                }
                (one, other) => one.or(other),
            };
        }
        whole
    }
}

impl RelevanceScores {
    /// Goes the share `share` of the way to `other`.
    fn approach(&mut self, other: &Self, share: f64) {
        for (mine, other) in [
            (&mut self.global, other.global),
            (&mut self.object, other.object),
            (&mut self.semantic, other.semantic),
            (&mut self.spatial, other.spatial),
        ] {
            *mine += share * (other - *mine);
        }
    }
}

impl WordEvidence {
    /// Of each word the shares of its attention on the 49 cells, then on the `M` objects; together 1.
    pub fn attention(&self) -> &[Vec<f64>] {
        &self.words
    }

    /// How likely the image shows what an entity of this type names, whose first word is given; none where that is not asked.
    pub fn seen(&self, first: usize, kind: EntityType) -> Option<f64> {
        Some(self.seen.as_ref()?[first][kind as usize])
    }

    /// Where some words looked together.
    pub fn of(&self, words: Range<usize>) -> EntityEvidence {
        let count = words.len().max(1) as f64;
        let mut mean: Vec<f64> = Vec::new();
        for row in &self.words[words] {
            mean.resize(row.len(), 0.0);
            for (sum, share) in mean.iter_mut().zip(row) {
                *sum += share / count;
            }
        }
        let objects = mean.split_off(GRID.min(mean.len()));
        EntityEvidence {
            heat: mean,
            objects,
        }
    }
}

impl ImageEvidence {
    /// What `encoded` shows, and how relevant it was.
    pub fn new(
        encoded: &EncodedImage,
        relevance: Option<RelevanceScores>,
        names: Option<&ClassNames>,
    ) -> Self {
        let features = &encoded.features;
        let objects = features.objects.iter().map(|object| SeenObject {
            name: names
                .and_then(|names| names.name(object.class))
                .map_or_else(|| format!("class {}", object.class), str::to_owned),
            score: object.score,
            bounds: object.bounds,
        });
        Self {
            relevance,
            objects: objects.collect(),
            tags: features.tags.clone(),
            width: features.width,
            height: features.height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_apart_and_words_averaged() {
        // Two words, one object of a batch whose most is two.
        let row = |emission: f64, cell: f64, object: f64| {
            let mut row = vec![emission; LABELS];
            row.extend([cell / GRID as f64; GRID]);
            row.extend([object, 0.0, 0.1, 0.2, 0.3, 0.4]);
            row
        };
        let rows = [row(1.0, 0.25, 0.75), row(2.0, 0.75, 0.25)].concat();
        let answer = Answer::explained(&rows, LABELS + GRID + 2 + 4, 1, false);
        assert_eq!(answer.emissions, [[1.0; LABELS], [2.0; LABELS]].concat());
        let evidence = answer.evidence.unwrap();
        let relevance = evidence.relevance;
        let scores = [
            relevance.global,
            relevance.object,
            relevance.semantic,
            relevance.spatial,
        ];
        assert_eq!(scores, [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(evidence.of(0..1).objects, [0.75]);
        let both = evidence.of(0..2);
        assert_eq!((both.heat.len(), &both.objects[..]), (GRID, &[0.5][..]));
        assert!((both.heat.iter().sum::<f64>() - 0.5).abs() < 1e-12);
        assert_eq!(evidence.seen(0, EntityType::Per), None);
    }

    #[test]
    fn what_is_seen_is_a_words_and_a_types() {
        let row = |seen: [f64; TYPES]| {
            let mut row = vec![0.0; LABELS + GRID + 1];
            row.extend(seen);
            row.extend([0.5; GRAINS]);
            row
        };
        let rows = [row([0.1, 0.2, 0.3, 0.4]), row([0.5, 0.6, 0.7, 0.8])].concat();
        let columns = LABELS + GRID + 1 + TYPES + GRAINS;
        let whole = Answer::joined(
            [&rows[..columns], &rows[columns..]]
                .map(|part| Answer::explained(part, columns, 1, true)),
        );
        let evidence = whole.evidence.unwrap();
        assert_eq!(evidence.seen(0, EntityType::Per), Some(0.1));
        assert_eq!(evidence.seen(1, EntityType::Misc), Some(0.8));
        assert_eq!(evidence.relevance.mean(), 0.5);
    }
}
