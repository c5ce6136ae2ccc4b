//! Epochs of learning, and which of them counts.

use crate::nn::projector::{Projector, ProjectorConfig};
use crate::notice;
use crate::splitmix::SplitMix64;
use crate::train::adamw::OnePassAdamW;
use crate::train::error::TrainError;
use crate::train::matching::config::MatchConfig;
use crate::train::matching::matcher::{Lesson, Matcher, stack};
use crate::train::matching::report::Figures;
use crate::train::matching::vectors::{Paired, Texts, ToldTexts};
use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

/// Of so many images, one is set aside to choose the epoch by.
const ASIDE: u64 = 10;

/// Deviations below are taken for it: of a class of object that no image has, say.
const LEAST_DEVIATION: f32 = 1e-2;

/// What came out.
pub struct Learnt {
    /// The best epoch's, which reads values that are not standardised.
    pub matcher: Matcher,
    /// That epoch, from 1.
    pub best_epoch: usize,
    /// Pairs that nothing was learnt from, by which the epoch was chosen.
    pub aside: Paired,
}

/// Mean and deviation of each value over rows.
struct Standard {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Standard {
    fn of(rows: &[Vec<f32>]) -> Self {
        let columns = rows.first().map_or(0, Vec::len);
        let (mut mean, mut square) = (vec![0.0_f64; columns], vec![0.0_f64; columns]);
        for row in rows {
            for ((mean, square), &value) in mean.iter_mut().zip(&mut square).zip(row) {
                *mean += f64::from(value);
                *square += f64::from(value) * f64::from(value);
            }
        }
        let count = rows.len().max(1) as f64;
        let deviation = mean.iter().zip(&square).map(|(sum, square)| {
            let mean = sum / count;
            let variance = (square / count - mean * mean).max(0.0);
            (variance.sqrt() as f32).max(LEAST_DEVIATION)
        });
        let deviation = deviation.collect();
        Self {
            mean: mean.iter().map(|sum| (sum / count) as f32).collect(),
            deviation,
        }
    }

    /// What leaves rows as they are.
    fn none(columns: usize) -> Self {
        Self {
            mean: vec![0.0; columns],
            deviation: vec![1.0; columns],
        }
    }

    fn tensors(&self, device: &Device) -> [Tensor<1>; 2] {
        [&self.mean, &self.deviation].map(|values| {
            let data = TensorData::new(values.clone(), [values.len()]);
            Tensor::from_data(data, device)
        })
    }

    fn apply(&self, row: &[f32]) -> Vec<f32> {
        let each = row.iter().zip(&self.mean).zip(&self.deviation);
        each.map(|((value, mean), deviation)| (value - mean) / deviation)
            .collect()
    }
}

/// The images set aside: by seed and place alone, so that the same files give the same ones.
fn aside(seed: u64, image: usize) -> bool {
    SplitMix64(seed ^ (image as u64).rotate_left(32))
        .next_u64()
        .is_multiple_of(ASIDE)
}

/// Learns from `taught`, from `alone` what the system's states are in the space, and from `told` which texts go with what images
/// show. A projector that is `given` does not learn.
///
/// # Errors
/// [`TrainError::Stopped`] where there are fewer pairs than can be told apart.
pub fn learn(
    config: &MatchConfig,
    sizes: &ProjectorConfig,
    given: Option<Projector>,
    taught: &Paired,
    alone: &Texts,
    told: &ToldTexts,
    device: &Device,
) -> Result<Learnt, TrainError> {
    let kept = taught.of_images(|image| !aside(config.seed, image));
    let aside = taught.of_images(|image| aside(config.seed, image));
    if kept.images.len() < 2 || aside.images.len() < 2 {
        return Err(TrainError::Stopped(format!(
            "{} images are too few to tell them apart; give more --pairs",
            taught.images.len()
        )));
    }
    let standard = match given {
        None => Standard::of(&kept.images),
        Some(_) => Standard::none(sizes.inputs()),
    };
    let images: Vec<Vec<f32>> = kept.images.iter().map(|row| standard.apply(row)).collect();
    let mut texts_of: Vec<Vec<usize>> = vec![Vec::new(); images.len()];
    for (text, &image) in kept.image.iter().enumerate() {
        texts_of[image].push(text);
    }

    device.seed(config.seed);
    let autodiff = device.clone().autodiff();
    let d = kept.texts.states[0].len();
    let mut matcher = Matcher::new(sizes, d, config.dropout, &autodiff).train();
    if let Some(given) = given {
        matcher.projector = given.train().no_grad();
    }
    let mut optimizer = ModuleOptimizer::from(OnePassAdamW::new(config.weight_decay));
    let mut random = SplitMix64(config.seed);
    let mut order: Vec<usize> = (0..images.len()).collect();
    let steps = images.len().div_ceil(config.batch) * config.epochs;
    let mut step = 0;
    let mut best: Option<(f64, usize, Matcher)> = None;
    for epoch in 1..=config.epochs {
        random.shuffle(&mut order);
        let (mut sum, mut count) = (0.0, 0);
        for chunk in order.chunks(config.batch) {
            step += 1;
            // One image has none to be told from.
            if chunk.len() < 2 {
                continue;
            }
            let texts: Vec<usize> = chunk
                .iter()
                .map(|&image| texts_of[image][random.below(texts_of[image].len())])
                .collect();
            let rows = |from: &[Vec<f32>], which: &[usize]| {
                stack(which.iter().map(|&at| from[at].as_slice()), &autodiff)
            };
            let mut drawn = |from: [&[Vec<f32>]; 2]| {
                let count = from[0].len();
                (count > 0).then(|| {
                    let which: Vec<usize> = chunk.iter().map(|_| random.below(count)).collect();
                    from.map(|from| rows(from, &which))
                })
            };
            let lesson = Lesson {
                images: rows(&images, chunk),
                sentences: rows(&kept.texts.sentences, &texts),
                states: rows(&kept.texts.states, &texts),
                alone: drawn([&alone.sentences, &alone.states]),
                told: drawn([&told.captions, &told.states]),
            };
            let loss = matcher.loss(lesson, config.temperature);
            sum += loss.clone().detach().into_scalar::<f64>();
            count += 1;
            let grads = GradientsParams::from_grads(loss.backward(), &matcher);
            let lr = config.lr * rate(step, steps);
            matcher = optimizer.step(ModuleLearningRate::from(lr), matcher, grads);
        }
        let now = plain(matcher.clone(), &standard, device);
        let figures = Figures::of(&now, &aside, device)?;
        notice!(
            "epoch {epoch}/{}  loss {:.3}  set aside: {figures}",
            config.epochs,
            sum / f64::from(count.max(1))
        );
        let score = figures.auc + figures.states_auc;
        if best.as_ref().is_none_or(|(before, ..)| score > *before) {
            best = Some((score, epoch, now));
        }
    }
    let (_, best_epoch, matcher) = best.ok_or(TrainError::NoEpoch)?;
    Ok(Learnt {
        matcher,
        best_epoch,
        aside,
    })
}

/// The share of the peak learning rate in a step, from 1: it rises over a tenth of the steps and falls along a cosine.
fn rate(step: usize, steps: usize) -> f64 {
    let (step, steps) = (step as f64, steps.max(1) as f64);
    let rise = (steps / 10.0).max(1.0);
    match step < rise {
        true => step / rise,
        false => 0.5 * (1.0 + (std::f64::consts::PI * (step - rise) / (steps - rise + 1.0)).cos()),
    }
}

/// The matcher as it is used: without dropout, on values that are not standardised.
fn plain(matcher: Matcher, standard: &Standard, device: &Device) -> Matcher {
    let [mean, deviation] = standard.tensors(device);
    let matcher = matcher.valid();
    Matcher {
        projector: matcher.projector.after_standardisation(mean, deviation),
        ..matcher
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls() {
        assert!((rate(1, 100) - 0.1).abs() < 1e-9);
        assert!((rate(10, 100) - 1.0).abs() < 1e-9);
        assert!(rate(55, 100) < 0.6 && rate(100, 100) > 0.0 && rate(100, 100) < 0.01);
        assert!(rate(1, 1) > 0.9);
    }

    #[test]
    fn standardised_values_have_mean_0_and_deviation_1() {
        let rows = vec![vec![1.0, 5.0], vec![3.0, 5.0]];
        let standard = Standard::of(&rows);
        assert_eq!(standard.mean, [2.0, 5.0]);
        assert_eq!(standard.deviation, [1.0, LEAST_DEVIATION]);
        assert_eq!(standard.apply(&rows[0]), [-1.0, 0.0]);
    }
}
