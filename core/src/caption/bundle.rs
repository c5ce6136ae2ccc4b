//! The files that a captioner comes in: a folder of [`MANIFEST`] and [`WEIGHTS`].

use super::Captioner;
use super::vocabulary::CaptionVocabulary;
use crate::bundle::manifest::FileEntry;
use crate::bundle::quantize::{Scheme, quantize};
use crate::bundle::weights::WeightsError;
use crate::bundle::{BundleError, weights};
use crate::nn::caption_decoder::{CaptionDecoder, CaptionDecoderConfig};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The file that says what the captioner is.
pub const MANIFEST: &str = "manifest.json";
/// The file of the weights.
pub const WEIGHTS: &str = "caption.bpk";

/// The format this program writes and reads.
pub const FORMAT: u32 = 1;

/// What the folder says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionManifest {
    /// Version of the format; see [`FORMAT`].
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

/// A captioner's files, as read.
#[derive(Clone, Debug)]
pub struct CaptionFiles {
    /// [`MANIFEST`]
    pub manifest: Vec<u8>,
    /// [`WEIGHTS`], burnpack in 8 bits
    pub weights: Vec<u8>,
}

/// Why a captioner cannot be used.
#[derive(Debug, Error)]
pub enum CaptionBundleError {
    /// The manifest is no JSON or lacks a field.
    #[error("{MANIFEST} cannot be read ({0}); the folder holds no captioner, or a damaged one")]
    Manifest(#[from] serde_json::Error),
    /// It comes from another version.
    #[error(
        "the captioner has format {found}, this program reads format {FORMAT}; get a matching version"
    )]
    Format {
        /// The manifest's number.
        found: u32,
    },
    /// The configuration contradicts itself.
    #[error("the captioner's configuration is not usable: {0}")]
    Config(&'static str),
    /// The weights are not the manifest's.
    #[error(transparent)]
    File(#[from] BundleError),
    /// The weights do not fit the configuration.
    #[error("{WEIGHTS} does not fit the manifest's configuration: {0}")]
    Weights(#[from] WeightsError),
}

/// What the manifest of a captioner says beside its sizes.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The training's configuration.
    pub training: serde_json::Value,
    /// What was measured.
    pub scores: BTreeMap<String, f64>,
    /// Licences.
    pub licences: Vec<String>,
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
) -> Result<CaptionFiles, CaptionBundleError> {
    let weights = quantize(weights::pack(decoder)?, Scheme::Q8, &BTreeSet::new())?;
    let manifest = CaptionManifest {
        caption_format: FORMAT,
        decoder: sizes,
        shift,
        subwords,
        weights: FileEntry::of(&weights),
        training: about.training,
        scores: about.scores,
        licences: about.licences,
    };
    let mut manifest = serde_json::to_vec_pretty(&manifest)?;
    manifest.push(b'\n');
    Ok(CaptionFiles { manifest, weights })
}

/// Checks a captioner's files and builds it on `device`.
///
/// # Errors
/// [`CaptionBundleError`], for anything that does not match.
pub fn unpack(files: CaptionFiles, device: &Device) -> Result<Captioner, CaptionBundleError> {
    #[derive(Deserialize)]
    struct Version {
        caption_format: u32,
    }
    let Version { caption_format } = serde_json::from_slice(&files.manifest)?;
    if caption_format != FORMAT {
        return Err(CaptionBundleError::Format {
            found: caption_format,
        });
    }
    let manifest: CaptionManifest = serde_json::from_slice(&files.manifest)?;
    manifest.weights.verify(WEIGHTS, &files.weights)?;
    check(&manifest).map_err(CaptionBundleError::Config)?;
    let decoder = weights::load(manifest.decoder.init(0.0, device), files.weights)?;
    Ok(Captioner::new(
        manifest.decoder,
        decoder,
        manifest.shift,
        manifest.subwords,
        device,
    ))
}

fn check(manifest: &CaptionManifest) -> Result<(), &'static str> {
    if manifest.subwords.0.len() != manifest.decoder.vocab {
        return Err("there are not as many subwords as the decoder can say");
    }
    if manifest.shift.len() != manifest.decoder.sentence {
        return Err("the shift is not of the space of sentences");
    }
    manifest.decoder.check()
}
