//! What teachers believe of tweets, kept on disk: of every word the log posterior of each label, averaged over the teachers.
//!
//! The file is `mner-posteriors-1`, the teachers' mark of 32 bytes, then one record a tweet: the first 8 bytes of the SHA-256
//! of its words, each ended by a line feed; the number of words, u16; of each word nine f16. All numbers are little-endian. It is only ever appended
//! to, so what a stopped run wrote is there when it goes on.

use crate::label::LABELS;
use burn::tensor::f16;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 17] = b"mner-posteriors-1";

/// Log posteriors below this are kept as this: e^-15 is less than any teacher knows.
const LEAST: f32 = -15.0;

/// Why a file of posteriors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PosteriorsError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is another kind of file.
    #[error("{} holds no posteriors; write them with mner posteriors", .0.display())]
    Foreign(PathBuf),
    /// It holds the posteriors of other teachers.
    #[error("{} holds the posteriors of other teachers; give another --out", .0.display())]
    OtherTeachers(PathBuf),
}

/// The posteriors of many tweets.
#[derive(Clone, Debug, Default)]
pub struct Posteriors {
    tweets: HashMap<u64, Vec<f16>>,
}

/// A file to which posteriors are added.
#[derive(Debug)]
pub struct PosteriorsWriter {
    path: PathBuf,
    file: BufWriter<File>,
    known: Posteriors,
}

/// What tweets are found by.
fn key<S: AsRef<str>>(words: &[S]) -> u64 {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.as_ref());
        hash.update(b"\n");
    }
    let digest = hash.finalize();
    u64::from_le_bytes(*digest.first_chunk().expect("32 bytes"))
}

/// The teachers' mark and the records of a file.
fn parts<'a>(bytes: &'a [u8], path: &Path) -> Result<(&'a [u8; 32], &'a [u8]), PosteriorsError> {
    bytes
        .strip_prefix(MAGIC)
        .and_then(<[u8]>::split_first_chunk)
        .ok_or_else(|| PosteriorsError::Foreign(path.to_owned()))
}

impl Posteriors {
    /// Adds what a file holds.
    ///
    /// # Errors
    /// [`PosteriorsError`]
    pub fn read(&mut self, path: &Path) -> Result<(), PosteriorsError> {
        let bytes = std::fs::read(path).map_err(|source| PosteriorsError::Io {
            path: path.to_owned(),
            source,
        })?;
        let (_, records) = parts(&bytes, path)?;
        self.take(records);
        Ok(())
    }

    /// Takes records in; the length of those that are whole.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Some((head, after)) = rest.split_first_chunk::<10>() {
            let (key, words) = head.split_first_chunk::<8>().expect("ten bytes");
            let words = usize::from(u16::from_le_bytes([words[0], words[1]]));
            let Some((values, after)) = after.split_at_checked(words * LABELS * 2) else {
                break;
            };
            let values = values.as_chunks::<2>().0.iter();
            self.tweets.insert(
                u64::from_le_bytes(*key),
                values.map(|b| f16::from_le_bytes(*b)).collect(),
            );
            rest = after;
        }
        bytes.len() - rest.len()
    }

    /// Tweets that are known.
    pub fn len(&self) -> usize {
        self.tweets.len()
    }

    /// Whether no tweet is known.
    pub fn is_empty(&self) -> bool {
        self.tweets.is_empty()
    }

    /// Log posteriors of a tweet, `[N * 9]`, none where it is not known.
    pub fn get<S: AsRef<str>>(&self, words: &[S]) -> Option<Vec<f32>> {
        let values = self.tweets.get(&key(words))?;
        let whole = values.len() == words.len() * LABELS;
        whole.then(|| values.iter().map(|value| value.to_f32()).collect())
    }
}

impl PosteriorsWriter {
    /// A new file, or one of the same teachers to go on with: `mark` is what tells them from others. A record that was
    /// cut off is dropped.
    ///
    /// # Errors
    /// [`PosteriorsError`]
    pub fn open(path: &Path, mark: [u8; 32]) -> Result<Self, PosteriorsError> {
        let io = |source| PosteriorsError::Io {
            path: path.to_owned(),
            source,
        };
        let mut known = Posteriors::default();
        let mut options = OpenOptions::new();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(io(error)),
        };
        let file = options.append(true).create(true).open(path).map_err(io)?;
        let mut file = BufWriter::new(file);
        if bytes.is_empty() {
            file.write_all(MAGIC).map_err(io)?;
            file.write_all(&mark).map_err(io)?;
        } else {
            let (found, records) = parts(&bytes, path)?;
            if *found != mark {
                return Err(PosteriorsError::OtherTeachers(path.to_owned()));
            }
            let header = bytes.len() - records.len();
            let whole = header + known.take(records);
            file.get_ref().set_len(whole as u64).map_err(io)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            known,
        })
    }

    /// What the file holds.
    pub fn known(&self) -> &Posteriors {
        &self.known
    }

    /// Adds a tweet's log posteriors, `[N * 9]`. One of more than 65,535 words is passed over.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add<S: AsRef<str>>(&mut self, words: &[S], logs: &[f32]) -> Result<(), PosteriorsError> {
        let Ok(count) = u16::try_from(words.len()) else {
            return Ok(());
        };
        let mut record = key(words).to_le_bytes().to_vec();
        record.extend(count.to_le_bytes());
        record.extend(
            logs.iter()
                .flat_map(|&log| f16::from_f32(log.max(LEAST)).to_le_bytes()),
        );
        self.known.take(&record);
        self.file
            .write_all(&record)
            .map_err(|source| self.fault(source))
    }

    /// Hands everything to the disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn flush(&mut self) -> Result<(), PosteriorsError> {
        self.file.flush().map_err(|source| self.fault(source))
    }

    fn fault(&self, source: io::Error) -> PosteriorsError {
        PosteriorsError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read_and_a_cut_record_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posteriors");
        let logs = |n: usize| -> Vec<f32> { (0..n * LABELS).map(|i| -(i as f32) / 4.0).collect() };
        let mut writer = PosteriorsWriter::open(&path, [7; 32]).unwrap();
        writer.add(&["ab", "c"], &logs(2)).unwrap();
        writer.add(&["a", "bc", "d"], &logs(3)).unwrap();
        writer.flush().unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();

        let mut writer = PosteriorsWriter::open(&path, [7; 32]).unwrap();
        assert_eq!(writer.known().len(), 1);
        assert!(writer.known().get(&["a", "bc", "d"]).is_none());
        writer.add(&["a", "bc", "d"], &logs(3)).unwrap();
        writer.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);

        let mut read = Posteriors::default();
        read.read(&path).unwrap();
        let got = read.get(&["a", "bc", "d"]).unwrap();
        let expected: Vec<f32> = logs(3).iter().map(|log| log.max(LEAST)).collect();
        // Quarters have exact f16s, and where words end matters.
        let cut = expected.iter().map(|&log| f16::from_f32(log).to_f32());
        assert_eq!(got, cut.collect::<Vec<_>>());
        assert!(read.get(&["abc"]).is_none() && read.get(&["a", "b", "c"]).is_none());
    }

    #[test]
    fn other_files_and_other_teachers_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posteriors");
        PosteriorsWriter::open(&path, [1; 32])
            .unwrap()
            .flush()
            .unwrap();
        let refused = PosteriorsWriter::open(&path, [2; 32]).unwrap_err();
        assert!(refused.to_string().contains("other teachers"), "{refused}");
        std::fs::write(&path, "words").unwrap();
        let refused = Posteriors::default().read(&path).unwrap_err();
        assert!(refused.to_string().contains("mner posteriors"), "{refused}");
    }
}
