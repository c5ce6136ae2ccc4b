//! From a trained system to a bundle: packing with a known answer, quantisation, the folder on disk and its card.

pub mod card;
pub mod folder;
pub mod graft;
#[cfg(all(test, feature = "flex"))]
mod host_tests;
pub mod inputs;
#[cfg(all(test, feature = "flex"))]
mod known_answer_tests;
#[cfg(all(test, feature = "flex"))]
mod memory_tests;
pub mod narrow;
pub mod tiny;
pub mod trim;
#[cfg(all(test, feature = "flex"))]
mod vision_tests;

use crate::bundle::manifest::{Drawing, Files, Manifest};
use crate::bundle::quantize::{LinearInputs, Scheme, linear_weights, quantize, quantize_vision};
use crate::bundle::{BundleError, BundleFiles, Compute, Parts, pack, weights};
use crate::recognizer::{LoadError, Recognizer};
use crate::systems::System;
use crate::tweet::subwords::SubwordTokenizer;
use burn::tensor::Device;

/// The image of known answers, for a bundle that reads images.
const DRAWING: Drawing = Drawing {
    width: 96,
    height: 64,
    seed: 1,
};

/// Packs a system into a bundle whose known answer is what the packed weights give for `text` on
/// `device`.
///
/// # Errors
/// If the weights cannot be packed, or the device fails.
pub fn pack_with_answer(
    system: System,
    tokenizer: &SubwordTokenizer,
    parts: Parts,
    text: &str,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    let mut files = pack(system, tokenizer, parts)?;
    answer(&mut files, text, device)?;
    Ok(files)
}

/// A bundle's f32 weights quantised, with the answer that these now give on `device`, and without
/// the weights that only help training. What the vision networks get, [`quantize_vision`] says.
///
/// # Errors
/// If the bundle is not usable, is quantised already, or the device fails.
pub fn quantize_bundle(
    files: &BundleFiles,
    scheme: Scheme,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    quantize_bundle_for(files, scheme, &LinearInputs::new(), device)
}

/// As [`quantize_bundle`], with linear layers rounded so that their products change least for `inputs` such as
/// [`inputs::linear_inputs`] gives.
///
/// # Errors
/// As [`quantize_bundle`].
pub fn quantize_bundle_for(
    files: &BundleFiles,
    scheme: Scheme,
    inputs: &LinearInputs,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    let mut manifest = Manifest::parse(&files.manifest)?;
    if manifest.quantization.is_some() {
        let problem = "it is quantised already; quantise the bundle it was made from";
        return Err(BundleError::Config(problem.to_owned()).into());
    }
    let mut files = files.clone();
    let system = weights::load(manifest.config.init(device), files.weights)
        .map_err(BundleError::Weights)?
        .for_use();
    manifest.config = manifest.config.for_use();
    let linear = linear_weights(&system);
    files.weights = weights::pack(system)
        .and_then(|weights| quantize(weights, scheme, &linear, inputs))
        .map_err(BundleError::Weights)?;
    let vision = files.vision.map(|vision| quantize_vision(vision, scheme));
    files.vision = vision.transpose().map_err(BundleError::VisionEncoder)?;
    manifest.quantization = Some(scheme);
    answered_anew(files, manifest, device)
}

/// The bundle of these files, whose weights are others than `manifest` tells of, with the answer to its text that they give on `device`.
fn answered_anew(
    mut files: BundleFiles,
    mut manifest: Manifest,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    manifest.files = Files::of(&files);
    let text = manifest.about.known_answer.take().map(|known| known.text);
    files.manifest = manifest.to_bytes()?;
    if let Some(text) = text {
        answer(&mut files, &text, device)?;
    }
    Ok(files)
}

/// Writes the answer for `text` into the manifest.
fn answer(files: &mut BundleFiles, text: &str, device: &Device) -> Result<(), LoadError> {
    let (mut manifest, answer) = pollster::block_on(async {
        let recognizer = Recognizer::load(files.clone(), device, Compute::Device).await?;
        let drawing = recognizer.vision().map(|_| DRAWING);
        let answer = recognizer.known_answer(text, drawing).await?;
        Ok::<_, LoadError>((recognizer.manifest().clone(), answer))
    })?;
    manifest.about.known_answer = Some(answer);
    files.manifest = manifest.to_bytes()?;
    Ok(())
}
