//! What a chain believes of every word by itself, and of given entities.

use crate::decode::chain::{Chain, ChainScores};
use crate::decode::chunks::Chunk;
use crate::decode::entities::{Steps, span_probability};
use crate::label::{LABELS, Label};
use crate::tweet::bounds::Bound;

/// Posteriors of every label of every word, `[N * 9]`, among the label sequences whose entities keep within `bounds`, one a word
/// or none at all. `chain` holds the scores under [`Rules::Bio`](crate::decode::chain::Rules::Bio).
///
/// A word that [follows](Bound::follows) the one before is no step of the chain: it is inside whatever entity the word before is
/// part of, so `I-X` has there what `B-X` and `I-X` have at the word before.
pub fn marginals_within(chain: &ChainScores, emissions: &[f64], bounds: &[Bound]) -> Vec<f64> {
    let follows = |word: usize| bounds.get(word).is_some_and(|bound| bound.follows);
    let words = emissions.len() / LABELS;
    let steps = Steps::new(emissions, bounds);
    if steps.words.is_empty() {
        return vec![0.0; words * LABELS];
    }
    let chain = Chain::within(chain, &steps.emissions, &steps.bounds);
    let mut marginals: Vec<f64> = Vec::with_capacity(words * LABELS);
    let mut step = 0;
    for word in 0..words {
        if follows(word) {
            let before = marginals[marginals.len().saturating_sub(LABELS)..].to_vec();
            marginals.extend(continued(&before));
        } else {
            marginals.extend((0..LABELS).map(|label| chain.marginal(step, label)));
            step += 1;
        }
    }
    marginals
}

/// The posteriors of a word that is part of what the word before is part of.
fn continued(before: &[f64]) -> [f64; LABELS] {
    let mut marginals = [0.0; LABELS];
    for (index, probability) in before.iter().enumerate() {
        let label = match Label::from_index(index) {
            Label::B(kind) => Label::I(kind),
            other => other,
        };
        marginals[label.index()] += probability;
    }
    marginals
}

/// Posterior probability of each of `entities`, each by itself: that exactly its words are one entity of exactly its type. Nothing
/// bounds the chain but its rules.
///
/// # Panics
/// If an entity is not of these words.
pub fn entity_probabilities(
    chain: &ChainScores,
    emissions: &[f64],
    entities: &[Chunk],
) -> Vec<f64> {
    if entities.is_empty() {
        return Vec::new();
    }
    let chain = Chain::new(chain, emissions);
    let probability = |chunk: &Chunk| span_probability(&chain, chunk.kind, chunk.start..chunk.end);
    entities.iter().map(probability).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::entities::decode_within;
    use crate::decode::entities::tests::bio;

    fn emissions(words: usize) -> Vec<f64> {
        (0..words * LABELS)
            .map(|i| (i as f64 * 0.61).cos() * 2.0)
            .collect()
    }

    #[test]
    fn without_bounds_they_are_the_chain_s() {
        let (scores, emissions) = (bio(), emissions(4));
        let chain = Chain::new(&scores, &emissions);
        let marginals = marginals_within(&scores, &emissions, &[]);
        for (i, marginal) in marginals.iter().enumerate() {
            assert_eq!(*marginal, chain.marginal(i / LABELS, i % LABELS));
        }
        assert!(marginals_within(&scores, &[], &[]).is_empty());
    }

    /// The word that follows has no say, and is within whatever the word before is part of.
    #[test]
    fn a_word_that_follows_goes_with_the_one_before() {
        let (scores, three) = (bio(), emissions(3));
        let follows = Bound {
            follows: true,
            ..Bound::FREE
        };
        let bounds = [Bound::FREE, follows, Bound::FREE];
        let two = [&three[..LABELS], &three[2 * LABELS..]].concat();
        let marginals = marginals_within(&scores, &three, &bounds);
        let of_two = marginals_within(&scores, &two, &[Bound::FREE; 2]);
        assert_eq!(marginals[..LABELS], of_two[..LABELS]);
        assert_eq!(marginals[2 * LABELS..], of_two[LABELS..]);
        let middle = &marginals[LABELS..2 * LABELS];
        for label in (0..LABELS).map(Label::from_index) {
            let expected = match label {
                Label::O => of_two[0],
                Label::B(_) => 0.0,
                Label::I(kind) => of_two[Label::B(kind).index()] + of_two[label.index()],
            };
            assert_eq!(middle[label.index()], expected, "{label}");
        }
        assert!((middle.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_entity_that_was_found_has_its_confidence() {
        let (scores, emissions) = (bio(), emissions(5));
        let (_, found) = decode_within(&scores, &emissions, &[]);
        let chunks: Vec<Chunk> = found.iter().map(Chunk::of).collect();
        let probabilities = entity_probabilities(&scores, &emissions, &chunks);
        let confidences: Vec<f64> = found.iter().map(|entity| entity.confidence).collect();
        assert!(!found.is_empty());
        assert_eq!(probabilities, confidences);
    }
}
