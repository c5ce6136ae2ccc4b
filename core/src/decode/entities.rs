//! Label chains become entities with confidences and exact spans.

use crate::decode::chain::{Chain, ChainScores, Rules};
use crate::decode::fine_types::FineTypeGuess;
use crate::label::{EntityType, LABELS, Label};
use crate::tweet::bounds::Bound;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// An entity over words, before it is given a place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct WordEntity {
    /// What it is.
    pub kind: EntityType,
    /// Its words.
    pub words: Range<usize>,
    /// Posterior probability that exactly these words are exactly one entity of this type, 0..=1,
    /// among the readings that keep within the bounds of the text.
    pub confidence: f64,
    /// The likeliest other type on the same words, with its probability.
    pub runner_up: RunnerUp,
}

/// The second-best reading of an entity's span.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunnerUp {
    /// The other type.
    #[serde(rename = "type")]
    pub kind: EntityType,
    /// Posterior probability of that type on the same span, 0..=1.
    pub probability: f64,
}

/// Where the words of an entity looked. All shares of an entity add up to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityEvidence {
    /// Share of attention on each of the image's 7×7 cells, row by row.
    pub heat: Vec<f64>,
    /// Share of attention on each object.
    pub objects: Vec<f64>,
}

/// A named entity of a tweet, with its place in the very text given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EntityType,
    /// The text between the spans. Of a user name or hashtag it is the name without the sigil; of a
    /// user name always the whole.
    pub text: String,
    /// Start and end in UTF-16 code units: `tweet.slice(s, e)` in JavaScript.
    pub utf16: [usize; 2],
    /// Start and end in Unicode scalar values: `tweet[s:e]` in Python.
    pub chars: [usize; 2],
    /// Start and end in UTF-8 bytes: `&tweet[s..e]` in Rust.
    pub bytes: [usize; 2],
    /// Posterior probability of exactly this span and type, 0..=1.
    pub confidence: f64,
    /// The likeliest other type on the same span.
    pub runner_up: RunnerUp,
    /// What it is more finely; absent from a model that does not say.
    #[serde(default, rename = "kind", skip_serializing_if = "Option::is_none")]
    pub fine_type: Option<FineTypeGuess>,
    /// Whether it is a user name, `@x`; absent where it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub user_name: bool,
    /// Whether its words come from a hashtag, `#x`; absent where they do not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hashtag: bool,
    /// How likely the image shows what it names, 0..=1; absent without an image, or from a model that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<f64>,
    /// Where its words looked in the image; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EntityEvidence>,
}

/// The best label sequence under BIO and the entities in it, left to right.
///
/// `emissions` is `[N * 9]`; no words, no entities. `chain` holds the scores under [`Rules::Bio`].
pub fn decode(chain: &ChainScores, emissions: &[f64]) -> (Vec<Label>, Vec<WordEntity>) {
    decode_within(chain, emissions, &[])
}

/// The same among label sequences whose entities keep within `bounds`, one a word or none at all.
///
/// A word that [follows](Bound::follows) the one before is no step of the chain: its emissions play
/// no part, and it has the labels of the word before, whose entity reaches over it.
pub fn decode_within(
    chain: &ChainScores,
    emissions: &[f64],
    bounds: &[Bound],
) -> (Vec<Label>, Vec<WordEntity>) {
    debug_assert_eq!(*chain, chain.under(Rules::Bio));
    if emissions.is_empty() {
        return (Vec::new(), Vec::new());
    }
    if !bounds.iter().any(|bound| bound.follows) {
        return decode_steps(chain, emissions, bounds);
    }
    let steps = Steps::new(emissions, bounds);
    let (found, mut entities) = decode_steps(chain, &steps.emissions, &steps.bounds);
    let steps = steps.words;
    let mut labels: Vec<Label> = Vec::with_capacity(bounds.len());
    let mut found = found.into_iter();
    for bound in bounds {
        let label = match labels.last() {
            Some(before) if bound.follows => match before.entity_type() {
                Some(kind) => Label::I(kind),
                None => Label::O,
            },
            _ if bound.follows => Label::O,
            _ => found.next().unwrap_or(Label::O),
        };
        labels.push(label);
    }
    for entity in &mut entities {
        let last = steps[entity.words.end - 1];
        let follow = bounds[last + 1..].iter().take_while(|bound| bound.follows);
        entity.words = steps[entity.words.start]..last + 1 + follow.count();
    }
    (labels, entities)
}

/// The words that are steps of the chain: all but those that [follow](Bound::follows) the one before.
pub(super) struct Steps {
    /// Their numbers.
    pub(super) words: Vec<usize>,
    /// Their emissions, `[N * 9]`.
    pub(super) emissions: Vec<f64>,
    /// Their bounds; none where there are none at all.
    pub(super) bounds: Vec<Bound>,
}

impl Steps {
    /// Of the words with these emissions and bounds, one a word or none at all.
    pub(super) fn new(emissions: &[f64], bounds: &[Bound]) -> Self {
        let follows = |word: usize| bounds.get(word).is_some_and(|bound| bound.follows);
        let words: Vec<usize> = (0..emissions.len() / LABELS)
            .filter(|&word| !follows(word))
            .collect();
        let own = words
            .iter()
            .flat_map(|&word| &emissions[word * LABELS..(word + 1) * LABELS]);
        Self {
            emissions: own.copied().collect(),
            bounds: words
                .iter()
                .filter_map(|&word| bounds.get(word))
                .copied()
                .collect(),
            words,
        }
    }
}

/// [`decode_within`] where every word is a step of the chain.
fn decode_steps(
    chain: &ChainScores,
    emissions: &[f64],
    bounds: &[Bound],
) -> (Vec<Label>, Vec<WordEntity>) {
    if emissions.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let chain = Chain::within(chain, emissions, bounds);
    let labels: Vec<Label> = chain
        .viterbi()
        .0
        .into_iter()
        .map(Label::from_index)
        .collect();
    let mut entities = Vec::new();
    let mut t = 0;
    while t < labels.len() {
        let Label::B(kind) = labels[t] else {
            t += 1;
            continue;
        };
        let end = (t + 1..labels.len())
            .find(|&e| labels[e] != Label::I(kind))
            .unwrap_or(labels.len());
        let runner_up = EntityType::ALL
            .into_iter()
            .filter(|&other| other != kind)
            .map(|other| RunnerUp {
                kind: other,
                probability: span_probability(&chain, other, t..end),
            })
            .fold(None::<RunnerUp>, |best, r| match best {
                Some(b) if b.probability >= r.probability => Some(b),
                _ => Some(r),
            })
            .expect("there are other types");
        entities.push(WordEntity {
            kind,
            confidence: span_probability(&chain, kind, t..end),
            words: t..end,
            runner_up,
        });
        t = end;
    }
    (labels, entities)
}

/// Posterior probability that `words` are exactly one entity of type `kind`:
/// `p(B-X at s) * prod p(I-X | previous) * p(next is not I-X)`, the last factor 1 at the end.
pub fn span_probability(chain: &Chain, kind: EntityType, words: Range<usize>) -> f64 {
    let (begin, inside) = (Label::B(kind).index(), Label::I(kind).index());
    let mut p = chain.marginal(words.start, begin);
    let mut last = begin;
    for t in words.start + 1..words.end {
        p *= chain.conditional(t, last, inside);
        last = inside;
    }
    if words.end < chain.words() {
        p *= (0..LABELS)
            .filter(|&y| y != inside)
            .map(|y| chain.conditional(words.end, last, y))
            .sum::<f64>();
    }
    // Rounding may leave a certain span a hair above 1.
    p.clamp(0.0, 1.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A chain under BIO.
    pub(in crate::decode) fn bio() -> ChainScores {
        let wave = |n: usize, k: f64| (0..n).map(|i| (i as f64 * k).sin()).collect::<Vec<_>>();
        ChainScores {
            start: wave(9, 1.1),
            transitions: wave(81, 0.9),
            end: wave(9, 1.7),
        }
        .under(Rules::Bio)
    }

    /// Probability of the span by adding up every label sequence that has it.
    fn by_enumeration(
        scores: &ChainScores,
        emissions: &[f64],
        kind: EntityType,
        words: Range<usize>,
    ) -> f64 {
        let n = emissions.len() / LABELS;
        let (mut with, mut all) = (0.0, 0.0);
        for code in 0..LABELS.pow(n as u32) {
            let path: Vec<usize> = (0..n)
                .map(|t| code / LABELS.pow(t as u32) % LABELS)
                .collect();
            let mut score = scores.start[path[0]] + scores.end[path[n - 1]];
            for t in 0..n {
                score += emissions[t * LABELS + path[t]];
                if t > 0 {
                    score += scores.transitions[path[t - 1] * LABELS + path[t]];
                }
            }
            let at = |t: usize| Label::from_index(path[t]);
            let is_span = at(words.start) == Label::B(kind)
                && (words.start + 1..words.end).all(|t| at(t) == Label::I(kind))
                && (words.end == n || at(words.end) != Label::I(kind));
            all += score.exp();
            if is_span {
                with += score.exp();
            }
        }
        with / all
    }

    #[test]
    fn confidence_is_the_posterior_of_the_span() {
        let scores = bio();
        let emissions: Vec<f64> = (0..36).map(|i| (i as f64 * 0.61).cos() * 2.0).collect();
        let chain = Chain::new(&scores, &emissions);
        for kind in EntityType::ALL {
            for words in [0..1, 0..2, 1..3, 2..4, 0..4, 3..4] {
                let expected = by_enumeration(&scores, &emissions, kind, words.clone());
                let got = span_probability(&chain, kind, words.clone());
                assert!(
                    (got - expected).abs() < 1e-9,
                    "{kind} {words:?}: {got} against {expected}"
                );
            }
        }
    }

    /// Whether the entities of a label sequence keep within bounds.
    fn keeps(path: &[Label], bounds: &[Bound]) -> bool {
        (0..path.len()).all(|t| {
            let ends = path[t] != Label::O
                && path
                    .get(t + 1)
                    .is_none_or(|next| !matches!(next, Label::I(_)));
            let stays = match path[t] {
                Label::O => true,
                Label::B(_) => bounds[t].begins,
                Label::I(_) => bounds[t].continues,
            };
            stays && (!ends || bounds[t].ends)
        })
    }

    fn bits(bits: u32) -> Bound {
        Bound {
            begins: bits & 1 > 0,
            continues: bits & 2 > 0,
            ends: bits & 4 > 0,
            follows: false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn bounds_are_kept_and_confidence_is_the_posterior_among_what_keeps_them(
            emissions in prop::collection::vec(-3.0..3.0f64, 4 * LABELS),
            bounds in prop::collection::vec((0u32..8).prop_map(bits), 4),
        ) {
            let scores = bio();
            let (labels, entities) = decode_within(&scores, &emissions, &bounds);
            prop_assert!(keeps(&labels, &bounds), "{labels:?}");
            let score = |path: &[Label]| {
                let mut score = scores.start[path[0].index()] + scores.end[path[3].index()];
                for t in 0..4 {
                    score += emissions[t * LABELS + path[t].index()];
                    if t > 0 {
                        score += scores.transitions[path[t - 1].index() * LABELS + path[t].index()];
                    }
                }
                score
            };
            let mut paths: Vec<Vec<Label>> = vec![Vec::new()];
            for _ in 0..4 {
                let one_more = |path: &Vec<Label>| {
                    let longer = (0..LABELS).map(|y| [path.as_slice(), &[Label::from_index(y)]].concat());
                    longer.collect::<Vec<_>>()
                };
                paths = paths.iter().flat_map(one_more).collect();
            }
            paths.retain(|path| keeps(path, &bounds) && score(path) > f64::NEG_INFINITY);
            let all: f64 = paths.iter().map(|path| score(path).exp()).sum();
            let best = paths.iter().map(|path| score(path)).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((best - score(&labels)).abs() < 1e-9);
            for entity in entities {
                let has = |path: &&Vec<Label>| {
                    let t = entity.words.clone();
                    path[t.start] == Label::B(entity.kind)
                        && path[t.start + 1..t.end].iter().all(|l| *l == Label::I(entity.kind))
                        && path.get(t.end) != Some(&Label::I(entity.kind))
                };
                let with: f64 = paths.iter().filter(has).map(|path| score(path).exp()).sum();
                prop_assert!((entity.confidence - with / all).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_word_that_follows_is_part_of_what_the_word_before_ends() {
        let scores = bio();
        let free = [Bound::FREE; 2];
        let emissions =
            |t: usize| (0..LABELS).map(move |y| ((t * LABELS + y) as f64 * 0.7).cos() * 4.0);
        let follows = Bound {
            follows: true,
            ..Bound::FREE
        };
        let two: Vec<f64> = emissions(0).chain(emissions(1)).collect();
        let (labels, entities) = decode_within(&scores, &two, &free);
        let four: Vec<f64> = emissions(0)
            .chain(emissions(7))
            .chain(emissions(1))
            .chain(emissions(8))
            .collect();
        let bounds = [Bound::FREE, follows, Bound::FREE, follows];
        let (longer, reaching) = decode_within(&scores, &four, &bounds);
        assert!(!entities.is_empty());
        assert_eq!(entities.len(), reaching.len());
        for (entity, reaching) in entities.iter().zip(reaching) {
            assert_eq!(reaching.words, 2 * entity.words.start..2 * entity.words.end);
            assert_eq!(
                (reaching.kind, reaching.confidence),
                (entity.kind, entity.confidence)
            );
        }
        assert_eq!([longer[0], longer[2]], labels[..]);
        assert_eq!(longer[1].entity_type(), longer[0].entity_type());
    }

    #[test]
    fn adjacent_entities_stay_apart_and_carry_their_runner_up() {
        let scores = ChainScores {
            start: vec![0.0; 9],
            transitions: vec![0.0; 81],
            end: vec![0.0; 9],
        }
        .under(Rules::Bio);
        let mut emissions = vec![0.0; 4 * LABELS];
        for (t, label) in [
            Label::B(EntityType::Per),
            Label::I(EntityType::Per),
            Label::B(EntityType::Per),
            Label::O,
        ]
        .into_iter()
        .enumerate()
        {
            emissions[t * LABELS + label.index()] = 8.0;
        }
        emissions[2 * LABELS + Label::B(EntityType::Org).index()] = 6.0;
        let (labels, entities) = decode(&scores, &emissions);
        assert_eq!(
            labels
                .iter()
                .map(|l| l.to_string())
                .collect::<Vec<_>>()
                .join(" "),
            "B-PER I-PER B-PER O"
        );
        assert_eq!(
            entities.iter().map(|e| e.words.clone()).collect::<Vec<_>>(),
            [0..2, 2..3]
        );
        assert_eq!(entities[1].runner_up.kind, EntityType::Org);
        assert!(entities[1].confidence > entities[1].runner_up.probability);
        assert!(decode(&scores, &[]).1.is_empty());
    }
}
