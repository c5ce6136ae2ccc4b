//! Checkpoints that survive being killed, and what is kept of them.

use crate::train::history;
use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{
    Checkpoint, Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy,
};
use burn::train::metric::store::EventStoreClient;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of a checkpoint, one file each.
pub const PARTS: [&str; 3] = ["model", "optim", "scheduler"];

/// Writes a part beside its place and moves it there when it is whole, so that a file that is
/// there can be trusted.
pub struct AtomicCheckpointer {
    directory: PathBuf,
    part: &'static str,
}

impl AtomicCheckpointer {
    /// A checkpointer of one of [`PARTS`] in `directory`, which exists.
    pub fn new(directory: &Path, part: &'static str) -> Self {
        Self {
            directory: directory.to_owned(),
            part,
        }
    }
}

/// Where a part of the checkpoint after `epoch` lies.
pub fn path(directory: &Path, part: &str, epoch: usize) -> PathBuf {
    directory.join(format!("{part}-{epoch}.bpk"))
}

impl<R: Checkpoint> Checkpointer<R> for AtomicCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let unfinished = self.directory.join(format!("unfinished-{}.bpk", self.part));
        record.save(unfinished.clone())?;
        fs::rename(unfinished, path(&self.directory, self.part, epoch))
            .map_err(CheckpointerError::IOError)
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        match fs::remove_file(path(&self.directory, self.part, epoch)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointerError::IOError(e))
            }
            _ => Ok(()),
        }
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        R::load(path(&self.directory, self.part, epoch))
    }
}

/// The last epoch after which `directory` holds a whole checkpoint.
pub fn last_epoch(directory: &Path) -> Option<usize> {
    let whole = |epoch: &usize| {
        PARTS
            .iter()
            .all(|part| path(directory, part, *epoch).is_file())
    };
    fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .to_str()?
                .strip_prefix("model-")?
                .strip_suffix(".bpk")?
                .parse()
                .ok()
        })
        .filter(whole)
        .max()
}

/// Keeps the last epochs, to resume from and to average, and the best on dev.
pub struct KeepLastAndBest {
    /// The run's folder.
    pub run: PathBuf,
    /// How many of the last epochs, at least 1.
    pub last: usize,
}

impl CheckpointingStrategy for KeepLastAndBest {
    fn checkpointing(&mut self, epoch: usize, _: &EventStoreClient) -> Vec<CheckpointingAction> {
        let best = history::best(&self.run).map(|(best, _)| best);
        let mut actions = vec![CheckpointingAction::Save];
        actions.extend(
            (1..=epoch.saturating_sub(self.last))
                .filter(|&e| Some(e) != best)
                .map(CheckpointingAction::Delete),
        );
        actions
    }
}

/// Stops after some epochs without a better dev score. Looks at the run's log, not at a memory
/// of its own, so that a resumed run stops where the uninterrupted one would.
#[derive(Clone, Debug)]
pub struct Patience {
    /// The run's folder.
    pub run: PathBuf,
    /// Epochs to wait.
    pub epochs: usize,
}

impl EarlyStoppingStrategy for Patience {
    fn should_stop(&mut self, epoch: usize, _: &EventStoreClient) -> bool {
        history::best(&self.run).is_some_and(|(best, _)| epoch - best >= self.epochs)
    }
}
