//! Semantic augmentation: for each word a vector made of the words most similar to it.
//!
//! A known word has `a(w) = sum_k softmax(cosine)_k v_k` over its most similar words in a word2vec
//! model of tweets (Zhu et al., MGCMT, arXiv 2210.14163), computed once where the system is trained
//! and kept here in 8 bits. An unknown word has a vector that looks random and is the same
//! everywhere: U(-sqrt(3/V), sqrt(3/V)) from SplitMix64, seeded by FNV-1a of the word in lower case
//! and composed (NFC).

use crate::splitmix::SplitMix64;
use std::collections::HashMap;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Augmentation vectors of known words, in 8 bits with one scale a word; look-up ignores case and
/// whether accents are composed (NFC) or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Augmentation {
    /// Values of a vector, `V`.
    size: usize,
    /// Row of each lower-cased word.
    rows: HashMap<String, usize>,
    /// What a row's 1 stands for, `[W]`.
    scales: Vec<f32>,
    /// `[W * V]`.
    values: Vec<i8>,
}

/// Why bytes are no augmentation table.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AugmentationError {
    /// The bytes do not begin as a table of this version.
    #[error("this is no augmentation table of this version; make it again with this program")]
    NotATable,
    /// The table is cut or changed.
    #[error("the augmentation table is damaged ({detail}); fetch or make it again")]
    Damaged {
        /// What is wrong.
        detail: String,
    },
}

/// MAGIC, words W and values V (u32), W times length (u16) and UTF-8 of a word, W scales (f32),
/// W * V values (i8); little-endian.
const MAGIC: &[u8] = b"mner augmentation 1\n";

impl Augmentation {
    /// A table of the given words and their vectors, `size` values each, rounded to 8 bits. Words
    /// are lower-cased and composed; of words that are then alike the first stays.
    ///
    /// # Panics
    /// If a vector has another length, or `size` is 0.
    pub fn new<'a>(size: usize, vectors: impl IntoIterator<Item = (&'a str, Vec<f32>)>) -> Self {
        assert!(size > 0, "augmentation vectors have values");
        let mut table = Self {
            size,
            rows: HashMap::new(),
            scales: Vec::new(),
            values: Vec::new(),
        };
        for (word, vector) in vectors {
            assert_eq!(vector.len(), size, "the vector of {word:?}");
            let word = key(word);
            // A word whose length does not fit its field is no word of a tweet.
            if word.len() > usize::from(u16::MAX) || table.rows.contains_key(&word) {
                continue;
            }
            let most = vector.iter().fold(0f32, |most, v| most.max(v.abs()));
            let scale = most / 127.0;
            table.rows.insert(word, table.scales.len());
            table.scales.push(scale);
            table.values.extend(vector.iter().map(|v| match scale {
                0.0 => 0,
                scale => (v / scale).round() as i8,
            }));
        }
        table
    }

    /// Values of a vector, `V`.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many words are known.
    pub fn words(&self) -> usize {
        self.scales.len()
    }

    /// Whether the word is in the table.
    pub fn knows(&self, word: &str) -> bool {
        self.row(&key(word)).is_some()
    }

    /// The vector of any word, `[V]`.
    pub fn vector(&self, word: &str) -> Vec<f32> {
        let word = key(word);
        match self.row(&word) {
            Some(row) => self.values[row * self.size..(row + 1) * self.size]
                .iter()
                .map(|&v| f32::from(v) * self.scales[row])
                .collect(),
            None => unknown(&word, self.size),
        }
    }

    /// The row of a word as [`key`] gives it. A table may have been written with its accents apart.
    fn row(&self, key: &str) -> Option<usize> {
        let row = self.rows.get(key).copied();
        if row.is_some() || key.is_ascii() {
            return row;
        }
        self.rows.get(&key.nfd().collect::<String>()).copied()
    }

    /// The bytes that [`Augmentation::from_bytes`] reads; the same table gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut words: Vec<(&str, usize)> = self
            .rows
            .iter()
            .map(|(w, &row)| (w.as_str(), row))
            .collect();
        words.sort_by_key(|&(_, row)| row);
        let mut bytes = MAGIC.to_vec();
        bytes.extend((words.len() as u32).to_le_bytes());
        bytes.extend((self.size as u32).to_le_bytes());
        for (word, _) in words {
            bytes.extend((word.len() as u16).to_le_bytes());
            bytes.extend(word.as_bytes());
        }
        bytes.extend(self.scales.iter().flat_map(|s| s.to_le_bytes()));
        bytes.extend(self.values.iter().flat_map(|v| v.to_le_bytes()));
        bytes
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`AugmentationError`], whatever the bytes are.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AugmentationError> {
        let damaged = |detail: &str| AugmentationError::Damaged {
            detail: detail.to_owned(),
        };
        let mut rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(AugmentationError::NotATable)?;
        let mut number = |what: &str| {
            let (value, after) = rest
                .split_first_chunk::<4>()
                .ok_or_else(|| damaged(&format!("the number of {what} is cut")))?;
            rest = after;
            Ok(u32::from_le_bytes(*value) as usize)
        };
        let (count, size) = (number("words")?, number("values")?);
        if size == 0 {
            return Err(damaged("its vectors have no values"));
        }
        let mut rows = HashMap::new();
        for row in 0..count {
            let cut = || damaged(&format!("word {row} is cut"));
            let (length, after) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            let (word, after) = after
                .split_at_checked(usize::from(u16::from_le_bytes(*length)))
                .ok_or_else(cut)?;
            rest = after;
            let word = std::str::from_utf8(word)
                .map_err(|_| damaged(&format!("word {row} is no UTF-8")))?;
            if rows.insert(word.to_owned(), row).is_some() {
                return Err(damaged(&format!("the word {word:?} occurs twice")));
            }
        }
        let expected = size.checked_add(4).and_then(|n| n.checked_mul(count));
        if expected != Some(rest.len()) {
            return Err(damaged("it has not as many values as its head says"));
        }
        let (scales, values) = rest.split_at(4 * count);
        let scales: Vec<f32> = scales
            .chunks_exact(4)
            .map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]))
            .collect();
        // The largest step is -128, and a scale times that must still be a number.
        if !scales.iter().all(|s| (s * 128.0).is_finite() && *s >= 0.0) {
            return Err(damaged("a scale is no positive number, or too large a one"));
        }
        Ok(Self {
            size,
            rows,
            scales,
            values: values.iter().map(|&b| b as i8).collect(),
        })
    }
}

/// What a word is known by: in lower case, composed.
fn key(word: &str) -> String {
    let lower = word.to_lowercase();
    if lower.is_ascii() {
        return lower;
    }
    lower.nfc().collect()
}

/// The vector of a lower-cased word that no table knows, `[size]`: the top 24 bits of SplitMix64,
/// seeded by FNV-1a (64 bits) of the word's UTF-8, as a number of -sqrt(3/size)..sqrt(3/size).
fn unknown(word: &str, size: usize) -> Vec<f32> {
    let seed = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut numbers = SplitMix64(seed);
    let bound = (3.0 / size as f64).sqrt();
    (0..size)
        .map(|_| {
            let part = (numbers.next_u64() >> 40) as f64 / f64::from(1 << 24);
            ((2.0 * part - 1.0) * bound) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> Augmentation {
        let vectors = [
            ("Kite", vec![1.0, -0.5, 0.25]),
            ("naïve", vec![0.0, 0.0, 0.0]),
            ("kite", vec![9.0, 9.0, 9.0]),
        ];
        Augmentation::new(3, vectors)
    }

    #[test]
    fn unknown_words_have_the_documented_vector() {
        let empty = Augmentation::new(200, []);
        let vector = empty.vector("Tweet");
        for (got, expected) in vector.iter().zip([0.080742, 0.096407, -0.098484]) {
            assert!((got - expected).abs() < 1e-6, "{got} against {expected}");
        }
        assert_eq!(vector, empty.vector("tweet"));
        let bound = (3.0f32 / 200.0).sqrt();
        assert!(vector.iter().all(|v| v.abs() <= bound));
    }

    #[test]
    fn known_words_come_back_within_half_a_step() {
        let table = table();
        assert_eq!(table.words(), 2);
        assert!(table.knows("KITE") && !table.knows("hawk"));
        for (got, expected) in table.vector("kItE").iter().zip([1.0f32, -0.5, 0.25]) {
            assert!((got - expected).abs() <= 0.5 / 127.0 + 1e-6);
        }
        assert_eq!(table.vector("naïve"), [0.0; 3]);
    }

    #[test]
    fn accents_composed_and_apart_are_the_same_word() {
        let (composed, apart) = ("na\u{EF}ve", "nai\u{308}ve");
        let vectors = |word| Augmentation::new(3, [(word, vec![0.5, 0.25, 1.0])]);
        for word in [composed, apart] {
            let table = vectors(word);
            assert!(table.knows(composed) && table.knows(apart) && table.knows("NAI\u{308}VE"));
            assert_eq!(table.vector(composed), table.vector(apart));
        }
        let empty = Augmentation::new(3, []);
        assert_eq!(empty.vector(composed), empty.vector(apart));
        // A table of an older program.
        let mut bytes = MAGIC.to_vec();
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend((apart.len() as u16).to_le_bytes());
        bytes.extend(apart.as_bytes());
        bytes.extend(1f32.to_le_bytes());
        bytes.push(2);
        let table = Augmentation::from_bytes(&bytes).unwrap();
        assert_eq!(table.vector(composed), [2.0]);
        assert_eq!(table.to_bytes(), bytes);
    }

    #[test]
    fn the_way_to_bytes_and_back_changes_nothing() {
        let table = table();
        let bytes = table.to_bytes();
        assert_eq!(Augmentation::from_bytes(&bytes), Ok(table));
    }

    #[test]
    fn what_is_no_whole_table_is_refused() {
        let bytes = table().to_bytes();
        for length in 0..bytes.len() {
            assert!(Augmentation::from_bytes(&bytes[..length]).is_err());
        }
        assert!(Augmentation::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        let mut twice = bytes.clone();
        let second = MAGIC.len() + 8 + 2 + "kite".len() + 2;
        twice[second..second + 4].copy_from_slice(b"kite");
        twice[second - 2..second].copy_from_slice(&4u16.to_le_bytes());
        twice.splice(second + 4..second + 6, []);
        let error = Augmentation::from_bytes(&twice).unwrap_err().to_string();
        assert!(error.contains("\"kite\" occurs twice"), "{error}");
    }

    proptest! {
        #[test]
        fn changed_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = table().to_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(table) = Augmentation::from_bytes(&bytes) {
                prop_assert!(table.vector("kite").iter().all(|v| v.is_finite()));
            }
        }
    }
}
