//! The linear chain on the host: partition function, marginals, best path; in f64 log space.
//!
//! [`Chain`] is one tweet's chain; [`Rules`] says which label sequences it admits. Training and
//! distillation use [`Rules::Free`], decoding and confidences [`Rules::Bio`].

use crate::label::{LABELS, Label};
use crate::tweet::bounds::Bound;
use std::borrow::Cow;

/// Start, transition (`[from * L + to]`) and end scores of a chain over `L` labels.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainScores {
    /// `[L]`
    pub start: Vec<f64>,
    /// `[L * L]`, row `from`, column `to`
    pub transitions: Vec<f64>,
    /// `[L]`
    pub end: Vec<f64>,
}

/// Which label sequences a chain admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// All of them.
    Free,
    /// Well-formed BIO over the nine labels: an `I-X` follows `B-X` or `I-X` only.
    Bio,
}

/// Whether BIO admits `to` after `from` (`None`: at the start).
pub fn bio_admits(from: Option<Label>, to: Label) -> bool {
    match to {
        Label::I(kind) => from.and_then(Label::entity_type) == Some(kind),
        _ => true,
    }
}

impl ChainScores {
    /// Number of labels `L`.
    pub fn labels(&self) -> usize {
        self.start.len()
    }

    /// The same scores with everything `rules` forbids at minus infinity.
    ///
    /// # Panics
    /// If the rules are BIO and the chain is not over the nine labels.
    pub fn under(&self, rules: Rules) -> Self {
        let mut scores = self.clone();
        if rules == Rules::Bio {
            assert_eq!(self.labels(), LABELS, "BIO rules need the {LABELS} labels");
            for to in 0..LABELS {
                if !bio_admits(None, Label::from_index(to)) {
                    scores.start[to] = f64::NEG_INFINITY;
                }
                for from in 0..LABELS {
                    if !bio_admits(Some(Label::from_index(from)), Label::from_index(to)) {
                        scores.transitions[from * LABELS + to] = f64::NEG_INFINITY;
                    }
                }
            }
        }
        scores
    }
}

/// One tweet's chain with its forward and backward scores.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    scores: &'a ChainScores,
    /// What bounds forbid at minus infinity.
    emissions: Cow<'a, [f64]>,
    /// Of each word, or none.
    bounds: &'a [Bound],
    words: usize,
    /// `alpha[t * L + y]`: log sum over prefixes ending in `y` at `t`, emission `t` included.
    alpha: Vec<f64>,
    /// `beta[t * L + y]`: log sum over suffixes after `y` at `t`, end score included.
    beta: Vec<f64>,
    log_partition: f64,
}

impl<'a> Chain<'a> {
    /// Runs the forward-backward recursion over `emissions`, `[N * L]`, all finite.
    ///
    /// # Panics
    /// If `emissions` is empty or no multiple of the number of labels.
    pub fn new(scores: &'a ChainScores, emissions: &'a [f64]) -> Self {
        Self::within(scores, emissions, &[])
    }

    /// The same over label sequences whose entities keep within `bounds`, one a word: no other has
    /// any probability. `scores` are those under [`Rules::Bio`]; [`Bound::follows`] takes no effect.
    ///
    /// # Panics
    /// As [`Chain::new`], or if there are other than no bounds or one a word, or not nine labels.
    pub fn within(scores: &'a ChainScores, emissions: &'a [f64], bounds: &'a [Bound]) -> Self {
        let labels = scores.labels();
        assert!(
            !emissions.is_empty() && emissions.len().is_multiple_of(labels),
            "{} emission scores are not whole words of {labels} labels",
            emissions.len()
        );
        let words = emissions.len() / labels;
        let emissions = bounded(emissions, bounds);
        let mut alpha = vec![0.0; words * labels];
        let mut beta = vec![0.0; words * labels];
        let mut paths = vec![0.0; labels];
        for y in 0..labels {
            alpha[y] = scores.start[y] + emissions[y];
            beta[(words - 1) * labels + y] = end(scores, bounds, y);
        }
        for t in 1..words {
            for to in 0..labels {
                for from in 0..labels {
                    paths[from] =
                        alpha[(t - 1) * labels + from] + step(scores, bounds, t, from, to);
                }
                alpha[t * labels + to] = log_sum_exp(&paths) + emissions[t * labels + to];
            }
        }
        for t in (0..words - 1).rev() {
            for from in 0..labels {
                for to in 0..labels {
                    paths[to] = step(scores, bounds, t + 1, from, to)
                        + emissions[(t + 1) * labels + to]
                        + beta[(t + 1) * labels + to];
                }
                beta[t * labels + from] = log_sum_exp(&paths);
            }
        }
        for (y, path) in paths.iter_mut().enumerate() {
            *path = alpha[(words - 1) * labels + y] + end(scores, bounds, y);
        }
        let log_partition = log_sum_exp(&paths);
        Self {
            scores,
            emissions,
            bounds,
            words,
            alpha,
            beta,
            log_partition,
        }
    }

    /// Number of words.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Log of the sum of `exp score` over all admitted label sequences.
    pub fn log_partition(&self) -> f64 {
        self.log_partition
    }

    /// `p(y_t = y)`, in 0..=1.
    pub fn marginal(&self, t: usize, y: usize) -> f64 {
        let i = t * self.scores.labels() + y;
        (self.alpha[i] + self.beta[i] - self.log_partition).exp()
    }

    /// `p(y_t = to | y_{t-1} = from)`, in 0..=1; 0 where `from` itself is impossible.
    pub fn conditional(&self, t: usize, from: usize, to: usize) -> f64 {
        let labels = self.scores.labels();
        let past = self.beta[(t - 1) * labels + from];
        if past == f64::NEG_INFINITY {
            return 0.0;
        }
        (step(self.scores, self.bounds, t, from, to)
            + self.emissions[t * labels + to]
            + self.beta[t * labels + to]
            - past)
            .exp()
    }

    /// The best label sequence and its score; ties go to the lowest label index.
    pub fn viterbi(&self) -> (Vec<usize>, f64) {
        let labels = self.scores.labels();
        let mut best: Vec<f64> = (0..labels)
            .map(|y| self.scores.start[y] + self.emissions[y])
            .collect();
        let mut back = vec![0; self.words * labels];
        for t in 1..self.words {
            let mut next = vec![0.0; labels];
            for (to, score) in next.iter_mut().enumerate() {
                let (from, path) = arg_max(
                    (0..labels)
                        .map(|from| best[from] + step(self.scores, self.bounds, t, from, to)),
                );
                back[t * labels + to] = from;
                *score = path + self.emissions[t * labels + to];
            }
            best = next;
        }
        let (mut y, score) =
            arg_max((0..labels).map(|y| best[y] + end(self.scores, self.bounds, y)));
        let mut path = vec![y; self.words];
        for t in (1..self.words).rev() {
            y = back[t * labels + y];
            path[t - 1] = y;
        }
        (path, score)
    }
}

/// The emissions with what may not begin or continue an entity at minus infinity.
fn bounded<'a>(emissions: &'a [f64], bounds: &[Bound]) -> Cow<'a, [f64]> {
    if bounds.is_empty() {
        return Cow::Borrowed(emissions);
    }
    assert_eq!(
        bounds.len() * LABELS,
        emissions.len(),
        "bounds are one a word, of {LABELS} labels"
    );
    let mut emissions = emissions.to_vec();
    for (word, bound) in emissions.chunks_exact_mut(LABELS).zip(bounds) {
        for (y, score) in word.iter_mut().enumerate() {
            let admitted = match Label::from_index(y) {
                Label::O => true,
                Label::B(_) => bound.begins,
                Label::I(_) => bound.continues,
            };
            if !admitted {
                *score = f64::NEG_INFINITY;
            }
        }
    }
    Cow::Owned(emissions)
}

/// Whether the bounds let the entity of label `y`, if it is one, end with word `t`.
fn may_end(bounds: &[Bound], t: usize, y: usize) -> bool {
    bounds.get(t).is_none_or(|bound| bound.ends) || Label::from_index(y) == Label::O
}

/// The transition score between words `t - 1` and `t`.
fn step(scores: &ChainScores, bounds: &[Bound], t: usize, from: usize, to: usize) -> f64 {
    let score = scores.transitions[from * scores.labels() + to];
    if bounds.is_empty()
        || matches!(Label::from_index(to), Label::I(_))
        || may_end(bounds, t - 1, from)
    {
        score
    } else {
        f64::NEG_INFINITY
    }
}

/// The score of a last label.
fn end(scores: &ChainScores, bounds: &[Bound], y: usize) -> f64 {
    if bounds.is_empty() || may_end(bounds, bounds.len() - 1, y) {
        scores.end[y]
    } else {
        f64::NEG_INFINITY
    }
}

/// The first largest value and its place.
fn arg_max(values: impl Iterator<Item = f64>) -> (usize, f64) {
    values
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (i, v)| {
            if v > best.1 { (i, v) } else { best }
        })
}

fn log_sum_exp(values: &[f64]) -> f64 {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + values.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Scores of every label sequence, by enumeration.
    fn brute_force(scores: &ChainScores, emissions: &[f64]) -> Vec<(Vec<usize>, f64)> {
        let labels = scores.labels();
        let words = emissions.len() / labels;
        (0..labels.pow(words as u32))
            .map(|mut code| {
                let path: Vec<usize> = (0..words)
                    .map(|_| {
                        let y = code % labels;
                        code /= labels;
                        y
                    })
                    .collect();
                let mut score = scores.start[path[0]] + scores.end[path[words - 1]];
                for (t, &y) in path.iter().enumerate() {
                    score += emissions[t * labels + y];
                    if t > 0 {
                        score += scores.transitions[path[t - 1] * labels + y];
                    }
                }
                (path, score)
            })
            .collect()
    }

    fn chain_of(
        words: std::ops::RangeInclusive<usize>,
    ) -> impl Strategy<Value = (ChainScores, Vec<f64>)> {
        let score = || -3.0..3.0f64;
        words.prop_flat_map(move |n| {
            (
                prop::collection::vec(score(), LABELS),
                prop::collection::vec(score(), LABELS * LABELS),
                prop::collection::vec(score(), LABELS),
                prop::collection::vec(score(), n * LABELS),
            )
                .prop_map(|(start, transitions, end, emissions)| {
                    (
                        ChainScores {
                            start,
                            transitions,
                            end,
                        },
                        emissions,
                    )
                })
        })
    }

    fn check_against_enumeration(scores: &ChainScores, emissions: &[f64]) {
        let chain = Chain::new(scores, emissions);
        let all = brute_force(scores, emissions);
        let z: f64 = all.iter().map(|(_, s)| s.exp()).sum();
        assert!((chain.log_partition() - z.ln()).abs() < 1e-9);

        let (path, score) = chain.viterbi();
        let best = all
            .iter()
            .map(|(_, s)| *s)
            .fold(f64::NEG_INFINITY, f64::max);
        assert!((score - best).abs() < 1e-9);
        let own = all
            .iter()
            .find(|(p, _)| *p == path)
            .expect("an enumerated path")
            .1;
        assert!((own - best).abs() < 1e-9);

        let sum = |admit: &dyn Fn(&[usize]) -> bool| {
            all.iter()
                .filter(|(p, _)| admit(p))
                .map(|(_, s)| s.exp())
                .sum::<f64>()
                / z
        };
        for t in 0..chain.words() {
            for y in 0..LABELS {
                let expected = sum(&|p| p[t] == y);
                assert!((chain.marginal(t, y) - expected).abs() < 1e-9);
                if t > 0 {
                    for from in 0..LABELS {
                        let joint = sum(&|p| p[t] == y && p[t - 1] == from);
                        let given = chain.marginal(t - 1, from) * chain.conditional(t, from, y);
                        assert!((given - joint).abs() < 1e-9);
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn free_chain_agrees_with_enumeration((scores, emissions) in chain_of(1..=3)) {
            check_against_enumeration(&scores, &emissions);
        }

        #[test]
        fn bio_chain_agrees_with_enumeration((scores, emissions) in chain_of(1..=3)) {
            check_against_enumeration(&scores.under(Rules::Bio), &emissions);
        }

        #[test]
        fn bio_paths_are_well_formed((scores, emissions) in chain_of(1..=12)) {
            let scores = scores.under(Rules::Bio);
            let (path, _) = Chain::new(&scores, &emissions).viterbi();
            let mut last = None;
            for y in path {
                prop_assert!(bio_admits(last, Label::from_index(y)));
                last = Some(Label::from_index(y));
            }
        }

        #[test]
        fn extreme_scores_stay_finite((mut scores, mut emissions) in chain_of(1..=12), big in prop::bool::ANY) {
            let factor = if big { 1e4 } else { -1e4 } / 3.0;
            for v in scores.start.iter_mut().chain(&mut scores.transitions).chain(&mut scores.end).chain(&mut emissions) {
                *v *= factor;
            }
            let scores = scores.under(Rules::Bio);
            let chain = Chain::new(&scores, &emissions);
            prop_assert!(chain.log_partition().is_finite());
            for t in 0..chain.words() {
                let total: f64 = (0..LABELS).map(|y| chain.marginal(t, y)).sum();
                prop_assert!((total - 1.0).abs() < 1e-6, "marginals sum to {total}");
            }
        }
    }

    #[test]
    fn five_words_agree_with_enumeration() {
        let wave = |n: usize, k: f64| {
            (0..n)
                .map(|i| (i as f64 * k).sin() * 2.0)
                .collect::<Vec<_>>()
        };
        let scores = ChainScores {
            start: wave(9, 1.3),
            transitions: wave(81, 0.7),
            end: wave(9, 2.1),
        };
        let emissions = wave(45, 0.37);
        let z: f64 = brute_force(&scores, &emissions)
            .iter()
            .map(|(_, s)| s.exp())
            .sum();
        assert!((Chain::new(&scores, &emissions).log_partition() - z.ln()).abs() < 1e-9);
        let bio = scores.under(Rules::Bio);
        let best = brute_force(&bio, &emissions)
            .into_iter()
            .map(|(_, s)| s)
            .fold(f64::MIN, f64::max);
        assert!((Chain::new(&bio, &emissions).viterbi().1 - best).abs() < 1e-9);
    }

    #[test]
    fn ties_go_to_the_lowest_index() {
        let scores = ChainScores {
            start: vec![0.0; 9],
            transitions: vec![0.0; 81],
            end: vec![0.0; 9],
        };
        assert_eq!(Chain::new(&scores, &[0.0; 27]).viterbi().0, [0, 0, 0]);
    }
}
