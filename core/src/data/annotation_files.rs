//! Files of annotation tools on disk.

use crate::formats::annotations::TextFile;
use std::fs;
use std::io;
use std::path::Path;

/// Whether a path is of brat's: a folder, an `.ann` file, or a `.txt` with an `.ann` beside it.
pub fn is_brat(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    path.is_dir() || ending == "ann" || (ending == "txt" && path.with_extension("ann").is_file())
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
    let text = str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to() + 1;
        let message = format!("byte {at} is not UTF-8; save the text as UTF-8");
        io::Error::new(io::ErrorKind::InvalidData, message)
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
    let other = match path.extension() {
        Some(ending) if ending == "ann" => path.with_extension("txt"),
        _ => path.with_extension("ann"),
    };
    let mut files = vec![read(path, name(path))?];
    if other.is_file() {
        files.push(read(&other, name(&other))?);
    }
    Ok(files)
}

fn walk(folder: &Path, before: &str, files: &mut Vec<TextFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| of(folder, &error))? {
        let entry = entry?;
        let path = entry.path();
        let name = format!("{before}{}", name(&path));
        let ending = path.extension().unwrap_or_default();
        // A link to a folder may lead in a circle.
        if entry.file_type()?.is_dir() {
            walk(&path, &format!("{name}/"), files)?;
        } else if ending == "txt" || ending == "ann" {
            files.push(read(&path, name)?);
        }
    }
    Ok(())
}

fn read(path: &Path, name: String) -> io::Result<TextFile> {
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
