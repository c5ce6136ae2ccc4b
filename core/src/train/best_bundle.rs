//! The bundle of a run's best epoch, or of its last epochs' mean, and what it says of itself.

use crate::bundle::manifest::{About, BEFORE, with_more};
use crate::bundle::weights::WeightsError;
use crate::bundle::{BundleError, Parts};
use crate::data::loader::Loader;
use crate::evaluate::scores::Scores;
use crate::packing::{folder, pack_with_answer};
use crate::train::average::WeightSum;
use crate::train::checkpoint::{last_epoch, path as checkpoint_path};
use crate::train::config::TrainConfig;
use crate::train::error::TrainError;
use crate::train::history;
use crate::train::learner::TrainedSystem;
use crate::train::metric::SpanInput;
use crate::train::start::Fixed;
use crate::train::tuned_backbone::TunedBackbone;
use crate::vision::encoder::{Backbone, VisionEncoder};
use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Device;
use burn::train::InferenceStep;
use burn::train::metric::Adaptor;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The epoch with the best dev score.
    pub best_epoch: usize,
    /// Its lenient micro F1 on the dev corpora, a fraction.
    pub dev_f1: f64,
    /// What the bundle holds in its place, if epochs were averaged.
    pub averaged: Option<Averaged>,
    /// The folder of the bundle.
    pub bundle: PathBuf,
}

/// The mean of some epochs' weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averaged {
    /// How many, the last of the run.
    pub epochs: usize,
    /// Its lenient micro F1 on the dev corpora, a fraction.
    pub dev_f1: f64,
}

/// The tweet whose emissions every bundle carries as its known answer.
pub(super) const KNOWN: &str = "RT @nasa: Sunita Williams is back in Houston with #Boeing";

/// Packs the checkpoint of the best epoch, or the mean of the last ones, scored by `dev`.
pub(crate) fn bundle_run(
    config: &TrainConfig,
    fixed: Fixed,
    tuned: Option<TunedBackbone>,
    checkpoints: &Path,
    dev: &Loader,
    device: &Device,
) -> Result<Outcome, TrainError> {
    let Fixed {
        config: system_config,
        tokenizer,
        vision,
        augmentation,
        sigils,
        before,
    } = fixed;
    let last = last_epoch(checkpoints).ok_or(TrainError::NoEpoch)?;
    let (best, dev_f1) = history::best(&config.out, last).ok_or(TrainError::NoEpoch)?;
    let fresh = TrainedSystem::new(system_config.init(device), config.clip)
        .with_rounding(config.quantization_aware)
        .with_backbone(tuned.clone());
    let of_epoch = |epoch: usize| {
        let unusable = |e: RecordError| BundleError::Weights(WeightsError::Pack(e.to_string()));
        let record = ModuleRecord::load(checkpoint_path(checkpoints, "model", epoch));
        fresh
            .clone()
            .try_load_record(record.map_err(unusable)?)
            .map_err(unusable)
    };
    let epochs = config.average.min(last);
    let mut sum = WeightSum::default();
    for epoch in last - epochs + 1..=last {
        sum.add(&of_epoch(epoch)?);
    }
    let (trained, averaged) = match epochs {
        0 => (of_epoch(best)?, None),
        _ => {
            let mean = sum.mean(fresh.clone());
            let dev_f1 = scored(&mean, dev)?;
            (mean, Some(Averaged { epochs, dev_f1 }))
        }
    };
    let names: Vec<String> = config
        .dev
        .iter()
        .map(|d| tail(&d.path).display().to_string())
        .collect();
    let vision = vision.map(|vision| match trained.backbone {
        Some(tuned) => VisionEncoder {
            backbone: Backbone::MobileNetV2(tuned.network),
            ..vision
        },
        None => vision,
    });
    let mut training = serde_json::to_value(portable(config)).expect("a configuration is JSON");
    if let Some(before) = &before {
        training[BEFORE] = before.training.clone();
    }
    let (licences, languages) = before.map_or_else(Default::default, |before| {
        (before.licences, before.languages)
    });
    let about = About {
        name: format!("mner-{}", system_config.name()),
        training,
        licences: with_more(licences, &config.licences),
        languages: with_more(languages, &config.languages),
        scores: BTreeMap::from([(
            names.join(" + "),
            averaged.map_or(dev_f1, |averaged| averaged.dev_f1),
        )]),
        ..About::default()
    };
    let parts = Parts {
        config: system_config,
        max_subwords: config.max_subwords,
        sigils,
        vision,
        augmentation,
        about,
    };
    let files = pack_with_answer(trained.system, &tokenizer, parts, KNOWN, device)?;
    let bundle = config.out.join("bundle");
    folder::write(&files, &bundle).map_err(|(path, source)| TrainError::Io { path, source })?;
    Ok(Outcome {
        best_epoch: best,
        dev_f1,
        averaged,
        bundle,
    })
}

/// Lenient micro F1 of a model on the dev corpora, a fraction.
fn scored(trained: &TrainedSystem, dev: &Loader) -> Result<f64, TrainError> {
    let mut scores = Scores::new();
    for batch in dev.iter() {
        let batch = batch.map_err(|error| TrainError::Stopped(error.to_string()))?;
        let SpanInput(tweets) = InferenceStep::step(trained, batch).adapt();
        for (gold, predicted) in &tweets {
            scores.add(gold, predicted);
        }
    }
    Ok(scores.report().lenient.micro.f1)
}

/// The configuration as a bundle may tell it to others: no path of this machine.
fn portable(config: &TrainConfig) -> TrainConfig {
    let mut config = config.clone();
    config.encoder = tail(&config.encoder);
    config.out = tail(&config.out);
    for path in [
        &mut config.start,
        &mut config.imitate,
        &mut config.images,
        &mut config.image_table,
        &mut config.backbone,
        &mut config.detector,
        &mut config.vision,
        &mut config.cache,
        &mut config.word2vec,
    ] {
        *path = path.as_deref().map(tail);
    }
    let files = config.context.iter_mut().chain(&mut config.captions);
    let files = files.chain(&mut config.posteriors);
    for path in files.chain(&mut config.fine_types) {
        *path = tail(path);
    }
    for source in config.train.iter_mut().chain(&mut config.dev) {
        source.path = tail(&source.path);
    }
    config
}

/// The last two parts of a path: `twitter2017/train.txt`.
pub(super) fn tail(path: &Path) -> PathBuf {
    let parts: Vec<_> = path.components().collect();
    parts[parts.len().saturating_sub(2)..].iter().collect()
}
