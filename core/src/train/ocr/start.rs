//! What the networks of a run start from: nothing, another run's, or those of a reader.

use crate::bundle::MANIFEST;
use crate::nn::text_detector::TextDetectorConfig;
use crate::nn::text_recognizer::TextRecognizerConfig;
use crate::ocr::alphabet::Alphabet;
use crate::ocr::bundle::{Networks, OcrManifest, networks};
use crate::packing::folder::read_beside;
use crate::train::ocr::OcrTrainError;
use crate::train::ocr::config::{OcrTrainConfig, Part};
use crate::train::supervised::{RunError, io, last_model};
use burn::module::Module;
use burn::tensor::Device;
use std::path::Path;

/// The recogniser's sizes.
pub(super) fn recognizer_sizes() -> TextRecognizerConfig {
    TextRecognizerConfig::new(Alphabet::default().classes())
}

/// A network as it is before its first step: `fresh`, what another run made of it, or what `of` takes out of a reader.
pub(super) fn started<M: Module>(
    config: &OcrTrainConfig,
    part: Part,
    fresh: M,
    of: impl FnOnce(Networks) -> M,
    device: &Device,
) -> Result<M, OcrTrainError> {
    match &config.start {
        None => Ok(fresh),
        Some(reader) if is_reader(reader) => Ok(of(of_reader(reader, config, device)?)),
        Some(run) => Ok(last_model(&run.join(part.folder()), fresh)?),
    }
}

fn is_reader(folder: &Path) -> bool {
    folder.join(MANIFEST).is_file()
}

/// A reader's networks, whose batch norms are folded away and stay so.
fn of_reader(
    folder: &Path,
    config: &OcrTrainConfig,
    device: &Device,
) -> Result<Networks, OcrTrainError> {
    let files = read_beside::<OcrManifest>(folder).map_err(|(path, source)| io(&path)(source))?;
    let (manifest, networks) = networks(files, config.dropout, device)?;
    let same = manifest.detector == TextDetectorConfig::new()
        && manifest.recognizer == recognizer_sizes()
        && manifest.alphabet == Alphabet::default();
    if !same {
        return Err(OcrTrainError::Run(RunError::Weights {
            path: folder.to_owned(),
            problem:
                "this reader's networks have other sizes or characters than those that are trained"
                    .to_owned(),
        }));
    }
    Ok(networks)
}
