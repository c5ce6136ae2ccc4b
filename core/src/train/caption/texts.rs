//! The captions that are learnt from, in the subwords that the captioner will say.

use crate::caption::vocabulary::{BOUNDARY, CaptionVocabulary};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::tweet::words::{Sigils, split_words};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A caption to learn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The sentence, cleaned.
    pub text: String,
    /// Places in the vocabulary, without boundaries.
    pub subwords: Vec<usize>,
}

/// Captions cleaned, each once, in the order in which they come: lower case, without what ends a sentence. Left out are those with a
/// word that comes fewer than `least` times in all of them.
pub fn clean<'a>(captions: impl Iterator<Item = &'a str>, least: usize) -> Vec<String> {
    let mut known = HashSet::new();
    let all: Vec<String> = captions
        .map(cleaned)
        .filter(|text| !text.is_empty() && known.insert(text.clone()))
        .collect();
    let words = |text: &str| -> Vec<String> {
        let found = split_words(text, Sigils::Apart);
        found.iter().map(|word| word.of(text).to_owned()).collect()
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    for text in &all {
        for word in words(text) {
            *counts.entry(word).or_default() += 1;
        }
    }
    all.into_iter()
        .filter(|text| words(text).iter().all(|word| counts[word] >= least))
        .collect()
}

fn cleaned(caption: &str) -> String {
    let lower = caption.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let text = words.join(" ");
    text.trim_matches(|c: char| matches!(c, '.' | '!' | '"' | ' '))
        .to_owned()
}

/// The vocabulary of some captions and the captions in it; those longer than `most` subwords, or with a sign that the tokenizer does not
/// know, are left out.
///
/// # Errors
/// If the tokenizer fails on a word.
pub fn spelled(
    captions: Vec<String>,
    tokenizer: &SubwordTokenizer,
    most: usize,
) -> Result<(CaptionVocabulary, Vec<Text>), TokenizerError> {
    let special = tokenizer.special();
    let mut all = Vec::new();
    for text in captions {
        let words = split_words(&text, Sigils::Apart);
        let words: Vec<&str> = words.iter().map(|word| word.of(&text)).collect();
        let ids = tokenizer.encode(&words)?.concat();
        if ids.len() <= most && !ids.contains(&special.unknown) {
            all.push((text, ids));
        }
    }
    // Ordered by id, so that equal captions give equal files.
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    for (_, ids) in &all {
        places.extend(ids.iter().map(|&id| (id, 0)));
    }
    let mut subwords = vec![String::new()];
    for (&id, place) in &mut places {
        *place = subwords.len();
        subwords.push(tokenizer.subword(id).unwrap_or_default());
    }
    debug_assert_eq!(subwords[BOUNDARY], "");
    let texts = all.into_iter().map(|(text, ids)| Text {
        text,
        subwords: ids.iter().map(|id| places[id]).collect(),
    });
    let texts = texts.collect();
    Ok((CaptionVocabulary(subwords), texts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tweet::tiny;

    #[test]
    fn captions_are_cleaned_once_and_rare_words_leave() {
        let captions = [
            "A dog  runs .",
            "a dog runs",
            "A man runs.",
            "",
            "a dog and kawhi leonard",
            "A dog and a man",
        ];
        let all = clean(captions.into_iter(), 1);
        assert_eq!(
            all,
            [
                "a dog runs",
                "a man runs",
                "a dog and kawhi leonard",
                "a dog and a man"
            ]
        );
        let common = clean(captions.into_iter(), 2);
        assert_eq!(common, ["a dog runs", "a man runs", "a dog and a man"]);
    }

    #[test]
    fn spelled_captions_say_themselves() {
        let tokenizer = tiny::tokenizer().unwrap();
        let captions: Vec<String> = ["obama in paris", "in obama"].map(str::to_owned).to_vec();
        let (vocabulary, texts) = spelled(captions.clone(), &tokenizer, 40).unwrap();
        assert!(!texts.is_empty());
        for text in &texts {
            assert!(captions.contains(&text.text));
            assert!(text.subwords.iter().all(|&at| at > BOUNDARY));
            assert_eq!(vocabulary.sentence(&text.subwords), text.text);
        }
        let (_, short) = spelled(captions, &tokenizer, 0).unwrap();
        assert!(short.is_empty());
    }
}
