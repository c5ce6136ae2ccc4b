//! Figures of a run as burn-train's learner tracks them, in per cent.

use crate::evaluate::scores::Scores;
use crate::label::Label;
use burn::tensor::{ExecutionError, TensorReadError};
use burn::train::ItemLazy;
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes,
    NumericEntry, SerializedEntry,
};
use std::sync::Arc;

/// Gold and predicted labels of some tweets.
#[derive(Clone, Debug)]
pub struct SpanInput(pub Vec<(Vec<Label>, Vec<Label>)>);

/// What a figure is computed from, summed over the steps of an epoch.
pub trait Tally: Clone + Default + Send + Sync {
    /// What a step reports.
    type Report;

    /// Adds a step's report.
    fn add(&mut self, report: &Self::Report);
}

impl Tally for Scores {
    type Report = SpanInput;

    fn add(&mut self, SpanInput(tweets): &SpanInput) {
        for (gold, predicted) in tweets {
            self.add(gold, predicted);
        }
    }
}

/// What an evaluation step reports, where that is the counts of a tally alone.
#[derive(Debug)]
pub struct Counted<T>(pub T);

impl<T: Send> ItemLazy for Counted<T> {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl<T: Tally> Adaptor<T> for Counted<T> {
    fn adapt(&self) -> T {
        self.0.clone()
    }
}

/// A fraction of a tally, higher being better.
#[derive(Clone, Debug)]
pub struct Percentage<T> {
    name: MetricName,
    fraction: fn(&T) -> f64,
    tally: T,
}

/// Name of burn-train's metric of the loss, also in the run's logs.
pub const LOSS: &str = "Loss";

/// Name of [`span_f1`], also in the run's logs.
pub const SPAN_F1: &str = "Span F1";

/// Micro F1 over exact spans and types, lenient.
pub fn span_f1() -> Percentage<Scores> {
    Percentage::new(SPAN_F1, |scores: &Scores| scores.report().lenient.micro.f1)
}

impl<T: Tally> Percentage<T> {
    /// A fresh metric.
    pub fn new(name: &str, fraction: fn(&T) -> f64) -> Self {
        Self {
            name: Arc::new(name.to_owned()),
            fraction,
            tally: T::default(),
        }
    }

    fn percent(&self) -> f64 {
        100.0 * (self.fraction)(&self.tally)
    }

    fn entry(&self, value: NumericEntry) -> SerializedEntry {
        SerializedEntry::new(format!("{:.2} %", self.percent()), value.serialize())
    }
}

impl<T: Tally> Metric for Percentage<T> {
    type Input = T::Report;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: Some("%".to_owned()),
            higher_is_better: true,
        }
        .into()
    }

    fn update(
        &mut self,
        item: &T::Report,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.tally.add(item);
        Ok(self.entry(NumericEntry::Value(self.percent())))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry(self.final_value()))
    }

    fn clear(&mut self) {
        self.tally = T::default();
    }
}

impl<T: Tally> Numeric for Percentage<T> {
    fn value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Value(self.percent()))
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.percent())
    }
}
