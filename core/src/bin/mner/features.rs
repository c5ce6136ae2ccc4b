//! `mner predict --features`: what the model computed, as safetensors.

use crate::failure::Failure;
use mner_core::formats::features::FeatureFile;
use mner_core::recognizer::{Recognition, Recognizer};
use mner_core::systems::image_batch::EncodedImage;
use std::path::Path;

/// What is asked for.
pub struct Asked<'a> {
    /// The file to write.
    pub path: &'a Path,
    /// Whether emissions, marginals and the CRF go into it too.
    pub emissions: bool,
}

/// Recognises a tweet and writes what the model read of its image and, if asked for, what it computed of its words.
pub fn recognize(
    recognizer: &Recognizer,
    text: &str,
    image: Option<&EncodedImage>,
    asked: &Asked,
) -> Result<Recognition, Failure> {
    if image.is_none() && !asked.emissions {
        return Err(Failure::Message(
            "--features has nothing to write: give an --image, or --emissions for what is computed of the words".to_owned(),
        ));
    }
    let manifest = recognizer.manifest();
    let mut file = FeatureFile::new(&manifest.about.name, manifest.config.name());
    let seen = pollster::block_on(recognizer.internals(text, image))?;
    if asked.emissions {
        file.add_crf(&pollster::block_on(recognizer.crf())?);
        file.add_tweet(text, &seen);
    }
    if let Some(image) = image {
        let context = match manifest.config.context() {
            Some(builder) => builder.subwords(Some(image), None, recognizer.tokenizer())?,
            None => None,
        };
        let names = recognizer.vision().map(|vision| &vision.object_names);
        file.add_image(image, names, context.as_ref());
    }
    std::fs::write(asked.path, file.to_bytes())
        .map_err(|e| format!("{}: {e}", asked.path.display()))?;
    Ok(seen.recognition)
}
