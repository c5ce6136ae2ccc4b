//! The linear-chain CRF as it trains: the negative log-likelihood, on the device.
//!
//! `score(x, y) = start[y_1] + sum_t E[t, y_t] + sum_{t>1} A[y_{t-1}, y_t] + end[y_n]`; decoding
//! is [`crate::decode::chain`], plain Rust on the CPU.

use crate::decode::chain::ChainScores;
use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// Taken from the score of a label that the gold does not admit: far above any real score, and small
/// enough that a whole tweet of them keeps the digits of the others.
const REFUSED: f64 = 1e4;

/// Start, transition and end scores over `L` labels.
#[derive(Module, Debug)]
pub struct Crf {
    /// Score of a first label, `[L]`.
    pub start: Param<Tensor<1>>,
    /// Score of `to` following `from`, `[from, to]`, `[L, L]`.
    pub transitions: Param<Tensor<2>>,
    /// Score of a last label, `[L]`.
    pub end: Param<Tensor<1>>,
}

/// Gold labels of a batch in the form the loss needs, made on the host.
#[derive(Clone, Debug)]
pub struct CrfTargets {
    /// 1 at the gold label of every word, else 0, `[B, N, L]`.
    one_hot: Tensor<3>,
    /// 1 for a word, 0 for padding, `[N][B, 1]`; padding follows the words.
    present: Vec<Tensor<2>>,
    /// How often each label starts a tweet of the batch, `[L]`.
    starts: Tensor<1>,
    /// How often each transition occurs in the batch, `[L, L]`.
    transitions: Tensor<2>,
    /// How often each label ends a tweet, `[L]`.
    ends: Tensor<1>,
    /// 1 at every label that the gold of a word admits, else 0, `[B, N, L]`; none where the gold is
    /// one label each.
    admitted: Option<Tensor<3>>,
}

impl CrfTargets {
    /// From the gold label indices of each tweet.
    ///
    /// # Panics
    /// If a tweet has no words or a label index is not below `labels`.
    pub fn new(gold: &[Vec<usize>], labels: usize, device: &Device) -> Self {
        let batch = gold.len();
        let words = gold.iter().map(Vec::len).max().unwrap_or(0);
        let mut one_hot = vec![0f32; batch * words * labels];
        let mut present = vec![vec![0f32; batch]; words];
        let (mut starts, mut ends) = (vec![0f32; labels], vec![0f32; labels]);
        let mut transitions = vec![0f32; labels * labels];
        for (b, tags) in gold.iter().enumerate() {
            assert!(!tags.is_empty(), "a tweet without words has no likelihood");
            for (t, &tag) in tags.iter().enumerate() {
                assert!(tag < labels, "label index {tag} is not below {labels}");
                one_hot[(b * words + t) * labels + tag] = 1.0;
                present[t][b] = 1.0;
            }
            for pair in tags.windows(2) {
                transitions[pair[0] * labels + pair[1]] += 1.0;
            }
            starts[tags[0]] += 1.0;
            ends[tags[tags.len() - 1]] += 1.0;
        }
        Self {
            one_hot: Tensor::from_data(TensorData::new(one_hot, [batch, words, labels]), device),
            present: present
                .into_iter()
                .map(|row| Tensor::from_data(TensorData::new(row, [batch, 1]), device))
                .collect(),
            starts: Tensor::from_data(TensorData::new(starts, [labels]), device),
            transitions: Tensor::from_data(TensorData::new(transitions, [labels, labels]), device),
            ends: Tensor::from_data(TensorData::new(ends, [labels]), device),
            admitted: None,
        }
    }

    /// The same tweets where a gold label 0 admits other labels too: `open`, some labels a tweet. So
    /// a corpus that does not label a type says nothing of whether its words are of it.
    ///
    /// # Panics
    /// If `open` are not as many as the tweets, or a label index is too large.
    #[must_use]
    pub fn with_open(mut self, open: &[&[usize]]) -> Self {
        let [batch, _, labels] = self.one_hot.dims();
        assert_eq!(open.len(), batch, "some labels or none a tweet");
        if open.iter().all(|labels| labels.is_empty()) {
            return self;
        }
        let mut opened = vec![0f32; batch * labels];
        for (b, open) in open.iter().enumerate() {
            for &label in *open {
                assert!(label < labels, "label index {label} is not below {labels}");
                opened[b * labels + label] = 1.0;
            }
        }
        let device = self.one_hot.device();
        let opened = Tensor::from_data(TensorData::new(opened, [batch, 1, labels]), &device);
        let outside = self.one_hot.clone().narrow(2, 0, 1);
        self.admitted = Some((self.one_hot.clone() + outside * opened).clamp_max(1.0));
        self
    }

    /// The same words under a coarser set of labels: label `y` becomes `coarse[y]`, below `labels`.
    ///
    /// # Panics
    /// If `coarse` has not one entry a label, or one is not below `labels`.
    pub fn merged(&self, coarse: &[usize], labels: usize) -> Self {
        let [batch, words, fine] = self.one_hot.dims();
        assert_eq!(coarse.len(), fine, "one coarse label a label");
        let mut map = vec![0f32; fine * labels];
        for (y, &to) in coarse.iter().enumerate() {
            assert!(to < labels, "label index {to} is not below {labels}");
            map[y * labels + to] = 1.0;
        }
        let map = TensorData::new(map, [fine, labels]);
        let map: Tensor<2> = Tensor::from_data(map, &self.starts.device());
        let count = |counts: &Tensor<1>| {
            let counts = counts.clone().unsqueeze::<2>().matmul(map.clone());
            counts.reshape([labels])
        };
        let each = |values: &Tensor<3>| {
            let values = values.clone().reshape([batch * words, fine]);
            values.matmul(map.clone()).reshape([batch, words, labels])
        };
        Self {
            one_hot: each(&self.one_hot),
            admitted: self.admitted.as_ref().map(|a| each(a).clamp_max(1.0)),
            present: self.present.clone(),
            starts: count(&self.starts),
            transitions: map
                .clone()
                .transpose()
                .matmul(self.transitions.clone())
                .matmul(map.clone()),
            ends: count(&self.ends),
        }
    }

    /// 1 for a word, 0 for padding: of each word `[B, 1]`, `N` of them. Padding follows the words.
    pub fn present(&self) -> &[Tensor<2>] {
        &self.present
    }
}

impl Crf {
    /// A fresh chain over `labels` labels, scores from U(-0.1, 0.1).
    pub fn new(labels: usize, device: &Device) -> Self {
        let uniform = Initializer::Uniform {
            min: -0.1,
            max: 0.1,
        };
        Self {
            start: uniform.init([labels], device),
            transitions: uniform.init([labels, labels], device),
            end: uniform.init([labels], device),
        }
    }

    /// Negative log-likelihood of the gold labels, summed over words, mean over tweets, `[1]`; of
    /// all that the gold admits, where it does not say one label for each word.
    ///
    /// # Shapes
    /// - emissions `[B, N, L]`; rows beyond a tweet's words have no influence
    pub fn nll(&self, emissions: Tensor<3>, targets: &CrfTargets) -> Tensor<1> {
        let batch = emissions.dims()[0] as f64;
        let gold = match &targets.admitted {
            None => self.score(&emissions, targets),
            Some(admitted) => {
                let refused = (admitted.clone() - 1.0) * REFUSED;
                self.log_partition(emissions.clone() + refused, &targets.present)
            }
        };
        (self.log_partition(emissions, &targets.present) - gold) / batch
    }

    /// The gold labels' scores, summed over tweets, `[1]`.
    fn score(&self, emissions: &Tensor<3>, targets: &CrfTargets) -> Tensor<1> {
        (emissions.clone() * targets.one_hot.clone()).sum()
            + (self.transitions.val() * targets.transitions.clone()).sum()
            + (self.start.val() * targets.starts.clone()).sum()
            + (self.end.val() * targets.ends.clone()).sum()
    }

    /// The log of the sum of `exp score` over all label sequences, summed over tweets, `[1]`.
    fn log_partition(&self, emissions: Tensor<3>, present: &[Tensor<2>]) -> Tensor<1> {
        let [batch, _, labels] = emissions.dims();
        let at = |t: usize| emissions.clone().narrow(1, t, 1).reshape([batch, labels]);
        let a = self.transitions.val().unsqueeze::<3>();
        let mut alpha = self.start.val().unsqueeze::<2>() + at(0);
        for (t, present) in present.iter().enumerate().skip(1) {
            // log sum over the previous label, [B, from, to] -> [B, to].
            let paths = alpha.clone().unsqueeze_dim::<3>(2) + a.clone();
            let next = log_sum_exp(paths, 1).reshape([batch, labels]) + at(t);
            alpha = alpha.clone() + (next - alpha) * present.clone();
        }
        log_sum_exp(alpha + self.end.val().unsqueeze::<2>(), 1).sum()
    }

    /// The same chain through which no gradient flows.
    pub fn detached(&self) -> Self {
        Self {
            start: Param::from_tensor(self.start.val().detach()).set_require_grad(false),
            transitions: Param::from_tensor(self.transitions.val().detach())
                .set_require_grad(false),
            end: Param::from_tensor(self.end.val().detach()).set_require_grad(false),
        }
    }

    /// `alpha + beta`: of every word and label the log of the sum of `exp score` over all label
    /// sequences through it. Its softmax over the labels is the posterior.
    ///
    /// # Shapes
    /// - emissions `[B, N, L]`; present as [`CrfTargets::present`] gives it
    /// - output `[B, N, L]`; finite and without meaning where there is no word
    pub fn forward_backward(&self, emissions: Tensor<3>, present: &[Tensor<2>]) -> Tensor<3> {
        let [batch, words, labels] = emissions.dims();
        let at = |t: usize| emissions.clone().narrow(1, t, 1).reshape([batch, labels]);
        let a = self.transitions.val().unsqueeze::<3>();
        let mut alpha = vec![self.start.val().unsqueeze::<2>() + at(0)];
        for t in 1..words {
            // Beyond the last word this goes on as if there were more: nobody reads it.
            let paths = alpha[t - 1].clone().unsqueeze_dim::<3>(2) + a.clone();
            alpha.push(log_sum_exp(paths, 1).reshape([batch, labels]) + at(t));
        }
        let end = self.end.val().unsqueeze::<2>().expand([batch, labels]);
        let mut beta = vec![end];
        for t in (1..words).rev() {
            let after = beta[beta.len() - 1].clone();
            // log sum over the next label, [B, from, to] -> [B, from].
            let paths = (at(t) + after.clone()).unsqueeze_dim::<3>(1) + a.clone();
            let before = log_sum_exp(paths, 2).reshape([batch, labels]);
            beta.push(after.clone() + (before - after) * present[t].clone());
        }
        beta.reverse();
        Tensor::stack(alpha, 1) + Tensor::stack(beta, 1)
    }

    /// The scores on the host, for decoding. Reads the device once.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn to_host(&self) -> Result<ChainScores, burn::tensor::ExecutionError> {
        let labels = self.start.dims()[0];
        let read = async |tensor: Tensor<1>| {
            let data = tensor.into_data_async().await?;
            Ok::<_, burn::tensor::ExecutionError>(data.iter::<f32>().map(f64::from).collect())
        };
        Ok(ChainScores {
            start: read(self.start.val()).await?,
            transitions: read(self.transitions.val().reshape([labels * labels])).await?,
            end: read(self.end.val()).await?,
        })
    }
}

/// `log sum exp` over `dim`, kept as length 1. The shift by the maximum carries no gradient.
fn log_sum_exp<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let max = x.clone().detach().max_dim(dim);
    (x - max.clone()).exp().sum_dim(dim).log() + max
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::decode::chain::Chain;

    const L: usize = 9;

    fn wave(n: usize, k: f64, scale: f64) -> Vec<f64> {
        (0..n)
            .map(|i| ((i as f64 + 1.0) * k).sin() * scale)
            .collect()
    }

    fn crf_of(scores: &ChainScores, device: &Device) -> Crf {
        let tensor = |v: &[f64]| Tensor::<1>::from_data(TensorData::from(v), device);
        Crf {
            start: Param::from_tensor(tensor(&scores.start)),
            transitions: Param::from_tensor(tensor(&scores.transitions).reshape([L, L])),
            end: Param::from_tensor(tensor(&scores.end)),
        }
    }

    fn scores(scale: f64) -> ChainScores {
        ChainScores {
            start: wave(L, 1.3, scale),
            transitions: wave(L * L, 0.7, scale),
            end: wave(L, 2.1, scale),
        }
    }

    const GOLD: [&[usize]; 3] = [&[0, 1, 2, 0], &[3], &[0, 2, 5, 6, 0, 7]];

    /// Log likelihood of a tweet's labels through the host chain, which enumeration vouches for;
    /// `emissions`: those of the whole batch.
    fn host_log_likelihood(
        scores: &ChainScores,
        emissions: &[f64],
        tweet: usize,
        gold: &[usize],
    ) -> f64 {
        let from = tweet * 6 * L;
        let rows = &emissions[from..from + gold.len() * L];
        let mut score = scores.start[gold[0]] + scores.end[*gold.last().unwrap()];
        for (t, &y) in gold.iter().enumerate() {
            score += rows[t * L + y];
            if t > 0 {
                score += scores.transitions[gold[t - 1] * L + y];
            }
        }
        score - Chain::new(scores, rows).log_partition()
    }

    /// Batch-mean NLL of the gold labels.
    fn host_nll(scores: &ChainScores, emissions: &[f64]) -> f64 {
        let likelihoods = GOLD
            .iter()
            .enumerate()
            .map(|(tweet, gold)| host_log_likelihood(scores, emissions, tweet, gold));
        -likelihoods.sum::<f64>() / GOLD.len() as f64
    }

    fn targets(device: &Device) -> CrfTargets {
        CrfTargets::new(&GOLD.map(<[usize]>::to_vec), L, device)
    }

    fn emissions_tensor(emissions: &[f64], device: &Device) -> Tensor<3> {
        Tensor::<1>::from_data(TensorData::from(emissions), device).reshape([3, 6, L])
    }

    #[test]
    fn likelihood_agrees_with_the_host_chain_and_ignores_padding() {
        let device = Device::flex();
        let scores = scores(1.0);
        let mut emissions = wave(3 * 6 * L, 0.37, 2.0);
        let nll = |e: &[f64]| {
            let nll = crf_of(&scores, &device).nll(emissions_tensor(e, &device), &targets(&device));
            f64::from(nll.into_scalar::<f32>())
        };
        let expected = host_nll(&scores, &emissions);
        assert!(
            (nll(&emissions) - expected).abs() < 1e-4,
            "{} against {expected}",
            nll(&emissions)
        );
        for t in 1..6 {
            emissions[(6 + t) * L..(6 + t + 1) * L].fill(77.0); // the second tweet has one word
        }
        assert!((nll(&emissions) - expected).abs() < 1e-4);
    }

    #[test]
    fn merged_labels_are_the_targets_of_coarser_gold() {
        let device = Device::flex();
        let coarse = [0, 1, 2, 1, 2, 1, 2, 1, 2];
        let merged = targets(&device).merged(&coarse, 3);
        let gold: Vec<Vec<usize>> = GOLD
            .iter()
            .map(|tags| tags.iter().map(|&y| coarse[y]).collect())
            .collect();
        let direct = CrfTargets::new(&gold, 3, &device);
        let values = |t: &CrfTargets| {
            let data = [
                t.one_hot.to_data(),
                t.starts.to_data(),
                t.transitions.to_data(),
                t.ends.to_data(),
            ];
            data.map(|d| d.iter::<f32>().collect::<Vec<_>>())
        };
        assert_eq!(values(&merged), values(&direct));
    }

    #[test]
    fn open_gold_is_likely_as_all_that_it_admits() {
        let device = Device::flex();
        let scores = scores(1.0);
        let emissions = wave(3 * 6 * L, 0.37, 2.0);
        let crf = crf_of(&scores, &device);
        let nll = |targets: &CrfTargets| {
            let nll = crf.nll(emissions_tensor(&emissions, &device), targets);
            f64::from(nll.into_scalar::<f32>())
        };
        // Wherever the first tweet says 0, 7 and 8 may stand; the last stays as it is.
        let open = targets(&device).with_open(&[&[7, 8], &[7, 8], &[]]);
        let mut likelihoods = [0.0; 3];
        let likelihood =
            |tweet, gold: &[usize]| host_log_likelihood(&scores, &emissions, tweet, gold).exp();
        for first in [0, 7, 8] {
            for last in [0, 7, 8] {
                likelihoods[0] += likelihood(0, &[first, 1, 2, last]);
            }
        }
        likelihoods[1] = likelihood(1, GOLD[1]);
        likelihoods[2] = likelihood(2, GOLD[2]);
        let expected = -likelihoods.iter().map(|p| p.ln()).sum::<f64>() / 3.0;
        assert!((nll(&open) - expected).abs() < 1e-4);
        let closed = targets(&device).with_open(&[&[][..]; 3]);
        assert_eq!(nll(&closed), nll(&targets(&device)));
        // Over spans alone, what was open is open still.
        let coarse = [0, 1, 2, 1, 2, 1, 2, 1, 2];
        let merged = open.merged(&coarse, 3);
        let admitted: Vec<f32> = merged.admitted.unwrap().into_data().iter().collect();
        assert_eq!(admitted[..6], [1.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn posteriors_are_the_host_chains_marginals() {
        let device = Device::flex();
        let scores = scores(1.0);
        let mut emissions = wave(3 * 6 * L, 0.37, 2.0);
        for t in 1..6 {
            emissions[(6 + t) * L..(6 + t + 1) * L].fill(77.0); // the second tweet has one word
        }
        let sums = crf_of(&scores, &device).forward_backward(
            emissions_tensor(&emissions, &device),
            targets(&device).present(),
        );
        let posteriors: Vec<f32> = burn::tensor::activation::softmax(sums, 2)
            .into_data()
            .iter()
            .collect();
        for (b, gold) in GOLD.iter().enumerate() {
            let rows = &emissions[b * 6 * L..b * 6 * L + gold.len() * L];
            let chain = Chain::new(&scores, rows);
            for t in 0..gold.len() {
                for y in 0..L {
                    let got = f64::from(posteriors[(b * 6 + t) * L + y]);
                    let expected = chain.marginal(t, y);
                    assert!(
                        (got - expected).abs() < 1e-4,
                        "tweet {b}, word {t}, label {y}: {got} against {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn extreme_scores_give_a_finite_likelihood() {
        let device = Device::flex().autodiff();
        let crf = crf_of(&scores(1e4), &device);
        let emissions = emissions_tensor(&wave(3 * 6 * L, 0.37, 1e4), &device).require_grad();
        let nll = crf.nll(emissions.clone(), &targets(&device));
        assert!(nll.clone().into_scalar::<f32>().is_finite());
        let gradient = emissions
            .grad(&nll.backward())
            .expect("a gradient")
            .into_data();
        assert!(gradient.iter::<f32>().all(f32::is_finite));
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let device = Device::flex().autodiff();
        let base = scores(1.0);
        let emissions = wave(3 * 6 * L, 0.37, 2.0);
        let crf = crf_of(&base, &device);
        let input = emissions_tensor(&emissions, &device).require_grad();
        let grads = crf.nll(input.clone(), &targets(&device)).backward();
        let step = 1e-5;
        let check = |name: &str, got: Vec<f64>, at: &mut dyn FnMut(usize, f64) -> f64| {
            for (i, got) in got.into_iter().enumerate() {
                let expected = (at(i, step) - at(i, -step)) / (2.0 * step);
                assert!(
                    (got - expected).abs() < 1e-4,
                    "{name}[{i}]: {got} against {expected}"
                );
            }
        };
        let host = |data: TensorData| data.iter::<f64>().collect::<Vec<_>>();
        check(
            "emissions",
            host(input.grad(&grads).unwrap().into_data()),
            &mut |i, h| {
                let mut e = emissions.clone();
                e[i] += h;
                host_nll(&base, &e)
            },
        );
        check(
            "start",
            host(crf.start.val().grad(&grads).unwrap().into_data()),
            &mut |i, h| {
                let mut s = base.clone();
                s.start[i] += h;
                host_nll(&s, &emissions)
            },
        );
        check(
            "transitions",
            host(crf.transitions.val().grad(&grads).unwrap().into_data()),
            &mut |i, h| {
                let mut s = base.clone();
                s.transitions[i] += h;
                host_nll(&s, &emissions)
            },
        );
        check(
            "end",
            host(crf.end.val().grad(&grads).unwrap().into_data()),
            &mut |i, h| {
                let mut s = base.clone();
                s.end[i] += h;
                host_nll(&s, &emissions)
            },
        );
    }

    /// `tests/reference/crf.py`: the forward algorithm and autograd of PyTorch, in f64.
    #[test]
    fn agrees_with_pytorch() {
        let text = include_str!("../../../tests/reference/crf/crf.json");
        let cases: serde_json::Value = serde_json::from_str(text).unwrap();
        let device = Device::flex().autodiff();
        for (name, case) in cases.as_object().unwrap() {
            let numbers = |key: &str| flat(&case[key]);
            let base = ChainScores {
                start: numbers("start"),
                transitions: numbers("transitions"),
                end: numbers("end"),
            };
            let gold: Vec<Vec<usize>> = case["gold"]
                .as_array()
                .unwrap()
                .iter()
                .map(|tags| {
                    flat(tags)
                        .into_iter()
                        .filter(|y| *y >= 0.0)
                        .map(|y| y as usize)
                        .collect()
                })
                .collect();
            let crf = crf_of(&base, &device);
            let input = emissions_tensor(&numbers("emissions"), &device).require_grad();
            let nll = crf.nll(input.clone(), &CrfTargets::new(&gold, L, &device));
            let expected = case["nll"].as_f64().unwrap();
            let got = f64::from(nll.clone().into_scalar::<f32>());
            assert!(
                (got - expected).abs() <= 1e-5 * expected.abs(),
                "{name}: {got} against {expected}"
            );
            let grads = nll.backward();
            let check = |what: &str, got: Option<TensorData>| {
                let got = got.unwrap().iter::<f64>().collect::<Vec<_>>();
                for (got, expected) in got.iter().zip(numbers(what)) {
                    assert!(
                        (got - expected).abs() < 2e-4,
                        "{name} {what}: {got} against {expected}"
                    );
                }
            };
            check("grad_emissions", input.grad(&grads).map(Tensor::into_data));
            check(
                "grad_start",
                crf.start.val().grad(&grads).map(Tensor::into_data),
            );
            check(
                "grad_transitions",
                crf.transitions.val().grad(&grads).map(Tensor::into_data),
            );
            check(
                "grad_end",
                crf.end.val().grad(&grads).map(Tensor::into_data),
            );

            // The host chain against the same reference.
            let (emissions, partitions) = (numbers("emissions"), numbers("log_partition"));
            for (b, tags) in gold.iter().enumerate() {
                let rows = &emissions[b * 6 * L..(b * 6 + tags.len()) * L];
                let found = Chain::new(&base, rows).log_partition();
                assert!((found - partitions[b]).abs() < 1e-9 * partitions[b].abs().max(1.0));
            }
        }
    }

    /// The numbers of nested JSON arrays, in order.
    fn flat(value: &serde_json::Value) -> Vec<f64> {
        match value {
            serde_json::Value::Array(items) => items.iter().flat_map(flat).collect(),
            number => vec![number.as_f64().unwrap()],
        }
    }
}
