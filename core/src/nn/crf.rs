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
pub(crate) mod tests;
