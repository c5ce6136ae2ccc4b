//! word2vec files, and the augmentation table made of one.

use crate::tweet::augmentation::Augmentation;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Similar words that make up a word's augmentation vector.
const NEIGHBOURS: usize = 4;

/// Words whose neighbours are looked for at once.
const CHUNK: usize = 256;

/// Words and their vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct WordVectors {
    /// Lower-cased, each once.
    words: Vec<String>,
    /// Values of a vector.
    size: usize,
    /// `[W * V]`.
    values: Vec<f32>,
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
    /// The first line is not two numbers.
    #[error(
        "a word2vec file begins with the number of words and of values a word, but this one with {found:?}"
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
    /// Reads a word2vec file, binary or text, whichever it is.
    ///
    /// # Errors
    /// [`Word2vecError`].
    pub fn read(path: &Path) -> Result<Self, Word2vecError> {
        let bytes = std::fs::read(path).map_err(|source| Word2vecError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&bytes)
    }

    /// Reads the content of a word2vec file: a line with the number of words and of values, then
    /// each word with its values, as text or as a blank and little-endian f32.
    ///
    /// Words are lower-cased; of words that are then alike the first stays, which is the most
    /// frequent one. Bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// [`Word2vecError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Word2vecError> {
        let end = bytes
            .iter()
            .position(|&b| b == b'\n')
            .unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]);
        let numbers: Option<Vec<usize>> = head
            .split_whitespace()
            .map(|field| field.parse().ok())
            .collect();
        let (count, size) = match numbers.as_deref() {
            Some(&[count, size]) if size > 0 => (count, size),
            _ => {
                return Err(Word2vecError::Header {
                    found: head.chars().take(40).collect(),
                });
            }
        };
        let mut vectors = Self {
            words: Vec::new(),
            size,
            values: Vec::new(),
        };
        let body = bytes.get(end + 1..).unwrap_or_default();
        match std::str::from_utf8(body) {
            Ok(text) if is_text(text, size) => vectors.parse_text(text, count)?,
            _ => vectors.parse_binary(body, count)?,
        }
        Ok(vectors)
    }

    fn parse_text(&mut self, text: &str, count: usize) -> Result<(), Word2vecError> {
        let mut seen = HashSet::new();
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        for row in 0..count {
            let cut = Word2vecError::Cut {
                expected: count,
                found: row + 1,
            };
            let Some(line) = lines.next() else {
                return Err(cut);
            };
            let mut fields = line.trim_end().split(' ');
            let word = fields.next().unwrap_or_default();
            let values: Vec<f32> = fields
                .map(|field| {
                    field.parse().map_err(|_| Word2vecError::Value {
                        word: word.to_owned(),
                        value: field.to_owned(),
                    })
                })
                .collect::<Result<_, _>>()?;
            if values.len() != self.size {
                return Err(cut);
            }
            self.push(&mut seen, word, values)?;
        }
        match lines.next() {
            Some(_) => Err(Word2vecError::Longer { expected: count }),
            None => Ok(()),
        }
    }

    fn parse_binary(&mut self, mut rest: &[u8], count: usize) -> Result<(), Word2vecError> {
        let mut seen = HashSet::new();
        for row in 0..count {
            let cut = || Word2vecError::Cut {
                expected: count,
                found: row + 1,
            };
            // The original program ends each vector with a line feed, others do not.
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            let blank = rest.iter().position(|&b| b == b' ').ok_or_else(cut)?;
            let word = String::from_utf8_lossy(&rest[..blank]);
            let bytes = self.size.checked_mul(4).ok_or_else(cut)?;
            let (values, after) = rest[blank + 1..].split_at_checked(bytes).ok_or_else(cut)?;
            rest = after;
            let values = values
                .chunks_exact(4)
                .map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]))
                .collect();
            self.push(&mut seen, &word, values)?;
        }
        match rest {
            [] | [b'\n'] => Ok(()),
            _ => Err(Word2vecError::Longer { expected: count }),
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
        let mut vectors = Vec::with_capacity(count);
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            let cosines = units.clone().narrow(0, start, rows).matmul(columns.clone());
            let cosines: Vec<f32> = cosines.into_data().iter().collect();
            for (i, cosines) in cosines.chunks_exact(count).enumerate() {
                let best = most_similar(cosines, start + i);
                let weights: Vec<f64> = best.iter().map(|b| f64::from(b.0).exp()).collect();
                let sum: f64 = weights.iter().sum();
                let mut vector = vec![0f64; size];
                for ((_, neighbour), weight) in best.iter().zip(weights) {
                    for (out, &value) in vector.iter_mut().zip(row(*neighbour)) {
                        *out += weight / sum * f64::from(value);
                    }
                }
                vectors.push(vector.into_iter().map(|v| v as f32).collect());
            }
        }
        let words = self.words.iter().map(String::as_str);
        Ok(Augmentation::new(size, words.zip(vectors)))
    }
}

/// Whether the first line after the head reads as a word and `size` numbers.
fn is_text(body: &str, size: usize) -> bool {
    let Some(line) = body.lines().find(|line| !line.trim().is_empty()) else {
        return true;
    };
    let mut fields = line.trim_end().split(' ').skip(1);
    let numbers = fields.by_ref().take(size);
    numbers.filter(|f| f.parse::<f32>().is_ok()).count() == size && fields.next().is_none()
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
        };
        let table = some.augmentation(&Device::flex()).unwrap();
        assert!(table.knows("@User") && !table.knows("zyzzyva"));
    }
}
