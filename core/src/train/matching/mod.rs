//! Teaches a bundle which image belongs to which tweet: a projector from what its networks see into the space of a sentence
//! encoder that stays as it is, learnt by contrast from texts and their own images (after CLIP, Radford et al., arXiv
//! 2103.00020), and, for a system with relevance, where its own states lie in that space.
//!
//! | part | where |
//! |---|---|
//! | what is asked for | [`config`] |
//! | texts and images as vectors | [`vectors`] |
//! | what learns, and how far it is off | [`matcher`] |
//! | epochs, and which of them counts | [`mod@learn`] |
//! | how alike pairs are, and what the relevance says without that | [`likeness`] |
//! | from likeness to relevance | [`mod@calibrate`] |
//! | names, and whether people saw what they name | [`names`] |
//! | learning to tell that | [`seen`] |
//! | what is said of it | [`report`] |

pub mod calibrate;
pub mod config;
pub mod learn;
pub mod likeness;
pub mod matcher;
pub mod names;
pub mod report;
pub mod seen;
#[cfg(all(test, feature = "flex"))]
mod tests;
pub mod vectors;

use crate::bundle::manifest::{BEFORE, with_more};
use crate::bundle::{BundleFiles, Parts, Unpacked};
use crate::data::corpus::Source;
use crate::data::corpus_images::CorpusImages;
use crate::data::corpus_images::index::ImageIndex;
use crate::data::pairs::{self, Pair, Told};
use crate::nn::projector::{Projector, ProjectorConfig};
use crate::notice;
use crate::packing::pack_with_answer;
use crate::systems::hamlearning::Part;
use crate::systems::hamlearning::relevance::{Matching, Relevance};
use crate::systems::layout::Layout;
use crate::systems::{System, SystemConfig};
use crate::train::best_bundle::{KNOWN, tail};
use crate::train::error::TrainError;
use crate::train::start::open_bundle;
use crate::vision::encoder::VisionEncoder;
use burn::tensor::{Device, Tensor, TensorData};
use calibrate::{Calibrated, calibrate};
use config::MatchConfig;
use learn::{Learnt, learn};
use likeness::Likenesses;
use names::{Names, read_seen};
use report::{Figures, HeldOut, MatchReport, embedded};
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use vectors::{Paired, SentenceEncoder, Texts, ToldTexts};

/// Teaches as `config` says on `device`. The bundle that comes out has f32 weights.
///
/// # Errors
/// [`TrainError`]
pub fn teach(
    config: &MatchConfig,
    device: &Device,
) -> Result<(BundleFiles, MatchReport), TrainError> {
    config.check()?;
    let Unpacked {
        manifest,
        system,
        tokenizer,
        vision,
        augmentation,
    } = open_bundle(&config.bundle, device)?;
    let Some(vision) = vision else {
        return Err(TrainError::Blind(config.bundle.clone()));
    };
    let kept = match config.keep_projector {
        true => Some(projector_of(&vision, config)?),
        false => None,
    };
    // The one that it may have is learnt anew, or comes back at the end.
    let vision = VisionEncoder {
        config: vision.config.with_projector(None),
        projector: None,
        ..vision
    };
    let frozen = SentenceEncoder::load(&config.sentences, device)?;
    let (sizes, kept) = match kept {
        Some((sizes, _)) if sizes.size != frozen.size() => {
            return Err(TrainError::Stopped(format!(
                "the projector's space has {} values and that of {} {}: it was learnt with another sentence encoder",
                sizes.size,
                config.sentences.display(),
                frozen.size()
            )));
        }
        Some((sizes, projector)) => (sizes, Some(projector)),
        None => {
            let sizes = ProjectorConfig::new(
                vision.config.backbone.channels(),
                vision.object_names.count(),
                config.hidden,
                frozen.size(),
            );
            (sizes, None)
        }
    };

    let mut images = CorpusImages::open(
        ImageIndex::relative_to(&config.images),
        &vision,
        &tokenizer,
        config.cache.as_deref(),
    )?;
    let own = SentenceEncoder::of(&system, tokenizer.clone(), manifest.max_subwords, device);
    let mut read = |paths: &[PathBuf]| -> Result<Paired, TrainError> {
        let mut pairs: Vec<Pair> = Vec::new();
        for path in paths {
            pairs.extend(pairs::read(path)?);
        }
        let sigils = manifest.sigils;
        Paired::new(&pairs, &mut images, &sizes, sigils, [&frozen, &own])
    };
    let taught = read(&config.pairs)?;
    let held_out = config
        .held_out
        .iter()
        .map(|path| Ok((path.clone(), read(std::slice::from_ref(path))?)))
        .collect::<Result<Vec<_>, TrainError>>()?;
    let apart = match config.apart.as_slice() {
        [] => None,
        files => Some(read(files)?),
    };
    drop(images);
    let mut texts = Texts::default();
    for path in &config.texts {
        let content = fs::read_to_string(path).map_err(|source| TrainError::Io {
            path: path.clone(),
            source,
        })?;
        let lines: Vec<&str> = content
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        texts.extend(Texts::new(&lines, manifest.sigils, [&frozen, &own])?);
    }
    let mut told: Vec<Told> = Vec::new();
    for path in &config.told {
        told.extend(pairs::read::<Told>(path)?);
    }
    let told = ToldTexts::new(&told, manifest.sigils, [&frozen, &own])?;
    notice!(
        "{} texts with {} images to learn from; {} texts without; {} with captions of their images",
        taught.texts.len(),
        taught.images.len(),
        texts.len(),
        told.len()
    );

    let Learnt {
        matcher,
        best_epoch,
        aside,
    } = learn(config, &sizes, kept, &taught, &texts, &told, device)?;
    let mut report = MatchReport {
        config: config.clone(),
        best_epoch,
        aside: Figures::of(&matcher, &aside, device)?,
        held_out: Vec::new(),
        kept: None,
        gain: None,
        offset: None,
        seen: None,
    };
    for (file, paired) in held_out {
        let figures = Figures::of(&matcher, &paired, device)?;
        report.held_out.push(HeldOut { file, figures });
    }

    let layout = Layout::new(
        &manifest.config,
        tokenizer.special().pad,
        augmentation.clone(),
    );
    let (mut system, mut system_config) = (system, manifest.config);
    if let SystemConfig::HamLearning(its) = &mut system_config
        && its.has(Part::Relevance)
    {
        its.sentence = Some(sizes.size);
        its.centered = true;
        let center = seen::mean(&embedded(&matcher, &taught, device)?, sizes.size);
        system = with_relevance(system, |relevance| {
            (relevance.matching, relevance.seen) = (None, None);
        });
        let by = apart.as_ref().unwrap_or(&aside);
        let found = Likenesses::of(&system, &layout, &matcher, &center, by, device)?;
        let Calibrated { kept, fitted } = calibrate(&found.own, &found.another);
        report.kept = Some(kept);
        report.gain = Some(fitted.gain);
        report.offset = Some(fitted.offset);
        let sentence = matcher.sentence.clone();
        let place = Tensor::from_data(TensorData::new(center.clone(), [sizes.size]), device);
        let matching = Matching::learnt(sentence, Some(place), fitted.gain, fitted.offset, device);
        system = with_relevance(system, |relevance| {
            relevance.scale(kept);
            relevance.matching = Some(matching);
        });
        its.seen = false;
        if let Some(path) = &config.seen {
            let people = read_seen(path)?;
            let names = |corpora: &[PathBuf]| {
                let sources: Vec<Source> = corpora.iter().map(Source::new).collect();
                let encoders = [&frozen, &own];
                Names::new(
                    &sources,
                    &people,
                    &config.captions,
                    manifest.sigils,
                    encoders,
                )
            };
            let (named, held_out) = (names(&config.seen_data)?, names(&config.seen_held_out)?);
            let (seen, figures) =
                seen::learn(config, &matcher, &named, &held_out, &center, device)?;
            report.seen = Some(figures);
            its.seen = true;
            system = with_relevance(system, |relevance| relevance.seen = Some(seen));
        }
    }
    let vision = VisionEncoder {
        config: vision.config.with_projector(Some(sizes)),
        projector: Some(matcher.projector),
        ..vision
    };
    let mut about = manifest.about;
    let known = about.known_answer.take().map(|known| known.text);
    about.training = json!({
        "match": portable(config),
        (BEFORE): about.training,
    });
    about.licences = with_more(about.licences, &config.licences);
    let parts = Parts {
        config: system_config,
        max_subwords: manifest.max_subwords,
        sigils: manifest.sigils,
        vision: Some(vision),
        augmentation,
        about,
    };
    let text = known.unwrap_or_else(|| KNOWN.to_owned());
    Ok((
        pack_with_answer(system, &tokenizer, parts, &text, device)?,
        report,
    ))
}

/// The projector that is to be kept, and its sizes.
fn projector_of(
    vision: &VisionEncoder,
    config: &MatchConfig,
) -> Result<(ProjectorConfig, Projector), TrainError> {
    let sizes = vision.config.projector.clone();
    sizes.zip(vision.projector.clone()).ok_or_else(|| {
        TrainError::Stopped(format!(
            "{} has no projector to keep; leave --keep-projector out, and it learns one",
            config.bundle.display()
        ))
    })
}

/// Changes the relevance of a system that measures it.
fn with_relevance(mut system: System, change: impl FnOnce(&mut Relevance)) -> System {
    if let System::HamLearning(ham) = &mut system
        && let Some(relevance) = &mut ham.fusion.relevance
    {
        change(relevance);
    }
    system
}

/// The configuration as a bundle may tell it to others: no path of this machine.
fn portable(config: &MatchConfig) -> MatchConfig {
    let mut config = config.clone();
    let lists = config.pairs.iter_mut().chain(&mut config.held_out);
    let lists = lists
        .chain(&mut config.apart)
        .chain(&mut config.texts)
        .chain(&mut config.told)
        .chain(&mut config.captions);
    let lists = lists
        .chain(&mut config.seen_data)
        .chain(&mut config.seen_held_out);
    let files = lists.chain(&mut config.cache).chain(&mut config.seen);
    let folders = [
        &mut config.bundle,
        &mut config.sentences,
        &mut config.images,
    ];
    for path in files.chain(folders) {
        *path = tail(path);
    }
    config
}
