//! word2vec files: words and their vectors.

mod neighbours;

use crate::formats::encoding::other_encoding;
use crate::formats::packed::{LFS_POINTER, LFS_REMEDY, Packed, packed};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Most words that are read: such files begin with the most frequent ones, and the time for neighbours grows with the square.
const MOST: usize = 100_000;

/// Lines from which the number of values is found where no first line tells it.
const FIRST_LINES: usize = 64;

/// How a model of fastText begins.
const FAST_TEXT: [u8; 4] = 793_712_314_u32.to_le_bytes();

/// Words and their vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct WordVectors {
    /// Lower-cased, each once.
    words: Vec<String>,
    /// Values of a vector.
    size: usize,
    /// `[W * V]`.
    values: Vec<f32>,
    /// Whether the file has more words than are read.
    cut: bool,
}

/// What was read, and what a bundle grows by.
impl fmt::Display for WordVectors {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let letters: usize = self.words.iter().map(String::len).sum();
        let bytes = letters + self.words.len() * (2 + 4 + self.size);
        let which = if self.cut { "the first " } else { "" };
        let (count, size) = (self.words.len(), self.size);
        write!(
            f,
            "{which}{count} words with vectors of {size} values: {:.1} MB of the bundle",
            bytes as f64 / 1e6
        )
    }
}

/// Why a file is no word2vec model.
#[derive(Debug, Error)]
pub enum Word2vecError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something is wrong with what the file holds.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What.
        source: Box<Word2vecError>,
    },
    /// The file is no text or vectors at all.
    #[error("the file of word vectors is {0}")]
    Other(String),
    /// The first line is neither two numbers nor a word and its values.
    #[error(
        "a word2vec file begins with the number of words and of values a word, or with a word and its values, but this one with {found:?}"
    )]
    Header {
        /// The first line, or its beginning.
        found: String,
    },
    /// The first line gives another size of the vectors than the lines after it have.
    #[error(
        "the first line of the word vectors says {announced} values a word, and the lines after it have {found}; correct it, or fetch the file again"
    )]
    Size {
        /// Values a word, as the first line says.
        announced: usize,
        /// Values that are there.
        found: usize,
    },
    /// The file is compressed or an archive.
    #[error("the file of word vectors is {name}; unpack it first, with `{unpack}`")]
    Packed {
        /// By what.
        name: &'static str,
        /// The command that unpacks it.
        unpack: &'static str,
    },
    /// A model of fastText with its subwords.
    #[error("this is a model of fastText (.bin); give the vectors that it writes beside it (.vec)")]
    FastText,
    /// The file ends too early.
    #[error(
        "the word2vec file announces {expected} words and ends in word {found}; fetch it again"
    )]
    Cut {
        /// Words announced.
        expected: usize,
        /// The word, counted from 1, that is not whole.
        found: usize,
    },
    /// A line has too few values.
    #[error(
        "line {line} of the word vectors has fewer than {size} values behind its word, unlike the lines before it"
    )]
    Short {
        /// The line, from 1.
        line: usize,
        /// Values of the others.
        size: usize,
    },
    /// Something follows the last word.
    #[error("the word2vec file announces {expected} words and has more; is its first line right?")]
    Longer {
        /// Words announced.
        expected: usize,
    },
    /// A value is not a finite number.
    #[error(
        "the vector of {word:?} holds {value:?}, which is no finite number; take the word out, or fetch the file again"
    )]
    Value {
        /// The word.
        word: String,
        /// The value.
        value: String,
    },
    /// There are too few words for neighbours.
    #[error("the word2vec file has {0} different words; similar ones need {need} at least", need = neighbours::NEIGHBOURS + 1)]
    Few(usize),
}

impl WordVectors {
    /// Reads a word2vec file, binary or text, or a GloVe file, whichever it is.
    ///
    /// # Errors
    /// [`Word2vecError`].
    pub fn read(path: &Path) -> Result<Self, Word2vecError> {
        let io = |source| Word2vecError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        // Large enough for the first lines.
        let file = BufReader::with_capacity(1 << 20, file);
        Self::parse_from(file, MOST).map_err(|fault| match fault {
            Fault::Io(source) => io(source),
            Fault::File(error) => Word2vecError::File {
                path: path.to_owned(),
                source: Box::new(error),
            },
        })
    }

    /// Reads the content of a word2vec file: a line with the number of words and of values, then
    /// each word with its values, as text or as a blank and little-endian f32. The text may lack that line (GloVe), its fields
    /// may be separated by tabs, and a word may have blanks: the last fields of a line are its vector.
    ///
    /// Words are lower-cased; of words that are then alike the first stays, which is the most
    /// frequent one. Bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// [`Word2vecError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Word2vecError> {
        Self::parse_from(bytes, MOST).map_err(|fault| match fault {
            Fault::File(error) => error,
            Fault::Io(_) => unreachable!("bytes are at hand"),
        })
    }

    /// Reads at most `most` words.
    fn parse_from(mut input: impl BufRead, most: usize) -> Result<Self, Fault> {
        let start = input.fill_buf()?;
        if let Some(Packed { name, unpack }) = packed(start) {
            return Err(Word2vecError::Packed { name, unpack }.into());
        }
        let other = match other_encoding(start) {
            Some((name, command)) => Some(format!("{name}; make UTF-8 of it with `{command}`")),
            None if start.starts_with(LFS_POINTER) => Some(LFS_REMEDY.to_owned()),
            None if start.is_empty() => Some("empty; fetch it again".to_owned()),
            None => None,
        };
        if let Some(other) = other {
            return Err(Word2vecError::Other(other).into());
        }
        if start.starts_with(&FAST_TEXT) {
            return Err(Word2vecError::FastText.into());
        }
        let start = String::from_utf8_lossy(start).into_owned();
        let start = start.strip_prefix('\u{feff}').unwrap_or(&start);
        let mut lines = start.lines();
        let head = lines.next().unwrap_or_default();
        let numbers: Option<Vec<usize>> = head
            .split_whitespace()
            .map(|field| field.parse().ok())
            .collect();
        let header = Word2vecError::Header {
            found: head.chars().take(40).collect(),
        };
        let (count, size) = match numbers.as_deref() {
            Some(&[count, size]) if size > 0 => (Some(count), size),
            Some(&[_, _]) => return Err(header.into()),
            _ => match vector_size(start) {
                Some(size) => (None, size),
                None => return Err(header.into()),
            },
        };
        if count.is_some()
            && let Some(found) = other_size(&start[head.len()..], size)
        {
            let announced = size;
            return Err(Word2vecError::Size { announced, found }.into());
        }
        let mut vectors = Self {
            words: Vec::new(),
            size,
            values: Vec::new(),
            cut: false,
        };
        let text = count.is_none() || lines.next().is_none_or(|line| is_text(line, size));
        if count.is_some() {
            let mut head = Vec::new();
            input.read_until(b'\n', &mut head)?;
        }
        match (text, count) {
            (true, _) => vectors.parse_text(input, count, most)?,
            (false, count) => vectors.parse_binary(input, count.unwrap_or_default(), most)?,
        }
        Ok(vectors)
    }

    fn parse_text(
        &mut self,
        mut input: impl BufRead,
        count: Option<usize>,
        most: usize,
    ) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        let (mut line, mut number, mut rows) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            number += 1;
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r', ' ', '\t']);
            let text = text
                .strip_prefix('\u{feff}')
                .filter(|_| number == 1)
                .unwrap_or(text);
            if text.trim().is_empty() {
                continue;
            }
            if let Some(expected) = count
                && rows == expected
            {
                return Err(Word2vecError::Longer { expected }.into());
            }
            if self.words.len() == most {
                self.cut = true;
                return Ok(());
            }
            rows += 1;
            let (word, fields) = cells(text, self.size).ok_or(match count {
                Some(expected) => Word2vecError::Cut {
                    expected,
                    found: rows,
                },
                None => Word2vecError::Short {
                    line: number,
                    size: self.size,
                },
            })?;
            if word.is_empty() {
                continue;
            }
            let values = fields
                .iter()
                .map(|field| {
                    field.parse().map_err(|_| Word2vecError::Value {
                        word: word.to_owned(),
                        value: (*field).to_owned(),
                    })
                })
                .collect::<Result<Vec<f32>, _>>()?;
            self.push(&mut seen, word, values)?;
        }
        match count {
            Some(expected) if rows < expected => Err(Word2vecError::Cut {
                expected,
                found: rows + 1,
            }
            .into()),
            _ => Ok(()),
        }
    }

    fn parse_binary(
        &mut self,
        mut input: impl BufRead,
        count: usize,
        most: usize,
    ) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        for row in 0..count {
            if self.words.len() == most {
                self.cut = true;
                return Ok(());
            }
            let cut = || Word2vecError::Cut {
                expected: count,
                found: row + 1,
            };
            // The original program ends each vector with a line feed, others do not.
            if input.fill_buf()?.first() == Some(&b'\n') {
                input.consume(1);
            }
            let mut word = Vec::new();
            input.read_until(b' ', &mut word)?;
            if word.pop() != Some(b' ') {
                return Err(cut().into());
            }
            let word = String::from_utf8_lossy(&word);
            let size = self.size.checked_mul(4).ok_or_else(cut)?;
            let mut bytes = Vec::new();
            input.by_ref().take(size as u64).read_to_end(&mut bytes)?;
            if bytes.len() < size {
                return Err(cut().into());
            }
            let values = bytes
                .chunks_exact(4)
                .map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]))
                .collect();
            self.push(&mut seen, &word, values)?;
        }
        let mut rest = Vec::new();
        input.take(2).read_to_end(&mut rest)?;
        match rest.as_slice() {
            [] | [b'\n'] => Ok(()),
            _ => Err(Word2vecError::Longer { expected: count }.into()),
        }
    }

    fn push(
        &mut self,
        seen: &mut HashSet<String>,
        word: &str,
        values: Vec<f32>,
    ) -> Result<(), Word2vecError> {
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(Word2vecError::Value {
                word: word.to_owned(),
                value: value.to_string(),
            });
        }
        let word = word.to_lowercase();
        if seen.insert(word.clone()) {
            self.words.push(word);
            self.values.extend(values);
        }
        Ok(())
    }

    /// How many words there are.
    pub fn count(&self) -> usize {
        self.words.len()
    }
}

/// Why reading ended.
enum Fault {
    Io(io::Error),
    File(Word2vecError),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Word2vecError> for Fault {
    fn from(error: Word2vecError) -> Self {
        Self::File(error)
    }
}

/// The word of a line and its last `size` fields; none where there are fewer.
fn cells(line: &str, size: usize) -> Option<(&str, Vec<&str>)> {
    let mut fields = Vec::with_capacity(size.min(line.len()));
    let mut rest = line.trim_end_matches([' ', '\t']);
    while fields.len() < size {
        let at = rest.rfind([' ', '\t'])?;
        fields.push(&rest[at + 1..]);
        rest = rest[..at].trim_end_matches([' ', '\t']);
    }
    fields.reverse();
    Some((rest, fields))
}

/// Whether a line is a word and `size` numbers.
fn is_text(line: &str, size: usize) -> bool {
    // A size that no line has is not worth the memory.
    size <= line.len()
        && cells(line, size)
            .is_some_and(|(_, fields)| fields.iter().all(|field| field.parse::<f32>().is_ok()))
}

/// How many values the lines of a text have, where it is not `size`: all of them more, or the first already fewer.
fn other_size(lines: &str, size: usize) -> Option<usize> {
    let first = lines.lines().find(|line| !line.trim().is_empty())?;
    // Numbers as bytes.
    if first.contains(|c: char| c == '\u{FFFD}' || (c.is_control() && c != '\t')) {
        return None;
    }
    let fields = first.split([' ', '\t']).filter(|field| !field.is_empty());
    let values = fields.count().saturating_sub(1);
    vector_size(lines).filter(|&found| found > size || (found < size && values < size))
}

/// How many values most of the first lines have behind their word.
fn vector_size(start: &str) -> Option<usize> {
    // The last line may be cut, unless it is the only one.
    let whole = start.rfind('\n').map_or(start, |end| &start[..end]);
    let lines = whole.lines().filter(|line| !line.trim().is_empty());
    let sizes = lines.take(FIRST_LINES).map(|line| {
        let fields: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|field| !field.is_empty())
            .collect();
        let numbers = fields
            .iter()
            .rev()
            .take_while(|field| field.parse::<f32>().is_ok());
        numbers.count().min(fields.len().saturating_sub(1))
    });
    let mut found: HashMap<usize, usize> = HashMap::new();
    for size in sizes {
        *found.entry(size).or_default() += 1;
    }
    // Of two that as many lines have the smaller: a word may end with a number.
    let most = found
        .into_iter()
        .max_by_key(|&(size, lines)| (lines, Reverse(size)));
    most.map(|(size, _)| size).filter(|&size| size > 0)
}

#[cfg(all(test, feature = "flex"))]
mod tests;
