//! burn-train's metric of the loss, which ends a run whose loss is no number any more.

use burn::tensor::TensorReadError;
use burn::train::Interrupter;
use burn::train::metric::{
    LossInput, LossMetric, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric,
    NumericEntry, SerializedEntry,
};

/// The loss. burn-train goes on with weights that are not numbers to the last epoch, and writes them over the last whole ones.
#[derive(Clone)]
pub struct FiniteLoss {
    metric: LossMetric,
    interrupter: Interrupter,
}

impl FiniteLoss {
    /// Of a run that this ends.
    pub fn new(interrupter: &Interrupter) -> Self {
        Self {
            metric: LossMetric::new(),
            interrupter: interrupter.clone(),
        }
    }
}

impl Metric for FiniteLoss {
    type Input = LossInput;

    fn name(&self) -> MetricName {
        self.metric.name()
    }

    fn attributes(&self) -> MetricAttributes {
        self.metric.attributes()
    }

    fn update(
        &mut self,
        loss: &LossInput,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let entry = self.metric.update(loss, metadata)?;
        let loss = self.metric.value().map(|entry| entry.current());
        if let Some(loss) = loss.filter(|loss| !loss.is_finite())
            && !self.interrupter.should_stop()
        {
            let step = metadata.iteration;
            let step = step.map_or(String::new(), |step| format!(" in step {step}"));
            self.interrupter.stop(Some(&format!(
                "the loss was {loss}{step}, and so no weight can be learnt from it. Most often a learning rate is too high: begin \
                 anew with lower ones and another --out"
            )));
        }
        Ok(entry)
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.metric.compute()
    }

    fn clear(&mut self) {
        self.metric.clear();
    }
}

impl Numeric for FiniteLoss {
    fn value(&self) -> Option<NumericEntry> {
        self.metric.value()
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.metric.running_value()
    }

    fn final_value(&self) -> NumericEntry {
        self.metric.final_value()
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::data::dataloader::Progress;
    use burn::tensor::{Device, Tensor};

    #[test]
    fn a_run_ends_where_its_loss_is_no_number() {
        for lost in [f32::NAN, f32::INFINITY] {
            let interrupter = Interrupter::new();
            let mut metric = FiniteLoss::new(&interrupter);
            let mut told = |loss: f32, step| {
                let loss = Tensor::from_floats([loss], &Device::flex());
                let progress = Progress {
                    items_processed: step,
                    items_total: 9,
                    unit: None,
                };
                let metadata = MetricMetadata {
                    progress,
                    iteration: Some(step),
                    lr: None,
                };
                metric.update(&LossInput::new(loss), &metadata).unwrap();
            };
            told(2.5, 6);
            assert!(!interrupter.should_stop());
            told(lost, 7);
            told(f32::NAN, 8);
            let why = interrupter.get_message().unwrap();
            assert!(why.contains(&format!("was {lost} in step 7")), "{why}");
            assert!(why.contains("learning rate"), "{why}");
        }
    }
}
