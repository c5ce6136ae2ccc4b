//! A bundle with fewer subwords, and so a smaller table of them, or fewer layers.

use crate::bundle::manifest::Manifest;
use crate::bundle::weights::{self, WeightsError};
use crate::bundle::{BundleError, BundleFiles, Compute, Unpacked, unpack};
use crate::packing::answered_anew;
use crate::recognizer::LoadError;
use crate::tweet::subwords::SubwordTokenizer;
use burn::tensor::{Bytes, DType, Device, Shape};

/// A bundle of f32 weights that knows the subwords of `tokenizer` alone, with the answer that it now gives on `device`. Scores and
/// calibration are left out: words whose subwords are gone are cut otherwise.
///
/// # Errors
/// [`BundleError::Config`] if the bundle is quantised, or has no such subword as one of the tokenizer's; [`BundleError`] and
/// [`LoadError`] for a bundle or a tokenizer that cannot be used.
pub fn trim_bundle(
    files: &BundleFiles,
    tokenizer: &SubwordTokenizer,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    let Unpacked {
        mut manifest,
        tokenizer: known,
        ..
    } = unpack(files.clone(), device, Compute::Device)?;
    check_whole(&manifest)?;
    let rows = rows_of(tokenizer, &known)?;
    let weights = with_rows(files.weights.clone(), &rows);
    let files = BundleFiles {
        weights: weights.map_err(BundleError::Weights)?,
        tokenizer: tokenizer.bytes().map_err(BundleError::from)?,
        ..files.clone()
    };
    manifest.config.encoder_mut().vocab = rows.len();
    manifest.about.forget_measured();
    answered_anew(files, manifest, device)
}

/// Refuses a quantised bundle.
pub(super) fn check_whole(manifest: &Manifest) -> Result<(), BundleError> {
    match manifest.quantization {
        None => Ok(()),
        Some(_) => Err(BundleError::Config(
            "it is quantised already; trim the bundle it was made from".to_owned(),
        )),
    }
}

/// Where the subwords of `tokenizer`, in the order of their numbers, stand in the table of `known`. A number that no subword has gets
/// the row of the unknown one.
fn rows_of(
    tokenizer: &SubwordTokenizer,
    known: &SubwordTokenizer,
) -> Result<Vec<usize>, BundleError> {
    let last = tokenizer.highest().map_or(0, |(_, id)| id);
    let row = |id| {
        match tokenizer.subword(id) {
        None => Ok(known.special().unknown),
        Some(subword) => known.id(&subword).ok_or_else(|| {
            BundleError::Config(format!(
                "the tokenizer's subword {subword:?} is none of the bundle's: give a tokenizer with some of its subwords"
            ))
        }),
    }
    };
    (0..=last)
        .map(|id| row(id).map(|row| row as usize))
        .collect()
}

/// A bundle of f32 weights with these layers of its text encoder alone, counted from 0, in this order, with the answer that it now gives
/// on `device`. Scores and calibration are left out: it reads much worse until it has learnt on.
///
/// # Errors
/// [`BundleError::Config`] if the bundle is quantised, or the layers are none, are not in order or are not the encoder's;
/// [`BundleError`] and [`LoadError`] for a bundle that cannot be used.
pub fn keep_layers(
    files: &BundleFiles,
    layers: &[usize],
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    let Unpacked { mut manifest, .. } = unpack(files.clone(), device, Compute::Device)?;
    check_whole(&manifest)?;
    let encoder = manifest.config.encoder_mut();
    let known = layers.last().is_some_and(|&last| last < encoder.layers);
    if !known || !layers.is_sorted_by(|a, b| a < b) {
        let problem = format!(
            "its encoder has the layers 0 to {}; name some of them, each once, from the first to the last",
            encoder.layers - 1
        );
        return Err(BundleError::Config(problem).into());
    }
    encoder.layers = layers.len();
    let weights = with_layers(files.weights.clone(), layers);
    let files = BundleFiles {
        weights: weights.map_err(BundleError::Weights)?,
        ..files.clone()
    };
    manifest.about.forget_measured();
    answered_anew(files, manifest, device)
}

/// The weights with these layers of the text encoder.
fn with_layers(pack: Vec<u8>, layers: &[usize]) -> Result<Vec<u8>, WeightsError> {
    let mut kept = Vec::new();
    for tensor in weights::read(Bytes::from_bytes_vec(pack))? {
        let name = match encoder_layer(&tensor.name) {
            None => tensor.name.clone(),
            Some((before, layer, after)) => match layers.binary_search(&layer) {
                Ok(place) => format!("{before}{place}{after}"),
                Err(_) => continue,
            },
        };
        let (_, dtype, shape, id, bytes) = tensor.into_parts()?;
        kept.push(burn_pack::Tensor::new(name, dtype, shape, id, bytes));
    }
    weights::write(kept)
}

/// Of a tensor of the text encoder's layers what stands before the layer's number in its name, the number, and what stands behind it.
fn encoder_layer(name: &str) -> Option<(&str, usize, &str)> {
    const LAYERS: &str = "encoder.layers.";
    let number = name.find(LAYERS)? + LAYERS.len();
    let (before, rest) = name.split_at(number);
    let (number, after) = rest.split_at(rest.find('.')?);
    Some((before, number.parse().ok()?, after))
}

/// The weights with these rows of the table of subwords.
fn with_rows(pack: Vec<u8>, rows: &[usize]) -> Result<Vec<u8>, WeightsError> {
    let tensors = weights::read(Bytes::from_bytes_vec(pack))?.into_iter();
    let tensors = tensors.map(|tensor| {
        if !tensor.name.ends_with(weights::SUBWORD_TABLE) || tensor.dtype != DType::F32 {
            return Ok(tensor);
        }
        let d = tensor.shape[1];
        let (name, _, _, id, bytes) = tensor.into_parts()?;
        let row = |&row: &usize| &bytes[4 * d * row..4 * d * (row + 1)];
        let bytes: Vec<u8> = rows.iter().flat_map(row).copied().collect();
        Ok(burn_pack::Tensor::new(
            name,
            DType::F32,
            Shape::new([rows.len(), d]),
            id,
            Bytes::from_bytes_vec(bytes),
        ))
    });
    weights::write(tensors.collect::<Result<_, WeightsError>>()?)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::bundle::quantize::Scheme;
    use crate::packing::{quantize_bundle, tiny};
    use crate::systems::SystemKind;
    use serde_json::{Value, json};

    /// The tiny tokenizer without the characters that `gone` names; numbers have no gaps.
    fn without(files: &BundleFiles, gone: &[&str]) -> SubwordTokenizer {
        let mut tokenizer: Value = serde_json::from_slice(&files.tokenizer).unwrap();
        let vocab = tokenizer["model"]["vocab"].as_object().unwrap();
        let mut kept: Vec<(&String, u64)> = vocab
            .iter()
            .filter(|(subword, _)| !gone.contains(&subword.as_str()))
            .map(|(subword, id)| (subword, id.as_u64().unwrap()))
            .collect();
        kept.sort_by_key(|(_, id)| *id);
        let kept = kept.iter().enumerate();
        let vocab = kept.map(|(id, (subword, _))| ((*subword).clone(), json!(id)));
        tokenizer["model"]["vocab"] = Value::Object(vocab.collect());
        SubwordTokenizer::from_bytes(tokenizer.to_string().as_bytes()).unwrap()
    }

    fn emissions(files: BundleFiles, text: &str, device: &Device) -> Vec<Vec<f32>> {
        use crate::recognizer::Recognizer;
        let run = async {
            let recognizer = Recognizer::load(files, device, Compute::Device)
                .await
                .unwrap();
            recognizer.known_answer(text, None).await.unwrap().emissions
        };
        pollster::block_on(run)
    }

    #[test]
    fn words_whose_subwords_stay_are_read_as_before() {
        let device = Device::flex();
        for kind in [SystemKind::Text, SystemKind::Ita] {
            let files = tiny::bundle(kind, 3, &device).unwrap();
            let fewer = without(&files, &["!", "j", "##q", "##z"]);
            let trimmed = trim_bundle(&files, &fewer, &device).unwrap();
            let unpacked = unpack(trimmed.clone(), &device, Compute::Device).unwrap();
            let before = SubwordTokenizer::from_bytes(&files.tokenizer).unwrap();
            assert_eq!(
                unpacked.manifest.config.encoder().vocab,
                before.vocab_size() - 4
            );
            let text = "Ada is in Ulm?";
            let [was, is] = [&files, &trimmed].map(|f| emissions(f.clone(), text, &device));
            assert_eq!(was, is);
            let other = "Jazz in Ulm!";
            let [was, is] = [&files, &trimmed].map(|f| emissions(f.clone(), other, &device));
            assert_ne!(was, is);
        }
    }

    #[test]
    fn layers_that_stay_are_the_same() {
        let device = Device::flex();
        let files = tiny::bundle(SystemKind::Ita, 3, &device).unwrap();
        let both = keep_layers(&files, &[0, 1], &device).unwrap();
        let text = "Ada is in Ulm?";
        let [was, is] = [&files, &both].map(|f| emissions(f.clone(), text, &device));
        assert_eq!(was, is);
        let tensors = |files: &BundleFiles| -> Vec<(String, Vec<u8>)> {
            let tensors = weights::read(Bytes::from_bytes_vec(files.weights.clone())).unwrap();
            let parts = tensors.into_iter().map(|t| t.into_parts().unwrap());
            parts
                .map(|(name, .., bytes)| (name, bytes.to_vec()))
                .collect()
        };
        let all = tensors(&files);
        for layer in 0..2 {
            let one = keep_layers(&files, &[layer], &device).unwrap();
            let unpacked = unpack(one.clone(), &device, Compute::Device).unwrap();
            assert_eq!(unpacked.manifest.config.encoder().layers, 1);
            let other = format!("encoder.layers.{}.", 1 - layer);
            let (own, moved) = (format!("encoder.layers.{layer}."), "encoder.layers.0.");
            let mut expected: Vec<_> = all
                .iter()
                .filter(|(name, _)| !name.contains(&other))
                .map(|(name, bytes)| (name.replace(&own, moved), bytes.clone()))
                .collect();
            expected.sort();
            let mut kept = tensors(&one);
            kept.sort();
            assert!(kept == expected);
        }
    }

    #[test]
    fn layers_that_are_not_there_are_refused() {
        let device = Device::flex();
        let files = tiny::bundle(SystemKind::Text, 3, &device).unwrap();
        for layers in [&[][..], &[2], &[1, 0], &[0, 0]] {
            let refused = keep_layers(&files, layers, &device).expect_err("it is refused");
            assert!(
                refused.to_string().contains("the layers 0 to 1;"),
                "{refused}"
            );
        }
        let small = quantize_bundle(&files, Scheme::Q8, &device).unwrap();
        let refused = keep_layers(&small, &[0], &device).expect_err("it is refused");
        assert!(refused.to_string().contains("quantised already"));
    }

    #[test]
    fn what_cannot_be_trimmed_is_refused() {
        let device = Device::flex();
        let files = tiny::bundle(SystemKind::Text, 3, &device).unwrap();
        let fewer = without(&files, &["!"]);
        let message = |files: &BundleFiles, tokenizer: &SubwordTokenizer| {
            let refused = trim_bundle(files, tokenizer, &device);
            refused.expect_err("it is refused").to_string()
        };
        let small = quantize_bundle(&files, Scheme::Q8, &device).unwrap();
        assert!(message(&small, &fewer).contains("quantised already"));
        let trimmed = trim_bundle(&files, &fewer, &device).unwrap();
        let all = without(&files, &[]);
        assert!(message(&trimmed, &all).contains("subword \"!\" is none of the bundle's"));
    }
}
