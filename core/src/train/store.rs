//! Bundles on disk.

use crate::bundle::{BundleFiles, EYES, MANIFEST, TOKENIZER, WEIGHTS};
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
    Ok(BundleFiles {
        manifest: file(MANIFEST)?,
        weights: file(WEIGHTS)?,
        tokenizer: file(TOKENIZER)?,
        // The manifest says whether it must be there.
        eyes: match file(EYES) {
            Ok(bytes) => Some(bytes),
            Err((_, e)) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        },
    })
}

/// Writes a bundle's folder, the manifest last: without it there is no bundle.
///
/// # Errors
/// The file that cannot be written, and why.
pub fn write(files: &BundleFiles, folder: &Path) -> Result<(), (PathBuf, std::io::Error)> {
    fs::create_dir_all(folder).map_err(|e| (folder.to_owned(), e))?;
    let eyes = files.eyes.iter().map(|bytes| (EYES, bytes));
    for (name, bytes) in eyes.chain([
        (WEIGHTS, &files.weights),
        (TOKENIZER, &files.tokenizer),
        (MANIFEST, &files.manifest),
    ]) {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| (path, e))?;
    }
    Ok(())
}
