//! Bundles with their known answer.

use crate::bundle::{BundleFiles, Parts, pack};
use crate::recognizer::{LoadError, Recognizer};
use crate::systems::System;
use crate::tweet::pieces::WordPieces;
use burn::tensor::Device;

/// Packs a system into a bundle whose known answer is what the packed weights give for `text` on
/// `device`.
///
/// # Errors
/// If the weights cannot be packed, or the device fails.
pub fn pack_with_answer(
    system: System,
    tokenizer: &WordPieces,
    parts: Parts,
    text: &str,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    let mut files = pack(system, tokenizer, parts)?;
    let (mut manifest, answer) = pollster::block_on(async {
        let recognizer = Recognizer::load(files.clone(), device).await?;
        let answer = recognizer.known_answer(text).await?;
        Ok::<_, LoadError>((recognizer.manifest().clone(), answer))
    })?;
    manifest.about.known_answer = Some(answer);
    files.manifest = manifest.to_bytes()?;
    Ok(files)
}
