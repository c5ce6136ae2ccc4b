//! The files that a reader of text comes in: a folder of [`MANIFEST`] and [`WEIGHTS`].

use super::alphabet::Alphabet;
use super::{OcrConfig, OcrReader};
use crate::bundle::manifest::FileEntry;
use crate::bundle::quantize::{Scheme, quantize};
use crate::bundle::weights::WeightsError;
use crate::bundle::{BundleError, weights};
use crate::nn::text_detector::{MULTIPLE, TextDetector, TextDetectorConfig};
use crate::nn::text_recognizer::{TextRecognizer, TextRecognizerConfig};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The file that says what the reader is.
pub const MANIFEST: &str = "manifest.json";
/// The file of the weights.
pub const WEIGHTS: &str = "ocr.bpk";

/// The format this program writes and reads.
pub const FORMAT: u32 = 1;

/// What the folder says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcrManifest {
    /// Version of the format; see [`FORMAT`].
    pub ocr_format: u32,
    /// How images are read.
    pub config: OcrConfig,
    /// The detector's sizes.
    pub detector: TextDetectorConfig,
    /// The recogniser's sizes.
    pub recognizer: TextRecognizerConfig,
    /// The recogniser's characters.
    pub alphabet: Alphabet,
    /// The file of the weights.
    pub weights: FileEntry,
    /// The training's configuration, seed included.
    pub training: serde_json::Value,
    /// What was measured on what nothing was learnt from, as fractions.
    pub scores: BTreeMap<String, f64>,
    /// Licences or terms of what it learnt from.
    pub licences: Vec<String>,
}

/// A reader's files, as read.
#[derive(Clone, Debug)]
pub struct OcrFiles {
    /// [`MANIFEST`]
    pub manifest: Vec<u8>,
    /// [`WEIGHTS`], burnpack in 8 bits
    pub weights: Vec<u8>,
}

/// Why a reader cannot be used.
#[derive(Debug, Error)]
pub enum OcrBundleError {
    /// The manifest is no JSON or lacks a field.
    #[error(
        "{MANIFEST} cannot be read ({0}); the folder holds no reader of text, or a damaged one"
    )]
    Manifest(#[from] serde_json::Error),
    /// It comes from another version.
    #[error(
        "the reader has format {found}, this program reads format {FORMAT}; get a matching version"
    )]
    Format {
        /// The manifest's number.
        found: u32,
    },
    /// The configuration contradicts itself.
    #[error("the reader's configuration is not usable: {0}")]
    Config(&'static str),
    /// The weights are not the manifest's.
    #[error(transparent)]
    File(#[from] BundleError),
    /// The weights do not fit the configuration.
    #[error("{WEIGHTS} does not fit the manifest's configuration: {0}")]
    Weights(#[from] WeightsError),
}

/// Both networks as they are packed: batch norms folded away.
#[derive(Module, Debug)]
struct Networks {
    detector: TextDetector,
    recognizer: TextRecognizer,
}

/// What the manifest of a reader says beside its sizes.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The training's configuration.
    pub training: serde_json::Value,
    /// What was measured.
    pub scores: BTreeMap<String, f64>,
    /// Licences.
    pub licences: Vec<String>,
}

/// Packs two trained networks, in 8 bits.
///
/// # Errors
/// If the weights cannot be read from their device.
pub fn pack(
    config: OcrConfig,
    (sizes, mut detector): (TextDetectorConfig, TextDetector),
    (recognizer_sizes, mut recognizer): (TextRecognizerConfig, TextRecognizer),
    alphabet: Alphabet,
    about: About,
) -> Result<OcrFiles, OcrBundleError> {
    detector.fold();
    recognizer.fold();
    let networks = Networks {
        detector,
        recognizer,
    };
    let weights = quantize(weights::pack(networks)?, Scheme::Q8, &BTreeSet::new())?;
    let manifest = OcrManifest {
        ocr_format: FORMAT,
        config,
        detector: sizes,
        recognizer: recognizer_sizes,
        alphabet,
        weights: FileEntry::of(&weights),
        training: about.training,
        scores: about.scores,
        licences: about.licences,
    };
    let mut manifest = serde_json::to_vec_pretty(&manifest)?;
    manifest.push(b'\n');
    Ok(OcrFiles { manifest, weights })
}

/// Checks a reader's files and builds it on `device`.
///
/// # Errors
/// [`OcrBundleError`], for anything that does not match.
pub fn unpack(files: OcrFiles, device: &Device) -> Result<OcrReader, OcrBundleError> {
    #[derive(Deserialize)]
    struct Version {
        ocr_format: u32,
    }
    let Version { ocr_format } = serde_json::from_slice(&files.manifest)?;
    if ocr_format != FORMAT {
        return Err(OcrBundleError::Format { found: ocr_format });
    }
    let manifest: OcrManifest = serde_json::from_slice(&files.manifest)?;
    manifest.weights.verify(WEIGHTS, &files.weights)?;
    check(&manifest).map_err(OcrBundleError::Config)?;
    let mut networks = Networks {
        detector: manifest.detector.init(device),
        recognizer: manifest.recognizer.init(0.0, device),
    };
    networks.detector.fold();
    networks.recognizer.fold();
    let networks = weights::load(networks, files.weights)?;
    Ok(OcrReader::new(
        manifest.config,
        networks.detector,
        networks.recognizer,
        manifest.alphabet,
        device,
    ))
}

fn check(manifest: &OcrManifest) -> Result<(), &'static str> {
    let side = manifest.config.side as usize;
    if !(MULTIPLE..=4096).contains(&side) || !side.is_multiple_of(MULTIPLE) {
        return Err("the detector's side is not a multiple of 32 up to 4096");
    }
    if manifest.alphabet.classes() != manifest.recognizer.classes {
        return Err("the alphabet has not as many characters as the recogniser tells apart");
    }
    if manifest.config.regions.most > 1000 {
        return Err("more than 1000 lines of an image are read");
    }
    manifest.detector.check()?;
    manifest.recognizer.check()
}
