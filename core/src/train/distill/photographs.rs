//! The photographs to learn from, and those kept apart to compare on.

use crate::image::Image;
use crate::notice;
use crate::train::distill::error::DistillError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Of 256 photographs, how many are kept apart on average.
const HELD_OUT: u8 = 26;

/// File name extensions of images.
const EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "gif"];

/// A folder of photographs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Folder {
    /// The folder; its subfolders belong to it.
    pub path: PathBuf,
    /// How much of it an epoch uses: 1 is every photograph once.
    pub weight: f64,
}

impl FromStr for Folder {
    type Err = std::convert::Infallible;

    /// `path` or `path@weight`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let weighted = text
            .rsplit_once('@')
            .and_then(|(path, weight)| Some((path, weight.parse().ok()?)));
        let (path, weight) = weighted.unwrap_or((text, 1.0));
        Ok(Self {
            path: path.into(),
            weight,
        })
    }
}

/// The photographs of a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Photographs {
    /// To learn from.
    pub train: Vec<PathBuf>,
    /// Kept apart.
    pub held_out: Vec<PathBuf>,
}

impl Photographs {
    /// The images in `folder` and its subfolders, by path. Which are kept apart depends on a file's
    /// content alone, so a photograph is on the same side in every run and under every name. A file
    /// that holds no image is named on standard error and left out.
    ///
    /// # Errors
    /// [`DistillError::Io`] where the folder or a file cannot be read, [`DistillError::NoPhotographs`]
    /// where there are none.
    pub fn of(folder: &Path) -> Result<Self, DistillError> {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort();
        let mut photographs = Self::default();
        for path in files {
            let bytes = read(&path)?;
            if let Err(error) = Image::decode(&bytes) {
                notice!("{}: {error}", path.display());
            } else if Sha256::digest(&bytes)[0] < HELD_OUT {
                photographs.held_out.push(path);
            } else {
                photographs.train.push(path);
            }
        }
        match photographs.train.is_empty() {
            true => Err(DistillError::NoPhotographs(folder.to_owned())),
            false => Ok(photographs),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DistillError> {
    fs::read(path).map_err(|source| DistillError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Reads a photograph that [`Photographs::of`] found.
///
/// # Errors
/// [`DistillError::Io`] or [`DistillError::Image`] where it changed since.
pub fn open(path: &Path) -> Result<Image, DistillError> {
    Image::decode(&read(path)?).map_err(|cause| DistillError::Image {
        path: path.to_owned(),
        cause,
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DistillError> {
    let io = |source| DistillError::Io {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let extension = path.extension().and_then(|e| e.to_str());
        if path.is_dir() {
            collect(&path, files)?;
        } else if extension.is_some_and(|e| EXTENSIONS.contains(&e.to_lowercase().as_str())) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_weights() {
        let folder = |text: &str| text.parse::<Folder>().unwrap();
        assert_eq!(folder("a/b").weight, 1.0);
        assert_eq!(
            (folder("a@0.5").path, folder("a@0.5").weight),
            ("a".into(), 0.5)
        );
        assert_eq!(folder("a@home").path, PathBuf::from("a@home"));
    }

    #[test]
    fn subfolders_are_searched_and_what_is_no_image_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let image = |shade: u8| {
            let mut bytes = Vec::new();
            let pixels = image::RgbImage::from_pixel(2, 2, image::Rgb([shade; 3]));
            pixels
                .write_to(
                    &mut std::io::Cursor::new(&mut bytes),
                    image::ImageFormat::Png,
                )
                .unwrap();
            bytes
        };
        for shade in 0..100 {
            fs::write(inner.join(format!("{shade}.PNG")), image(shade)).unwrap();
        }
        fs::write(folder.path().join("broken.jpg"), b"none").unwrap();
        fs::write(folder.path().join("notes.txt"), b"none").unwrap();
        let found = Photographs::of(folder.path()).unwrap();
        assert_eq!(found.train.len() + found.held_out.len(), 100);
        assert!(
            (2..25).contains(&found.held_out.len()),
            "{}",
            found.held_out.len()
        );
        assert_eq!(open(&found.train[0]).unwrap().width, 2);

        let empty = tempfile::tempdir().unwrap();
        let error = Photographs::of(empty.path()).unwrap_err().to_string();
        assert!(error.contains("no photograph"), "{error}");
    }
}
