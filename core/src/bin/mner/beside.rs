//! Folders of what comes beside a bundle: a captioner, a reader of text.

use crate::failure::Failure;
use mner_core::bundle::beside::{BesideError, BesideFiles, BesideManifest};
use mner_core::packing::folder::{read_beside, write_beside};
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

fn at((path, error): (PathBuf, std::io::Error)) -> String {
    format!("{}: {error}", path.display())
}
