//! Which image file belongs to which tweet.

use crate::data::corpus::Sample;
use crate::data::corpus_images::CorpusImagesError;
use crate::image::{DecodeError, Image};
use crate::notice;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization;

/// Image files by the id of their tweet.
#[derive(Clone, Debug)]
pub struct ImageIndex {
    pub(super) origin: PathBuf,
    /// What a path in a record is relative to.
    pub(super) folder: PathBuf,
    /// The best first.
    pub(super) files: HashMap<String, Vec<PathBuf>>,
}

impl ImageIndex {
    /// No file by id: records name theirs, relative to `folder`.
    pub fn relative_to(folder: &Path) -> Self {
        Self {
            origin: folder.to_owned(),
            folder: folder.to_owned(),
            files: HashMap::new(),
        }
    }

    /// The files of a folder; the id is the file's name with or without its extension, without it before a file that has none.
    ///
    /// Of files alike but for the extension, those that begin as an image come first, then those called as one, then the first by
    /// name. Folders and files without an image in them are passed over; standard error says which.
    ///
    /// # Errors
    /// [`CorpusImagesError::Io`] where the folder cannot be listed.
    pub fn folder(folder: &Path) -> Result<Self, CorpusImagesError> {
        let io = |cause| CorpusImagesError::Io {
            path: folder.to_owned(),
            cause,
        };
        let mut found: Vec<([bool; 2], PathBuf)> = Vec::new();
        let mut passed_over: Vec<String> = Vec::new();
        for entry in fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            // Nothing else is opened: of a pipe that would wait.
            let file = path.is_file();
            let named = file && has_image_extension(&path);
            let begins = file && begins_as_image(&path);
            if named || begins {
                found.push(([!begins, !named], path));
            } else {
                let folder = if path.is_dir() { "/" } else { "" };
                passed_over.push(format!("{}{folder}", name_of(&path)));
            }
        }
        found.sort();
        let whole = |(_, path): &(_, PathBuf)| (name_of(path), vec![path.clone()]);
        // `12.webp` is the file called so, though there is a `12.webp.jpg`.
        let named = found.iter().filter(|(_, path)| has_image_extension(path));
        let mut files: HashMap<String, Vec<PathBuf>> = named.map(whole).collect();
        for (_, path) in &found {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let best = files
                .entry(stem.into_owned())
                .or_insert_with(|| vec![path.clone()]);
            if best[0] != *path {
                let best = name_of(&best[0]);
                passed_over.push(format!("{} ({best} is taken)", name_of(path)));
            }
        }
        for (name, path) in found.iter().map(whole) {
            files.entry(name).or_insert(path);
        }
        say_passed_over(folder, passed_over);
        Ok(Self {
            origin: folder.to_owned(),
            folder: folder.to_owned(),
            files: with_composed(files),
        })
    }

    /// A table of stand-ins, a line a tweet: `id<TAB>path|similarity<TAB>...`, the best first.
    /// Paths are relative to the table's folder. Of an id in several lines the first counts; standard error says so.
    ///
    /// # Errors
    /// [`CorpusImagesError::Io`], [`CorpusImagesError::Line`].
    pub fn table(path: &Path) -> Result<Self, CorpusImagesError> {
        let text = fs::read_to_string(path).map_err(|cause| CorpusImagesError::Io {
            path: path.to_owned(),
            cause,
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let (mut files, mut again) = (HashMap::new(), Vec::new());
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let mut fields = line.split('\t');
            let id = fields.next().unwrap_or(line);
            let paths: Vec<PathBuf> = fields
                .map(|field| field.split('|').next().unwrap_or(field))
                .filter(|path| !path.is_empty())
                .map(|path| folder.join(path))
                .collect();
            if paths.is_empty() {
                return Err(CorpusImagesError::Line {
                    path: path.to_owned(),
                    line: number + 1,
                    found: line.to_owned(),
                });
            }
            match files.entry(id.to_owned()) {
                Entry::Vacant(free) => {
                    free.insert(paths);
                }
                Entry::Occupied(_) => again.push(id),
            }
        }
        if let Some(first) = again.first() {
            let (path, count) = (path.display(), again.len());
            notice!(
                "{path}: {count} lines are of ids that have one already, the first {first}; the first line of an id counts"
            );
        }
        Ok(Self {
            origin: path.to_owned(),
            folder,
            files: with_composed(files),
        })
    }

    /// The images a tweet may have, the best first: the path its record gives if there is such a
    /// file, else its id's, without those that are not there if others are.
    pub fn find(&self, sample: &Sample) -> Vec<PathBuf> {
        let given = sample.image.as_ref().map(|path| self.folder.join(path));
        match given.filter(|path| path.is_file()) {
            Some(path) => vec![path],
            None => {
                let of = |id: &String| self.files.get(id).or_else(|| self.files.get(&composed(id)));
                let all = sample.id.as_ref().and_then(of).cloned().unwrap_or_default();
                let there: Vec<PathBuf> =
                    all.iter().filter(|path| path.is_file()).cloned().collect();
                if there.is_empty() { all } else { there }
            }
        }
    }
}

/// A name as most write it: macOS takes letters and their marks apart in the names of files.
fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// The files under their names composed too, but for those that others have already.
fn with_composed(mut files: HashMap<String, Vec<PathBuf>>) -> HashMap<String, Vec<PathBuf>> {
    let mut apart: Vec<_> = files
        .iter()
        .map(|(name, paths)| (composed(name), paths.clone()))
        .filter(|(name, _)| !files.contains_key(name))
        .collect();
    // Of several that are composed alike the first by path.
    apart.sort_by(|a, b| a.1.cmp(&b.1));
    for (name, paths) in apart {
        files.entry(name).or_insert(paths);
    }
    files
}

/// A sentence for tweets that name an image and have none.
pub(super) fn lost_images(samples: &[Sample], paths: &[Vec<PathBuf>]) -> Option<String> {
    let named = samples.iter().map(|sample| sample.image.as_deref());
    let mut lost = named
        .zip(paths)
        .filter(|(_, paths)| paths.is_empty())
        .filter_map(|(image, _)| image);
    let first = lost.next()?;
    let count = 1 + lost.count();
    Some(format!(
        "{count} tweets name an image that is not there, the first {first}; they are read without one"
    ))
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn has_image_extension(path: &Path) -> bool {
    const EXTENSIONS: [&str; 7] = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif"];
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Whether a file begins as an image does, of whatever format.
fn begins_as_image(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    let nothing = [DecodeError::NotAnImage, DecodeError::Empty];
    read.is_ok() && Image::decode(&start).is_err_and(|error| !nothing.contains(&error))
}

/// Names what of a folder is not used, once and not at length.
fn say_passed_over(folder: &Path, mut names: Vec<String>) {
    const MOST: usize = 5;
    if names.is_empty() {
        return;
    }
    names.sort();
    let count = names.len();
    let more = if count > MOST { ", ..." } else { "" };
    names.truncate(MOST);
    notice!(
        "{}: passed over {count} that are no image of their own: {}{more}",
        folder.display(),
        names.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(id: Option<&str>, image: Option<&str>) -> Sample {
        Sample {
            id: id.map(str::to_owned),
            image: image.map(str::to_owned),
            ..Sample::default()
        }
    }

    #[test]
    fn images_win_over_what_lies_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [
            "12.json",
            "12.txt",
            "12.jpg",
            "12.webp",
            "13.PNG",
            "13.nfo",
            "14.json",
            "17.06",
            "17.06.gif",
        ] {
            fs::write(path(name), b"{}").unwrap();
        }
        fs::write(path("15"), b"\x89PNG\r\n\x1a\n").unwrap();
        fs::write(path("16.bin"), b"GIF89a").unwrap();
        for name in ["21", "21.jpg", "21.jpg.png"] {
            fs::write(path(name), b"GIF89a").unwrap();
        }
        // A page that says that there is no image, kept beside one.
        fs::write(path("20.jpg"), b"<html>404").unwrap();
        fs::write(path("20.png"), b"\x89PNG\r\n\x1a\n").unwrap();
        fs::write(path("18.heic"), b"\0\0\0\x18ftypheic\0\0\0\0").unwrap();
        for name in ["19.jpg", "12", "11.d"] {
            fs::create_dir(path(name)).unwrap();
        }
        let index = ImageIndex::folder(folder.path()).unwrap();
        let found = |id: &str| index.find(&sample(Some(id), None));
        for (id, file) in [
            ("12", "12.jpg"),
            ("12.webp", "12.webp"),
            ("13", "13.PNG"),
            ("15", "15"),
            ("16", "16.bin"),
            ("20", "20.png"),
            ("17.06", "17.06.gif"),
            ("18", "18.heic"),
            ("21", "21.jpg"),
            ("21.jpg", "21.jpg"),
        ] {
            assert_eq!(found(id), [path(file)], "{id}");
        }
        for id in ["14", "19", "11", "12.json", "17"] {
            assert!(found(id).is_empty(), "{id}");
        }
    }

    /// Whoever opens a pipe waits for someone who writes into it.
    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("12.jpg");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let index = ImageIndex::folder(folder.path()).unwrap();
        assert!(index.find(&sample(Some("12"), None)).is_empty());
    }

    #[test]
    fn names_are_alike_however_their_letters_are_put_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let [whole, apart] = ["caf\u{e9}", "cafe\u{301}"];
        let find = |id: &str| {
            let index = ImageIndex::folder(folder.path()).unwrap();
            index.find(&sample(Some(id), None))
        };
        fs::write(path(&format!("{apart}.jpg")), b"").unwrap();
        for id in [whole, apart] {
            assert_eq!(find(id), [path(&format!("{apart}.jpg"))], "{id:?}");
            let file = format!("{id}.jpg");
            assert_eq!(find(&file), [path(&format!("{apart}.jpg"))], "{id:?}");
        }
        // What is called exactly so is it.
        fs::write(path(&format!("{whole}.png")), b"").unwrap();
        for (id, ending) in [(whole, "png"), (apart, "jpg")] {
            assert_eq!(find(id), [path(&format!("{id}.{ending}"))], "{id:?}");
        }
        let table = path("table.tsv");
        fs::write(&table, format!("{apart}\ta.jpg\n")).unwrap();
        let index = ImageIndex::table(&table).unwrap();
        assert_eq!(index.find(&sample(Some(whole), None)), [path("a.jpg")]);
    }

    #[test]
    fn ids_and_records_lead_to_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("12.jpg"), b"").unwrap();
        fs::write(path("own.png"), b"").unwrap();
        let index = ImageIndex::folder(folder.path()).unwrap();
        assert_eq!(index.find(&sample(Some("12"), None)), [path("12.jpg")]);
        let both = sample(Some("12"), Some("own.png"));
        assert_eq!(index.find(&both), [path("own.png")]);
        let lost = sample(Some("12"), Some("lost.png"));
        assert_eq!(index.find(&lost), [path("12.jpg")]);
        assert!(index.find(&sample(Some("13"), None)).is_empty());
        assert!(index.find(&sample(None, None)).is_empty());
        let samples = [
            sample(Some("12"), Some("lost.png")),
            sample(Some("13"), Some("Own.PNG")),
            sample(None, Some("gone.jpg")),
            sample(None, None),
        ];
        let paths: Vec<_> = samples.iter().map(|one| index.find(one)).collect();
        let said = lost_images(&samples, &paths).unwrap();
        assert!(said.starts_with("2 tweets name an image that is not there, the first Own.PNG"));
        assert_eq!(lost_images(&samples[3..], &paths[3..]), None);

        let table = path("table.tsv");
        let rows = "\u{feff}7\ta/b.jpg|0.6\tc.jpg|0.5\r\n\r\n8\td.jpg\t\n";
        fs::write(&table, rows).unwrap();
        let index = ImageIndex::table(&table).unwrap();
        let stand_ins = [path("a/b.jpg"), path("c.jpg")];
        assert_eq!(index.find(&sample(Some("7"), None)), stand_ins);
        assert_eq!(index.find(&sample(Some("8"), None)), [path("d.jpg")]);
        let rows = "7\tlost.jpg|0.9\t12.jpg|0.8\n7\town.png\n";
        fs::write(&table, rows).unwrap();
        let index = ImageIndex::table(&table).unwrap();
        assert_eq!(index.find(&sample(Some("7"), None)), [path("12.jpg")]);
        for line in ["9", "9\t"] {
            fs::write(&table, format!("7\ta.jpg\n{line}\n")).unwrap();
            let error = ImageIndex::table(&table).unwrap_err().to_string();
            assert!(error.contains("line 2") && error.contains("\"9"), "{error}");
        }
    }
}
