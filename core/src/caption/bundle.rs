//! The files that a captioner comes in: a folder of `manifest.json` and `caption.bpk`.

use super::Captioner;
use super::vocabulary::CaptionVocabulary;
use crate::bundle::beside::{About, BesideError, BesideFiles, BesideManifest};
use crate::bundle::manifest::FileEntry;
use crate::nn::caption_decoder::{CaptionDecoder, CaptionDecoderConfig};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the folder says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionManifest {
    /// Version of the format; see [`BesideManifest::FORMAT`].
    pub caption_format: u32,
    /// The decoder's sizes.
    pub decoder: CaptionDecoderConfig,
    /// From where images lie in the space of sentences to where captions lie, `[S]`.
    pub shift: Vec<f32>,
    /// The subwords that it says, the boundary first.
    pub subwords: CaptionVocabulary,
    /// The file of the weights.
    pub weights: FileEntry,
    /// The training's configuration, seed included.
    pub training: serde_json::Value,
    /// What was measured on what nothing was learnt from, as fractions.
    pub scores: BTreeMap<String, f64>,
    /// Licences or terms of what it learnt from.
    pub licences: Vec<String>,
}

impl BesideManifest for CaptionManifest {
    const WHAT: &'static str = "captioner";
    const WEIGHTS: &'static str = "caption.bpk";
    const VERSION: &'static str = "caption_format";
    const FORMAT: u32 = 1;

    fn weights(&self) -> &FileEntry {
        &self.weights
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.subwords.0.len() != self.decoder.vocab {
            return Err("there are not as many subwords as the decoder can say");
        }
        if self.shift.len() != self.decoder.sentence {
            return Err("the shift is not of the space of sentences");
        }
        self.decoder.check()
    }
}

/// Packs a trained decoder, in 8 bits. `shift`: from where images lie in the space of sentences to where captions lie, `[S]`.
///
/// # Errors
/// If the weights cannot be read from their device.
pub fn pack(
    sizes: CaptionDecoderConfig,
    decoder: CaptionDecoder,
    shift: Vec<f32>,
    subwords: CaptionVocabulary,
    about: About,
) -> Result<BesideFiles, BesideError> {
    BesideFiles::pack(decoder, |weights| CaptionManifest {
        caption_format: CaptionManifest::FORMAT,
        decoder: sizes,
        shift,
        subwords,
        weights,
        training: about.training,
        scores: about.scores,
        licences: about.licences,
    })
}

/// Checks a captioner's files and builds it on `device`.
///
/// # Errors
/// [`BesideError`], for anything that does not match.
pub fn unpack(files: BesideFiles, device: &Device) -> Result<Captioner, BesideError> {
    let (manifest, decoder) =
        files.unpack(|manifest: &CaptionManifest| manifest.decoder.init(0.0, device))?;
    Ok(Captioner::new(
        manifest.decoder,
        decoder,
        manifest.shift,
        manifest.subwords,
        device,
    ))
}
