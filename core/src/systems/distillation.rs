//! Knowledge distillation for chains: a student learns what teachers believe of every word (Hinton et al., 2015; posteriors of a
//! chain as Wang et al., "Structure-Level Knowledge Distillation For Multilingual Sequence Labeling", ACL 2020, have them).

use crate::nn::crf::Crf;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// How a student learns from teachers beside the gold labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistillationConfig {
    /// Temperature of both posteriors, above 0.
    pub temperature: f64,
    /// Weight of what the teachers say, beside 1 for the gold labels.
    pub weight: f64,
}

/// What teachers believe of a batch, on the device.
#[derive(Clone, Debug)]
pub struct TeacherPosteriors {
    /// Log posteriors, `[B, N, L]`.
    logs: Tensor<3>,
    /// 1 for a word of which something is known, else 0, `[B, N, 1]`.
    known: Tensor<3>,
}

impl TeacherPosteriors {
    /// From each tweet's log posteriors, `[N * L]`, none where nothing is known. None where nothing is known of any.
    pub fn new(
        tweets: &[Option<&[f32]>],
        words: usize,
        labels: usize,
        device: &Device,
    ) -> Option<Self> {
        if tweets.iter().all(Option::is_none) {
            return None;
        }
        let mut logs = vec![0f32; tweets.len() * words * labels];
        let mut known = vec![0f32; tweets.len() * words];
        for (b, tweet) in tweets.iter().enumerate() {
            let Some(tweet) = tweet else { continue };
            logs[b * words * labels..][..tweet.len()].copy_from_slice(tweet);
            known[b * words..][..tweet.len() / labels].fill(1.0);
        }
        let shape = [tweets.len(), words];
        Some(Self {
            logs: Tensor::from_data(TensorData::new(logs, [shape[0], words, labels]), device),
            known: Tensor::from_data(TensorData::new(known, [shape[0], words, 1]), device),
        })
    }

    /// The [`divergence`] of a student from them over the words of which something is known, `[1]`.
    ///
    /// # Shapes
    /// - emissions `[B, N, L]`, the student's; present as
    ///   [`CrfTargets::present`](crate::nn::crf::CrfTargets::present) gives it
    pub fn divergence(
        &self,
        crf: &Crf,
        emissions: Tensor<3>,
        present: &[Tensor<2>],
        temperature: f64,
    ) -> Tensor<1> {
        let student = crf.forward_backward(emissions, present);
        divergence(self.logs.clone(), student, self.known.clone(), temperature)
    }
}

/// `tau^2 KL(p_teacher || p_student)`, summed over words and labels, mean over tweets, `[1]`;
/// `p = softmax(scores / tau)` of each word.
///
/// # Shapes
/// - teacher and student `[B, N, L]`, log posteriors up to a number a word, as
///   [`Crf::forward_backward`] gives them; words `[B, N, 1]`, 1 where a word counts, else 0
pub fn divergence(
    teacher: Tensor<3>,
    student: Tensor<3>,
    words: Tensor<3>,
    temperature: f64,
) -> Tensor<1> {
    let batch = teacher.dims()[0] as f64;
    let teacher = log_softmax(teacher / temperature, 2);
    let student = log_softmax(student / temperature, 2);
    let divergence = teacher.clone().exp() * (teacher - student) * words;
    divergence.sum() * (temperature * temperature / batch)
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::decode::chain::{Chain, ChainScores};
    use crate::nn::crf::CrfTargets;
    use crate::nn::crf::tests::crf_of;

    const L: usize = 3;
    const N: usize = 4;

    fn wave(n: usize, k: f64) -> Vec<f64> {
        (0..n).map(|i| ((i as f64 + 1.0) * k).sin() * 2.0).collect()
    }

    /// Against the chain on the host: zero from a teacher that is the student, and the sum over the words of the tweets
    /// of which something is known from another.
    #[test]
    fn the_divergence_is_the_hosts_and_zero_from_the_student_itself() {
        let device = Device::flex();
        let scores = ChainScores {
            start: wave(L, 1.3),
            transitions: wave(L * L, 0.7),
            end: wave(L, 2.1),
        };
        let tensor = |v: &[f64]| Tensor::<1>::from_data(TensorData::from(v), &device);
        let crf = crf_of(&scores, &device);
        let lengths = [N, 2, 3];
        let values = wave(3 * N * L, 0.37);
        let emissions = tensor(&values).reshape([3, N, L]);
        let targets = CrfTargets::new(&lengths.map(|n| vec![0; n]), L, &device);
        let own: Vec<Vec<f32>> = lengths
            .iter()
            .enumerate()
            .map(|(b, n)| {
                let chain = Chain::new(&scores, &values[b * N * L..][..n * L]);
                let each = (0..n * L).map(|i| chain.marginal(i / L, i % L).ln() as f32);
                each.collect()
            })
            .collect();
        let divergence = |tweets: &[Option<&[f32]>], temperature| {
            let teacher = TeacherPosteriors::new(tweets, N, L, &device).unwrap();
            let loss = teacher.divergence(&crf, emissions.clone(), targets.present(), temperature);
            loss.into_scalar::<f64>()
        };
        let same: Vec<Option<&[f32]>> = own.iter().map(|logs| Some(logs.as_slice())).collect();
        assert!(divergence(&same, 2.0).abs() < 1e-4);

        let other: Vec<f32> = wave(2 * L, 1.9).iter().map(|&x| x as f32).collect();
        let tempered = |logs: &[f32]| {
            let each: Vec<f64> = logs.iter().map(|&x| (f64::from(x) / 2.0).exp()).collect();
            let all: f64 = each.iter().sum();
            each.into_iter().map(|x| x / all).collect::<Vec<_>>()
        };
        let pairs = other.chunks(L).zip(own[1].chunks(L));
        let expected: f64 = pairs
            .flat_map(|(t, s)| tempered(t).into_iter().zip(tempered(s)))
            .map(|(t, s)| t * (t / s).ln())
            .sum();
        let got = divergence(&[None, Some(&other), None], 2.0);
        assert!(
            (got - expected * 4.0 / 3.0).abs() < 1e-4,
            "{got} against {expected}"
        );
        assert!(TeacherPosteriors::new(&[None, None], N, L, &device).is_none());
    }
}
