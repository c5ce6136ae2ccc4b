//! Fonts to write with, and those kept apart.

use crate::notice;
use crate::ocr::alphabet::Alphabet;
use ab_glyph::{Font, FontVec, OutlineCurve, Point};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Of 256 families, how many are kept apart on average.
const HELD_OUT: u8 = 32;

/// Why there are no fonts.
#[derive(Debug, thiserror::Error)]
pub enum FontsError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Too few.
    #[error(
        "{0} families of fonts are too few: give folders with .ttf or .otf files of two families or more"
    )]
    TooFew(usize),
}

/// Fonts by their family: what a file's name says before its style.
#[derive(Debug)]
pub struct Fonts(Vec<(String, FontVec)>);

impl Fonts {
    /// The fonts in folders and their subfolders, by path. A file that is no font, or lacks a letter of the alphabet, is left out;
    /// how many is said on standard error.
    ///
    /// # Errors
    /// [`FontsError`]
    pub fn of(folders: &[PathBuf], alphabet: &Alphabet) -> Result<Self, FontsError> {
        let mut files = Vec::new();
        for folder in folders {
            collect(folder, &mut files)?;
        }
        files.sort();
        let found = files.len();
        let mut fonts = Vec::new();
        for path in files {
            let bytes = fs::read(&path).map_err(|source| FontsError::Io {
                path: path.clone(),
                source,
            })?;
            if let Some(font) = usable(bytes, alphabet) {
                fonts.push((family(&path), font));
            }
        }
        if fonts.len() < found {
            notice!(
                "{} of {found} fonts lack letters and are left out",
                found - fonts.len()
            );
        }
        let mut families: Vec<&str> = fonts.iter().map(|(family, _)| family.as_str()).collect();
        families.dedup();
        match families.len() {
            0 | 1 => Err(FontsError::TooFew(families.len())),
            _ => Ok(Self(fonts)),
        }
    }

    /// Those to learn from and those kept apart, by the family's name alone: a family is on the same side in every run.
    pub fn split(self) -> (Vec<FontVec>, Vec<FontVec>) {
        let is_apart = |family: &str| Sha256::digest(family)[0] < HELD_OUT;
        let first = self.0.first().map(|(family, _)| family.clone());
        let all = self.0.iter().all(|(family, _)| is_apart(family));
        let none = !self.0.iter().any(|(family, _)| is_apart(family));
        let (apart, learnt): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|(family, _)| {
            // Of few families the names may have put all on one side.
            let is_first = Some(family) == first.as_ref();
            if all || none {
                is_first
            } else {
                is_apart(family)
            }
        });
        let fonts =
            |fonts: Vec<(String, FontVec)>| fonts.into_iter().map(|(_, font)| font).collect();
        (fonts(learnt), fonts(apart))
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FontsError> {
    let io = |source| FontsError::Io {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let extension = path
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            collect(&path, files)?;
        } else if ["ttf", "otf"].contains(&extension.to_lowercase().as_str()) {
            files.push(path);
        }
    }
    Ok(())
}

/// A font that has every letter and digit, and letters that are its own.
fn usable(bytes: Vec<u8>, alphabet: &Alphabet) -> Option<FontVec> {
    let font = FontVec::try_from_vec(bytes).ok()?;
    let mut characters = (1..alphabet.classes()).filter_map(|class| alphabet.character(class));
    let complete = characters
        .by_ref()
        .filter(char::is_ascii_graphic)
        .all(|c| font.glyph_id(c).0 != 0 && font.outline(font.glyph_id(c)).is_some());
    // Capitals in the place of small letters cannot be told from capitals.
    let corners = |c| {
        let outline = font.outline(font.glyph_id(c));
        outline.map(|outline| outline.curves.iter().map(end).collect::<Vec<Point>>())
    };
    let own = corners('a') != corners('A') && corners('e') != corners('E');
    (complete && own).then_some(font)
}

fn end(curve: &OutlineCurve) -> Point {
    match curve {
        OutlineCurve::Line(_, end) | OutlineCurve::Quad(.., end) | OutlineCurve::Cubic(.., end) => {
            *end
        }
    }
}

fn family(path: &Path) -> String {
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let end = stem.find(['-', '[', ' ', '_']).unwrap_or(stem.len());
    stem[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_what_stands_before_the_style() {
        let name = |path: &str| family(Path::new(path));
        assert_eq!(name("a/Roboto-BoldItalic.ttf"), "Roboto");
        assert_eq!(name("Karla[wght].ttf"), "Karla");
        assert_eq!(name("Hack.otf"), "Hack");
    }

    #[test]
    fn a_folder_without_fonts_says_so() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("none.ttf"), b"none").unwrap();
        let error = Fonts::of(&[folder.path().into()], &Alphabet::default()).unwrap_err();
        assert!(error.to_string().starts_with("0 families"), "{error}");
        let gone = Fonts::of(&[folder.path().join("gone")], &Alphabet::default()).unwrap_err();
        assert!(gone.to_string().contains("gone"), "{gone}");
    }
}
