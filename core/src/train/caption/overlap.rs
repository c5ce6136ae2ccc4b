//! Whether a caption names what people name of the same image: a plain overlap of words.

use crate::tweet::words::{Sigils, split_words};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Words that name nothing.
const FUNCTION_WORDS: &[&str] = &[
    "a", "about", "after", "an", "and", "are", "as", "at", "be", "behind", "being", "beside",
    "between", "by", "down", "each", "for", "from", "front", "has", "have", "her", "his", "in",
    "into", "is", "it", "its", "large", "looking", "next", "of", "off", "on", "one", "onto",
    "other", "out", "over", "several", "small", "some", "that", "the", "their", "them", "they",
    "three", "through", "to", "two", "under", "up", "very", "wearing", "while", "with", "young",
];

/// How much captions share with what people said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Overlap {
    /// Images.
    pub images: usize,
    /// Images whose caption has the word that most of the people used.
    pub named: usize,
    /// Words of captions that name something.
    pub words: usize,
    /// Those that any of the people used.
    pub shared: usize,
}

impl Overlap {
    /// Adds a caption of an image of which people said `references`.
    pub fn add(&mut self, caption: &str, references: &[&str]) {
        let said = content(caption);
        let references: Vec<HashSet<String>> =
            references.iter().map(|text| content(text)).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in references.iter().flatten() {
            *counts.entry(word).or_default() += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        self.images += 1;
        self.named += usize::from(
            said.iter()
                .any(|word| counts.get(word.as_str()) == Some(&most)),
        );
        self.words += said.len();
        self.shared += said
            .iter()
            .filter(|word| counts.contains_key(word.as_str()))
            .count();
    }

    /// Part of the images whose caption has the word, or one of the words, that most of the people used.
    pub fn named(&self) -> f64 {
        self.named as f64 / self.images.max(1) as f64
    }

    /// Part of the captions' words that any of the people used.
    pub fn shared(&self) -> f64 {
        self.shared as f64 / self.words.max(1) as f64
    }
}

/// The words of a caption that name something, in lower case, each once.
fn content(text: &str) -> HashSet<String> {
    let text = text.to_lowercase();
    let words = split_words(&text, Sigils::Apart);
    let words = words.iter().map(|word| word.of(&text));
    words
        .filter(|word| word.chars().all(char::is_alphabetic) && !FUNCTION_WORDS.contains(word))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [&str; 3] = [
        "A dog runs on grass .",
        "A brown dog",
        "Two dogs on the grass",
    ];

    #[test]
    fn the_word_that_most_use_is_named_or_not() {
        let mut overlap = Overlap::default();
        overlap.add("a black dog is in the snow", &PEOPLE);
        assert_eq!(overlap.named(), 1.0);
        assert_eq!((overlap.words, overlap.shared), (3, 1));
        overlap.add("a brown cat", &PEOPLE);
        assert_eq!(overlap.named(), 0.5);
        assert_eq!(overlap.shared(), 0.4);
        // "dog" and "grass" are said twice each: either will do.
        overlap.add("grass", &PEOPLE);
        assert_eq!((overlap.images, overlap.named), (3, 2));
    }

    #[test]
    fn nothing_shares_nothing() {
        let mut overlap = Overlap::default();
        overlap.add("", &PEOPLE);
        overlap.add("a dog", &[]);
        assert_eq!((overlap.named(), overlap.shared()), (0.0, 0.0));
        assert_eq!(Overlap::default().named(), 0.0);
    }
}
