//! A bundle that reads the words as another one does, or sees images as another one does: the text encoder, by itself or with what reads
//! names off it, or the vision networks, put in its own ones' place.

use crate::bundle::manifest::{BEFORE, GRAFTED, Manifest, with_more};
use crate::bundle::weights::{self, WeightsError};
use crate::bundle::{BundleError, BundleFiles, Compute, unpack};
use crate::nn::encoder::EncoderConfig;
use crate::packing::answered_anew;
use crate::recognizer::LoadError;
use burn::tensor::{Bytes, DType, Device, Shape};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::mem;

/// The weights of the emissions, `[inputs, labels]`.
const EMIT: &str = "emit.weight";

/// How the names of the text encoder's tensors begin.
const ENCODER: &str = "encoder.";

/// A bundle of f32 weights with every tensor that `reader`, one of the text system, has too: encoder, emissions, chain and fine types. Of
/// HamLearning's emissions' inputs `[T_L ; H]` the first, what its turns make of the words, count nothing, so without an image it finds what
/// `reader` finds until it has learnt what they say now, and so does ITA; MGCMT, whose emissions read layers of its own, finds next to
/// nothing until then. The answer is what it gives on `device`; scores and calibration are left out.
///
/// # Errors
/// [`BundleError::Config`] if one of them is quantised, or they have other subwords or another encoder; [`BundleError`] and [`LoadError`]
/// for a bundle that cannot be used.
pub fn graft_bundle(
    files: &BundleFiles,
    reader: &BundleFiles,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    with_parts(files, reader, |_| true, device)
}

/// A bundle of f32 weights with the text encoder of `other`, of whichever system, and nothing else of it: for an encoder that learnt to
/// compute what the bundle's own does ([`crate::train::imitation`]). The answer is what it gives on `device`; scores and calibration are left out.
///
/// # Errors
/// As [`graft_bundle`].
pub fn graft_encoder(
    files: &BundleFiles,
    other: &BundleFiles,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    with_parts(files, other, |name| name.starts_with(ENCODER), device)
}

/// A bundle with those tensors of `reader` whose names within their system are among `parts`.
fn with_parts(
    files: &BundleFiles,
    reader: &BundleFiles,
    parts: impl Fn(&str) -> bool,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    let [into, from] = [files, reader].map(|files| {
        let unpacked = unpack(files.clone(), device, Compute::Device)?;
        Ok::<_, BundleError>(unpacked.manifest)
    });
    let (mut manifest, from) = (into?, from?);
    if let Some(problem) = apart(&manifest, &from, files.tokenizer == reader.tokenizer) {
        return Err(BundleError::Config(problem.to_owned()).into());
    }
    let weights = with_tensors_of(files.weights.clone(), reader.weights.clone(), parts);
    let files = BundleFiles {
        weights: weights.map_err(BundleError::Weights)?,
        ..files.clone()
    };
    manifest.config.encoder_mut().ffn = from.config.encoder().ffn;
    let about = &mut manifest.about;
    about.forget_measured();
    about.training = grafted(about.training.take(), from.about.training);
    about.licences = with_more(mem::take(&mut about.licences), &from.about.licences);
    answered_anew(files, manifest, device)
}

/// A bundle, quantised or not, with the vision networks of `other`, which are of the same kind and sizes, and the answer that it
/// gives on `device` with them. What was measured stays: this is for networks that see nearly the same.
///
/// # Errors
/// [`BundleError::Config`] if one of them has no vision networks, or they have others; [`BundleError`] and [`LoadError`] for a bundle
/// that cannot be used.
pub fn graft_vision(
    files: &BundleFiles,
    other: &BundleFiles,
    device: &Device,
) -> Result<BundleFiles, LoadError> {
    let (manifest, theirs) = (
        Manifest::parse(&files.manifest)?,
        Manifest::parse(&other.manifest)?,
    );
    let entries = [&manifest, &theirs].map(|manifest| json!(manifest.vision));
    let problem = match entries {
        [Value::Null, _] | [_, Value::Null] => {
            Some("it, or what it shall see as, has no vision encoder")
        }
        [own, theirs] if own == theirs => None,
        _ => Some("it has a vision encoder of another kind or other sizes"),
    };
    if let Some(problem) = problem {
        return Err(BundleError::Config(problem.to_owned()).into());
    }
    let files = BundleFiles {
        vision: other.vision.clone(),
        ..files.clone()
    };
    answered_anew(files, manifest, device)
}

/// Why the one cannot read as the other does, if it cannot.
fn apart(into: &Manifest, from: &Manifest, same_subwords: bool) -> Option<&'static str> {
    if into.quantization.or(from.quantization).is_some() {
        Some(
            "it, or what it shall read as, is quantised; give the bundles that those were made from",
        )
    } else if !same_subwords {
        Some("it has other subwords than what it shall read as; mner trim gives it those")
    } else if !alike(into.config.encoder(), from.config.encoder()) || into.sigils != from.sigils {
        Some("it has an encoder of other sizes than what it shall read as, or cuts words otherwise")
    } else {
        None
    }
}

/// Whether what reads an encoder's states can read the other's: how wide the feed-forward networks are does not matter.
fn alike(own: &EncoderConfig, other: &EncoderConfig) -> bool {
    let own = EncoderConfig {
        ffn: other.ffn,
        ..own.clone()
    };
    own == *other
}

/// The weights of `into` with those tensors of `from`, by their names within their systems, that are among `parts`.
fn with_tensors_of(
    into: Vec<u8>,
    from: Vec<u8>,
    parts: impl Fn(&str) -> bool,
) -> Result<Vec<u8>, WeightsError> {
    let mut theirs = HashMap::new();
    for tensor in weights::read(Bytes::from_bytes_vec(from))? {
        let (name, dtype, shape, _, bytes) = tensor.into_parts()?;
        if parts(within(&name)) {
            theirs.insert(within(&name).to_owned(), (dtype, shape, bytes));
        }
    }
    let tensors = weights::read(Bytes::from_bytes_vec(into))?.into_iter();
    let tensors = tensors.map(|tensor| {
        let Some((dtype, shape, bytes)) = theirs.get(within(&tensor.name)) else {
            return Ok(tensor);
        };
        let of_encoder = within(&tensor.name).starts_with(ENCODER);
        if of_encoder || (tensor.dtype, &tensor.shape) == (*dtype, shape) {
            let (name, _, _, id, _) = tensor.into_parts()?;
            return Ok(burn_pack::Tensor::new(
                name,
                *dtype,
                shape.clone(),
                id,
                bytes.clone(),
            ));
        }
        let grows = within(&tensor.name) == EMIT
            && tensor.dtype == DType::F32
            && tensor.shape[0] >= shape[0]
            && tensor.shape[1] == shape[1];
        if !grows {
            return Ok(tensor);
        }
        let (name, dtype, shape, id, own) = tensor.into_parts()?;
        let mut rows = vec![0; own.len() - bytes.len()];
        rows.extend_from_slice(bytes);
        let shape = Shape::new([shape[0], shape[1]]);
        Ok(burn_pack::Tensor::new(
            name,
            dtype,
            shape,
            id,
            Bytes::from_bytes_vec(rows),
        ))
    });
    weights::write(tensors.collect::<Result<_, WeightsError>>()?)
}

/// A tensor's name without its system's.
fn within(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

/// The training, beside the last one of what it was grafted with.
fn grafted(training: Value, mut with: Value) -> Value {
    if let Value::Object(values) = &mut with {
        values.remove(BEFORE);
    }
    let mut all = match training {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    all.insert(GRAFTED.to_owned(), with);
    Value::Object(all)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::bundle::manifest::Files;
    use crate::bundle::quantize::Scheme;
    use crate::packing::inputs::linear_inputs;
    use crate::packing::narrow::narrow_bundle;
    use crate::packing::{quantize_bundle, tiny};
    use crate::recognizer::Recognizer;
    use crate::systems::SystemKind;

    fn emissions(files: &BundleFiles, device: &Device) -> Vec<Vec<f32>> {
        let run = async {
            let recognizer = Recognizer::load(files.clone(), device, Compute::Device)
                .await
                .unwrap();
            recognizer
                .known_answer("Ada is in Ulm", None)
                .await
                .unwrap()
                .emissions
        };
        pollster::block_on(run)
    }

    #[test]
    fn words_are_read_as_by_the_other() {
        let device = Device::flex();
        let text = tiny::bundle(SystemKind::Text, 3, &device).unwrap();
        let words: [String; 2] = ["Ada", "Ulm"].map(str::to_owned);
        let load = Recognizer::load(text.clone(), &device, Compute::Device);
        let recognizer = pollster::block_on(load).unwrap();
        let inputs = linear_inputs(&recognizer, [(&words[..], None)], |_| ()).unwrap();
        let narrow = narrow_bundle(&text, 24, &inputs, &device).unwrap();
        for (kind, reader) in [
            (SystemKind::HamLearning, &text),
            (SystemKind::Ita, &text),
            (SystemKind::HamLearning, &narrow),
        ] {
            let files = tiny::bundle(kind, 4, &device).unwrap();
            let grafted = graft_bundle(&files, reader, &device).unwrap();
            let [was, is, read] = [&files, &grafted, reader].map(|files| emissions(files, &device));
            let apart = |a: &[Vec<f32>]| -> f32 {
                let scores = a.iter().zip(&read).flat_map(|(a, b)| a.iter().zip(b));
                scores.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
            };
            assert!(apart(&was) > 1e-2, "{kind:?}");
            assert!(apart(&is) < 1e-5, "{kind:?}: {}", apart(&is));
        }
    }

    #[test]
    fn an_encoder_comes_alone() {
        let device = Device::flex();
        let ham = |seed| tiny::bundle(SystemKind::HamLearning, seed, &device).unwrap();
        let (files, other) = (ham(3), ham(4));
        let grafted = graft_encoder(&files, &other, &device).unwrap();
        let tensors = |files: &BundleFiles| -> HashMap<String, Vec<u8>> {
            let tensors = weights::read(Bytes::from_bytes_vec(files.weights.clone())).unwrap();
            let parts = tensors
                .into_iter()
                .map(|tensor| tensor.into_parts().unwrap());
            parts
                .map(|(name, _, _, _, bytes)| (name, bytes.to_vec()))
                .collect()
        };
        let [own, theirs, is] = [&files, &other, &grafted].map(tensors);
        assert!(is.keys().any(|name| !within(name).starts_with(ENCODER)));
        for (name, bytes) in &is {
            let from = if within(name).starts_with(ENCODER) {
                &theirs
            } else {
                &own
            };
            assert_eq!(*bytes, from[name], "{name}");
        }
    }

    #[test]
    fn images_are_seen_as_by_the_other() {
        let device = Device::flex();
        let files = tiny::bundle(SystemKind::Ita, 3, &device).unwrap();
        let other = tiny::bundle(SystemKind::HamLearning, 4, &device).unwrap();
        assert_ne!(files.vision, other.vision);
        let small = quantize_bundle(&files, Scheme::Q8, &device).unwrap();
        for files in [files, small] {
            let grafted = graft_vision(&files, &other, &device).unwrap();
            assert_eq!(grafted.vision, other.vision);
            assert_eq!(grafted.weights, files.weights);
            let load = Recognizer::load(grafted, &device, Compute::Device);
            let recognizer = pollster::block_on(load).unwrap();
            pollster::block_on(recognizer.check(1e-3)).unwrap();
        }
        let text = tiny::bundle(SystemKind::Text, 3, &device).unwrap();
        let refused = graft_vision(&other, &text, &device).unwrap_err();
        assert!(refused.to_string().contains("no vision encoder"));
    }

    #[test]
    fn what_cannot_read_as_the_other_is_refused() {
        let device = Device::flex();
        let [text, ham] = [SystemKind::Text, SystemKind::HamLearning]
            .map(|kind| tiny::bundle(kind, 3, &device).unwrap());
        let message = |reader: &BundleFiles| {
            let refused = graft_bundle(&ham, reader, &device);
            refused.expect_err("it is refused").to_string()
        };
        let small = quantize_bundle(&text, Scheme::Q8, &device).unwrap();
        assert!(message(&small).contains("is quantised"));
        let mut other = text;
        other.tokenizer.push(b'\n');
        let mut manifest = Manifest::parse(&other.manifest).unwrap();
        manifest.files = Files::of(&other);
        other.manifest = manifest.to_bytes().unwrap();
        assert!(message(&other).contains("other subwords"));
    }
}
