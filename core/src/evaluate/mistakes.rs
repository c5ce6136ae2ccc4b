//! What a model got wrong of a tweet, name by name.

use crate::decode::chunks::Chunk;
use crate::decode::entities::WordEntity;
use std::ops::Range;

/// An entity of the labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gold {
    /// Its type and words.
    pub chunk: Chunk,
    /// The model's posterior probability of exactly this span and type, 0 to 1.
    pub probability: f64,
}

/// How labels and answer differ at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A name of which nothing was found.
    Missed,
    /// An entity where there is no name.
    Invented,
    /// The words of one name, of another type.
    WrongType,
    /// Some of the words alone, or more than they.
    WrongEnds,
}

/// One place where labels and answer differ: entities of both that have words in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Those of the labels, left to right.
    pub gold: Vec<Gold>,
    /// Those of the answer, left to right.
    pub found: Vec<WordEntity>,
}

impl Mistake {
    /// How they differ.
    pub fn kind(&self) -> Kind {
        match (&self.gold[..], &self.found[..]) {
            (_, []) => Kind::Missed,
            ([], _) => Kind::Invented,
            ([gold], [found]) if Chunk::of(found).start == gold.chunk.start => {
                match found.words.end == gold.chunk.end {
                    true => Kind::WrongType,
                    false => Kind::WrongEnds,
                }
            }
            _ => Kind::WrongEnds,
        }
    }

    /// From the first word of any of its entities to the last.
    pub fn words(&self) -> Range<usize> {
        let gold = self.gold.iter().map(|gold| gold.chunk);
        let all = || gold.clone().chain(self.found.iter().map(Chunk::of));
        let start = all().map(|chunk| chunk.start).min().unwrap_or(0);
        start..all().map(|chunk| chunk.end).max().unwrap_or(start)
    }
}

/// The mistakes of a tweet, left to right. An entity of the answer that the labels have too, in span and type, is none.
///
/// `gold` and `found` are each in order and without overlap.
pub fn mistakes(gold: &[Gold], found: &[WordEntity]) -> Vec<Mistake> {
    let is_right = |chunk: Chunk| {
        gold.iter().any(|gold| gold.chunk == chunk) && found.iter().any(|e| Chunk::of(e) == chunk)
    };
    let mut places: Vec<Mistake> = gold
        .iter()
        .filter(|gold| !is_right(gold.chunk))
        .map(|gold| Mistake {
            gold: vec![*gold],
            found: Vec::new(),
        })
        .collect();
    let wrong = found.iter().filter(|entity| !is_right(Chunk::of(entity)));
    places.extend(wrong.map(|entity| Mistake {
        gold: Vec::new(),
        found: vec![entity.clone()],
    }));
    places.sort_by_key(|place| place.words().start);
    let mut joined: Vec<Mistake> = Vec::new();
    for place in places {
        match joined.last_mut() {
            Some(last) if place.words().start < last.words().end => {
                last.gold.extend(place.gold);
                last.found.extend(place.found);
            }
            _ => joined.push(place),
        }
    }
    joined
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::decode::chunks::{Rule, chunks};
    use crate::decode::entities::RunnerUp;
    use crate::label::EntityType::{Loc, Misc, Org, Per};
    use crate::label::{EntityType, Label};
    use proptest::prelude::*;

    pub(crate) fn gold(kind: EntityType, words: Range<usize>, probability: f64) -> Gold {
        Gold {
            chunk: Chunk {
                kind,
                start: words.start,
                end: words.end,
            },
            probability,
        }
    }

    pub(crate) fn found(kind: EntityType, words: Range<usize>, confidence: f64) -> WordEntity {
        WordEntity {
            kind,
            words,
            confidence,
            runner_up: RunnerUp {
                kind: Misc,
                probability: 0.0,
            },
        }
    }

    #[test]
    fn every_kind_is_told_apart() {
        let labels = [
            gold(Per, 0..2, 0.9),
            gold(Loc, 3..4, 0.2),
            gold(Org, 5..7, 0.1),
            gold(Loc, 8..9, 0.3),
        ];
        let answer = [
            found(Per, 0..2, 0.9),
            found(Per, 3..4, 0.7),
            found(Org, 5..6, 0.5),
            found(Org, 6..7, 0.5),
            found(Misc, 10..11, 0.6),
        ];
        let mistakes = mistakes(&labels, &answer);
        let kinds: Vec<_> = mistakes.iter().map(|m| (m.kind(), m.words())).collect();
        assert_eq!(
            kinds,
            [
                (Kind::WrongType, 3..4),
                (Kind::WrongEnds, 5..7),
                (Kind::Missed, 8..9),
                (Kind::Invented, 10..11)
            ]
        );
        assert_eq!(mistakes[1].found.len(), 2);
    }

    fn labels() -> impl Strategy<Value = Vec<Label>> {
        prop::collection::vec((0..9usize).prop_map(Label::from_index), 8)
    }

    proptest! {
        /// Every entity is right, or in exactly one mistake; what is in different mistakes has no word in common.
        #[test]
        fn every_entity_that_is_not_right_is_in_one_mistake(labels in labels(), answer in labels()) {
            let gold: Vec<Gold> = chunks(&labels, Rule::Lenient)
                .into_iter()
                .map(|chunk| Gold { chunk, probability: 0.5 })
                .collect();
            let found: Vec<WordEntity> = chunks(&answer, Rule::Lenient)
                .into_iter()
                .map(|chunk| found(chunk.kind, chunk.start..chunk.end, 0.5))
                .collect();
            let mistakes = mistakes(&gold, &found);
            let right = found
                .iter()
                .filter(|e| gold.iter().any(|gold| gold.chunk == Chunk::of(e)))
                .count();
            let counted = |count: fn(&Mistake) -> usize| mistakes.iter().map(count).sum::<usize>();
            prop_assert_eq!(counted(|m| m.gold.len()) + right, gold.len());
            prop_assert_eq!(counted(|m| m.found.len()) + right, found.len());
            for pair in mistakes.windows(2) {
                prop_assert!(pair[0].words().end <= pair[1].words().start);
            }
            for mistake in &mistakes {
                let touches = |e: &WordEntity| mistake.gold.iter().any(|g| g.chunk.overlaps(&Chunk::of(e)));
                prop_assert!(mistake.gold.is_empty() || mistake.found.iter().all(touches));
            }
        }
    }
}
