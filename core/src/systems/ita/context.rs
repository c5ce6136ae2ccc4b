//! The words about a picture that follow the tweet into the encoder.

use super::image_text::ImageText;
use crate::systems::pictures::Sight;
use crate::tweet::pieces::{PiecesError, WordPieces};
use crate::tweet::sequence::PieceSequence;
use crate::tweet::shape::WordShape;
use crate::tweet::words::{Sigils, split_words};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What of a picture's text becomes context. 0 leaves a kind out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextBuilder {
    /// Most captions.
    pub captions: usize,
    /// Most object tags, the surest first.
    pub tags: usize,
    /// Most words of text in the picture.
    pub ocr: usize,
    /// The longest sequence in pieces that context may fill, special pieces included.
    pub max_pieces: usize,
}

impl Default for ContextBuilder {
    /// 5 captions, 20 tags, 50 words, 512 pieces.
    fn default() -> Self {
        Self {
            captions: 5,
            tags: 20,
            ocr: 50,
            max_pieces: 512,
        }
    }
}

/// The context of a picture: the words of captions, tags and text in the picture, in this order.
/// What is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context([Vec<String>; 3]);

impl ContextBuilder {
    /// The context of a picture from all that is known of it.
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
    /// The context of a picture in pieces, from the tags of its sight and what else is known of
    /// it; none where nothing is.
    ///
    /// # Errors
    /// If the tokenizer fails on a word.
    pub fn pieces(
        &self,
        sight: Option<&Sight>,
        known: Option<&ImageText>,
        tokenizer: &WordPieces,
    ) -> Result<Option<ContextPieces>, PiecesError> {
        let mut all = known.cloned().unwrap_or_default();
        if let Some(sight) = sight {
            all.extend(ImageText::from_tags(&sight.features.tags));
        }
        let context = self.build(&all);
        match context.is_empty() {
            true => Ok(None),
            false => context.pieces(tokenizer).map(Some),
        }
    }
}

impl Context {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// The words, captions, tags and text in the picture one after the other.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(String::as_str)
    }

    /// Cuts the words into pieces.
    ///
    /// # Errors
    /// If the tokenizer fails on a word.
    pub fn pieces(&self, tokenizer: &WordPieces) -> Result<ContextPieces, PiecesError> {
        let mut kinds: [Vec<Vec<u32>>; 3] = Default::default();
        for (pieces, words) in kinds.iter_mut().zip(&self.0) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            *pieces = tokenizer.encode(&words)?;
        }
        Ok(ContextPieces {
            kinds,
            separator: tokenizer.special().end,
        })
    }
}

/// A context in word pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextPieces {
    /// Pieces of each word of each kind.
    kinds: [Vec<Vec<u32>>; 3],
    /// What ends each kind.
    separator: u32,
}

impl ContextPieces {
    /// The window of a tweet followed by the context: `[CLS] tweet [SEP] captions [SEP] tags
    /// [SEP] text [SEP]`. The context is cut before the first word that does not fit into `limit`
    /// pieces; the tweet never is. A kind without words has no separator either.
    ///
    /// The words of the sequence stay the tweet's own: no label is read off the context.
    #[must_use]
    pub fn after(&self, tweet: &PieceSequence, limit: usize) -> PieceSequence {
        let mut sequence = tweet.clone();
        'kinds: for words in &self.kinds {
            let start = sequence.pieces.len();
            for word in words {
                // One more for the separator.
                if sequence.pieces.len() + word.len() + 1 > limit {
                    end_kind(&mut sequence, start, self.separator);
                    break 'kinds;
                }
                sequence.pieces.extend(word);
            }
            end_kind(&mut sequence, start, self.separator);
        }
        sequence
    }
}

/// Closes a kind of context that began at piece `start`.
fn end_kind(sequence: &mut PieceSequence, start: usize, separator: u32) {
    if sequence.pieces.len() > start {
        let length = sequence.pieces.len();
        sequence.shapes.resize(length, WordShape::Context.index());
        sequence.pieces.push(separator);
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
    split_words(text, Sigils::Joined)
        .iter()
        .map(|word| word.of(text).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tags::{Tag, TagSource};
    use crate::systems::ita::image_text::NamedObject;
    use crate::tweet::window::Window;
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
            max_pieces: 512,
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

    fn tweet() -> PieceSequence {
        PieceSequence {
            pieces: vec![2, 10, 11, 3],
            shapes: vec![10, 6, 6, 10],
            first: vec![1],
            window: Window {
                words: 0..1,
                keep: 0..1,
            },
        }
    }

    fn context() -> ContextPieces {
        ContextPieces {
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
        assert_eq!(all.pieces, [2, 10, 11, 3, 20, 21, 22, 3, 30, 31, 32, 3]);
        assert_eq!(all.shapes, [10, 6, 6, 10, 11, 11, 11, 10, 11, 11, 11, 10]);
        assert_eq!((all.first, all.window), (tweet().first, tweet().window));
    }

    #[test]
    fn context_is_cut_by_whole_words_and_the_tweet_never() {
        let pieces = |limit| context().after(&tweet(), limit).pieces.split_off(4);
        assert_eq!(pieces(11), [20, 21, 22, 3, 30, 3]);
        assert_eq!(pieces(9), [20, 21, 22, 3]);
        assert_eq!(pieces(7), [20, 21, 3]);
        for limit in 0..7 {
            assert!(pieces(limit).is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_sequence_is_longer_than_the_limit(
            kinds in prop::array::uniform3(prop::collection::vec(prop::collection::vec(5u32..9, 1..4), 0..6)),
            limit in 4usize..40,
        ) {
            let context = ContextPieces { kinds, separator: 3 };
            let all = context.after(&tweet(), limit);
            prop_assert!(all.pieces.len() <= limit);
            prop_assert_eq!(all.pieces.len(), all.shapes.len());
            prop_assert_eq!(&all.pieces[..4], &tweet().pieces[..]);
            prop_assert_eq!(all.pieces.last(), Some(&3));
            prop_assert!(all.pieces.windows(2).all(|p| p != [3, 3]));
        }
    }
}
