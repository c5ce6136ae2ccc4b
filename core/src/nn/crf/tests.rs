use super::*;
use crate::decode::chain::Chain;

const L: usize = 9;

fn wave(n: usize, k: f64, scale: f64) -> Vec<f64> {
    (0..n)
        .map(|i| ((i as f64 + 1.0) * k).sin() * scale)
        .collect()
}

/// A chain on the device with the scores of one on the host.
pub(crate) fn crf_of(scores: &ChainScores, device: &Device) -> Crf {
    let labels = scores.start.len();
    let tensor = |v: &[f64]| Tensor::<1>::from_data(TensorData::from(v), device);
    Crf {
        start: Param::from_tensor(tensor(&scores.start)),
        transitions: Param::from_tensor(tensor(&scores.transitions).reshape([labels, labels])),
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
    let text = include_str!("../../../../tests/reference/crf/crf.json");
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
