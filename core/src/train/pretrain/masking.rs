//! Which words are hidden, and what stands in their place.

use crate::nn::encoder::EncoderInput;
use crate::splitmix::SplitMix64;
use crate::tweet::sequence::SubwordSequence;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::ops::Range;

/// A sequence some of whose words are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// Its subwords as they are shown, `[P]`.
    pub shown: Vec<u32>,
    /// Places of the hidden subwords, and what they are; at least one, left to right.
    pub hidden: Vec<(usize, u32)>,
}

/// What hides subwords.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    /// The subword that stands for a hidden one.
    pub subword: u32,
    /// Subwords of the vocabulary, for those that are exchanged.
    pub vocab: usize,
    /// Part of the words that is hidden, in 0..1.
    pub part: f64,
}

impl Mask {
    /// Hides whole words of a sequence, at least one: of each eight in ten by the mask, one in ten by subwords drawn at random, one in ten
    /// by itself (Devlin et al., BERT, arXiv 1810.04805, section 3.1; whole words as in its later models).
    ///
    /// # Panics
    /// If the sequence has no word.
    pub fn hide(self, sequence: &SubwordSequence, rng: &mut SplitMix64) -> Masked {
        let words = sequence.first.len();
        let mut chosen: Vec<usize> = (0..words).filter(|_| rng.unit() < self.part).collect();
        if chosen.is_empty() {
            chosen.push(rng.below(words));
        }
        let (mut shown, mut hidden) = (sequence.subwords.clone(), Vec::new());
        for word in chosen {
            let way = rng.unit();
            for at in places(sequence, word) {
                hidden.push((at, shown[at]));
                if way < 0.8 {
                    shown[at] = self.subword;
                } else if way < 0.9 {
                    shown[at] = rng.below(self.vocab) as u32;
                }
            }
        }
        Masked { shown, hidden }
    }
}

/// Where the subwords of a word stand.
fn places(sequence: &SubwordSequence, word: usize) -> Range<usize> {
    let end = sequence.first.get(word + 1).copied();
    // The last subword is the special one.
    sequence.first[word]..end.unwrap_or(sequence.subwords.len() - 1)
}

/// Sequences side by side, and their `K` hidden subwords.
#[derive(Clone, Debug)]
pub struct MaskedBatch {
    /// What the encoder reads.
    pub input: EncoderInput,
    /// Places of the hidden subwords among the `B * P`, `[K]`.
    pub places: Tensor<1, Int>,
    /// What they are, `[K, 1]`.
    pub hidden: Tensor<2, Int>,
}

impl MaskedBatch {
    /// Lays out sequences, padded with `pad`.
    ///
    /// # Panics
    /// If there is none.
    pub fn new(rows: &[Masked], pad: u32, device: &Device) -> Self {
        let longest = rows.iter().map(|row| row.shown.len()).max();
        let longest = longest.expect("a batch has sequences");
        let mut subwords = vec![pad as i32; rows.len() * longest];
        let mut present = vec![0f32; subwords.len()];
        let (mut places, mut hidden) = (Vec::new(), Vec::new());
        for (row, masked) in rows.iter().enumerate() {
            for (at, &id) in masked.shown.iter().enumerate() {
                subwords[row * longest + at] = id as i32;
                present[row * longest + at] = 1.0;
            }
            for &(at, id) in &masked.hidden {
                places.push((row * longest + at) as i32);
                hidden.push(id as i32);
            }
        }
        let shape = [rows.len(), longest];
        let count = places.len();
        Self {
            input: EncoderInput {
                subwords: Tensor::from_data(TensorData::new(subwords, shape), device),
                token_types: None,
                shapes: None,
                present: Tensor::from_data(TensorData::new(present, shape), device),
            },
            places: Tensor::from_data(TensorData::new(places, [count]), device),
            hidden: Tensor::from_data(TensorData::new(hidden, [count, 1]), device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tweet::sequence::sequences;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whole words are hidden, special subwords never, and what is not hidden is shown as it is.
        #[test]
        fn whole_words_are_hidden_and_nothing_else(seed: u64, part in 0.0..1.0_f64) {
            let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
            let words = ["Hello", "from", "Houston", "unheardofplace", "kite"];
            let sequence = sequences(&words, &tokenizer, 64).unwrap().remove(0);
            let mask = Mask { subword: 3, vocab: tokenizer.vocab_size(), part };
            let Masked { shown, hidden } = mask.hide(&sequence, &mut SplitMix64(seed));
            prop_assert!(!hidden.is_empty());
            prop_assert!(hidden.windows(2).all(|two| two[0].0 < two[1].0));
            for &(at, id) in &hidden {
                prop_assert_eq!(sequence.subwords[at], id);
            }
            let is_hidden = |at: usize| hidden.iter().any(|(other, _)| *other == at);
            for (at, (shown, own)) in shown.iter().zip(&sequence.subwords).enumerate() {
                prop_assert!(is_hidden(at) || shown == own);
            }
            prop_assert!(!is_hidden(0) && !is_hidden(shown.len() - 1));
            for word in 0..words.len() {
                let count = places(&sequence, word).filter(|at| is_hidden(*at)).count();
                prop_assert!(count == 0 || count == places(&sequence, word).len());
            }
        }
    }

    #[test]
    fn eight_in_ten_are_masked_and_one_in_ten_stays() {
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let sequence = sequences(&["Houston"; 20], &tokenizer, 64)
            .unwrap()
            .remove(0);
        let mask = Mask {
            subword: 3,
            vocab: tokenizer.vocab_size(),
            part: 0.5,
        };
        let mut rng = SplitMix64(1);
        let (mut all, mut masked, mut same) = (0.0, 0.0, 0.0);
        for _ in 0..200 {
            let Masked { shown, hidden } = mask.hide(&sequence, &mut rng);
            for (at, id) in hidden {
                all += 1.0;
                masked += f64::from(u8::from(shown[at] == 3));
                same += f64::from(u8::from(shown[at] == id));
            }
        }
        let words = 200.0 * sequence.first.len() as f64;
        let pieces = (sequence.subwords.len() - 2) as f64 / sequence.first.len() as f64;
        assert!((all / pieces / words - 0.5).abs() < 0.05);
        assert!((masked / all - 0.8).abs() < 0.05, "{masked} of {all}");
        assert!((same / all - 0.1).abs() < 0.05, "{same} of {all}");
    }
}
