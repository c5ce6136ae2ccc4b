//! Training progress as plain lines, where there is no terminal to draw a dashboard on.

use crate::notice;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long to stay silent within an epoch.
const INTERVAL: Duration = Duration::from_secs(10);

/// Prints to standard error: where the run is, how fast, how long still.
pub struct PlainProgress {
    batch: usize,
    epochs: usize,
    epoch: usize,
    split: String,
    items: usize,
    done: usize,
    started: Instant,
    last_line: Instant,
    /// Items trained on so far in this process, and the time that took.
    trained: usize,
    training: Duration,
    names: HashMap<MetricId, String>,
    /// By split and name.
    values: BTreeMap<String, f64>,
}

impl PlainProgress {
    /// For steps of `batch` items.
    pub fn new(batch: usize) -> Self {
        let now = Instant::now();
        Self {
            batch,
            epochs: 0,
            epoch: 0,
            split: String::new(),
            items: 0,
            done: 0,
            started: now,
            last_line: now,
            trained: 0,
            training: Duration::ZERO,
            names: HashMap::new(),
            values: BTreeMap::new(),
        }
    }

    fn is_training(&self) -> bool {
        self.split == "train"
    }

    fn note(&mut self, state: MetricState) {
        if let MetricState::Numeric(entry, Some(value)) = state
            && let Some(name) = self.names.get(&entry.metric_id)
        {
            self.values
                .insert(format!("{} {name}", self.split), value.current());
        }
    }

    fn value(&self, name: &str) -> String {
        self.values
            .get(&format!("{} {name}", self.split))
            .map_or("-".to_owned(), |v| format!("{v:.3}"))
    }

    fn line(&mut self) {
        self.last_line = Instant::now();
        let items = self.trained + self.done;
        let seconds = (self.training + self.started.elapsed()).as_secs_f64();
        let pace = items as f64 / seconds.max(1e-9);
        let left = (self.items - self.done) + self.epochs.saturating_sub(self.epoch) * self.items;
        notice!(
            "epoch {}/{}  step {}/{}  loss {}  {:.2} steps/s  {} left",
            self.epoch,
            self.epochs,
            self.done.div_ceil(self.batch),
            self.items.div_ceil(self.batch),
            self.value("Loss"),
            pace / self.batch as f64,
            clock(left as f64 / pace),
        );
    }
}

/// `1h02m`, `3m20s`, `45s`.
fn clock(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        3600.. => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
        60.. => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{s}s"),
    }
}

impl TrainingProgressLogger for PlainProgress {
    fn start(
        &mut self,
        total_epochs: usize,
        starting_epoch: usize,
        _: Option<usize>,
        _: Option<&str>,
    ) {
        self.epochs = total_epochs;
        self.epoch = starting_epoch;
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch + 1;
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.split = split.to_owned();
        self.items = total_items;
        self.done = 0;
        self.started = Instant::now();
        self.last_line = self.started;
    }

    fn update_split(&mut self, items_processed: usize) {
        self.done = items_processed;
        if self.is_training() && (self.last_line.elapsed() >= INTERVAL || self.done == self.items) {
            self.line();
        }
    }

    fn end_split(&mut self) {
        if self.is_training() {
            self.trained += self.done;
            self.training += self.started.elapsed();
            // What the learner does next: no further step belongs to this split.
            self.done = 0;
            self.started = Instant::now();
        } else {
            let split = format!("{} ", self.split);
            let values = self.values.iter();
            let values: Vec<String> = values
                .filter_map(|(name, value)| Some((name.strip_prefix(&split)?, value)))
                .map(|(name, value)| format!("{name} {value:.3}"))
                .collect();
            notice!(
                "epoch {}/{}  dev  {}",
                self.epoch,
                self.epochs,
                values.join("  ")
            );
        }
    }

    fn end(&mut self) {}

    // burn-train announces every single iteration here.
    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRendererTraining for PlainProgress {
    fn update_train(&mut self, state: MetricState) {
        self.note(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.note(state);
    }
}

impl MetricsRenderer for PlainProgress {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names
            .insert(definition.metric_id, definition.name.to_string());
    }
}

// The learner's renderer trait also covers burn-train's own evaluator, which is not used here.
impl MetricsRendererEvaluation for PlainProgress {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for PlainProgress {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn clocks_read_well() {
        assert_eq!([5.4, 200.0, 3720.0].map(clock), ["5s", "3m20s", "1h02m"]);
    }
}
