//! What a model's linear layers are given while it reads tweets.

use crate::bundle::compensated::SecondMoments;
use crate::bundle::quantize::{LinearInputs, names};
use crate::nn::linear_inputs::watched;
use crate::recognizer::{RecognizeError, Recognizer};
use crate::systems::image_batch::EncodedImage;
use burn::module::ParamId;
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// Lets `recognizer`, of f32 weights on a device as it is, read tweets cut into words, each by itself and beside its image if there
/// is one. `on_read` is told after each how many are read.
///
/// # Errors
/// If the device fails to answer.
pub fn linear_inputs<'a>(
    recognizer: &Recognizer,
    tweets: impl IntoIterator<Item = (&'a [String], Option<&'a EncodedImage>)>,
    mut on_read: impl FnMut(usize),
) -> Result<LinearInputs, RecognizeError> {
    let mut sums = BTreeMap::<ParamId, Tensor<2>>::new();
    for (at, (words, image)) in tweets.into_iter().enumerate() {
        let (answers, given) =
            watched(|| pollster::block_on(recognizer.answers(&[words], &[image])));
        answers?;
        for (id, x) in given {
            let more = x.clone().transpose().matmul(x);
            let all = match sums.remove(&id) {
                Some(sums) => sums + more,
                None => more,
            };
            sums.insert(id, all);
        }
        on_read(at + 1);
    }
    let names = names(recognizer.system());
    let named = sums.into_iter().filter_map(|(id, sums)| {
        let moments = SecondMoments {
            inputs: sums.dims()[0],
            sums: sums.into_data().iter().collect(),
        };
        Some((names.get(&id)?.clone(), moments))
    });
    Ok(named.collect())
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::bundle::quantize::{Scheme, linear_weights};
    use crate::bundle::{BundleFiles, Compute};
    use crate::nn::values::values;
    use crate::packing::{quantize_bundle, quantize_bundle_for, tiny};
    use crate::systems::SystemKind;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::Device;

    #[derive(Default)]
    struct Weights(BTreeMap<ParamId, Vec<f32>>);

    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.insert(param.id, values(param.val()));
        }
    }

    fn weights(recognizer: &Recognizer) -> BTreeMap<String, Vec<f32>> {
        let mut weights = Weights::default();
        recognizer.system().visit(&mut weights);
        let mut names = names(recognizer.system());
        let named = |(id, weights)| (names.remove(&id).unwrap(), weights);
        weights.0.into_iter().map(named).collect()
    }

    /// How much a layer's products change, summed over squares.
    fn changed(before: &[f32], after: &[f32], moments: &SecondMoments) -> f64 {
        let (n, outputs) = (moments.inputs, before.len() / moments.inputs);
        let off = |i: usize, output: usize| {
            f64::from(before[i * outputs + output] - after[i * outputs + output])
        };
        let mut sum = 0.0;
        for i in 0..n {
            for j in 0..n {
                let products = (0..outputs).map(|o| off(i, o) * off(j, o)).sum::<f64>();
                sum += products * f64::from(moments.sums[i * n + j]);
            }
        }
        sum
    }

    #[test]
    fn a_model_rounded_for_tweets_keeps_what_it_computes_of_them() {
        let device = Device::flex();
        let load = |files: &BundleFiles| {
            let load = Recognizer::load(files.clone(), &device, Compute::Device);
            pollster::block_on(load).unwrap()
        };
        for kind in [SystemKind::Text, SystemKind::HamLearning] {
            let files = tiny::bundle(kind, 5, &device).unwrap();
            let exact = load(&files);
            let tweets: Vec<Vec<String>> = ["Ada is in Ulm", "Hello from Houston", "@nasa #Boeing"]
                .map(|text| text.split(' ').map(str::to_owned).collect())
                .to_vec();
            let mut read = 0;
            let all = tweets.iter().map(|words| (words.as_slice(), None));
            let inputs = linear_inputs(&exact, all, |done| read = done).unwrap();
            assert_eq!(read, tweets.len());
            let linear = linear_weights(exact.system());
            assert!(!inputs.is_empty() && inputs.keys().all(|name| linear.contains(name)));

            let by_value = quantize_bundle(&files, Scheme::Q4, &device).unwrap();
            let by_product = quantize_bundle_for(&files, Scheme::Q4, &inputs, &device).unwrap();
            assert_eq!(by_value.weights.len(), by_product.weights.len());
            let [before, plain, better] =
                [&files, &by_value, &by_product].map(|files| weights(&load(files)));
            let mut rounded = 0;
            for (name, moments) in &inputs {
                let [plain, better] =
                    [&plain, &better].map(|after| changed(&before[name], &after[name], moments));
                // Small ones are not quantised.
                if plain > 0.0 {
                    assert!(better < 0.7 * plain, "{name}: {better} of {plain}");
                    rounded += 1;
                }
            }
            assert!(rounded > 3, "{rounded}");
        }
    }
}
