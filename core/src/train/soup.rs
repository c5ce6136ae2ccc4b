//! One bundle of several that went on from the same start: the mean of their weights ("Model soups", Wortsman et al., ICML 2022).

use crate::bundle::manifest::{AVERAGED_WITH, About, BEFORE, with_more};
use crate::bundle::{BundleFiles, Compute, Parts, Unpacked, unpack};
use crate::packing::{folder, pack_with_answer};
use crate::train::average::WeightSum;
use crate::train::best_bundle::KNOWN;
use crate::train::error::TrainError;
use burn::tensor::Device;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// The mean of the bundles in `folders`, in f32, with the answer that these weights give on `device`. It has no scores and no
/// calibration: they were of the parts.
///
/// # Errors
/// [`TrainError::Soup`] for fewer than two, or where one has another configuration, tokenizer or vision encoder than the first;
/// what else reading a bundle gives.
pub fn mean_of(folders: &[PathBuf], device: &Device) -> Result<BundleFiles, TrainError> {
    let (Some((first, others)), true) = (folders.split_first(), folders.len() > 1) else {
        return Err(TrainError::Soup(
            "a mean is of two bundles or more".to_owned(),
        ));
    };
    let read = |folder: &PathBuf| {
        folder::read(folder).map_err(|(path, source)| TrainError::Io { path, source })
    };
    let open = |files| unpack(files, device, Compute::Device);
    let files = read(first)?;
    let Unpacked {
        manifest,
        system,
        tokenizer,
        vision,
        augmentation,
    } = open(files.clone())?;
    let mut sum = WeightSum::default();
    sum.add(&system);
    let first_training = manifest.about.training;
    let mut trainings = Vec::new();
    let mut licences = manifest.about.licences.clone();
    for folder in others {
        let other = read(folder)?;
        let same = [
            ("tokenizer", other.tokenizer == files.tokenizer),
            ("vision encoder", other.vision == files.vision),
            ("augmentation", other.augmentation == files.augmentation),
        ];
        let other = open(other)?;
        let sizes = other.manifest.config == manifest.config;
        let same = same.into_iter().chain([("configuration", sizes)]);
        if let Some((what, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(TrainError::Soup(format!(
                "{} has another {what} than {}; a mean is of bundles that went on from the same one",
                folder.display(),
                first.display()
            )));
        }
        sum.add(&other.system);
        trainings.push(differing(&first_training, other.manifest.about.training));
        licences = with_more(licences, &other.manifest.about.licences);
    }
    let known = manifest.about.known_answer.map(|known| known.text);
    let parts = Parts {
        config: manifest.config,
        max_subwords: manifest.max_subwords,
        sigils: manifest.sigils,
        vision,
        augmentation,
        about: About {
            name: manifest.about.name,
            training: averaged(first_training, trainings),
            licences,
            languages: manifest.about.languages,
            ..About::default()
        },
    };
    let text = known.unwrap_or_else(|| KNOWN.to_owned());
    Ok(pack_with_answer(
        sum.mean(system),
        &tokenizer,
        parts,
        &text,
        device,
    )?)
}

/// Of a training what the first one has otherwise or not at all, but for the runs before.
fn differing(first: &Value, other: Value) -> Value {
    let Value::Object(mut values) = other else {
        return other;
    };
    values.remove(BEFORE);
    values.retain(|key, value| first.get(key.as_str()) != Some(value));
    Value::Object(values)
}

/// The first training, beside what the others have otherwise.
fn averaged(first: Value, others: Vec<Value>) -> Value {
    let mut all = match first {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    all.insert(AVERAGED_WITH.to_owned(), Value::Array(others));
    Value::Object(all)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::packing::tiny::bundle;
    use crate::systems::SystemKind;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::Tensor;
    use serde_json::json;

    struct Weights(Vec<f32>);

    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f32>());
        }
    }

    fn weights(files: BundleFiles, device: &Device) -> Vec<f32> {
        let unpacked = unpack(files, device, Compute::Device).unwrap();
        let mut all = Weights(Vec::new());
        unpacked.system.visit(&mut all);
        all.0
    }

    /// A bundle of random weights in a folder, and the folder.
    fn written(kind: SystemKind, seed: u64, device: &Device) -> (tempfile::TempDir, BundleFiles) {
        let files = bundle(kind, seed, device).unwrap();
        let folder = tempfile::tempdir().unwrap();
        folder::write(&files, folder.path()).unwrap();
        (folder, files)
    }

    #[test]
    fn a_mean_has_half_of_each() {
        let device = Device::flex();
        let [(a, one), (b, other)] = [1, 2].map(|seed| written(SystemKind::Text, seed, &device));
        let mean = mean_of(&[a.path().into(), b.path().into()], &device).unwrap();
        let [one, other, mean] = [one, other, mean].map(|files| weights(files, &device));
        assert_ne!(one, other);
        for ((one, other), mean) in one.iter().zip(&other).zip(&mean) {
            assert!((0.5 * (one + other) - mean).abs() < 1e-6);
        }
    }

    #[test]
    fn what_has_no_mean_is_refused() {
        let device = Device::flex();
        let (text, _) = written(SystemKind::Text, 1, &device);
        let (ita, _) = written(SystemKind::Ita, 1, &device);
        let error = |folders: &[PathBuf]| mean_of(folders, &device).unwrap_err().to_string();
        assert!(error(&[text.path().into()]).contains("two bundles"));
        let other = error(&[text.path().into(), ita.path().into()]);
        assert!(other.contains("has another"), "{other}");
        assert!(other.contains(&ita.path().display().to_string()), "{other}");
    }

    #[test]
    fn trainings_are_told_once() {
        let first = json!({"lr": 1, "seed": 1, "train": ["a"]});
        let other = json!({"lr": 1, "seed": 2, "train": ["a"], "epochs": 3, "before": {"lr": 5}});
        let told = differing(&first, other);
        assert_eq!(told, json!({"seed": 2, "epochs": 3}));
        assert_eq!(
            averaged(first, vec![told]),
            json!({"lr": 1, "seed": 1, "train": ["a"], "averaged_with": [{"seed": 2, "epochs": 3}]})
        );
        assert_eq!(differing(&Value::Null, Value::Null), Value::Null);
    }
}
