//! Cross-view alignment: the text view learns what the view with the image believes (ITA, Wang et
//! al., NAACL 2022, section 3.3, whose image is words; any other system's may be anything).

use crate::nn::crf::{Crf, CrfTargets};
use crate::systems::distillation::divergence;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How a system learns from two views of a tweet: its text alone, and the text with its image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossViewConfig {
    /// Temperature of both posteriors, above 0. The paper's: 4 on Twitter-2015, 2 on Twitter-2017.
    pub temperature: f64,
    /// Weight of the likelihood of the view with the image.
    pub cross: f64,
    /// Weight of the alignment.
    pub alignment: f64,
}

impl Default for CrossViewConfig {
    /// Temperature 4, both weights 0.5.
    fn default() -> Self {
        Self {
            temperature: 4.0,
            cross: 0.5,
            alignment: 0.5,
        }
    }
}

/// The training loss of both views, `[1]`: `NLL(text) + w NLL(cross) + v L_CVA`.
///
/// # Shapes
/// - text and cross `[B, N, L]`, emissions of the same words
pub fn loss(
    crf: &Crf,
    text: Tensor<3>,
    cross: Tensor<3>,
    targets: &CrfTargets,
    config: &CrossViewConfig,
) -> Tensor<1> {
    let aligned = alignment(
        crf,
        text.clone(),
        cross.clone(),
        targets.present(),
        config.temperature,
    );
    crf.nll(text, targets) + crf.nll(cross, targets) * config.cross + aligned * config.alignment
}

/// `tau^2 KL(p_cross || p_text)`, summed over words and labels, mean over tweets, `[1]`;
/// `p = softmax((alpha + beta) / tau)` of each word on each view's chain.
///
/// `cross` teaches and does not learn: no gradient reaches it, nor the chain through it.
///
/// # Shapes
/// - text and cross `[B, N, L]`, emissions of the same words; present as
///   [`CrfTargets::present`](crate::nn::crf::CrfTargets::present) gives it
pub fn alignment(
    crf: &Crf,
    text: Tensor<3>,
    cross: Tensor<3>,
    present: &[Tensor<2>],
    temperature: f64,
) -> Tensor<1> {
    let teacher = crf.detached().forward_backward(cross.detach(), present);
    let student = crf.forward_backward(text, present);
    let words = Tensor::stack::<3>(present.to_vec(), 1);
    divergence(teacher.detach(), student, words, temperature)
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::decode::chain::{Chain, ChainScores};
    use crate::nn::crf::tests::crf_of;
    use burn::tensor::{Device, TensorData};

    const L: usize = 3;
    const N: usize = 4;
    const TAU: f64 = 2.0;

    fn wave(n: usize, k: f64) -> Vec<f64> {
        (0..n).map(|i| ((i as f64 + 1.0) * k).sin() * 2.0).collect()
    }

    fn scores() -> ChainScores {
        ChainScores {
            start: wave(L, 1.3),
            transitions: wave(L * L, 0.7),
            end: wave(L, 2.1),
        }
    }

    fn emissions(values: &[f64], device: &Device) -> Tensor<3> {
        Tensor::<1>::from_data(TensorData::from(values), device).reshape([2, N, L])
    }

    const LENGTHS: [usize; 2] = [N, 2];

    fn targets(device: &Device) -> CrfTargets {
        CrfTargets::new(&LENGTHS.map(|n| vec![0; n]), L, device)
    }

    /// The loss on the host. The chain's marginals are softmax(alpha + beta), so their logarithms
    /// over tau give the same softmax.
    fn host(teacher: &ChainScores, student: &ChainScores, text: &[f64], cross: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (b, &n) in LENGTHS.iter().enumerate() {
            let rows = b * N * L..(b * N + n) * L;
            let soft = |scores: &ChainScores, emissions: &[f64], t: usize| {
                let chain = Chain::new(scores, emissions);
                let powers: Vec<f64> = (0..L)
                    .map(|y| chain.marginal(t, y).powf(1.0 / TAU))
                    .collect();
                let sum: f64 = powers.iter().sum();
                powers.into_iter().map(|p| p / sum).collect::<Vec<_>>()
            };
            for t in 0..n {
                let p = soft(teacher, &cross[rows.clone()], t);
                let q = soft(student, &text[rows.clone()], t);
                sum += p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum::<f64>();
            }
        }
        sum * TAU * TAU / LENGTHS.len() as f64
    }

    #[test]
    fn the_loss_is_the_hosts_and_zero_for_equal_views() {
        let device = Device::flex();
        let (scores, mut text, cross) = (scores(), wave(2 * N * L, 0.37), wave(2 * N * L, 0.53));
        let loss = |text: &[f64], cross: &[f64]| {
            let loss = alignment(
                &crf_of(&scores, &device),
                emissions(text, &device),
                emissions(cross, &device),
                targets(&device).present(),
                TAU,
            );
            f64::from(loss.into_scalar::<f32>())
        };
        let expected = host(&scores, &scores, &text, &cross);
        assert!(expected > 0.1);
        assert!((loss(&text, &cross) - expected).abs() < 1e-4);
        assert!(loss(&text, &text).abs() < 1e-6);
        text[(N + 2) * L..].fill(50.0); // no word stands there
        assert!((loss(&text, &cross) - expected).abs() < 1e-4);
    }

    #[test]
    fn only_the_text_view_and_its_chain_learn() {
        let device = Device::flex().autodiff();
        let (base, text, cross) = (scores(), wave(2 * N * L, 0.37), wave(2 * N * L, 0.53));
        let chain = crf_of(&base, &device);
        let inputs = [&text, &cross].map(|v| emissions(v, &device).require_grad());
        let [text_input, cross_input] = inputs;
        let loss = alignment(
            &chain,
            text_input.clone(),
            cross_input.clone(),
            targets(&device).present(),
            TAU,
        );
        let grads = loss.backward();
        assert!(cross_input.grad(&grads).is_none());

        let step = 1e-5;
        let check = |name: &str, got: TensorData, at: &dyn Fn(usize, f64) -> f64| {
            for (i, got) in got.iter::<f64>().enumerate() {
                let expected = (at(i, step) - at(i, -step)) / (2.0 * step);
                assert!(
                    (got - expected).abs() < 1e-4,
                    "{name}[{i}]: {got} against {expected}"
                );
            }
        };
        let of = |grad: Option<Tensor<3>>| grad.expect("a gradient").into_data();
        check("text", of(text_input.grad(&grads)), &|i, h| {
            let mut moved = text.clone();
            moved[i] += h;
            host(&base, &base, &moved, &cross)
        });
        // The chain learns through the student alone: the teacher's copy stays.
        let transitions = chain.transitions.val().grad(&grads).expect("a gradient");
        check("transitions", transitions.into_data(), &|i, h| {
            let mut moved = base.clone();
            moved.transitions[i] += h;
            host(&base, &moved, &text, &cross)
        });
        let start = chain.start.val().grad(&grads).expect("a gradient");
        check("start", start.into_data(), &|i, h| {
            let mut moved = base.clone();
            moved.start[i] += h;
            host(&base, &moved, &text, &cross)
        });
        let end = chain.end.val().grad(&grads).expect("a gradient");
        check("end", end.into_data(), &|i, h| {
            let mut moved = base.clone();
            moved.end[i] += h;
            host(&base, &moved, &text, &cross)
        });
    }
}
