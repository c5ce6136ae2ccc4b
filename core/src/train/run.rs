//! A training run from configuration to bundle.

use crate::bundle::manifest::About;
use crate::bundle::weights::WeightsError;
use crate::bundle::{BundleError, Compute, Parts, Unpacked, unpack};
use crate::data::corpus::mixture::{Mixture, MixtureError};
use crate::data::corpus::{CorpusError, Sample, Source};
use crate::data::corpus_images::{CorpusImages, CorpusImagesError, EarlyStages, ImageIndex};
use crate::data::dataset::{CandidateImage, Example, Loader, Order};
use crate::data::image_text_files;
use crate::data::image_text_files::ImageContextError;
use crate::formats::hugging_face::{HuggingFaceError, load_encoder, load_tokenizer_of};
use crate::formats::vision_networks::{VisionFileError, load_vision_encoder, with_detector};
use crate::formats::word2vec::{Word2vecError, WordVectors};
use crate::nn::encoder::EncoderConfig;
use crate::nn::mobilenet;
use crate::nn::yolox::YoloxConfig;
use crate::packing::{folder, pack_with_answer};
use crate::recognizer::LoadError;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::ItaConfig;
use crate::systems::ita::context::ContextBuilder;
use crate::systems::ita::image_text::ImageText;
use crate::systems::layout::Layout;
use crate::systems::mgcmt::{Augmented, MgcmtConfig};
use crate::systems::text::TextConfig;
use crate::systems::{System, SystemConfig, SystemKind};
use crate::train::checkpoint::{
    AtomicCheckpointer, KeepLastAndBest, Patience, last_epoch, path as checkpoint_path,
};
use crate::train::config::{ConfigError, TrainConfig};
use crate::train::history;
use crate::train::learner::TrainedSystem;
use crate::train::metric::span_f1;
use crate::train::progress::PlainProgress;
use crate::train::schedule::{optimizer, scheduler};
use crate::train::tuned_backbone::TunedBackbone;
use crate::tweet::augmentation::Augmentation;
use crate::tweet::shape::WordShape;
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use crate::tweet::words::Sigils;
use crate::vision::encoder::{Backbone, VisionEncoder};
use burn::module::Module;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Device;
use burn::tensor::distributed::{DistributedConfig, ReduceOperation};
use burn::train::metric::LossMetric;
use burn::train::{ExecutionStrategy, Interrupter, Learner, SupervisedTraining};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a run ended without a bundle.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A corpus.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The corpora's weights.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// The encoder to start from.
    #[error(transparent)]
    Encoder(#[from] HuggingFaceError),
    /// The vision networks to start from.
    #[error(transparent)]
    EyesFile(#[from] VisionFileError),
    /// The images.
    #[error(transparent)]
    CorpusImages(#[from] CorpusImagesError),
    /// The word2vec file.
    #[error(transparent)]
    Word2vec(#[from] Word2vecError),
    /// What the images say in words.
    #[error(transparent)]
    ImageContext(#[from] ImageContextError),
    /// The tokenizer.
    #[error(transparent)]
    Pieces(#[from] TokenizerError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle as packed, or the device it was tried on.
    #[error(transparent)]
    Packed(#[from] LoadError),
    /// The bundle to go on from holds another system.
    #[error("{} holds a {found} system: give --system {found}, or another --start than for {asked}", bundle.display())]
    OtherSystem {
        /// The bundle.
        bundle: PathBuf,
        /// Its system.
        found: &'static str,
        /// The configuration's.
        asked: &'static str,
    },
    /// The backbone cannot learn.
    #[error(
        "only the blocks of a MobileNetV2 backbone learn: give --tune-blocks 0, or another backbone"
    )]
    Untunable,
    /// There is no backbone to learn.
    #[error(
        "there is no image backbone whose blocks could learn: give --tune-blocks 0, or a system that looks at pictures"
    )]
    NoVision,
    /// A bundle without vision networks, given as the one whose to take.
    #[error("{} has no vision networks: it holds a system that does not look at pictures", .0.display())]
    Blind(PathBuf),
    /// A file of the run.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The folder holds a run already.
    #[error("{} holds a run already: resume it with --resume, or give another --out", .0.display())]
    Exists(PathBuf),
    /// The folder holds another run.
    #[error("{} holds a run with another configuration; give the same one to resume it, or another --out", .0.display())]
    Other(PathBuf),
    /// The learner stopped.
    #[error("training stopped: {0}")]
    Stopped(String),
    /// No epoch was finished.
    #[error("training stopped before its first epoch was finished; start it again with --resume")]
    NoEpoch,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The epoch with the best dev score.
    pub best_epoch: usize,
    /// Its lenient micro F1 on the dev corpora, a fraction.
    pub dev_f1: f64,
    /// The folder of the bundle.
    pub bundle: PathBuf,
}

/// The tweet whose emissions every bundle carries as its known answer.
const KNOWN: &str = "RT @nasa: Sunita Williams is back in Houston with #Boeing";

/// Trains as `config` says on `devices` and writes the bundle of the best epoch.
///
/// The run's folder holds `config.json`, `checkpoint/`, the metrics' logs and `bundle/`. With
/// `resume`, a run that was killed goes on after its last whole epoch and ends in the same
/// weights as an uninterrupted one.
///
/// # Errors
/// [`TrainError`]
pub fn train(
    config: &TrainConfig,
    devices: &[Device],
    resume: bool,
    interrupter: Interrupter,
) -> Result<Outcome, TrainError> {
    config.check()?;
    let device = devices[0].clone().autodiff();
    let Start {
        config: system_config,
        system,
        tokenizer,
        vision,
        augmentation,
        sigils,
        before,
    } = match &config.start {
        Some(folder) => go_on(config, folder, &devices[0])?,
        None => begin(config, &devices[0], &device)?,
    };
    let tuned = tuned(config, vision.as_ref())?;
    // What is refused above leaves no folder behind.
    let checkpoints = open_run(config, resume)?;
    let started = last_epoch(&checkpoints).unwrap_or(0);
    let pad = tokenizer.special().pad;
    let layout = Layout::new(&system_config, pad, augmentation.clone());
    let shown = Shown {
        builder: system_config.context(),
        texts: image_text_files::read_all(&config.context, &config.captions, config.captioner)?,
    };
    let mut corpus_images =
        open_corpus_images(config, vision.as_ref(), tuned.as_ref(), &tokenizer)?;
    let max_pieces = config.max_pieces;
    let (train, mixture) = read(
        &config.train,
        &tokenizer,
        max_pieces,
        &shown,
        corpus_images.as_mut(),
        config.stand_ins,
    )?;
    let (dev, _) = read(
        &config.dev,
        &tokenizer,
        max_pieces,
        &shown,
        corpus_images.as_mut(),
        1,
    )?;
    drop(corpus_images);
    let order = Order::Training {
        mixture,
        seed: config.seed,
        image_dropout: config.image_dropout,
        image_swap: config.image_swap,
        views: config.views().is_some(),
    };
    let loader = Loader::new(train, order, config.batch, &layout, &device, started);
    let steps = loader.steps() / devices.len() * config.epochs;
    let dev_loader = Loader::new(
        dev,
        Order::Evaluation,
        2 * config.batch,
        &layout,
        &devices[0],
        0,
    );

    if started < config.epochs {
        let learner = Learner::new(
            TrainedSystem::new(system, config.clip)
                .with_views(config.views())
                .with_backbone(tuned.clone().map(Module::train)),
            optimizer(config),
            scheduler(config, steps),
        );
        let mut training =
            SupervisedTraining::new(&config.out, Arc::new(loader), Arc::new(dev_loader))
                .metric_train_numeric(LossMetric::new())
                .metric_valid_numeric(LossMetric::new())
                .metric_valid_numeric(span_f1())
                .with_custom_checkpointers(
                    AtomicCheckpointer::new(&checkpoints, "model"),
                    AtomicCheckpointer::new(&checkpoints, "optim"),
                    AtomicCheckpointer::new(&checkpoints, "scheduler"),
                )
                .with_checkpointing_strategy(KeepLastAndBest(config.out.clone()))
                .with_interrupter(interrupter)
                .num_epochs(config.epochs);
        if devices.len() > 1 {
            let devices = devices.iter().map(|d| d.clone().autodiff()).collect();
            let mean = DistributedConfig {
                all_reduce_op: ReduceOperation::Mean,
            };
            training =
                training.with_training_strategy(ExecutionStrategy::ddp(devices, mean).into());
        }
        if config.patience > 0 {
            training = training.early_stopping(Patience {
                run: config.out.clone(),
                epochs: config.patience,
            });
        }
        if started > 0 {
            training = training.checkpoint(started);
        }
        if !std::io::stdout().is_terminal() {
            training = training.renderer(Box::new(PlainProgress::new(config.batch)));
        }
        let result = training.launch(learner);
        if let Some(error) = result.error {
            return Err(TrainError::Stopped(error.to_string()));
        }
        if let Some(stop) = result.interrupted {
            return Err(TrainError::Stopped(
                stop.reason.unwrap_or_else(|| "interrupted".to_owned()),
            ));
        }
    }
    let parts = BestParts {
        system: system_config,
        tokenizer,
        vision,
        tuned,
        augmentation,
        sigils,
        before,
    };
    bundle_best(config, parts, &checkpoints, &devices[0])
}

/// Makes the run's folder, or checks that it holds this very run.
fn open_run(config: &TrainConfig, resume: bool) -> Result<PathBuf, TrainError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Io { path, source }
    };
    let path = config.out.join("config.json");
    let checkpoints = config.out.join("checkpoint");
    let mut text = serde_json::to_string_pretty(config).expect("a configuration is JSON");
    text.push('\n');
    match fs::read_to_string(&path) {
        Ok(_) if !resume => return Err(TrainError::Exists(config.out.clone())),
        Ok(found) if found != text => return Err(TrainError::Other(config.out.clone())),
        Ok(_) => {}
        Err(_) => {
            fs::create_dir_all(&config.out).map_err(io(&config.out))?;
            fs::write(&path, text).map_err(io(&path))?;
        }
    }
    fs::create_dir_all(&checkpoints).map_err(io(&checkpoints))?;
    Ok(checkpoints)
}

/// What a run starts with.
struct Start {
    config: SystemConfig,
    /// On the device that differentiates.
    system: System,
    tokenizer: SubwordTokenizer,
    vision: Option<VisionEncoder>,
    augmentation: Option<Arc<Augmentation>>,
    sigils: Sigils,
    /// What the bundle gone on from says of itself.
    before: Option<About>,
}

/// Pretrained networks and fresh layers.
fn begin(config: &TrainConfig, device: &Device, autodiff: &Device) -> Result<Start, TrainError> {
    let vision = open_vision(config, device)?;
    let augmentation = open_augmentation(config, device)?;
    let (system_config, system) =
        build(config, vision.as_ref(), augmentation.as_deref(), autodiff)?;
    let tokenizer = load_tokenizer_of(&config.encoder, system_config.encoder().vocab)?;
    Ok(Start {
        config: system_config,
        system,
        tokenizer,
        vision,
        augmentation,
        sigils: config.sigils,
        before: None,
    })
}

/// A bundle as it is.
fn go_on(config: &TrainConfig, folder: &Path, device: &Device) -> Result<Start, TrainError> {
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
    Ok(Start {
        config: manifest.config,
        sigils: manifest.sigils,
        system: system.train(),
        tokenizer,
        vision,
        augmentation,
        before: Some(manifest.about),
    })
}

/// The backbone whose last stages learn, if any do.
fn tuned(
    config: &TrainConfig,
    vision: Option<&VisionEncoder>,
) -> Result<Option<TunedBackbone>, TrainError> {
    match (config.tune_blocks, vision) {
        (0, _) => Ok(None),
        (blocks, Some(vision)) => match TunedBackbone::of(vision, blocks) {
            Some(tuned) => Ok(Some(tuned)),
            None => Err(TrainError::Untunable),
        },
        (_, None) => Err(TrainError::NoVision),
    }
}

/// Checks that the encoder reads windows of the length asked for.
fn check_subwords(config: &TrainConfig, encoder: &EncoderConfig) -> Result<(), ConfigError> {
    match config.max_pieces <= encoder.max_pieces() {
        true => Ok(()),
        false => Err(ConfigError::Range {
            name: "max_pieces",
            value: config.max_pieces as f64,
            expected: "at most the encoder's positions",
        }),
    }
}

/// The vision networks, if the system reads images and the configuration names them.
fn open_vision(config: &TrainConfig, device: &Device) -> Result<Option<VisionEncoder>, TrainError> {
    if config.system == SystemKind::Text {
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

fn open_bundle(folder: &Path, device: &Device) -> Result<Unpacked, TrainError> {
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
            eprintln!("{}: {vectors}", path.display());
            let table = vectors.augmentation(device)?;
            Ok(Some(Arc::new(table)))
        }
        _ => Ok(None),
    }
}

/// The images of the corpora, if there are any.
fn open_corpus_images<'a>(
    config: &TrainConfig,
    vision: Option<&'a VisionEncoder>,
    tuned: Option<&'a TunedBackbone>,
    tokenizer: &'a SubwordTokenizer,
) -> Result<Option<CorpusImages<'a>>, TrainError> {
    let index = match (&config.images, &config.image_table) {
        (Some(folder), _) => ImageIndex::folder(folder)?,
        (None, Some(table)) => ImageIndex::table(table)?,
        (None, None) => return Ok(None),
    };
    let Some(vision) = vision else {
        return Ok(None);
    };
    let own = config.out.join("features");
    let cache = config.cache.as_ref().unwrap_or(&own);
    let corpus_images = CorpusImages::open(index, vision, tokenizer, Some(cache))?;
    Ok(Some(corpus_images.for_tuning(
        tuned.map(|stages| stages as &dyn EarlyStages),
    )))
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
        SystemKind::Text => SystemConfig::Text(TextConfig {
            encoder: pretrained.config,
        }),
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

/// What is known in words of the tweets' images.
struct Shown<'a> {
    /// How it becomes context; none for a system that reads none.
    builder: Option<&'a ContextBuilder>,
    /// By the tweets' ids.
    texts: HashMap<String, ImageText>,
}

impl Shown<'_> {
    /// The images a tweet may have, of which `text` is known in words. Where none is seen, what
    /// is known in words is one.
    fn images(
        &self,
        encoded_images: Vec<EncodedImage>,
        text: Option<&ImageText>,
        tokenizer: &SubwordTokenizer,
    ) -> Result<Vec<CandidateImage>, TokenizerError> {
        let mut seen: Vec<Option<EncodedImage>> = encoded_images.into_iter().map(Some).collect();
        if seen.is_empty() {
            seen.push(None);
        }
        seen.into_iter()
            .map(|encoded| {
                let context = match self.builder {
                    Some(builder) => builder.subwords(encoded.as_ref(), text, tokenizer)?,
                    None => None,
                };
                Ok(CandidateImage { encoded, context })
            })
            .collect()
    }
}

/// Reads corpora, cuts them into subwords and encodes their images, at most `most` a tweet.
fn read(
    sources: &[Source],
    tokenizer: &SubwordTokenizer,
    max_pieces: usize,
    shown: &Shown,
    mut corpus_images: Option<&mut CorpusImages>,
    most: usize,
) -> Result<(Vec<Example>, Mixture), TrainError> {
    let (mut examples, mut parts) = (Vec::new(), Vec::new());
    for source in sources {
        let samples = source.read()?;
        parts.push((samples.len(), source.weight));
        let encoded_images: Vec<Vec<EncodedImage>> = match &mut corpus_images {
            Some(corpus_images) if samples.iter().any(Sample::names_image) => {
                corpus_images.encoded_images(&samples, most)?
            }
            // Corpora of text alone may stand beside others.
            _ => vec![Vec::new(); samples.len()],
        };
        for (sample, encoded_images) in samples.into_iter().zip(encoded_images) {
            let text = sample.id.as_ref().and_then(|id| shown.texts.get(id));
            let images = shown.images(encoded_images, text, tokenizer)?;
            let example = Example::new(sample, tokenizer, max_pieces)?;
            let example = example.with_images(images);
            let example = example.with_image_deciding(source.image_decides);
            examples.push(example.with_open(source.open_labels()));
        }
    }
    match corpus_images {
        Some(corpus_images) if !examples.iter().any(Example::has_sight) => {
            Err(corpus_images.nothing(examples.len()).into())
        }
        _ => Ok((examples, Mixture::new(&parts)?)),
    }
}

/// The configuration as a bundle may tell it to others: no path of this machine.
fn portable(config: &TrainConfig) -> TrainConfig {
    let mut config = config.clone();
    config.encoder = tail(&config.encoder);
    config.out = tail(&config.out);
    for path in [
        &mut config.start,
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
    for path in config.context.iter_mut().chain(&mut config.captions) {
        *path = tail(path);
    }
    for source in config.train.iter_mut().chain(&mut config.dev) {
        source.path = tail(&source.path);
    }
    config
}

/// The last two parts of a path: `twitter2017/train.txt`.
fn tail(path: &Path) -> PathBuf {
    let parts: Vec<_> = path.components().collect();
    parts[parts.len().saturating_sub(2)..].iter().collect()
}

/// What the bundle of the best epoch is made of beside its weights.
struct BestParts {
    system: SystemConfig,
    tokenizer: SubwordTokenizer,
    vision: Option<VisionEncoder>,
    tuned: Option<TunedBackbone>,
    augmentation: Option<Arc<Augmentation>>,
    sigils: Sigils,
    before: Option<About>,
}

/// Packs the checkpoint of the best epoch.
fn bundle_best(
    config: &TrainConfig,
    parts: BestParts,
    checkpoints: &Path,
    device: &Device,
) -> Result<Outcome, TrainError> {
    let BestParts {
        system: system_config,
        tokenizer,
        vision,
        tuned,
        augmentation,
        sigils,
        before,
    } = parts;
    let (best, dev_f1) = history::best(&config.out).ok_or(TrainError::NoEpoch)?;
    let path = checkpoint_path(checkpoints, "model", best);
    let unusable = |e: RecordError| BundleError::Weights(WeightsError::Pack(e.to_string()));
    let record = ModuleRecord::load(&path).map_err(unusable)?;
    let trained = TrainedSystem::new(system_config.init(device), config.clip)
        .with_backbone(tuned)
        .try_load_record(record)
        .map_err(unusable)?;
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
        training["before"] = before.training.clone();
    }
    let mut licences = before.map_or_else(Vec::new, |before| before.licences);
    for licence in &config.licences {
        if !licences.contains(licence) {
            licences.push(licence.clone());
        }
    }
    let about = About {
        name: format!("mner-{}", system_config.name()),
        training,
        licences,
        scores: BTreeMap::from([(names.join(" + "), dev_f1)]),
        ..About::default()
    };
    let parts = Parts {
        config: system_config,
        max_pieces: config.max_pieces,
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
        bundle,
    })
}
