//! Whether the image decides: how often the type of an ambiguous name follows the image beside it.

use crate::decode::entities::Entity;
use crate::label::EntityType;
use serde::Serialize;
use std::fmt;

/// What a name was taken for beside one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the image makes of it.
    pub wanted: EntityType,
    /// What it was taken for; none where no entity has exactly this span.
    pub found: Option<EntityType>,
}

/// How often the type followed the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Followed {
    /// Names beside an image.
    pub asked: usize,
    /// Those of the image's type.
    pub right: usize,
    /// Those found at all, of whatever type.
    pub found: usize,
    /// Tweets all of whose images were followed.
    pub whole: usize,
    /// Tweets.
    pub tweets: usize,
    /// Asked and right by the image's type, in the order of [`EntityType::ALL`].
    pub by_type: [(usize, usize); 4],
}

impl Followed {
    /// Counts a tweet: its name beside each of its images.
    pub fn add(&mut self, readings: &[Reading]) {
        let mut whole = true;
        for reading in readings {
            let right = reading.found == Some(reading.wanted);
            self.asked += 1;
            self.right += usize::from(right);
            self.found += usize::from(reading.found.is_some());
            let (asked, of_type) = &mut self.by_type[reading.wanted as usize];
            *asked += 1;
            *of_type += usize::from(right);
            whole &= right;
        }
        self.tweets += 1;
        self.whole += usize::from(whole);
    }

    /// The fraction that followed, 0 where nothing was asked.
    pub fn rate(&self) -> f64 {
        self.right as f64 / self.asked.max(1) as f64
    }
}

impl fmt::Display for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: usize, of: usize| 100.0 * part as f64 / of.max(1) as f64;
        write!(
            f,
            "{:5.1} % of {} follow the image, all images of a tweet {:5.1} %, found {:5.1} %",
            percent(self.right, self.asked),
            self.asked,
            percent(self.whole, self.tweets),
            percent(self.found, self.asked)
        )?;
        for (kind, (asked, right)) in EntityType::ALL.into_iter().zip(self.by_type) {
            if asked > 0 {
                write!(f, "  {kind} {:.1}", percent(right, asked))?;
            }
        }
        Ok(())
    }
}

/// The type of the entity that is exactly `name` at its first place in `text`.
pub fn type_of(name: &str, text: &str, entities: &[Entity]) -> Option<EntityType> {
    let start = text.find(name)?;
    let span = start..start + name.len();
    let found = entities.iter().find(|e| e.bytes == [span.start, span.end]);
    found.map(|entity| entity.kind)
}

/// Area under the ROC curve: how often a score of `positive` is above one of `negative`, ties counting half.
///
/// # Panics
/// If a score is not a number.
pub fn auc(positive: &[f64], negative: &[f64]) -> Option<f64> {
    if positive.is_empty() || negative.is_empty() {
        return None;
    }
    let mut sorted = negative.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("scores are numbers"));
    let above: usize = positive
        .iter()
        .map(|score| {
            let below = sorted.partition_point(|other| other < score);
            let not_above = sorted.partition_point(|other| other <= score);
            below + not_above
        })
        .sum();
    Some(above as f64 / (2 * positive.len() * negative.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_what_followed() {
        use EntityType::{Loc, Per};
        let mut followed = Followed::default();
        let reading = |wanted, found| Reading { wanted, found };
        followed.add(&[reading(Per, Some(Per)), reading(Loc, Some(Loc))]);
        followed.add(&[reading(Per, Some(Per)), reading(Loc, Some(Per))]);
        followed.add(&[reading(Per, None)]);
        assert_eq!((followed.asked, followed.right, followed.found), (5, 3, 4));
        assert_eq!((followed.tweets, followed.whole), (3, 1));
        assert_eq!(followed.by_type[..2], [(3, 2), (2, 1)]);
        assert!((followed.rate() - 0.6).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs_in_order(
            positive in prop::collection::vec(0..5u8, 1..20),
            negative in prop::collection::vec(0..5u8, 1..20),
        ) {
            let pairs = positive.iter().flat_map(|p| negative.iter().map(move |n| match p.cmp(n) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            }));
            let expected = pairs.sum::<f64>() / (positive.len() * negative.len()) as f64;
            let floats = |scores: &[u8]| scores.iter().map(|&s| f64::from(s)).collect::<Vec<_>>();
            let found = auc(&floats(&positive), &floats(&negative)).unwrap();
            prop_assert!((found - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn no_area_without_both_sides() {
        assert_eq!(auc(&[], &[1.0]), None);
        assert_eq!(auc(&[1.0], &[]), None);
    }
}
