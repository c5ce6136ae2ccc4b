//! Files of annotation tools on disk.

use crate::formats::annotations::TextFile;
use crate::formats::encoding::other_encoding;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Whether a path is of brat's: a folder, an `.ann` file, or a `.txt` with an `.ann` beside it.
pub fn is_brat(path: &Path) -> bool {
    let ending = ending(path);
    path.is_dir() || ending == "ann" || (ending == "txt" && beside(path, "ann").is_some())
}

/// A file's ending; some systems write it in capitals.
fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_ascii_lowercase()
}

/// The file called alike but for this ending, if there is one.
fn beside(path: &Path, ending: &str) -> Option<PathBuf> {
    let files = [ending.to_owned(), ending.to_uppercase()].map(|other| path.with_extension(other));
    files.into_iter().find(|file| file.is_file())
}

/// A path's last part.
pub fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A file.
///
/// # Errors
/// What the system says, and as [`text`].
pub fn load(path: &Path) -> io::Result<TextFile> {
    let text = text(&fs::read(path)?)?;
    let name = name(path);
    Ok(TextFile { name, text })
}

/// What a file holds.
///
/// # Errors
/// If it is not UTF-8.
pub fn text(bytes: &[u8]) -> io::Result<String> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    if let Some((name, command)) = other_encoding(bytes) {
        let message = format!("this is {name}; save the text as UTF-8, for example by `{command}`");
        return Err(invalid(message));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to() + 1;
        invalid(format!("byte {at} is not UTF-8; save the text as UTF-8"))
    })?;
    Ok(text.to_owned())
}

/// Files of brat's: of an `.ann` file or its text both; of a folder, and those in it, all `.txt` and `.ann` files, their names
/// with folders.
///
/// # Errors
/// As [`load`], with the file's path.
pub fn load_brat(path: &Path) -> io::Result<Vec<TextFile>> {
    if path.is_dir() {
        let mut files = Vec::new();
        walk(path, "", &mut files)?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        return Ok(files);
    }
    let other = match ending(path).as_str() {
        "ann" => beside(path, "txt"),
        _ => beside(path, "ann"),
    };
    let files = [path.to_owned()].into_iter().chain(other);
    files.map(|file| read(&file, name(&file))).collect()
}

fn walk(folder: &Path, before: &str, files: &mut Vec<TextFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| of(folder, &error))? {
        let entry = entry?;
        let path = entry.path();
        let name = format!("{before}{}", name(&path));
        // A link to a folder may lead in a circle.
        if entry.file_type()?.is_dir() {
            walk(&path, &format!("{name}/"), files)?;
        } else if matches!(ending(&path).as_str(), "txt" | "ann") {
            files.push(read(&path, name)?);
        }
    }
    Ok(())
}

/// A file of brat's under this name, its ending in small letters.
fn read(path: &Path, name: String) -> io::Result<TextFile> {
    let name = match name.rsplit_once('.') {
        Some((stem, _)) => format!("{stem}.{}", ending(path)),
        None => name,
    };
    let text = fs::read(path).and_then(|bytes| text(&bytes));
    let text = text.map_err(|error| of(path, &error))?;
    Ok(TextFile { name, text })
}

/// An error with the path it is of.
fn of(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The text of the `dataset_info.json` beside a file, if there is one.
pub fn dataset_info(path: &Path) -> Option<String> {
    fs::read_to_string(path.with_file_name("dataset_info.json")).ok()
}
