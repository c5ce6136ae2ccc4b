//! The files that a reader of text comes in: a folder of `manifest.json` and `ocr.bpk`.

use super::alphabet::Alphabet;
use super::{OcrConfig, OcrReader};
use crate::bundle::beside::{About, BesideError, BesideFiles, BesideManifest};
use crate::bundle::manifest::FileEntry;
use crate::nn::text_detector::{MULTIPLE, TextDetector, TextDetectorConfig};
use crate::nn::text_recognizer::{TextRecognizer, TextRecognizerConfig};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the folder says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcrManifest {
    /// Version of the format; see [`BesideManifest::FORMAT`].
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

impl BesideManifest for OcrManifest {
    const WHAT: &'static str = "reader of text";
    const WEIGHTS: &'static str = "ocr.bpk";
    const VERSION: &'static str = "ocr_format";
    const FORMAT: u32 = 1;

    fn weights(&self) -> &FileEntry {
        &self.weights
    }

    fn check(&self) -> Result<(), &'static str> {
        let side = self.config.side as usize;
        if !(MULTIPLE..=4096).contains(&side) || !side.is_multiple_of(MULTIPLE) {
            return Err("the detector's side is not a multiple of 32 up to 4096");
        }
        if self.alphabet.classes() != self.recognizer.classes {
            return Err("the alphabet has not as many characters as the recogniser tells apart");
        }
        if self.config.regions.most > 1000 {
            return Err("more than 1000 lines of an image are read");
        }
        self.detector.check()?;
        self.recognizer.check()
    }
}

/// Both networks as they are packed: batch norms folded away.
#[derive(Module, Debug)]
pub(crate) struct Networks {
    pub(crate) detector: TextDetector,
    pub(crate) recognizer: TextRecognizer,
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
) -> Result<BesideFiles, BesideError> {
    detector.fold();
    recognizer.fold();
    let networks = Networks {
        detector,
        recognizer,
    };
    BesideFiles::pack(networks, |weights| OcrManifest {
        ocr_format: OcrManifest::FORMAT,
        config,
        detector: sizes,
        recognizer: recognizer_sizes,
        alphabet,
        weights,
        training: about.training,
        scores: about.scores,
        licences: about.licences,
    })
}

/// Checks a reader's files and builds it on `device`.
///
/// # Errors
/// [`BesideError`], for anything that does not match.
pub fn unpack(files: BesideFiles, device: &Device) -> Result<OcrReader, BesideError> {
    let (manifest, networks) = networks(files, 0.0, device)?;
    Ok(OcrReader::new(
        manifest.config,
        networks.detector,
        networks.recognizer,
        manifest.alphabet,
        device,
    ))
}

/// Checks a reader's files and builds its networks on `device`, with this dropout should they learn on.
///
/// # Errors
/// [`BesideError`], for anything that does not match.
pub(crate) fn networks(
    files: BesideFiles,
    dropout: f64,
    device: &Device,
) -> Result<(OcrManifest, Networks), BesideError> {
    files.unpack(|manifest: &OcrManifest| {
        let mut networks = Networks {
            detector: manifest.detector.init(device),
            recognizer: manifest.recognizer.init(dropout, device),
        };
        networks.detector.fold();
        networks.recognizer.fold();
        networks
    })
}
