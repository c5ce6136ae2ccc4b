//! Bundles on disk, and what comes beside them.

use crate::bundle::beside::{BesideFiles, BesideManifest};
use crate::bundle::manifest::Manifest;
use crate::bundle::{AUGMENTATION, BundleFiles, EYES, MANIFEST, TOKENIZER, WEIGHTS};
use crate::packing::card::{CARD, card};
use std::fs;
use std::path::{Path, PathBuf};

fn file(folder: &Path, name: &str) -> Result<Vec<u8>, (PathBuf, std::io::Error)> {
    let path = folder.join(name);
    fs::read(&path).map_err(|e| (path, e))
}

/// Reads the manifest of a bundle's folder, or of what comes beside one.
///
/// # Errors
/// The file that cannot be read, and why; where there is none the folder, and what it is instead.
pub fn manifest(folder: &Path) -> Result<Vec<u8>, (PathBuf, std::io::Error)> {
    let has = |name: &str| folder.join(name).is_file();
    let problem = if has(MANIFEST) {
        return file(folder, MANIFEST);
    } else if !folder.exists() {
        "there is no such folder"
    } else if !folder.is_dir() {
        "this is a file; give the folder that it lies in"
    } else if folder.join("bundle").join(MANIFEST).is_file() {
        "the bundle is the folder bundle in it; give that"
    } else if has("config.json") {
        "this is a Hugging Face folder and no bundle; `mner train --encoder` makes one of it"
    } else {
        "this folder has no manifest.json, so it is no bundle"
    };
    let error = std::io::Error::new(std::io::ErrorKind::NotFound, problem);
    Err((folder.to_owned(), error))
}

fn write_all<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'static str, &'a Vec<u8>)>,
) -> Result<(), (PathBuf, std::io::Error)> {
    fs::create_dir_all(folder).map_err(|e| (folder.to_owned(), e))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| (path, e))?;
    }
    Ok(())
}

/// Reads a bundle's folder.
///
/// # Errors
/// The file that cannot be read, and why.
pub fn read(folder: &Path) -> Result<BundleFiles, (PathBuf, std::io::Error)> {
    let file = |name| file(folder, name);
    // The manifest says whether these must be there.
    let maybe = |name| match file(name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err((_, e)) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    Ok(BundleFiles {
        manifest: manifest(folder)?,
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
    let card = Manifest::parse(&files.manifest).map(|manifest| card(&manifest, &[]).into_bytes());
    let card = card.map_err(|e| (folder.join(MANIFEST), std::io::Error::other(e)))?;
    let vision = files.vision.iter().map(|bytes| (EYES, bytes));
    let augmentation = files.augmentation.iter().map(|b| (AUGMENTATION, b));
    let others = [
        (WEIGHTS, &files.weights),
        (TOKENIZER, &files.tokenizer),
        (CARD, &card),
        (MANIFEST, &files.manifest),
    ];
    write_all(folder, vision.chain(augmentation).chain(others))
}

/// Reads the folder of what comes beside a bundle.
///
/// # Errors
/// The file that cannot be read, and why.
pub fn read_beside<M: BesideManifest>(
    folder: &Path,
) -> Result<BesideFiles, (PathBuf, std::io::Error)> {
    Ok(BesideFiles {
        manifest: manifest(folder)?,
        weights: file(folder, M::WEIGHTS)?,
    })
}

/// Writes the folder of what comes beside a bundle, the manifest last.
///
/// # Errors
/// The file that cannot be written, and why.
pub fn write_beside<M: BesideManifest>(
    files: &BesideFiles,
    folder: &Path,
) -> Result<(), (PathBuf, std::io::Error)> {
    write_all(
        folder,
        [(M::WEIGHTS, &files.weights), (MANIFEST, &files.manifest)],
    )
}
