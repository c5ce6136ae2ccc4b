//! Checkpoints that survive being killed, and what is kept of them.

use crate::train::history;
use crate::train::metric::SPAN_F1;
use burn::train::EarlyStoppingStrategy;
use burn::train::checkpoint::{
    Checkpoint, Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy,
};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
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
///
/// The parts are written and deleted by a thread each, so one may already delete an epoch while another still writes the next:
/// one epoch more than asked is kept, which is whole at any moment.
pub struct KeepLastAndBest {
    /// The run's folder.
    pub run: PathBuf,
    /// How many of the last epochs, at least 1.
    pub last: usize,
}

impl KeepLastAndBest {
    /// What is done after `epoch`. The `best` epochs stay.
    fn actions(&self, epoch: usize, best: &[usize]) -> Vec<CheckpointingAction> {
        let mut actions = vec![CheckpointingAction::Save];
        actions.extend(
            (1..=epoch.saturating_sub(self.last + 1))
                .filter(|e| !best.contains(e))
                .map(CheckpointingAction::Delete),
        );
        actions
    }
}

impl CheckpointingStrategy for KeepLastAndBest {
    fn checkpointing(
        &mut self,
        epoch: usize,
        store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        // Should the run be killed before this epoch is kept, another is made in its place, and the best before it may stay the best.
        let best: Vec<_> = [epoch, epoch - 1]
            .iter()
            .filter_map(|&last| best(&self.run, last, store))
            .collect();
        self.actions(epoch, &best)
    }
}

/// The best of the first `epochs`, once their logs are written: the store that writes them is a thread of its own, and answers
/// when it has done all before.
fn best(run: &Path, epochs: usize, store: &EventStoreClient) -> Option<usize> {
    store.find_metric(SPAN_F1, epochs, Aggregate::Mean, &Split::Valid);
    history::best(run, epochs).map(|(best, _)| best)
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
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        best(&self.run, epoch, store).is_some_and(|best| epoch - best >= self.epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What the three threads have done of `actions` when each has done its first `done`: the epochs of which it has a file.
    fn files(actions: &[(usize, CheckpointingAction)], done: usize) -> BTreeSet<usize> {
        let mut files = BTreeSet::new();
        for (epoch, action) in &actions[..done] {
            match action {
                CheckpointingAction::Save => files.insert(*epoch),
                CheckpointingAction::Delete(old) => files.remove(old),
            };
        }
        files
    }

    #[test]
    fn whenever_a_run_is_killed_its_last_epochs_are_whole() {
        for last in 1..4 {
            let keep = KeepLastAndBest {
                run: PathBuf::new(),
                last,
            };
            let mut actions = Vec::new();
            for epoch in 1..9 {
                // The best is known, is an old one or is not known.
                let best = [vec![], vec![1], vec![epoch]][epoch % 3].clone();
                actions.extend(keep.actions(epoch, &best).into_iter().map(|a| (epoch, a)));
            }
            // An action is handed to each part in turn, and is taken once the part has done the one before.
            for handed in 0..actions.len() {
                for parts in 0..=PARTS.len() {
                    for finished in 0..1 << PARTS.len() {
                        let states: Vec<_> = (0..PARTS.len())
                            .map(|part| {
                                let taken = handed + usize::from(part < parts);
                                let unfinished = taken > 0 && finished & (1 << part) == 0;
                                files(&actions, taken - usize::from(unfinished))
                            })
                            .collect();
                        let whole: Vec<usize> = (1..9)
                            .filter(|epoch| states.iter().all(|files| files.contains(epoch)))
                            .collect();
                        let newest = actions[handed].0;
                        let resumed = whole.last().copied().unwrap_or(0);
                        assert!(resumed + 2 >= newest, "{newest}: {whole:?}");
                        for epoch in resumed.saturating_sub(last - 1).max(1)..=resumed {
                            assert!(whole.contains(&epoch), "{newest}: {whole:?} of {last}");
                        }
                    }
                }
            }
        }
    }
}
