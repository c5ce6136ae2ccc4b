//! A bundle whose text encoder has narrower feed-forward networks.
//!
//! One hidden value after the other goes, each time the one whose loss changes the layer's products least once all others have given
//! back what they can (Hassibi & Stork 1993, "Optimal Brain Surgeon"; of whole rows: Kurtic et al. 2023, "ZipLM", algorithm 1).

use crate::bundle::compensated::{SecondMoments, inverse};
use crate::bundle::manifest::Manifest;
use crate::bundle::quantize::LinearInputs;
use crate::bundle::weights::{self, WeightsError};
use crate::bundle::{BundleError, BundleFiles, Compute, unpack};
use crate::packing::answered_anew;
use crate::packing::trim::check_whole;
use crate::recognizer::LoadError;
use burn::tensor::{Bytes, DType, Device, Shape};
use std::collections::HashMap;

/// Whether a bundle can have feed-forward networks of `ffn` hidden values, from its manifest alone.
///
/// # Errors
/// As [`narrow_bundle`].
pub fn check_narrow(files: &BundleFiles, ffn: usize) -> Result<(), BundleError> {
    let manifest = Manifest::parse(&files.manifest)?;
    check_whole(&manifest)?;
    let hidden = manifest.config.encoder().ffn;
    if (1..hidden).contains(&ffn) {
        return Ok(());
    }
    Err(BundleError::Config(format!(
        "its feed-forward networks have {hidden} hidden values; name a number from 1 to {}",
        hidden - 1
    )))
}

/// A bundle of f32 weights in whose text encoder every feed-forward network has `ffn` hidden values, those that `inputs`, as
/// [`linear_inputs`](crate::packing::inputs::linear_inputs) gives them, say matter most, with the answer that it now gives on `device`.
/// Scores and calibration are left out: it reads worse until it has learnt on.
///
/// # Errors
/// [`BundleError::Config`] if the bundle is quantised, or has not more hidden values than `ffn`, or `inputs` are not of this bundle;
/// [`BundleError`] and [`LoadError`] for a bundle that cannot be used.
pub fn narrow_bundle(
    files: &BundleFiles,
    ffn: usize,
    inputs: &LinearInputs,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    check_narrow(files, ffn)?;
    let mut manifest = unpack(files.clone(), device, Compute::Device)?.manifest;
    manifest.config.encoder_mut().ffn = ffn;
    let weights = with_hidden(files.weights.clone(), ffn, inputs)?;
    let files = BundleFiles {
        weights,
        ..files.clone()
    };
    manifest.about.forget_measured();
    answered_anew(files, manifest, device)
}

/// The weights with `ffn` hidden values in every layer of the text encoder.
fn with_hidden(pack: Vec<u8>, ffn: usize, inputs: &LinearInputs) -> Result<Vec<u8>, BundleError> {
    let tensors = weights::read(Bytes::from_bytes_vec(pack)).map_err(BundleError::Weights)?;
    let mut parts = Vec::new();
    for tensor in tensors {
        let parts_of = tensor.into_parts().map_err(WeightsError::from);
        parts.push(parts_of.map_err(BundleError::Weights)?);
    }
    let mut stay = HashMap::new();
    for (name, _, shape, _, bytes) in &mut parts {
        let Some(layer) = part_of_layer(name, "ffn_out.weight") else {
            continue;
        };
        let Some(moments) = inputs.get(name).filter(|m| m.inputs == shape[0]) else {
            let problem = format!("nothing is known of what `{name}` is given");
            return Err(BundleError::Config(problem));
        };
        let (places, values) = fewer_inputs(&weights::f32_values(bytes), moments, ffn);
        stay.insert(layer.to_owned(), places);
        *shape = Shape::new([ffn, shape[1]]);
        *bytes = bytes_of(&values);
    }
    for (name, _, shape, _, bytes) in &mut parts {
        let (weight, bias) = (
            part_of_layer(name, "ffn_in.weight"),
            part_of_layer(name, "ffn_in.bias"),
        );
        let Some(places) = weight.or(bias).and_then(|layer| stay.get(layer)) else {
            continue;
        };
        let all = weights::f32_values(bytes);
        let rows = all.chunks_exact(shape[shape.num_dims() - 1]);
        let kept = rows.flat_map(|row| places.iter().map(|&place| row[place]));
        *bytes = bytes_of(&kept.collect::<Vec<f32>>());
        *shape = match weight {
            Some(_) => Shape::new([shape[0], ffn]),
            None => Shape::new([ffn]),
        };
    }
    let tensors = parts.into_iter().map(|(name, dtype, shape, id, bytes)| {
        debug_assert_eq!(dtype, DType::F32);
        burn_pack::Tensor::new(name, dtype, shape, id, bytes)
    });
    weights::write(tensors.collect()).map_err(BundleError::Weights)
}

/// What stands before `part` in the name of a tensor, if it is that of a layer of the text encoder.
fn part_of_layer<'a>(name: &'a str, part: &str) -> Option<&'a str> {
    let layer = name.strip_suffix(part)?;
    layer.contains("encoder.layers.").then_some(layer)
}

fn bytes_of(values: &[f32]) -> Bytes {
    Bytes::from_bytes_vec(
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    )
}

/// Which `count` inputs of a linear layer stay, in order, and their weights, `[count, outputs]`, which make up for the others as far as
/// `moments`, of the inputs, let them. `weights` is `[inputs, outputs]`.
fn fewer_inputs(weights: &[f32], moments: &SecondMoments, count: usize) -> (Vec<usize>, Vec<f32>) {
    let n = moments.inputs;
    let outputs = weights.len() / n;
    let mut weights: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
    let mut inverse = inverse(moments);
    let mut stay: Vec<usize> = (0..n).collect();
    while stay.len() > count {
        let cost = |&i: &usize| {
            let row = &weights[i * outputs..(i + 1) * outputs];
            row.iter().map(|weight| weight * weight).sum::<f64>() / inverse[i * n + i]
        };
        let costs: Vec<f64> = stay.iter().map(cost).collect();
        let cheapest = (0..stay.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b]));
        let gone = stay.remove(cheapest.expect("more than `count` inputs are left"));
        let row = weights[gone * outputs..(gone + 1) * outputs].to_vec();
        let of_gone = inverse[gone * n..(gone + 1) * n].to_vec();
        for &i in &stay {
            let share = of_gone[i] / of_gone[gone];
            let own = &mut weights[i * outputs..(i + 1) * outputs];
            own.iter_mut()
                .zip(&row)
                .for_each(|(own, gone)| *own -= share * gone);
            let own = &mut inverse[i * n..(i + 1) * n];
            own.iter_mut()
                .zip(&of_gone)
                .for_each(|(own, gone)| *own -= share * gone);
        }
    }
    let rows = stay
        .iter()
        .flat_map(|&i| &weights[i * outputs..(i + 1) * outputs]);
    let values = rows.map(|&weight| weight as f32).collect();
    (stay, values)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::bundle::quantize::Scheme;
    use crate::packing::inputs::linear_inputs;
    use crate::packing::{quantize_bundle, tiny};
    use crate::recognizer::Recognizer;
    use crate::splitmix::random_values;
    use crate::systems::SystemKind;

    /// How much the products of `rows` change, summed over squares.
    fn changed(rows: &[f32], before: &[f32], stay: &[usize], after: &[f32], n: usize) -> f32 {
        let outputs = before.len() / n;
        let mut sum = 0.0;
        for row in rows.chunks(n) {
            for output in 0..outputs {
                let was: f32 = (0..n).map(|i| row[i] * before[i * outputs + output]).sum();
                let of_stay = stay.iter().enumerate();
                let is: f32 = of_stay
                    .map(|(at, &i)| row[i] * after[at * outputs + output])
                    .sum();
                sum += (was - is).powi(2);
            }
        }
        sum
    }

    #[test]
    fn inputs_that_follow_from_others_cost_nothing() {
        let (n, outputs) = (12, 5);
        let mut rows = random_values(40 * n, 1);
        for row in rows.chunks_mut(n) {
            row[3] = 2.0 * row[0] - row[7];
            row[10] = 0.0;
        }
        let weights = random_values(n * outputs, 2);
        let (stay, after) = fewer_inputs(&weights, &SecondMoments::of(&rows, n), n - 2);
        assert!(!stay.contains(&10) && [0, 3, 7].iter().filter(|i| stay.contains(i)).count() == 2);
        let alone: Vec<f32> = stay
            .iter()
            .flat_map(|&i| &weights[i * outputs..][..outputs])
            .copied()
            .collect();
        let [by, without] = [&after, &alone].map(|after| changed(&rows, &weights, &stay, after, n));
        assert!(by < 1e-3 * without, "{by} of {without}");
    }

    /// The one that goes first is the one whose loss costs least, by trying each and solving for the others step by step.
    #[test]
    fn the_first_to_go_costs_least() {
        let (n, outputs) = (9, 4);
        let rows = random_values(50 * n, 3);
        let weights = random_values(n * outputs, 4);
        let moments = SecondMoments::of(&rows, n);
        let cost = |gone: usize| {
            let stay: Vec<usize> = (0..n).filter(|&i| i != gone).collect();
            let mut after: Vec<f32> = stay
                .iter()
                .flat_map(|&i| &weights[i * outputs..][..outputs])
                .copied()
                .collect();
            // Each weight in turn becomes the best there is, until none moves.
            for _ in 0..400 {
                for (at, &i) in stay.iter().enumerate() {
                    for output in 0..outputs {
                        let mut pull =
                            moments.sums[i * n + gone] * weights[gone * outputs + output];
                        for (other, &j) in stay.iter().enumerate() {
                            let off =
                                weights[j * outputs + output] - after[other * outputs + output];
                            pull += moments.sums[i * n + j] * off;
                        }
                        after[at * outputs + output] += pull / moments.sums[i * n + i];
                    }
                }
            }
            changed(&rows, &weights, &stay, &after, n)
        };
        let costs: Vec<f32> = (0..n).map(cost).collect();
        let (stay, after) = fewer_inputs(&weights, &moments, n - 1);
        let gone = (0..n).find(|i| !stay.contains(i)).unwrap();
        let least = costs.iter().copied().fold(f32::INFINITY, f32::min);
        assert_eq!(costs[gone], least);
        let by = changed(&rows, &weights, &stay, &after, n);
        assert!((by - least).abs() < 0.01 * least, "{by} and {least}");
    }

    fn read(files: BundleFiles, words: &[&str], device: &Device) -> (Vec<Vec<f32>>, LinearInputs) {
        let load = Recognizer::load(files, device, Compute::Device);
        let recognizer = pollster::block_on(load).unwrap();
        let text = words.join(" ");
        let answer = pollster::block_on(recognizer.known_answer(&text, None)).unwrap();
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let inputs = linear_inputs(&recognizer, [(words.as_slice(), None)], |_| ()).unwrap();
        (answer.emissions, inputs)
    }

    #[test]
    fn a_narrow_bundle_says_nearly_the_same_of_what_it_was_fitted_to() {
        let device = Device::flex();
        let words = ["Ada", "is", "in", "Ulm", "?"];
        for kind in [SystemKind::Text, SystemKind::HamLearning] {
            let files = tiny::bundle(kind, 3, &device).unwrap();
            let (was, inputs) = read(files.clone(), &words, &device);
            // A few words say less than there are hidden values.
            let narrow = narrow_bundle(&files, 40, &inputs, &device).unwrap();
            let unpacked = unpack(narrow.clone(), &device, Compute::Device).unwrap();
            assert_eq!(unpacked.manifest.config.encoder().ffn, 40);
            let (is, _) = read(narrow, &words, &device);
            let off = was.iter().flatten().zip(is.iter().flatten());
            let off = off.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off > 0.0 && off < 0.02, "{kind:?}: {off}");
        }
    }

    #[test]
    fn what_cannot_be_narrowed_is_refused() {
        let device = Device::flex();
        let files = tiny::bundle(SystemKind::Text, 3, &device).unwrap();
        let (_, inputs) = read(files.clone(), &["Ada"], &device);
        let message = |files: &BundleFiles, ffn, inputs: &LinearInputs| {
            let refused = narrow_bundle(files, ffn, inputs, &device);
            refused.expect_err("it is refused").to_string()
        };
        for ffn in [0, 64, 65] {
            assert!(message(&files, ffn, &inputs).contains("from 1 to 63"));
        }
        assert!(message(&files, 8, &LinearInputs::new()).contains("nothing is known of"));
        let small = quantize_bundle(&files, Scheme::Q8, &device).unwrap();
        assert!(message(&small, 8, &inputs).contains("quantised already"));
    }
}
