//! Bundles on disk.

use crate::bundle::manifest::Manifest;
use crate::bundle::{AUGMENTATION, BundleFiles, EYES, MANIFEST, TOKENIZER, WEIGHTS};
use crate::packing::card::{CARD, card};
use std::fs;
use std::path::{Path, PathBuf};

/// Reads a bundle's folder.
///
/// # Errors
/// The file that cannot be read, and why.
pub fn read(folder: &Path) -> Result<BundleFiles, (PathBuf, std::io::Error)> {
    let file = |name| {
        let path = folder.join(name);
        fs::read(&path).map_err(|e| (path, e))
    };
    // The manifest says whether these must be there.
    let maybe = |name| match file(name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err((_, e)) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    Ok(BundleFiles {
        manifest: file(MANIFEST)?,
        weights: file(WEIGHTS)?,
        tokenizer: file(TOKENIZER)?,
        vision: maybe(EYES)?,
        augmentation: maybe(AUGMENTATION)?,
    })
}

/// Writes a bundle's folder, the manifest last: without it there is no bundle. Its card lies beside it.
///
/// # Errors
/// The file that cannot be written, and why.
pub fn write(files: &BundleFiles, folder: &Path) -> Result<(), (PathBuf, std::io::Error)> {
    fs::create_dir_all(folder).map_err(|e| (folder.to_owned(), e))?;
    let card = Manifest::parse(&files.manifest).map(|manifest| card(&manifest, &[]).into_bytes());
    let card = card.map_err(|e| (folder.join(MANIFEST), std::io::Error::other(e)))?;
    let vision = files.vision.iter().map(|bytes| (EYES, bytes));
    let augmentation = files.augmentation.iter().map(|b| (AUGMENTATION, b));
    for (name, bytes) in vision.chain(augmentation).chain([
        (WEIGHTS, &files.weights),
        (TOKENIZER, &files.tokenizer),
        (CARD, &card),
        (MANIFEST, &files.manifest),
    ]) {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| (path, e))?;
    }
    Ok(())
}
