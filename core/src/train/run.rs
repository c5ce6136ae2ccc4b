//! A training run from configuration to bundle.

use crate::data::fine_types::FineTypeNames;
use crate::data::image_text_files;
use crate::data::loader::{Loader, Order};
use crate::systems::layout::Layout;
use crate::train::best_bundle::{Outcome, bundle_run};
use crate::train::checkpoint::{AtomicCheckpointer, KeepLastAndBest, Patience, last_epoch};
use crate::train::config::TrainConfig;
use crate::train::error::TrainError;
use crate::train::examples::{Beside, Shown, open_corpus_images, read};
use crate::train::imitation::without_dropout;
use crate::train::learner::TrainedSystem;
use crate::train::loss::FiniteLoss;
use crate::train::metric::{LOSS, SPAN_F1, span_f1};
use crate::train::plot::{Curve, Drawn, Panel, keep};
use crate::train::progress::PlainProgress;
use crate::train::schedule::{optimizer, scheduler};
use crate::train::start::{Start, begin, frozen, go_on, imitated, tuned};
use crate::train::supervised::{check_run, open_run};
use burn::module::Module;
use burn::tensor::Device;
use burn::tensor::distributed::{DistributedConfig, ReduceOperation};
use burn::train::{ExecutionStrategy, Interrupter, Learner, SupervisedTraining};
use std::io::IsTerminal;
use std::sync::Arc;

/// What the plot of a run shows.
const PANELS: &[Panel] = &[
    Panel {
        axis: "loss",
        curves: &[Curve::train(LOSS), Curve::valid(LOSS)],
    },
    Panel {
        axis: "dev micro F1, %",
        curves: &[Curve::valid(SPAN_F1)],
    },
];

/// Trains as `config` says on `devices` and writes the bundle of the best epoch, or of the last epochs' mean.
///
/// The run's folder holds `config.json`, `checkpoint/`, the metrics' logs, their plot `training.svg` and `bundle/`. With
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
    check_run(&config.out, config, resume)?;
    let names = FineTypeNames::read(&config.fine_types)?;
    let device = devices[0].clone().autodiff();
    let Start { system, fixed } = match &config.start {
        Some(folder) => go_on(config, folder, &devices[0])?,
        None => begin(config, &devices[0], &device)?,
    }
    .telling(&names, &device)?;
    let imitation = imitated(config, &fixed.config, &devices[0])?;
    let system = match &imitation {
        Some(_) => without_dropout(frozen(config, system)?),
        None => frozen(config, system)?,
    };
    let tuned = tuned(config, fixed.vision.as_ref())?;
    let tokenizer = &fixed.tokenizer;
    let pad = tokenizer.special().pad;
    let layout = Layout::new(&fixed.config, pad, fixed.augmentation.clone());
    let shown = Shown {
        builder: fixed.config.context(),
        texts: image_text_files::read_all(&config.context, &config.captions, config.captioner)?,
    };
    let mut corpus_images =
        open_corpus_images(config, fixed.vision.as_ref(), tuned.as_ref(), tokenizer)?;
    let mut beside = Beside {
        names,
        fine_types: fixed.config.fine_types(),
        ..Beside::default()
    };
    for path in &config.posteriors {
        beside.posteriors.read(path)?;
    }
    let max_subwords = config.max_subwords;
    let (train, mixture) = read(
        &config.train,
        tokenizer,
        max_subwords,
        &shown,
        &beside,
        corpus_images.as_mut(),
        config.stand_ins,
    )?;
    let (dev, _) = read(
        &config.dev,
        tokenizer,
        max_subwords,
        &shown,
        &Beside::default(),
        corpus_images.as_mut(),
        1,
    )?;
    drop((corpus_images, beside));
    // What is refused above leaves no run behind.
    let checkpoints = open_run(&config.out, config)?;
    let started = last_epoch(&checkpoints).unwrap_or(0);
    let order = Order::Training {
        mixture,
        seed: config.seed,
        image_dropout: config.image_dropout,
        image_swap: config.image_swap,
        views: config.views().is_some(),
    };
    let loader = Loader::new(train, order, config.batch, &layout, &device, started);
    let steps = loader.steps() / devices.len() * config.epochs;
    let dev_loader = Arc::new(Loader::new(
        dev,
        Order::Evaluation,
        2 * config.batch,
        &layout,
        &devices[0],
        0,
    ));

    if started < config.epochs {
        let learner = Learner::new(
            TrainedSystem::new(system, config.clip)
                .with_views(config.views())
                .with_distillation(config.distillation())
                .with_imitation(imitation)
                .with_rounding(config.quantization_aware)
                .with_backbone(tuned.clone().map(Module::train)),
            optimizer(config),
            scheduler(config, steps),
        );
        let mut training =
            SupervisedTraining::new(&config.out, Arc::new(loader), dev_loader.clone())
                .metric_train_numeric(FiniteLoss::new(&interrupter))
                .metric_valid_numeric(FiniteLoss::new(&interrupter))
                .metric_valid_numeric(span_f1())
                .with_custom_checkpointers(
                    AtomicCheckpointer::new(&checkpoints, "model"),
                    AtomicCheckpointer::new(&checkpoints, "optim"),
                    AtomicCheckpointer::new(&checkpoints, "scheduler"),
                )
                .with_checkpointing_strategy(Drawn {
                    strategy: KeepLastAndBest {
                        run: config.out.clone(),
                        last: config.average.max(1),
                    },
                    run: config.out.clone(),
                    panels: PANELS,
                })
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
        // Also what was trained of an epoch that was interrupted.
        keep(&config.out, PANELS);
        if let Some(error) = result.error {
            return Err(TrainError::Stopped(error.to_string()));
        }
        if let Some(stop) = result.interrupted {
            return Err(TrainError::Stopped(
                stop.reason.unwrap_or_else(|| "interrupted".to_owned()),
            ));
        }
    } else {
        keep(&config.out, PANELS);
    }
    bundle_run(
        config,
        fixed,
        tuned,
        &checkpoints,
        dev_loader.as_ref(),
        &devices[0],
    )
}
