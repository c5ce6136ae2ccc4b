//! What a run starts with: pretrained networks and fresh layers, or a bundle.

use crate::bundle::manifest::About;
use crate::bundle::{Compute, Unpacked, unpack};
use crate::data::fine_types::FineTypeNames;
use crate::formats::hugging_face::{load_encoder, load_tokenizer_of};
use crate::formats::vision_networks::{load_vision_encoder, with_detector};
use crate::formats::word2vec::WordVectors;
use crate::nn::encoder::EncoderConfig;
use crate::nn::mobilenet;
use crate::nn::yolox::YoloxConfig;
use crate::notice;
use crate::packing::folder;
use crate::systems::fine_types::FineTypeHead;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::ita::ItaConfig;
use crate::systems::mgcmt::{Augmented, MgcmtConfig};
use crate::systems::text::TextConfig;
use crate::systems::{System, SystemConfig, SystemKind};
use crate::train::config::{ConfigError, TrainConfig};
use crate::train::error::TrainError;
use crate::train::imitation::Imitation;
use crate::train::tuned_backbone::TunedBackbone;
use crate::tweet::augmentation::Augmentation;
use crate::tweet::shape::WordShape;
use crate::tweet::subwords::SubwordTokenizer;
use crate::tweet::words::Sigils;
use crate::vision::encoder::VisionEncoder;
use burn::module::Module;
use burn::tensor::Device;
use std::path::Path;
use std::sync::Arc;

/// What a run starts with.
pub(crate) struct Start {
    /// On the device that differentiates.
    pub(crate) system: System,
    pub(crate) fixed: Fixed,
}

impl Start {
    /// The same, telling the fine types of these names. A system that tells some keeps them.
    pub(crate) fn telling(
        mut self,
        names: &FineTypeNames,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let types = names.types();
        let known = self.fixed.config.fine_types();
        if !known.is_empty() || types.is_empty() {
            return match types.into_iter().find(|one| !known.contains(one)) {
                Some(other) => Err(TrainError::UnknownFineType(other.fine)),
                None => Ok(self),
            };
        }
        let EncoderConfig { d, dropout, .. } = *self.fixed.config.encoder();
        let head = FineTypeHead::new(&types, d, dropout, device);
        self.system = self.system.with_fine_types(head);
        self.fixed.config = self.fixed.config.with_fine_types(types);
        Ok(self)
    }
}

/// What the run does not change: what its bundle is made of beside the system's weights.
pub(crate) struct Fixed {
    pub(crate) config: SystemConfig,
    pub(crate) tokenizer: SubwordTokenizer,
    pub(crate) vision: Option<VisionEncoder>,
    pub(crate) augmentation: Option<Arc<Augmentation>>,
    pub(crate) sigils: Sigils,
    /// What the bundle gone on from says of itself.
    pub(crate) before: Option<About>,
}

/// Pretrained networks and fresh layers.
pub(crate) fn begin(
    config: &TrainConfig,
    device: &Device,
    autodiff: &Device,
) -> Result<Start, TrainError> {
    let vision = open_vision(config, device)?;
    let augmentation = open_augmentation(config, device)?;
    let (system_config, system) =
        build(config, vision.as_ref(), augmentation.as_deref(), autodiff)?;
    let tokenizer = load_tokenizer_of(&config.encoder, system_config.encoder().vocab)?;
    let fixed = Fixed {
        config: system_config,
        tokenizer,
        vision,
        augmentation,
        sigils: config.sigils,
        before: None,
    };
    Ok(Start { system, fixed })
}

/// A bundle as it is.
pub(crate) fn go_on(
    config: &TrainConfig,
    folder: &Path,
    device: &Device,
) -> Result<Start, TrainError> {
    let Unpacked {
        manifest,
        system,
        tokenizer,
        vision,
        augmentation,
    } = open_bundle(folder, device)?;
    if config.system.name() != manifest.config.name() {
        return Err(TrainError::OtherSystem {
            bundle: folder.to_owned(),
            found: manifest.config.name(),
            asked: config.system.name(),
        });
    }
    check_subwords(config, manifest.config.encoder())?;
    let fixed = Fixed {
        config: manifest.config,
        sigils: manifest.sigils,
        tokenizer,
        vision,
        augmentation,
        before: Some(manifest.about),
    };
    let system = system.train();
    Ok(Start { system, fixed })
}

/// The system of which the text encoder's first layers do not learn.
pub(crate) fn frozen(config: &TrainConfig, system: System) -> Result<System, ConfigError> {
    let encoder = system.encoder().clone();
    match config.freeze <= encoder.layers.len() {
        true => Ok(system.with_encoder(encoder.frozen_below(config.freeze))),
        false => Err(ConfigError::Range {
            name: "freeze",
            value: config.freeze as f64,
            expected: "at most the encoder's layers",
        }),
    }
}

/// What the system is to imitate, if anything, on the device that differentiates.
pub(crate) fn imitated(
    config: &TrainConfig,
    student: &SystemConfig,
    device: &Device,
) -> Result<Option<Imitation>, TrainError> {
    let Some(folder) = &config.imitate else {
        return Ok(None);
    };
    let Unpacked {
        manifest, system, ..
    } = open_bundle(folder, device)?;
    match Imitation::fits(student, &manifest.config) {
        true => Ok(Some(Imitation::new(system.train(), config.imitate_weight))),
        false => Err(TrainError::Inimitable(folder.clone())),
    }
}

/// The backbone whose last stages learn, if any do.
pub(crate) fn tuned(
    config: &TrainConfig,
    vision: Option<&VisionEncoder>,
) -> Result<Option<TunedBackbone>, TrainError> {
    match (config.tune_blocks, vision) {
        (0, _) => Ok(None),
        (_, Some(vision)) if vision.projector.is_some() => Err(TrainError::Projected),
        (blocks, Some(vision)) => match TunedBackbone::of(vision, blocks) {
            Some(tuned) => Ok(Some(tuned)),
            None => Err(TrainError::Untunable),
        },
        (_, None) => Err(TrainError::NoVision),
    }
}

/// Checks that the encoder reads windows of the length asked for.
fn check_subwords(config: &TrainConfig, encoder: &EncoderConfig) -> Result<(), ConfigError> {
    match config.max_subwords <= encoder.max_subwords() {
        true => Ok(()),
        false => Err(ConfigError::Subwords {
            asked: config.max_subwords,
            most: encoder.max_subwords(),
        }),
    }
}

/// The vision networks, if the system reads images and the configuration names them.
fn open_vision(config: &TrainConfig, device: &Device) -> Result<Option<VisionEncoder>, TrainError> {
    if !config.system.reads_images() {
        return Ok(None);
    }
    match (&config.vision, &config.backbone, &config.detector) {
        (Some(bundle), _, _) => match open_bundle(bundle, device)?.vision {
            Some(vision) => Ok(Some(match &config.detector {
                Some(file) => with_detector(vision, file)?,
                None => vision,
            })),
            None => Err(TrainError::Blind(bundle.clone())),
        },
        (None, Some(backbone), Some(detector)) => Ok(Some(load_vision_encoder(
            backbone,
            detector,
            config.objects,
            device,
        )?)),
        _ => Ok(None),
    }
}

pub(super) fn open_bundle(folder: &Path, device: &Device) -> Result<Unpacked, TrainError> {
    let files = folder::read(folder).map_err(|(path, source)| TrainError::Io { path, source })?;
    Ok(unpack(files, device, Compute::Device)?)
}

/// The augmentation table, if the system reads augmentation.
fn open_augmentation(
    config: &TrainConfig,
    device: &Device,
) -> Result<Option<Arc<Augmentation>>, TrainError> {
    match (&config.word2vec, config.system) {
        (Some(path), SystemKind::Mgcmt) if config.augmented != Augmented::Off => {
            let vectors = WordVectors::read(path)?;
            notice!("{}: {vectors}", path.display());
            let table = vectors.augmentation(device)?;
            Ok(Some(Arc::new(table)))
        }
        _ => Ok(None),
    }
}

/// The system at its start: pretrained encoder, fresh layers.
fn build(
    config: &TrainConfig,
    vision: Option<&VisionEncoder>,
    augmentation: Option<&Augmentation>,
    device: &Device,
) -> Result<(SystemConfig, System), TrainError> {
    device.seed(config.seed);
    let shapes = if config.shapes { WordShape::COUNT } else { 0 };
    let pretrained = load_encoder(&config.encoder, shapes, config.dropout, device)?;
    check_subwords(config, &pretrained.config)?;
    let width = match config.width {
        0 => pretrained.config.d,
        width => width,
    };
    let channels = vision.map_or(mobilenet::CHANNELS, |vision| {
        vision.config.backbone.channels()
    });
    let system = match config.system {
        SystemKind::Text => SystemConfig::Text(TextConfig::new(pretrained.config)),
        SystemKind::HamLearning => {
            let usual = HamLearningConfig::new(pretrained.config, channels);
            SystemConfig::HamLearning(HamLearningConfig {
                objects: config.objects,
                width,
                ffn: config.ffn * width,
                iterations: config.iterations,
                shared: config.shared,
                dropout: config.dropout,
                without: config.without.clone(),
                ..usual
            })
        }
        SystemKind::Mgcmt => {
            let classes = YoloxConfig::new().classes;
            let whole = MgcmtConfig::new(pretrained.config, channels, classes);
            SystemConfig::Mgcmt(MgcmtConfig {
                width,
                ffn: config.ffn * width,
                augmentation_size: augmentation.map_or(whole.augmentation_size, |a| a.size()),
                augmented: config.augmented,
                without: config.mgcmt_without.clone(),
                ..whole
            })
        }
        SystemKind::Ita => SystemConfig::Ita(ItaConfig::new(pretrained.config)),
    };
    if system.check().is_err() {
        return Err(ConfigError::Range {
            name: "width",
            value: config.width as f64,
            expected: "a multiple of the encoder's heads; neither it nor ffn widths may be above 65536",
        }
        .into());
    }
    let built = system.init(device).with_encoder(pretrained.encoder);
    Ok((system, built))
}
