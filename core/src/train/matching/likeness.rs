//! What pairs are to a system's relevance without the matcher, and to the matcher.

use crate::systems::System;
use crate::systems::layout::{Layout, TweetInput};
use crate::train::error::TrainError;
use crate::train::matching::calibrate::Likeness;
use crate::train::matching::matcher::Matcher;
use crate::train::matching::report::alike;
use crate::train::matching::vectors::{Paired, broken};
use crate::vision::encoder::on_host;
use burn::tensor::Device;

/// Pairs read together.
const STEP: usize = 16;

/// Each image's first text beside it, and beside the next image.
pub struct Likenesses {
    /// Beside its own.
    pub own: Vec<Likeness>,
    /// Beside another's.
    pub another: Vec<Likeness>,
}

impl Likenesses {
    /// Of `paired` to a system that measures relevance and has no matching yet. `center`: the mean of images in the space, `[S]`.
    ///
    /// # Errors
    /// [`TrainError::Stopped`] if the device fails.
    pub fn of(
        system: &System,
        layout: &Layout,
        matcher: &Matcher,
        center: &[f32],
        paired: &Paired,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let texts = paired.first_texts();
        let side = |shift: usize| -> Result<Vec<Likeness>, TrainError> {
            let beside: Vec<(usize, usize)> = texts
                .iter()
                .enumerate()
                .map(|(image, &text)| (text, (image + shift) % texts.len()))
                .collect();
            let found = alike(matcher, center, paired, &beside, device)?;
            let before = logits(system, layout, paired, &beside, device)?;
            let both = found.into_iter().zip(before);
            let all = both.map(|(alike, before)| Likeness { alike, before });
            Ok(all.collect())
        };
        Ok(Self {
            own: side(0)?,
            another: side(1)?,
        })
    }
}

/// The logit of each pair's relevance, the mean over the grains that are there.
fn logits(
    system: &System,
    layout: &Layout,
    paired: &Paired,
    beside: &[(usize, usize)],
    device: &Device,
) -> Result<Vec<f64>, TrainError> {
    let mut all = Vec::with_capacity(beside.len());
    for chunk in beside.chunks(STEP) {
        let tweets: Vec<TweetInput<'_, String>> = chunk
            .iter()
            .filter_map(|&(text, image)| {
                let window = paired.texts.windows[text].as_ref()?;
                Some(TweetInput {
                    words: &[],
                    windows: std::slice::from_ref(window),
                    encoded: Some(&paired.encoded[image]),
                    context: None,
                })
            })
            .collect();
        let explanation = system
            .explain(&layout.batch(&tweets, false, device))
            .explanation;
        let Some(explanation) = explanation else {
            return Ok(vec![0.0; beside.len()]);
        };
        let grains = explanation.relevance.dims()[1];
        let relevance = pollster::block_on(on_host(explanation.relevance)).map_err(broken)?;
        all.extend(relevance.chunks_exact(grains).map(|grains| {
            let there: Vec<f64> = grains
                .iter()
                .filter(|&&r| r > 0.0)
                .map(|&r| f64::from(r).clamp(1e-6, 1.0 - 1e-6))
                .map(|r| (r / (1.0 - r)).ln())
                .collect();
            there.iter().sum::<f64>() / there.len().max(1) as f64
        }));
    }
    Ok(all)
}
