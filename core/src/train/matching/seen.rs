//! Learning whether an image shows what a name names, captions standing in for images.

use crate::evaluate::calibration::Calibration;
use crate::evaluate::contrast::auc;
use crate::evaluate::logistic::{Case, fit};
use crate::label::EntityType;
use crate::notice;
use crate::splitmix::SplitMix64;
use crate::systems::hamlearning::seen::Seen;
use crate::train::adamw::OnePassAdamW;
use crate::train::error::TrainError;
use crate::train::matching::config::MatchConfig;
use crate::train::matching::matcher::{Matcher, stack};
use crate::train::matching::names::{Named, Names};
use crate::train::matching::vectors::broken;
use crate::vision::encoder::on_host;
use burn::module::{Module, Param};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Passes over the names.
const EPOCHS: usize = 12;
/// Names a step.
const BATCH: usize = 64;
const LR: f64 = 5e-4;
const WEIGHT_DECAY: f32 = 0.2;
/// Standard deviation of what is added to each value of a caption: images do not lie where captions do.
const NOISE: f64 = 0.02;
/// Of so many names, one is set aside to choose the epoch by and to calibrate on.
const ASIDE: usize = 8;
/// Pulls the calibration towards the one that changes nothing.
const RIDGE: f64 = 1e-4;

/// How well what is seen is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenFigures {
    /// Names, each beside each of its image's captions.
    pub names: usize,
    /// Of these seen, a fraction.
    pub seen: f64,
    /// Area under the ROC curve.
    pub auc: f64,
    /// The same within persons, places, organisations and others; none where a type has names of one kind alone.
    pub by_type: [Option<f64>; 4],
    /// Expected calibration error, ten bins, a fraction.
    pub calibration_error: f64,
}

impl fmt::Display for SeenFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "AUC {:.3} of {} names, {:.0} % of them seen; expected calibration error {:.1} %; by type",
            self.auc,
            self.names,
            100.0 * self.seen,
            100.0 * self.calibration_error
        )?;
        for (kind, auc) in EntityType::ALL.iter().zip(self.by_type) {
            match auc {
                Some(auc) => write!(f, " {kind} {auc:.3}")?,
                None => write!(f, " {kind} -")?,
            }
        }
        Ok(())
    }
}

/// A name beside a caption.
type Beside<'a> = (&'a Named, usize);

/// The mean of vectors of `size` values.
pub fn mean(vectors: &[Vec<f32>], size: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f64; size];
    for vector in vectors {
        sum.iter_mut()
            .zip(vector)
            .for_each(|(sum, &v)| *sum += f64::from(v));
    }
    let count = vectors.len().max(1) as f64;
    sum.into_iter().map(|sum| (sum / count) as f32).collect()
}

/// Names beside captions, on a device.
struct Laid {
    states: Tensor<2>,
    images: Tensor<2>,
    /// 1 at the name's type.
    kinds: Tensor<2>,
    seen: Tensor<2>,
}

impl Laid {
    fn new(beside: &[Beside<'_>], captions: &[Vec<f32>], device: &Device) -> Self {
        let count = beside.len();
        let mut kinds = vec![0.0_f32; count * EntityType::ALL.len()];
        for (row, (name, _)) in beside.iter().enumerate() {
            kinds[row * EntityType::ALL.len() + name.kind as usize] = 1.0;
        }
        let seen: Vec<f32> = beside
            .iter()
            .map(|(name, _)| f32::from(name.seen))
            .collect();
        let shape = [count, EntityType::ALL.len()];
        Self {
            states: stack(beside.iter().map(|(name, _)| name.state.as_slice()), device),
            images: stack(
                beside.iter().map(|(_, at)| captions[*at].as_slice()),
                device,
            ),
            kinds: Tensor::from_data(TensorData::new(kinds, shape), device),
            seen: Tensor::from_data(TensorData::new(seen, [count, 1]), device),
        }
    }

    /// The logit of each name, `[B, 1]`.
    fn logits(self, seen: &Seen, matcher: &Matcher) -> (Tensor<2>, Tensor<2>) {
        let sentences = matcher.sentences(self.states.clone());
        let logits = seen.logits(self.states, sentences, self.images);
        ((logits * self.kinds).sum_dim(1), self.seen)
    }
}

/// Captions less their mean.
fn centred(captions: &[Vec<f32>], center: &[f32]) -> Vec<Vec<f32>> {
    let less = |caption: &Vec<f32>| {
        let each = caption.iter().zip(center);
        each.map(|(value, mean)| value - mean).collect()
    };
    captions.iter().map(less).collect()
}

/// The logits of names beside captions.
fn logits(
    seen: &Seen,
    matcher: &Matcher,
    beside: &[Beside<'_>],
    captions: &[Vec<f32>],
    device: &Device,
) -> Result<Vec<f64>, TrainError> {
    let mut all = Vec::with_capacity(beside.len());
    for chunk in beside.chunks(1024) {
        let (logits, _) = Laid::new(chunk, captions, device).logits(seen, matcher);
        let logits = pollster::block_on(on_host(logits)).map_err(broken)?;
        all.extend(logits.into_iter().map(f64::from));
    }
    Ok(all)
}

fn figures(beside: &[Beside<'_>], logits: &[f64]) -> SeenFigures {
    let area = |asked: &dyn Fn(&Named) -> bool| {
        let side = |seen: bool| -> Vec<f64> {
            let each = beside.iter().zip(logits);
            each.filter(|((name, _), _)| name.seen == seen && asked(name))
                .map(|(_, logit)| *logit)
                .collect()
        };
        auc(&side(true), &side(false))
    };
    let mut calibration = Calibration::default();
    for ((name, _), logit) in beside.iter().zip(logits) {
        calibration.count(1.0 / (1.0 + (-logit).exp()), name.seen);
    }
    let seen = beside.iter().filter(|(name, _)| name.seen).count();
    SeenFigures {
        names: beside.len(),
        seen: seen as f64 / beside.len().max(1) as f64,
        auc: area(&|_| true).unwrap_or(0.5),
        by_type: EntityType::ALL.map(|kind| area(&|name| name.kind == kind)),
        calibration_error: calibration.expected_error(),
    }
}

/// Each name beside each of its image's captions.
fn all_beside<'a>(names: impl IntoIterator<Item = &'a Named>) -> Vec<Beside<'a>> {
    let each = names.into_iter();
    each.flat_map(|name| name.captions.iter().map(move |&caption| (name, caption)))
        .collect()
}

/// Learns from `taught` and measures on `held_out`. `center`: the mean over images in the space, which the result subtracts.
///
/// # Errors
/// [`TrainError::Stopped`] where there are too few names, or the device fails.
pub fn learn(
    config: &MatchConfig,
    matcher: &Matcher,
    taught: &Names,
    held_out: &Names,
    center: &[f32],
    device: &Device,
) -> Result<(Seen, SeenFigures), TrainError> {
    let size = center.len();
    let caption_center = mean(&taught.captions, size);
    let captions = centred(&taught.captions, &caption_center);
    let part = |aside: bool| -> Vec<&Named> {
        let each = taught.names.iter().enumerate();
        each.filter(|(at, _)| at.is_multiple_of(ASIDE) == aside)
            .map(|(_, name)| name)
            .collect()
    };
    let (kept, aside) = (part(false), part(true));
    if kept.is_empty() || aside.is_empty() {
        return Err(TrainError::Stopped(
            "no name of --seen-data has a caption and is known to be seen or not".to_owned(),
        ));
    }
    let aside_pairs = all_beside(aside);

    let autodiff = device.clone().autodiff();
    device.seed(config.seed);
    let d = kept[0].state.len();
    let mut seen = Seen::new(d, size, &autodiff).train();
    let fixed = matcher.clone().fork(&autodiff).no_grad();
    let mut optimizer = ModuleOptimizer::from(OnePassAdamW::new(WEIGHT_DECAY));
    let mut random = SplitMix64(config.seed);
    let mut order = all_beside(kept);
    let mut best: Option<(f64, Seen)> = None;
    for epoch in 1..=EPOCHS {
        random.shuffle(&mut order);
        for chunk in order.chunks(BATCH) {
            let mut laid = Laid::new(chunk, &captions, &autodiff);
            let noise = Distribution::Normal(0.0, NOISE);
            laid.images = laid.images.clone() + laid.images.random_like(noise);
            let (logits, wanted) = laid.logits(&seen, &fixed);
            let likelihood = log_sigmoid(logits.clone()) * wanted.clone()
                + log_sigmoid(logits.neg()) * (wanted.neg() + 1.0);
            let loss = likelihood.mean().neg();
            let grads = GradientsParams::from_grads(loss.backward(), &seen);
            seen = optimizer.step(ModuleLearningRate::from(LR), seen, grads);
        }
        let now = seen.valid();
        let found = figures(
            &aside_pairs,
            &logits(&now, matcher, &aside_pairs, &captions, device)?,
        );
        notice!("seen, epoch {epoch}/{EPOCHS}  set aside: {found}");
        if best.as_ref().is_none_or(|(before, _)| found.auc > *before) {
            best = Some((found.auc, now));
        }
    }
    let (_, seen) = best.ok_or(TrainError::NoEpoch)?;

    // The probabilities are to mean what they say.
    let before = logits(&seen, matcher, &aside_pairs, &captions, device)?;
    let cases: Vec<Case> = aside_pairs
        .iter()
        .zip(before)
        .map(|((name, _), logit)| Case {
            before: logit,
            feature: logit,
            so: name.seen,
            weight: 1.0,
        })
        .collect();
    let fitted = fit(&cases, RIDGE);
    let seen = seen.rescaled((1.0 + fitted.gain).max(0.05), fitted.offset);

    let pairs = all_beside(&held_out.names);
    let captions = centred(&held_out.captions, &caption_center);
    let found = logits(&seen, matcher, &pairs, &captions, device)?;
    let center = TensorData::new(center.to_vec(), [size]);
    let mut seen = seen;
    seen.center = Param::from_tensor(Tensor::from_data(center, device));
    Ok((seen, figures(&pairs, &found)))
}
