//! Images in the space of sentences.

use crate::bundle::Unpacked;
use crate::data::corpus::Sample;
use crate::data::corpus_images::CorpusImages;
use crate::data::corpus_images::index::ImageIndex;
use crate::train::caption::config::CaptionTrainConfig;
use crate::train::caption::error::CaptionTrainError;
use crate::train::error::TrainError;
use crate::train::start::open_bundle;
use crate::tweet::subwords::SubwordTokenizer;
use crate::vision::encoder::VisionEncoder;
use burn::tensor::Device;
use std::path::PathBuf;

/// What takes images into the space of sentences.
pub struct ImageVectors {
    vision: VisionEncoder,
    tokenizer: SubwordTokenizer,
    folder: PathBuf,
    cache: Option<PathBuf>,
}

impl ImageVectors {
    /// As `config` says; nothing where it names no bundle.
    ///
    /// # Errors
    /// [`CaptionTrainError::Train`], for a bundle that cannot be read, [`CaptionTrainError::NoProjector`].
    pub fn of(
        config: &CaptionTrainConfig,
        device: &Device,
    ) -> Result<Option<Self>, CaptionTrainError> {
        let (Some(bundle), Some(folder)) = (&config.bundle, &config.images) else {
            return Ok(None);
        };
        let Unpacked {
            vision, tokenizer, ..
        } = open_bundle(bundle, device)?;
        let vision = vision.filter(|vision| vision.projector.is_some());
        Ok(Some(Self {
            vision: vision.ok_or_else(|| CaptionTrainError::NoProjector(bundle.clone()))?,
            tokenizer,
            folder: folder.clone(),
            cache: config.cache.clone(),
        }))
    }

    /// The vector of each image; none for one that cannot be read.
    ///
    /// # Errors
    /// [`TrainError`], where no image can be read, and if the device fails.
    pub fn vectors<'a>(
        &mut self,
        paths: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Option<Vec<f32>>>, TrainError> {
        let index = ImageIndex::relative_to(&self.folder);
        let cache = self.cache.as_deref();
        let mut images = CorpusImages::open(index, &self.vision, &self.tokenizer, cache)?;
        let samples: Vec<Sample> = paths
            .map(|path| Sample {
                image: Some(path.to_owned()),
                ..Sample::default()
            })
            .collect();
        let found = images.encoded_images(&samples, 1, 0)?.into_iter();
        Ok(found
            .map(|found| Some(found.into_iter().next()?.features.embedding.clone()))
            .collect())
    }
}
