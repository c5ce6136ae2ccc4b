//! Folders of what comes beside a bundle: a captioner, a reader of text.

use crate::failure::Failure;
use mner_core::bundle::MANIFEST;
use mner_core::bundle::beside::{BesideError, BesideFiles, BesideManifest};
use mner_core::caption::bundle::CaptionManifest;
use mner_core::ocr::bundle::OcrManifest;
use mner_core::packing::folder::{read_beside, write_beside};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Reads a folder and builds what it holds.
pub fn open<M: BesideManifest, T>(
    folder: &Path,
    unpack: impl FnOnce(BesideFiles) -> Result<T, BesideError>,
) -> Result<T, Failure> {
    let files = read_beside::<M>(folder).map_err(at)?;
    unpack(files).map_err(|error| format!("{}: {error}", folder.display()).into())
}

/// Writes a folder.
pub fn write<M: BesideManifest>(files: &BesideFiles, folder: &Path) -> Result<(), Failure> {
    Ok(write_beside::<M>(files, folder).map_err(at)?)
}

/// A sentence for a folder that holds one of them where a bundle was to be: what it is, and how it is used.
pub fn use_of(folder: &Path) -> Option<String> {
    let manifest = std::fs::read(folder.join(MANIFEST)).ok()?;
    let manifest: Value = serde_json::from_slice(&manifest).ok()?;
    let uses = [
        (
            OcrManifest::VERSION,
            OcrManifest::WHAT,
            "`mner ocr` and `mner image-text` read with it, as their --ocr",
        ),
        (
            CaptionManifest::VERSION,
            CaptionManifest::WHAT,
            "`mner image-text` describes images with it, as its --captioner",
        ),
    ];
    let (_, what, used) = uses
        .iter()
        .find(|(version, ..)| manifest.get(version).is_some())?;
    let folder = folder.display();
    Some(format!(
        "{folder}: the folder holds a {what} and no bundle; {used}"
    ))
}

fn at((path, error): (PathBuf, std::io::Error)) -> String {
    format!("{}: {error}", path.display())
}
