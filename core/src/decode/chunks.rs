//! Entities among the words of a tweet, from its labels.

use crate::decode::entities::WordEntity;
use crate::label::{EntityType, Label};

/// What makes a chunk of labels that break the BIO scheme. Well-formed labels mean the same to both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An `I-` whose predecessor is `O` or of another type begins an entity: conlleval's rule, and
    /// seqeval's default, by which the benchmarks' published scores are computed.
    Lenient,
    /// An `I-` that continues no entity is ignored; seqeval's `mode="strict", scheme=IOB2`.
    Strict,
}

/// An entity among the words of a tweet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its type.
    pub kind: EntityType,
    /// Its first word.
    pub start: usize,
    /// The word after its last.
    pub end: usize,
}

impl Chunk {
    /// The type and the words of an entity that was found.
    pub fn of(entity: &WordEntity) -> Self {
        Self {
            kind: entity.kind,
            start: entity.words.start,
            end: entity.words.end,
        }
    }

    /// Whether it has a word in common with another.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// The entities that `labels`, one a word, stand for; in order, without overlap.
pub fn chunks(labels: &[Label], rule: Rule) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    for (at, label) in labels.iter().enumerate() {
        match *label {
            Label::O => {}
            Label::B(kind) => chunks.push(Chunk {
                kind,
                start: at,
                end: at + 1,
            }),
            Label::I(kind) => match chunks.last_mut() {
                Some(open) if open.end == at && open.kind == kind => open.end = at + 1,
                _ if rule == Rule::Lenient => chunks.push(Chunk {
                    kind,
                    start: at,
                    end: at + 1,
                }),
                _ => {}
            },
        }
    }
    chunks
}
