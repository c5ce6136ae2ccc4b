//! A run of burn-train's learner: its folder, its epochs, and the weights that it ends with.

use crate::notice;
use crate::train::adamw::OnePassAdamW;
use crate::train::checkpoint::{AtomicCheckpointer, last_epoch, path as checkpoint_path};
use crate::train::loss::FiniteLoss;
use crate::train::plot::{Drawn, Panel, keep};
use crate::train::progress::PlainProgress;
use crate::train::schedule::WarmupDecay;
use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{
    InferenceStep, Interrupter, Learner, LearnerModel, SupervisedTraining, TrainStep,
};
use serde::Serialize;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file of a run's folder that says which run it is.
const CONFIG: &str = "config.json";

/// Why a run did not end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The folder of the run is a file.
    #[error("{} is a file; give the name of a folder as --out", .0.display())]
    NoFolder(PathBuf),
    /// The folder holds a run already.
    #[error("{} holds a run already: resume it with --resume, or give another --out", .0.display())]
    Exists(PathBuf),
    /// The folder holds another run.
    #[error("{} holds a run with another configuration; give the same one to resume it, or another --out", .0.display())]
    Other(PathBuf),
    /// The learner stopped.
    #[error("training stopped: {0}")]
    Stopped(String),
    /// A weight file of the run.
    #[error("{}: {problem}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// For `map_err`: the error with its file or folder.
pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError::Io { path, source }
}

/// How long a run learns, and at which rates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub epochs: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Items of a step.
    pub batch: usize,
    /// Peak learning rate.
    pub lr: f64,
    /// Fraction of all steps over which the rate rises from 0; it falls to 0 after.
    pub warmup: f64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// What the plot shows.
    pub panels: &'static [Panel],
}

/// What a run learns from and is measured on. The lessons begin with the epoch after `epoch`.
pub(super) struct Material<M: LearnerModel> {
    pub lessons: Arc<dyn DataLoader<<M as TrainStep>::Input>>,
    pub exams: Arc<dyn DataLoader<<M as InferenceStep>::Input>>,
}

/// Checks that a run's folder holds none, or with `resume` this very one. Nothing is written: what is read after it may be refused,
/// and the run that is asked for next is another.
pub(super) fn check_run(out: &Path, config: &impl Serialize, resume: bool) -> Result<(), RunError> {
    if out.exists() && !out.is_dir() {
        return Err(RunError::NoFolder(out.to_owned()));
    }
    match fs::read_to_string(out.join(CONFIG)) {
        Ok(_) if !resume => Err(RunError::Exists(out.to_owned())),
        Ok(found) if found != json(config) => Err(RunError::Other(out.to_owned())),
        Err(_) if resume => {
            notice!(
                "{} holds no run to go on with; this one begins",
                out.display()
            );
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Makes a run's folder where [`check_run`] found nothing against it; returns that of the checkpoints.
pub(super) fn open_run(out: &Path, config: &impl Serialize) -> Result<PathBuf, RunError> {
    let (path, checkpoints) = (out.join(CONFIG), out.join("checkpoint"));
    fs::create_dir_all(out).map_err(io(out))?;
    // That of a run to go on with is there, and would be lost to who stops it right here.
    if !path.is_file() {
        fs::write(&path, json(config)).map_err(io(&path))?;
    }
    fs::create_dir_all(&checkpoints).map_err(io(&checkpoints))?;
    Ok(checkpoints)
}

/// `value` as it lies in a run's folder.
pub(super) fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain numbers and strings");
    text.push('\n');
    text
}

/// Trains what is not trained yet and returns the model after the last epoch. `material` is asked with the last epoch that is
/// done already; `measured` adds the run's metrics to the loss.
pub(super) fn fit<M: LearnerModel + Module>(
    plan: Plan,
    out: &Path,
    start: M,
    material: impl FnOnce(usize) -> Material<M>,
    measured: impl FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M>,
    interrupter: Interrupter,
) -> Result<M, RunError>
where
    <M as TrainStep>::Output: Adaptor<LossInput>,
{
    let checkpoints = out.join("checkpoint");
    let started = last_epoch(&checkpoints).unwrap_or(0);
    if started < plan.epochs {
        let steps = plan.steps * plan.epochs;
        let warmup = (plan.warmup * steps as f64).round() as usize;
        let learner = Learner::new(
            start.clone().train(),
            ModuleOptimizer::from(OnePassAdamW::new(plan.weight_decay)),
            WarmupDecay::new(plan.lr, warmup, steps),
        );
        let Material { lessons, exams } = material(started);
        let training = SupervisedTraining::new(out, lessons, exams)
            .metric_train_numeric(FiniteLoss::new(&interrupter));
        let mut training = measured(training)
            .with_custom_checkpointers(
                AtomicCheckpointer::new(&checkpoints, "model"),
                AtomicCheckpointer::new(&checkpoints, "optim"),
                AtomicCheckpointer::new(&checkpoints, "scheduler"),
            )
            .with_checkpointing_strategy(Drawn {
                // Two: the parts are written and deleted by a thread each, and one may delete while another still writes.
                strategy: KeepLastNCheckpoints::new(2),
                run: out.to_owned(),
                panels: plan.panels,
            })
            .with_interrupter(interrupter)
            .num_epochs(plan.epochs);
        if started > 0 {
            training = training.checkpoint(started);
        }
        if !std::io::stdout().is_terminal() {
            training = training.renderer(Box::new(PlainProgress::new(plan.batch)));
        }
        let result = training.launch(learner);
        keep(out, plan.panels);
        if let Some(error) = result.error {
            return Err(RunError::Stopped(error.to_string()));
        }
        if let Some(stop) = result.interrupted {
            let reason = stop.reason.unwrap_or_else(|| "interrupted".to_owned());
            return Err(RunError::Stopped(reason));
        }
    }
    at_epoch(&checkpoints, plan.epochs, start)
}

/// The model that a run in `out` had after its last whole epoch, in the place of `start`.
pub(super) fn last_model<M: Module>(out: &Path, start: M) -> Result<M, RunError> {
    let checkpoints = out.join("checkpoint");
    match last_epoch(&checkpoints) {
        Some(epoch) => at_epoch(&checkpoints, epoch, start),
        None => Err(RunError::Weights {
            path: checkpoints,
            problem: "there is no whole epoch of a run here to start from".to_owned(),
        }),
    }
}

fn at_epoch<M: Module>(checkpoints: &Path, epoch: usize, start: M) -> Result<M, RunError> {
    let path = checkpoint_path(checkpoints, "model", epoch);
    let problem = |problem: String| RunError::Weights {
        path: path.clone(),
        problem,
    };
    let record = ModuleRecord::load(&path).map_err(|e| problem(e.to_string()))?;
    start
        .try_load_record(record)
        .map_err(|e| problem(e.to_string()))
}
