//! word2vec files, and the augmentation table made of one.

use crate::tweet::augmentation::Augmentation;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Similar words that make up a word's augmentation vector.
const NEIGHBOURS: usize = 4;

/// Words whose neighbours are looked for at once.
const CHUNK: usize = 256;

/// Most words that are read: such files begin with the most frequent ones, and the time for neighbours grows with the square.
const MOST: usize = 100_000;

/// Lines from which the number of values is found where no first line tells it.
const FIRST_LINES: usize = 64;

/// Time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);

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
    /// The first line is neither two numbers nor a word and its values.
    #[error(
        "a word2vec file begins with the number of words and of values a word, or with a word and its values, but this one with {found:?}"
    )]
    Header {
        /// The first line, or its beginning.
        found: String,
    },
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
    #[error("the vector of {word:?} holds {value:?}, which is no finite number")]
    Value {
        /// The word.
        word: String,
        /// The value.
        value: String,
    },
    /// There are too few words for neighbours.
    #[error("the word2vec file has {0} different words; similar ones need {need} at least", need = NEIGHBOURS + 1)]
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
            Fault::File(error) => error,
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
        let start = String::from_utf8_lossy(input.fill_buf()?).into_owned();
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

    /// The augmentation table of all words: of each the 4 most similar other words by cosine, the
    /// first of equals, weighted by the softmax of their cosines. Computed on `device`.
    ///
    /// # Errors
    /// [`Word2vecError::Few`].
    pub fn augmentation(&self, device: &Device) -> Result<Augmentation, Word2vecError> {
        let (count, size) = (self.words.len(), self.size);
        if count <= NEIGHBOURS {
            return Err(Word2vecError::Few(count));
        }
        let row = |i: usize| &self.values[i * size..(i + 1) * size];
        let units: Vec<f32> = (0..count)
            .flat_map(|i| {
                let square: f64 = row(i).iter().map(|&v| f64::from(v).powi(2)).sum();
                let length = square.sqrt().max(1e-12);
                row(i).iter().map(move |&v| (f64::from(v) / length) as f32)
            })
            .collect();
        let units: Tensor<2> = Tensor::from_data(TensorData::new(units, [count, size]), device);
        let columns = units.clone().transpose();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let augmented = |cosines: &[f32], itself: usize| -> Vec<f32> {
            let best = most_similar(cosines, itself);
            let weights: Vec<f64> = best.iter().map(|b| f64::from(b.0).exp()).collect();
            let sum: f64 = weights.iter().sum();
            let mut vector = vec![0f64; size];
            for ((_, neighbour), weight) in best.iter().zip(weights) {
                for (out, &value) in vector.iter_mut().zip(row(*neighbour)) {
                    *out += weight / sum * f64::from(value);
                }
            }
            vector.into_iter().map(|v| v as f32).collect()
        };
        let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(count);
        let (started, mut last) = (Instant::now(), Instant::now());
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            let cosines = units.clone().narrow(0, start, rows).matmul(columns.clone());
            let cosines: Vec<f32> = cosines.into_data().iter().collect();
            let share = rows.div_ceil(threads);
            let augmented = &augmented;
            thread::scope(|scope| {
                let parts: Vec<_> = cosines
                    .chunks(share * count)
                    .enumerate()
                    .map(|(part, cosines)| {
                        let first = start + part * share;
                        scope.spawn(move || -> Vec<Vec<f32>> {
                            let rows = cosines.chunks_exact(count).enumerate();
                            rows.map(|(i, cosines)| augmented(cosines, first + i))
                                .collect()
                        })
                    })
                    .collect();
                for part in parts {
                    vectors.extend(
                        part.join()
                            .expect("the search for neighbours does not panic"),
                    );
                }
            });
            if last.elapsed() >= INTERVAL {
                last = Instant::now();
                let pace = vectors.len() as f64 / started.elapsed().as_secs_f64();
                eprintln!(
                    "similar words {}/{count}  {pace:.0} a second",
                    vectors.len()
                );
            }
        }
        let words = self.words.iter().map(String::as_str);
        Ok(Augmentation::new(size, words.zip(vectors)))
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

/// How many values each of the first lines has behind its word.
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
    sizes.min().filter(|&size| size > 0)
}

/// The largest cosines and their places, the word itself left out.
fn most_similar(cosines: &[f32], itself: usize) -> [(f32, usize); NEIGHBOURS] {
    let mut best = [(f32::NEG_INFINITY, 0); NEIGHBOURS];
    for (i, &cosine) in cosines.iter().enumerate() {
        if cosine > best[NEIGHBOURS - 1].0 && i != itself {
            let place = best.iter().take_while(|b| b.0 >= cosine).count();
            best[place..].rotate_right(1);
            best[place] = (cosine, i);
        }
    }
    best
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::formula;

    const REFERENCE: &str = include_str!("../../../tests/reference/augmentation.json");

    #[derive(serde::Deserialize)]
    struct Reference {
        words: Vec<String>,
        vectors: Vec<Vec<f32>>,
        neighbours: Vec<[usize; NEIGHBOURS]>,
        augmentation: Vec<Vec<f32>>,
    }

    fn reference() -> Reference {
        serde_json::from_str(REFERENCE).unwrap()
    }

    fn head(r: &Reference) -> Vec<u8> {
        format!("{} {}\n", r.words.len(), r.vectors[0].len()).into_bytes()
    }

    fn binary(r: &Reference, after: &[u8]) -> Vec<u8> {
        let mut bytes = head(r);
        for (word, vector) in r.words.iter().zip(&r.vectors) {
            bytes.extend(word.as_bytes());
            bytes.push(b' ');
            bytes.extend(vector.iter().flat_map(|v| v.to_le_bytes()));
            bytes.extend(after);
        }
        bytes
    }

    fn text(r: &Reference) -> Vec<u8> {
        let mut bytes = head(r);
        for (word, vector) in r.words.iter().zip(&r.vectors) {
            let values: Vec<String> = vector.iter().map(f32::to_string).collect();
            bytes.extend(format!("{word} {}\n", values.join(" ")).into_bytes());
        }
        bytes
    }

    #[test]
    fn binary_and_text_are_the_same_model() {
        let r = reference();
        let vectors = WordVectors::parse(&text(&r)).unwrap();
        assert_eq!(vectors.words, r.words);
        assert_eq!(vectors.values, r.vectors.concat());
        assert_eq!(WordVectors::parse(&binary(&r, b"")).unwrap(), vectors);
        assert_eq!(WordVectors::parse(&binary(&r, b"\n")).unwrap(), vectors);
    }

    #[test]
    fn neighbours_and_their_mean_are_those_of_numpy() {
        let r = reference();
        let vectors = WordVectors::parse(&binary(&r, b"")).unwrap();
        let table = vectors.augmentation(&Device::flex()).unwrap();
        for ((word, expected), neighbours) in r.words.iter().zip(&r.augmentation).zip(r.neighbours)
        {
            let most = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
            for (got, expected) in table.vector(word).iter().zip(expected) {
                let error = (got - expected).abs();
                assert!(
                    error <= most / 127.0 * 0.51,
                    "{word} {neighbours:?}: {error}"
                );
            }
        }
    }

    #[test]
    fn other_ways_of_writing_vectors_are_read() {
        let expected = (
            vec!["kite".to_owned(), "a b".to_owned(), "hawk".to_owned()],
            vec![1.0, -2.5, 3e-2, 4.0, 5.0, 6.0],
        );
        for text in [
            "3 2\nKite 1 -2.5\na b 3e-2 4\nhawk 5 6\n",
            "Kite 1 -2.5\na b 3e-2 4\nhawk 5 6\n",
            "Kite 1 -2.5\na b 3e-2 4\nhawk 5 6",
            "3\t2\r\nKite\t1\t-2.5\r\na b\t3e-2\t4\r\nhawk\t5\t6\r\n",
            "Kite\t1\t-2.5\na b\t3e-2\t4\nhawk\t5\t6\n",
            "\u{feff}Kite 1 -2.5 \na b 3e-2 4 \n\nhawk  5 6 \n",
        ] {
            let vectors =
                WordVectors::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            assert_eq!((vectors.words, vectors.values), expected, "{text:?}");
        }
        // A word that is a number, and one that ends in one.
        let vectors = WordVectors::parse(b"the 1 2\n2016 3 4\nrio 2016 5 6\n").unwrap();
        assert_eq!(vectors.words, ["the", "2016", "rio 2016"]);
        let error = WordVectors::parse(b"the 1 2 3\nof 1 2 3\nx y z w\n").unwrap_err();
        assert!(error.to_string().contains("begins with"), "{error}");
        let text = "w 1 2\n".repeat(FIRST_LINES) + "x 1\n";
        let error = WordVectors::parse(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, Word2vecError::Short { line: 65, size: 2 }),
            "{error}"
        );
    }

    #[test]
    fn the_most_frequent_words_of_many_are_read() {
        for bytes in [&b"4 1\na 1\nb 2\nc 3\nd 4\n"[..], b"a 1\nb 2\nc 3\nd 4\n"] {
            let vectors = WordVectors::parse_from(bytes, 2).ok().unwrap();
            assert_eq!(vectors.words, ["a", "b"]);
            assert_eq!(
                vectors.to_string(),
                "the first 2 words with vectors of 1 values: 0.0 MB of the bundle"
            );
        }
        let all = WordVectors::parse_from(&b"a 1\nb 2\n"[..], 2).ok().unwrap();
        assert!(!all.cut);
    }

    #[test]
    fn words_alike_but_for_case_are_one_and_the_first_counts() {
        let vectors = WordVectors::parse(b"3 2\nKite 1 2\nkite 3 4\nhawk 5 6\n").unwrap();
        assert_eq!(vectors.words, ["kite", "hawk"]);
        assert_eq!(vectors.values, [1.0, 2.0, 5.0, 6.0]);
        let error = vectors.augmentation(&Device::flex()).unwrap_err();
        assert!(matches!(error, Word2vecError::Few(2)), "{error}");
    }

    #[test]
    fn of_equals_the_first_are_taken() {
        let best = most_similar(&[0.5, 0.5, 1.0, 0.5, 0.5, 0.5, 0.6], 2);
        assert_eq!(best, [(0.6, 6), (0.5, 0), (0.5, 1), (0.5, 3)]);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |bytes: &[u8]| WordVectors::parse(bytes).unwrap_err().to_string();
        assert!(error(b"").contains("begins with"));
        assert!(error(b"hello world\n").contains("\"hello world\""));
        assert!(error(b"2 0\n").contains("begins with"));
        assert!(error(b"2 2\na 1 2\n").contains("ends in word 2"));
        assert!(error(b"2 2\na 1 2\nb 1\n").contains("ends in word 2"));
        assert!(error(b"1 2\na 1 2\nb 1 2\n").contains("has more"));
        assert!(error(b"2 2\na 1 2\nb 1 x\n").contains("\"b\" holds \"x\""));
        assert!(error(b"1 2\na 1 inf\n").contains("no finite number"));
        let whole = binary(&reference(), b"");
        assert!(error(&whole[..whole.len() - 1]).contains("ends in word 12"));
        assert!(error(&[&whole[..], b"x"].concat()).contains("has more"));
        assert!(error(b"9 18446744073709551615\na bcd").contains("ends in word 1"));
    }

    #[test]
    fn the_tweets_model_reads() {
        let Some(bytes) = formula::shared("weights/tweet_word2vec_200d.bin") else {
            return;
        };
        let vectors = WordVectors::parse(&bytes).unwrap();
        assert_eq!((vectors.count(), vectors.size), (20_000, 200));
        // The most frequent words alone: all of them take seconds.
        let some = WordVectors {
            words: vectors.words[..500].to_vec(),
            size: 200,
            values: vectors.values[..500 * 200].to_vec(),
            cut: false,
        };
        let table = some.augmentation(&Device::flex()).unwrap();
        assert!(table.knows("@User") && !table.knows("zyzzyva"));
    }
}
