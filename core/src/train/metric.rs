//! Span F1 as burn-train's learner tracks it.

use super::scores::Scores;
use crate::label::Label;
use burn::tensor::TensorReadError;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use std::sync::Arc;

/// Gold and predicted labels of some tweets.
#[derive(Clone, Debug)]
pub struct SpanInput(pub Vec<(Vec<Label>, Vec<Label>)>);

/// Micro F1 over exact spans and types, lenient, in per cent.
#[derive(Clone, Debug)]
pub struct SpanF1 {
    scores: Scores,
}

impl SpanF1 {
    /// The metric's name, also in the run's logs.
    pub const NAME: &str = "Span F1";

    /// A fresh metric.
    pub fn new() -> Self {
        Self {
            scores: Scores::new(),
        }
    }

    fn percent(&self) -> f64 {
        100.0 * self.scores.report().lenient.micro.f1
    }

    fn entry(&self, value: NumericEntry) -> SerializedEntry {
        SerializedEntry::new(format!("{:.2} %", self.percent()), value.serialize())
    }
}

impl Default for SpanF1 {
    fn default() -> Self {
        Self::new()
    }
}

impl Metric for SpanF1 {
    type Input = SpanInput;

    fn name(&self) -> MetricName {
        Arc::new(Self::NAME.to_owned())
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
        item: &SpanInput,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        for (gold, predicted) in &item.0 {
            self.scores.add(gold, predicted);
        }
        Ok(self.entry(NumericEntry::Value(self.percent())))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry(self.final_value()))
    }

    fn clear(&mut self) {
        self.scores = Scores::new();
    }
}

impl Numeric for SpanF1 {
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
