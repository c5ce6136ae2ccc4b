//! Which images belong to labelled tweets, from the command line's point of view.

use crate::failure::Failure;
use mner_core::data::corpus::Sample;
use mner_core::data::corpus_images::CorpusImages;
use mner_core::data::corpus_images::index::ImageIndex;
use mner_core::recognizer::{RecognizeError, Recognizer};
use mner_core::splitmix::SplitMix64;
use mner_core::systems::image_batch::EncodedImage;
use std::path::{Path, PathBuf};

/// Where the tweets' images are.
#[derive(clap::Args)]
pub struct ImageArgs {
    /// Folder of the tweets' own images, named by the tweets' ids
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Table of stand-in images: id, tab, path|similarity, ... a line
    #[arg(
        long,
        alias = "pictures",
        value_name = "TSV",
        conflicts_with = "images"
    )]
    image_table: Option<PathBuf>,
    /// Read the text alone
    #[arg(long, conflicts_with_all = ["images", "image_table"])]
    no_image: bool,
    /// Folder that keeps the image features, as training does
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

/// Whether tweets are also read beside another's image.
#[derive(clap::Args)]
pub struct ShuffleArgs {
    /// Also give every tweet the image of another one, at random
    #[arg(long, conflicts_with = "no_image")]
    shuffle_images: bool,
    /// Seed of the shuffling
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl ImageArgs {
    /// Images named by paths relative to the folder given, or else to where `file` lies; each is encoded once.
    pub fn beside<'a>(
        &self,
        file: &Path,
        recognizer: &'a Recognizer,
    ) -> Result<CorpusImages<'a>, Failure> {
        let beside = file.parent().filter(|folder| *folder != Path::new(""));
        let folder = self.images.as_deref().or(beside);
        let index = ImageIndex::relative_to(folder.unwrap_or(Path::new(".")));
        let vision = recognizer.vision().ok_or(RecognizeError::NoVision)?;
        let cache = self.cache.as_deref();
        Ok(CorpusImages::open(
            index,
            vision,
            recognizer.tokenizer(),
            cache,
        )?)
    }

    /// Where images lie by the tweets' ids; none without a folder or table.
    fn index(&self) -> Result<Option<ImageIndex>, Failure> {
        Ok(match (&self.images, &self.image_table) {
            (Some(folder), _) => Some(ImageIndex::folder(folder)?),
            (None, Some(table)) => Some(ImageIndex::table(table)?),
            (None, None) => None,
        })
    }

    /// The table of stand-in images, if one is read.
    pub fn table(&self) -> Option<&PathBuf> {
        self.image_table.as_ref()
    }

    /// Whose images they are, in words, if there are any.
    pub fn kind(&self) -> Option<&'static str> {
        match (&self.images, &self.image_table) {
            (Some(_), _) => Some("the tweets' own"),
            (None, Some(_)) => Some("stand-ins of a table"),
            (None, None) => None,
        }
    }

    /// The file of each tweet's image, the best where there are several.
    pub fn paths(&self, samples: &[Sample]) -> Result<Vec<Option<PathBuf>>, Failure> {
        let index = self.index()?;
        let first = |sample| index.as_ref()?.find(sample).into_iter().next();
        Ok(samples.iter().map(first).collect())
    }

    /// The image of each tweet; none without a folder or table.
    pub fn encoded_images(
        &self,
        recognizer: &Recognizer,
        samples: &[Sample],
    ) -> Result<Option<Vec<Option<EncodedImage>>>, Failure> {
        let Some(index) = self.index()? else {
            return Ok(None);
        };
        let vision = recognizer.vision().ok_or(RecognizeError::NoVision)?;
        let mut corpus_images =
            CorpusImages::open(index, vision, recognizer.tokenizer(), self.cache.as_deref())?;
        let encoded_images = corpus_images.encoded_images(samples, 1, 0)?;
        Ok(Some(
            encoded_images.into_iter().map(|mut s| s.pop()).collect(),
        ))
    }
}

impl ShuffleArgs {
    /// The same images, each with another tweet, if that is asked for; a tweet without an image stays without.
    ///
    /// # Errors
    /// If it is asked for where there are no images.
    pub fn shuffled(
        &self,
        encoded_images: Option<&[Option<EncodedImage>]>,
    ) -> Result<Option<Vec<Option<EncodedImage>>>, Failure> {
        if !self.shuffle_images {
            return Ok(None);
        }
        let Some(encoded_images) = encoded_images else {
            return Err(Failure::Message(
                "there are no images to shuffle: give --images or --image-table".to_owned(),
            ));
        };
        let mut order: Vec<usize> = (0..encoded_images.len())
            .filter(|&i| encoded_images[i].is_some())
            .collect();
        let holders = order.clone();
        SplitMix64(self.seed).shuffle(&mut order);
        let mut shuffled = encoded_images.to_vec();
        // Each takes what the next in a random circle has: nobody keeps the own one.
        for (at, &holder) in order.iter().enumerate() {
            shuffled[holder] = encoded_images[order[(at + 1) % holders.len()]].clone();
        }
        Ok(Some(shuffled))
    }
}
