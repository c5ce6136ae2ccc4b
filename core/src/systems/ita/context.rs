//! The words about an image that follow the tweet into the encoder.

use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::image_text::ImageText;
use crate::tweet::sequence::SubwordSequence;
use crate::tweet::shape::WordShape;
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::tweet::words::{Sigils, read_words, split_words};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashSet;

/// What of an image's text becomes context. 0 leaves a kind out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextBuilder {
    /// Most captions.
    pub captions: usize,
    /// Most object tags, the surest first.
    pub tags: usize,
    /// Most words of text in the image.
    pub ocr: usize,
    /// The longest sequence in subwords that context may fill, special tokens included.
    #[serde(rename = "max_pieces")]
    pub max_subwords: usize,
}

impl Default for ContextBuilder {
    /// 5 captions, 20 tags, 50 words, 512 subwords.
    fn default() -> Self {
        Self {
            captions: 5,
            tags: 20,
            ocr: 50,
            max_subwords: 512,
        }
    }
}

/// The context of an image: the words of captions, tags and text in the image, in this order.
/// What is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context([Vec<String>; 3]);

impl ContextBuilder {
    /// The context of an image from all that is known of it.
    ///
    /// Captions are joined by `.`, tags by `,`, each a word of its own; an object's attributes
    /// stand before its name. What differs only in case and spaces is said once.
    pub fn build(&self, known: &ImageText) -> Context {
        let captions = known
            .captions
            .iter()
            .map(|caption| caption.trim_end_matches(|c: char| c == '.' || c.is_whitespace()));
        let mut objects: Vec<_> = known.objects.iter().collect();
        objects.sort_by(|a, b| b.score.total_cmp(&a.score));
        let tags = objects.into_iter().map(|object| {
            let mut words: Vec<&str> = object.attrs.iter().map(String::as_str).collect();
            words.push(&object.name);
            words.join(" ")
        });
        let written = known.ocr.iter().flat_map(|text| words(text));
        Context([
            joined(distinct(captions.map(str::to_owned), self.captions), "."),
            joined(distinct(tags, self.tags), ","),
            distinct(written, self.ocr),
        ])
    }
}

impl ContextBuilder {
    /// The context of an image in subwords, from the tags of its features and what else is known of
    /// it; none where nothing is.
    ///
    /// # Errors
    /// If the tokenizer fails on a word.
    pub fn subwords(
        &self,
        encoded: Option<&EncodedImage>,
        known: Option<&ImageText>,
        tokenizer: &SubwordTokenizer,
    ) -> Result<Option<ContextSubwords>, TokenizerError> {
        let mut all = known.cloned().unwrap_or_default();
        if let Some(encoded) = encoded {
            all.extend(ImageText::from_tags(&encoded.features.tags));
        }
        let context = self.build(&all);
        match context.is_empty() {
            true => Ok(None),
            false => context.subwords(tokenizer).map(Some),
        }
    }
}

impl Context {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// The words, captions, tags and text in the image one after the other.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(String::as_str)
    }

    /// Cuts the words into subwords.
    ///
    /// # Errors
    /// If the tokenizer fails on a word.
    pub fn subwords(
        &self,
        tokenizer: &SubwordTokenizer,
    ) -> Result<ContextSubwords, TokenizerError> {
        let mut kinds: [Vec<Vec<u32>>; 3] = Default::default();
        for (subwords, words) in kinds.iter_mut().zip(&self.0) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            *subwords = tokenizer.encode(&words)?;
        }
        Ok(ContextSubwords {
            kinds,
            separator: tokenizer.special().end,
        })
    }
}

/// A context in subwords.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContextSubwords {
    /// Subwords of each word of each kind.
    kinds: [Vec<Vec<u32>>; 3],
    /// What ends each kind.
    separator: u32,
}

impl ContextSubwords {
    /// The window of a tweet followed by the context: `[CLS] tweet [SEP] captions [SEP] tags
    /// [SEP] text [SEP]`. The context is cut before the first word that does not fit into `limit`
    /// subwords; the tweet never is. A kind without words has no separator either.
    ///
    /// The words of the sequence stay the tweet's own: no label is read off the context.
    #[must_use]
    pub fn after(&self, tweet: &SubwordSequence, limit: usize) -> SubwordSequence {
        let mut sequence = tweet.clone();
        'kinds: for words in &self.kinds {
            let start = sequence.subwords.len();
            for word in words {
                // One more for the separator.
                if sequence.subwords.len() + word.len() + 1 > limit {
                    end_kind(&mut sequence, start, self.separator);
                    break 'kinds;
                }
                sequence.subwords.extend(word);
            }
            end_kind(&mut sequence, start, self.separator);
        }
        sequence
    }

    /// All of it as it follows a tweet where there is room: the subwords of each kind, a separator after each.
    pub fn ids(&self) -> Vec<u32> {
        let there = self.kinds.iter().filter(|words| !words.is_empty());
        there
            .flat_map(|words| words.concat().into_iter().chain([self.separator]))
            .collect()
    }
}

/// Closes a kind of context that began at subword `start`.
fn end_kind(sequence: &mut SubwordSequence, start: usize, separator: u32) {
    if sequence.subwords.len() > start {
        let length = sequence.subwords.len();
        sequence.shapes.resize(length, WordShape::Context.index());
        sequence.subwords.push(separator);
        sequence.shapes.push(WordShape::Special.index());
    }
}

/// The first `most` texts that are not blank and not said before.
fn distinct(texts: impl Iterator<Item = String>, most: usize) -> Vec<String> {
    let mut said = HashSet::new();
    texts
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| !text.is_empty() && said.insert(text.to_lowercase()))
        .take(most)
        .collect()
}

/// The words of `texts` with `mark` between two of them.
fn joined(texts: Vec<String>, mark: &str) -> Vec<String> {
    let mut all = Vec::new();
    for text in texts {
        if !all.is_empty() {
            all.push(mark.to_owned());
        }
        all.extend(words(&text));
    }
    all
}

fn words(text: &str) -> Vec<String> {
    let words = read_words(text, &split_words(text, Sigils::Joined));
    words.into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::ita::image_text::NamedObject;
    use crate::tweet::window::Window;
    use crate::vision::tags::{Tag, TagSource};
    use proptest::prelude::*;

    fn object(name: &str, score: f32, attrs: &[&str]) -> NamedObject {
        NamedObject {
            name: name.into(),
            score,
            attrs: attrs.iter().map(|&a| a.into()).collect(),
        }
    }

    fn known() -> ImageText {
        ImageText {
            captions: ["A man on stage. ", "a  man on stage", "", "Two kites."]
                .map(String::from)
                .into(),
            objects: vec![
                object("kite", 0.4, &[]),
                object("ball", 0.9, &["red", "big"]),
                object("Kite", 0.8, &[]),
                object("ball", 0.5, &[]),
            ],
            ocr: ["NASA, Houston", "nasa"].map(String::from).into(),
        }
    }

    fn said(builder: ContextBuilder, known: &ImageText) -> [String; 3] {
        builder.build(known).0.map(|words| words.join(" "))
    }

    #[test]
    fn each_kind_in_its_order_once_and_joined() {
        let expected = [
            "A man on stage . Two kites",
            "red big ball , Kite , ball",
            "NASA , Houston",
        ];
        assert_eq!(said(ContextBuilder::default(), &known()), expected);
    }

    #[test]
    fn caps_hold_and_zero_leaves_out() {
        let builder = ContextBuilder {
            captions: 0,
            tags: 1,
            ocr: 1,
            max_subwords: 512,
        };
        assert_eq!(said(builder, &known()), ["", "red big ball", "NASA"]);
        assert!(
            ContextBuilder::default()
                .build(&ImageText::default())
                .is_empty()
        );
    }

    #[test]
    fn tags_are_objects_and_sources_add_up() {
        let tag = Tag {
            name: "sea snake".into(),
            probability: 0.5,
            source: TagSource::Detector,
        };
        let mut all = ImageText::from_tags(&[tag]);
        all.extend(known());
        let [_, tags, _] = said(ContextBuilder::default(), &all);
        assert_eq!(tags, "red big ball , Kite , sea snake , ball");
    }

    #[test]
    fn a_side_file_may_leave_anything_out() {
        let line = r#"{"id": "1", "objects": [{"name": "kite"}], "ocr": ["x"]}"#;
        let text: ImageText = serde_json::from_str(line).unwrap();
        assert_eq!(text.objects, [object("kite", 0.0, &[])]);
        assert!(text.captions.is_empty());
    }

    fn tweet() -> SubwordSequence {
        SubwordSequence {
            subwords: vec![2, 10, 11, 3],
            shapes: vec![10, 6, 6, 10],
            first: vec![1],
            window: Window {
                words: 0..1,
                keep: 0..1,
            },
        }
    }

    fn context() -> ContextSubwords {
        ContextSubwords {
            kinds: [
                vec![vec![20, 21], vec![22]],
                vec![],
                vec![vec![30], vec![31, 32]],
            ],
            separator: 3,
        }
    }

    #[test]
    fn context_follows_the_tweet_and_has_no_words() {
        let all = context().after(&tweet(), 512);
        assert_eq!(all.subwords, [2, 10, 11, 3, 20, 21, 22, 3, 30, 31, 32, 3]);
        assert_eq!(all.shapes, [10, 6, 6, 10, 11, 11, 11, 10, 11, 11, 11, 10]);
        assert_eq!((all.first, all.window), (tweet().first, tweet().window));
    }

    #[test]
    fn context_is_cut_by_whole_words_and_the_tweet_never() {
        let subwords = |limit| context().after(&tweet(), limit).subwords.split_off(4);
        assert_eq!(subwords(11), [20, 21, 22, 3, 30, 3]);
        assert_eq!(subwords(9), [20, 21, 22, 3]);
        assert_eq!(subwords(7), [20, 21, 3]);
        for limit in 0..7 {
            assert!(subwords(limit).is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_sequence_is_longer_than_the_limit(
            kinds in prop::array::uniform3(prop::collection::vec(prop::collection::vec(5u32..9, 1..4), 0..6)),
            limit in 4usize..40,
        ) {
            let context = ContextSubwords { kinds, separator: 3 };
            let all = context.after(&tweet(), limit);
            prop_assert!(all.subwords.len() <= limit);
            prop_assert_eq!(all.subwords.len(), all.shapes.len());
            prop_assert_eq!(&all.subwords[..4], &tweet().subwords[..]);
            prop_assert_eq!(all.subwords.last(), Some(&3));
            prop_assert!(all.subwords.windows(2).all(|p| p != [3, 3]));
        }
    }
}
