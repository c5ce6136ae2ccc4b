//! Which pictures belong to labelled tweets, from the command line's point of view.

use crate::failure::Failure;
use mner_core::recognizer::{RecognizeError, Recognizer};
use mner_core::splitmix::SplitMix64;
use mner_core::systems::pictures::Sight;
use mner_core::train::corpus::Sample;
use mner_core::train::gallery::{Album, Gallery};
use std::path::PathBuf;

/// Where the tweets' pictures are.
#[derive(clap::Args)]
pub struct PictureArgs {
    /// Folder of the tweets' own images, named by the tweets' ids
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Table of stand-in pictures: id, tab, path|similarity, ... a line
    #[arg(long, value_name = "TSV", conflicts_with = "images")]
    pictures: Option<PathBuf>,
    /// Read the text alone
    #[arg(long, conflicts_with_all = ["images", "pictures"])]
    no_image: bool,
    /// Also give every tweet the picture of another one, at random
    #[arg(long, conflicts_with = "no_image")]
    pub shuffle_images: bool,
    /// Seed of the shuffling
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder where what was seen in the pictures is kept, as training does
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl PictureArgs {
    /// The picture of each tweet; none without a folder or table.
    pub fn sights(
        &self,
        recognizer: &Recognizer,
        samples: &[Sample],
    ) -> Result<Option<Vec<Option<Sight>>>, Failure> {
        let album = match (&self.images, &self.pictures) {
            (Some(folder), _) => Album::folder(folder)?,
            (None, Some(table)) => Album::table(table)?,
            (None, None) if self.shuffle_images => {
                return Err(Failure::Message(
                    "there are no pictures to shuffle: give --images or --pictures".to_owned(),
                ));
            }
            (None, None) => return Ok(None),
        };
        let eyes = recognizer.eyes().ok_or(RecognizeError::NoEyes)?;
        let mut gallery =
            Gallery::open(album, eyes, recognizer.tokenizer(), self.cache.as_deref())?;
        let sights = gallery.sights(samples, 1)?;
        Ok(Some(sights.into_iter().map(|mut s| s.pop()).collect()))
    }

    /// The same pictures, each with another tweet; a tweet without a picture stays without.
    pub fn shuffled(&self, sights: &[Option<Sight>]) -> Vec<Option<Sight>> {
        let mut order: Vec<usize> = (0..sights.len()).filter(|&i| sights[i].is_some()).collect();
        let holders = order.clone();
        SplitMix64(self.seed).shuffle(&mut order);
        let mut shuffled = sights.to_vec();
        // Each takes what the next in a random circle has: nobody keeps the own one.
        for (at, &holder) in order.iter().enumerate() {
            shuffled[holder] = sights[order[(at + 1) % holders.len()]].clone();
        }
        shuffled
    }
}
