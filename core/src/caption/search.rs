//! Which caption is likeliest: beam search.

/// Subwords that may not come twice in the same order.
const NO_REPEAT: usize = 3;

/// A caption that is being said.
#[derive(Clone, Debug, PartialEq)]
pub struct Beam {
    /// The subwords, without boundaries.
    pub subwords: Vec<usize>,
    /// Sum of their log probabilities, that of the end included once it is there.
    pub score: f64,
}

impl Beam {
    /// Mean log probability of a subword, the end counted as one.
    pub fn mean(&self) -> f64 {
        self.score / (self.subwords.len() + 1) as f64
    }

    /// Whether `next` would repeat what was said.
    fn repeats(&self, next: usize) -> bool {
        let last = &self.subwords[self.subwords.len().saturating_sub(NO_REPEAT - 1)..];
        last.len() == NO_REPEAT - 1
            && self
                .subwords
                .windows(NO_REPEAT)
                .any(|said| said[..NO_REPEAT - 1] == *last && said[NO_REPEAT - 1] == next)
    }
}

/// The captions that are being said and the best that is said.
#[derive(Clone, Debug)]
pub struct Search {
    width: usize,
    /// The boundary's place.
    end: usize,
    /// Those that go on, the likeliest first.
    pub open: Vec<Beam>,
    best: Option<Beam>,
}

impl Search {
    /// A search that keeps `width` captions, which end with the subword `end`.
    pub fn new(width: usize, end: usize) -> Self {
        let nothing = Beam {
            subwords: Vec::new(),
            score: 0.0,
        };
        Self {
            width,
            end,
            open: vec![nothing],
            best: None,
        }
    }

    /// Lets each open caption go on. `logs`: log probabilities of what follows each, a row of `vocab` a caption. Returns, of each
    /// caption that goes on, which one it goes on from.
    pub fn extend(&mut self, logs: &[f32], vocab: usize) -> Vec<usize> {
        let mut next: Vec<(usize, Beam)> = Vec::new();
        for (from, (beam, logs)) in self.open.iter().zip(logs.chunks_exact(vocab)).enumerate() {
            let mut order: Vec<usize> = (0..vocab).filter(|&at| !beam.repeats(at)).collect();
            // One more than the width: one of them may be the end.
            let count = (self.width + 1).min(order.len());
            if count < order.len() {
                order.select_nth_unstable_by(count, |&a, &b| logs[b].total_cmp(&logs[a]));
            }
            for &at in &order[..count] {
                let score = beam.score + f64::from(logs[at]);
                let mut subwords = beam.subwords.clone();
                if at == self.end {
                    self.best = Some(Beam { subwords, score })
                        .into_iter()
                        .chain(self.best.take())
                        .max_by(|a, b| a.mean().total_cmp(&b.mean()));
                } else {
                    subwords.push(at);
                    next.push((from, Beam { subwords, score }));
                }
            }
        }
        next.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        next.truncate(self.width);
        let (from, open) = next.into_iter().unzip();
        self.open = open;
        from
    }

    /// Whether no open caption can become better than the best: they only get less likely, and `most` is how long the longest
    /// may be.
    pub fn is_done(&self, most: usize) -> bool {
        let Some(best) = &self.best else {
            return self.open.is_empty();
        };
        let reach = |beam: &Beam| beam.score / (most + 1) as f64;
        self.open.iter().all(|beam| reach(beam) <= best.mean())
    }

    /// The likeliest caption by its mean; one that has not ended only where none has.
    pub fn best(self) -> Option<Beam> {
        self.best.or_else(|| self.open.into_iter().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCAB: usize = 4;
    const MOST: usize = 4;

    /// Log probabilities of what follows `said`, of a made-up language.
    fn logs(said: &[usize]) -> Vec<f32> {
        let seed = said
            .iter()
            .fold(17_u64, |seed, &at| seed * 31 + at as u64 + 1);
        let mut rng = crate::splitmix::SplitMix64(seed);
        let odds: Vec<f64> = (0..VOCAB).map(|_| rng.unit() + 0.01).collect();
        let sum: f64 = odds.iter().sum();
        odds.iter().map(|odd| (odd / sum).ln() as f32).collect()
    }

    fn searched(width: usize) -> Beam {
        let mut search = Search::new(width, 0);
        for _ in 0..=MOST {
            let all: Vec<f32> = search
                .open
                .iter()
                .flat_map(|beam| logs(&beam.subwords))
                .collect();
            search.extend(&all, VOCAB);
            if search.is_done(MOST) {
                break;
            }
        }
        search.best().unwrap()
    }

    /// Every caption of at most [`MOST`] subwords.
    fn all(said: &mut Vec<usize>, score: f64, found: &mut Vec<Beam>) {
        let logs = logs(said);
        let subwords = said.clone();
        let end = score + f64::from(logs[0]);
        found.push(Beam {
            subwords,
            score: end,
        });
        if said.len() == MOST {
            return;
        }
        for (next, log) in logs.iter().enumerate().skip(1) {
            said.push(next);
            all(said, score + f64::from(*log), found);
            said.pop();
        }
    }

    #[test]
    fn a_wide_search_finds_the_best_of_all() {
        let mut found = Vec::new();
        all(&mut Vec::new(), 0.0, &mut found);
        let best = found
            .into_iter()
            .max_by(|a, b| a.mean().total_cmp(&b.mean()));
        assert_eq!(searched(200), best.unwrap());
    }

    #[test]
    fn nothing_is_said_three_times_over() {
        let beam = Beam {
            subwords: vec![1, 2, 3, 1, 2],
            score: 0.0,
        };
        assert!(beam.repeats(3));
        assert!(!beam.repeats(1));
        let mut search = Search::new(1, 0);
        // Whatever was said, 1 is likeliest by far and the end least.
        let logs = [-9.0, -0.01, -5.0, -6.0];
        for _ in 0..6 {
            search.extend(&logs, VOCAB);
        }
        assert_eq!(search.open[0].subwords, [1, 1, 1, 2, 1, 1]);
    }

    #[test]
    fn the_end_ends_it() {
        let mut search = Search::new(2, 0);
        assert_eq!(search.extend(&[-3.0, -0.1, -5.0, -5.0], VOCAB), [0, 0]);
        assert!(!search.is_done(MOST));
        let from = search.extend(&[-0.01, -6.0, -7.0, -8.0, -1.0, -0.5, -2.0, -3.0], VOCAB);
        assert_eq!(from.len(), 2);
        assert!(search.is_done(MOST));
        assert_eq!(search.best().unwrap().subwords, [1]);
    }
}
