//! What a run learns from and is scored on: corpora as examples, with their images and what these say in words.

use crate::data::corpus::mixture::Mixture;
use crate::data::corpus::{Sample, Source};
use crate::data::corpus_images::index::ImageIndex;
use crate::data::corpus_images::{CorpusImages, EarlyStages};
use crate::data::example::{CandidateImage, Example};
use crate::data::fine_types::FineTypeNames;
use crate::data::posteriors::Posteriors;
use crate::decode::fine_types::FineType;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextBuilder;
use crate::systems::ita::image_text::ImageText;
use crate::train::config::TrainConfig;
use crate::train::error::TrainError;
use crate::train::tuned_backbone::TunedBackbone;
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::vision::encoder::VisionEncoder;
use std::collections::HashMap;

/// The images of the corpora, if there are any.
pub(crate) fn open_corpus_images<'a>(
    config: &TrainConfig,
    vision: Option<&'a VisionEncoder>,
    tuned: Option<&'a TunedBackbone>,
    tokenizer: &'a SubwordTokenizer,
) -> Result<Option<CorpusImages<'a>>, TrainError> {
    let index = match (&config.images, &config.image_table) {
        (Some(folder), _) => ImageIndex::folder(folder)?,
        (None, Some(table)) => ImageIndex::table(table)?,
        (None, None) => return Ok(None),
    };
    let Some(vision) = vision else {
        return Ok(None);
    };
    let own = config.out.join("features");
    let cache = config.cache.as_ref().unwrap_or(&own);
    let corpus_images = CorpusImages::open(index, vision, tokenizer, Some(cache))?;
    Ok(Some(corpus_images.for_tuning(
        tuned.map(|stages| stages as &dyn EarlyStages),
    )))
}

/// What is known in words of the tweets' images.
pub(crate) struct Shown<'a> {
    /// How it becomes context; none for a system that reads none.
    pub(crate) builder: Option<&'a ContextBuilder>,
    /// By the tweets' ids.
    pub(crate) texts: HashMap<String, ImageText>,
}

impl Shown<'_> {
    /// The images a tweet may have, of which `text` is known in words. Where none is seen, what
    /// is known in words is one.
    fn images(
        &self,
        encoded_images: Vec<EncodedImage>,
        text: Option<&ImageText>,
        tokenizer: &SubwordTokenizer,
    ) -> Result<Vec<CandidateImage>, TokenizerError> {
        let mut seen: Vec<Option<EncodedImage>> = encoded_images.into_iter().map(Some).collect();
        if seen.is_empty() {
            seen.push(None);
        }
        seen.into_iter()
            .map(|encoded| {
                let context = match self.builder {
                    Some(builder) => builder.subwords(encoded.as_ref(), text, tokenizer)?,
                    None => None,
                };
                Ok(CandidateImage { encoded, context })
            })
            .collect()
    }
}

/// What is known of the tweets' words beside their labels.
#[derive(Default)]
pub(crate) struct Beside<'a> {
    pub(crate) posteriors: Posteriors,
    pub(crate) names: FineTypeNames,
    /// The fine types that the system tells.
    pub(crate) fine_types: &'a [FineType],
}

/// Reads corpora, cuts them into subwords and encodes their images, at most `most` a tweet.
pub(crate) fn read(
    sources: &[Source],
    tokenizer: &SubwordTokenizer,
    max_subwords: usize,
    shown: &Shown,
    beside: &Beside,
    mut corpus_images: Option<&mut CorpusImages>,
    most: usize,
) -> Result<(Vec<Example>, Mixture), TrainError> {
    let (mut examples, mut parts) = (Vec::new(), Vec::new());
    for source in sources {
        let samples = source.read()?;
        parts.push((samples.len(), source.weight));
        let encoded_images: Vec<Vec<EncodedImage>> = match &mut corpus_images {
            Some(corpus_images) if samples.iter().any(Sample::names_image) => {
                corpus_images.encoded_images(&samples, most, source.image_views)?
            }
            // Corpora of text alone may stand beside others.
            _ => vec![Vec::new(); samples.len()],
        };
        for (sample, encoded_images) in samples.into_iter().zip(encoded_images) {
            let text = sample.id.as_ref().and_then(|id| shown.texts.get(id));
            let images = shown.images(encoded_images, text, tokenizer)?;
            let taught = beside.posteriors.get(&sample.tokens);
            let fine_types = beside.names.spans(&sample, beside.fine_types);
            let example = Example::new(sample, tokenizer, max_subwords)?;
            let example = example.with_posteriors(taught);
            let example = example.with_fine_types(fine_types);
            let example = example.with_images(images);
            let example = example.with_image_deciding(source.image_decides);
            examples.push(example.with_open(source.open_labels()));
        }
    }
    match corpus_images {
        Some(corpus_images) if !examples.iter().any(Example::has_image) => {
            Err(corpus_images.nothing(examples.len()).into())
        }
        _ => Ok((examples, Mixture::new(&parts)?)),
    }
}
