//! How well texts and images find each other.

use crate::evaluate::contrast::auc;
use crate::train::error::TrainError;
use crate::train::matching::config::MatchConfig;
use crate::train::matching::matcher::{Matcher, stack};
use crate::train::matching::seen::SeenFigures;
use crate::train::matching::vectors::{Paired, broken};
use crate::vision::encoder::on_host;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Images among the first so many that an image's own text is looked for.
pub const RANKS: [usize; 3] = [1, 5, 10];

/// How it ended: `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatchReport {
    /// What was asked for.
    pub config: MatchConfig,
    /// The epoch that counts, from 1.
    pub best_epoch: usize,
    /// Of the pairs set aside, by which that epoch was chosen.
    pub aside: Figures,
    /// Of the files held out.
    pub held_out: Vec<HeldOut>,
    /// How much stays of what the relevance said before, for a system that has relevance.
    pub kept: Option<f64>,
    /// What a whole of cosine adds to the logit of relevance, for a system that has relevance.
    pub gain: Option<f64>,
    /// What is added to every logit.
    pub offset: Option<f64>,
    /// How well is told of the tweets held out whether their images show what their names name.
    pub seen: Option<SeenFigures>,
}

/// The figures of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The file.
    pub file: PathBuf,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How well texts and images find each other. Of several texts of an image, the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Images.
    pub images: usize,
    /// Area under the ROC curve of each image's own text against the next one's, by sentence vectors.
    pub auc: f64,
    /// The same by the states of the system's own encoder.
    pub states_auc: f64,
    /// Part of the images that find their text among the first 1, 5 and 10 of all texts, by sentence vectors.
    pub recall: [f64; 3],
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, five, ten] = self.recall;
        write!(
            f,
            "AUC {:.3}, by states {:.3}; recall@1/5/10 of {}: {one:.2} {five:.2} {ten:.2}",
            self.auc, self.states_auc, self.images
        )
    }
}

/// Images and their first texts in the space, row by row one pair: `[I, S]` each.
struct Placed {
    images: Tensor<2>,
    sentences: Tensor<2>,
    states: Tensor<2>,
}

impl Placed {
    fn new(matcher: &Matcher, paired: &Paired, beside: &[(usize, usize)], device: &Device) -> Self {
        let rows = |from: &[Vec<f32>], which: &dyn Fn(&(usize, usize)) -> usize| {
            stack(
                beside.iter().map(|pair| from[which(pair)].as_slice()),
                device,
            )
        };
        let states = rows(&paired.texts.states, &|pair| pair.0);
        Self {
            images: matcher
                .projector
                .forward(rows(&paired.images, &|pair| pair.1)),
            sentences: rows(&paired.texts.sentences, &|pair| pair.0),
            states: matcher.sentences(states),
        }
    }
}

/// Images in the space.
///
/// # Errors
/// [`TrainError::Stopped`] if the device fails.
pub(super) fn embedded(
    matcher: &Matcher,
    paired: &Paired,
    device: &Device,
) -> Result<Vec<Vec<f32>>, TrainError> {
    let images = stack(paired.images.iter().map(Vec::as_slice), device);
    let images = matcher.projector.forward(images);
    let [_, size] = images.dims();
    let values = pollster::block_on(on_host(images)).map_err(broken)?;
    Ok(values.chunks_exact(size).map(<[f32]>::to_vec).collect())
}

/// The product of each text, by its states, and an image counted from `center`, `[S]`.
///
/// # Errors
/// [`TrainError::Stopped`] if the device fails.
pub(super) fn alike(
    matcher: &Matcher,
    center: &[f32],
    paired: &Paired,
    beside: &[(usize, usize)],
    device: &Device,
) -> Result<Vec<f64>, TrainError> {
    let placed = Placed::new(matcher, paired, beside, device);
    let images = placed.images - stack(std::iter::once(center), device);
    let alike = (placed.states * images).sum_dim(1);
    let alike = pollster::block_on(on_host(alike)).map_err(broken)?;
    Ok(alike.into_iter().map(f64::from).collect())
}

impl Figures {
    /// Of a matcher on pairs, at least two images.
    ///
    /// # Errors
    /// [`TrainError::Stopped`] if the device fails.
    pub fn of(matcher: &Matcher, paired: &Paired, device: &Device) -> Result<Self, TrainError> {
        let texts = paired.first_texts();
        let beside: Vec<(usize, usize)> = texts.iter().copied().zip(0..).collect();
        let count = beside.len();
        let placed = Placed::new(matcher, paired, &beside, device);
        // Of each image, a row: its likeness to every text.
        let likeness = |texts: Tensor<2>| -> Result<Vec<Vec<f64>>, TrainError> {
            let all = placed.images.clone().matmul(texts.transpose());
            let all = pollster::block_on(on_host(all)).map_err(broken)?;
            let rows = all.chunks_exact(count);
            Ok(rows
                .map(|row| row.iter().copied().map(f64::from).collect())
                .collect())
        };
        let sentences = likeness(placed.sentences.clone())?;
        let states = likeness(placed.states.clone())?;
        Ok(Self {
            images: count,
            auc: told_apart(&sentences),
            states_auc: told_apart(&states),
            recall: RANKS.map(|rank| recall(&sentences, rank)),
        })
    }
}

/// AUC of each row's own text against the next row's.
fn told_apart(likeness: &[Vec<f64>]) -> f64 {
    let count = likeness.len();
    let beside = |shift: usize| -> Vec<f64> {
        let rows = likeness.iter().enumerate();
        rows.map(|(at, row)| row[(at + shift) % count]).collect()
    };
    auc(&beside(0), &beside(1)).unwrap_or(0.5)
}

/// Part of the rows in which fewer than `rank` texts are liker than the own.
fn recall(likeness: &[Vec<f64>], rank: usize) -> f64 {
    let rows = likeness.iter().enumerate();
    let found =
        rows.filter(|(at, row)| row.iter().filter(|&&other| other > row[*at]).count() < rank);
    found.count() as f64 / likeness.len().max(1) as f64
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn ranks_and_tells_apart() {
        let likeness = vec![
            vec![0.9, 0.1, 0.2],
            vec![0.8, 0.5, 0.1],
            vec![0.3, 0.2, 0.1],
        ];
        assert_eq!(recall(&likeness, 1), 1.0 / 3.0);
        assert_eq!(recall(&likeness, 2), 2.0 / 3.0);
        assert_eq!(recall(&likeness, 3), 1.0);
        // own 0.9, 0.5, 0.1; next 0.1, 0.1, 0.3
        assert!((told_apart(&likeness) - 7.0 / 9.0).abs() < 1e-9);
    }
}
