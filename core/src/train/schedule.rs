//! Learning rates and weight decay by parameter group.

use crate::train::adamw::OnePassAdamW;
use crate::train::config::TrainConfig;
use burn::module::ParamGroup;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::optim::{LearningRate, ModuleOptimizer};

/// Rises linearly from 0 to the peak, then falls linearly to 0.
#[derive(Clone, Debug)]
pub struct WarmupDecay {
    peak: f64,
    warmup: usize,
    steps: usize,
    step: usize,
}

impl WarmupDecay {
    /// Over `steps` steps, the first `warmup` of which rise.
    pub fn new(peak: f64, warmup: usize, steps: usize) -> Self {
        Self {
            peak,
            warmup,
            steps,
            step: 0,
        }
    }
}

impl LrScheduler for WarmupDecay {
    fn step(&mut self) -> LearningRate {
        let step = self.step;
        self.step += 1;
        let factor = if step < self.warmup {
            step as f64 / self.warmup as f64
        } else {
            self.steps.saturating_sub(step) as f64 / (self.steps - self.warmup).max(1) as f64
        };
        self.peak * factor
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("step", self.step)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.step = record
            .scalar("step")
            .expect("a checkpoint of this schedule");
    }
}

/// One schedule for the encoder, one for the chain, one for what lies between encoder and
/// emissions, one for the image backbone, one for every other layer.
pub fn scheduler(config: &TrainConfig, steps: usize) -> ModuleLrScheduler {
    let warmup = (config.warmup * steps as f64).round() as usize;
    let schedule = |peak| WarmupDecay::new(peak, warmup, steps);
    ModuleLrScheduler::new(schedule(config.lr_new))
        .with_group(
            ParamGroup::from_predicate("encoder."),
            schedule(config.lr_encoder),
        )
        .with_group(ParamGroup::from_predicate("crf."), schedule(config.lr_crf))
        .with_group(
            ParamGroup::from_predicate("fusion."),
            schedule(config.lr_fusion),
        )
        .with_group(
            ParamGroup::from_predicate("fusion.relevance."),
            schedule(config.lr_relevance),
        )
        .with_group(
            ParamGroup::from_predicate("backbone."),
            schedule(config.lr_backbone),
        )
}

/// AdamW with weight decay on everything but biases, layer norms and the chain.
pub fn optimizer(config: &TrainConfig) -> ModuleOptimizer {
    let adamw = |decay: f64| OnePassAdamW::new(decay as f32);
    let bare =
        ParamGroup::from_regex(r"(\.bias|\.gamma|\.beta)$|\bcrf\.").expect("a regular expression");
    ModuleOptimizer::from(adamw(config.weight_decay)).with_group(bare, adamw(0.0), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_then_falls_and_resumes() {
        let mut schedule = WarmupDecay::new(1.0, 2, 6);
        let rates: Vec<f64> = (0..4).map(|_| schedule.step()).collect();
        assert_eq!(rates, [0.0, 0.5, 1.0, 0.75]);
        let mut resumed = WarmupDecay::new(1.0, 2, 6);
        resumed.load_record(schedule.to_record());
        assert_eq!(
            [
                resumed.step(),
                resumed.step(),
                resumed.step(),
                resumed.step()
            ],
            [0.5, 0.25, 0.0, 0.0]
        );
    }
}
