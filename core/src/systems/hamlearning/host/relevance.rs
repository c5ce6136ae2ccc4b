//! How relevant each grain of an image is to a tweet: [`Relevance`] of one tweet.

use crate::nn::host::{HostLinear, add_product, sigmoid, softmax};
use crate::nn::values::values;
use crate::systems::hamlearning::relevance::{Matching, Relevance};
use crate::systems::image_rows::{ImageRows, KINDS};

#[derive(Debug)]
pub(super) struct HostRelevance {
    query: HostLinear,
    compare: HostLinear,
    score: HostLinear,
    matching: Option<HostMatching>,
}

/// What tweet and image are to each other as a whole.
#[derive(Debug)]
struct HostMatching {
    sentence: HostLinear,
    gain: f32,
    offset: f32,
    /// `[S]`, or nothing, which is 0.
    center: Vec<f32>,
}

impl HostRelevance {
    pub(super) fn new(relevance: &Relevance) -> Self {
        Self {
            query: relevance.query.to_host(),
            compare: relevance.compare.to_host(),
            score: relevance.score.to_host(),
            matching: relevance.matching.as_ref().map(HostMatching::new),
        }
    }

    /// In (0, 1), exactly 0 for a grain without rows.
    ///
    /// # Shapes
    /// - `first`: the tweet's first subword, `[W]`; `states`: the encoder's, `[P, D]`
    pub(super) fn of_grains(
        &self,
        first: &[f32],
        states: &[f32],
        image: &ImageRows,
    ) -> [f32; KINDS] {
        let width = first.len();
        let query = self.query.forward(first);
        let mut compared = Vec::with_capacity(KINDS * 4 * width);
        for own in image.kinds.iter().filter(|own| !own.is_empty()) {
            let own = own.start * width..own.end * width;
            let keys = image.keys[own.clone()].chunks_exact(width);
            let alike = |key: &[f32]| -> f32 { key.iter().zip(&query).map(|(k, q)| k * q).sum() };
            let mut weights: Vec<f32> =
                keys.map(|key| alike(key) / (width as f32).sqrt()).collect();
            softmax(&mut weights);
            let mut found = vec![0.0; width];
            add_product(&weights, &image.values[own], width, &mut found);
            compared.extend_from_slice(first);
            compared.extend_from_slice(&found);
            compared.extend(first.iter().zip(&found).map(|(t, c)| t * c));
            compared.extend(first.iter().zip(&found).map(|(t, c)| (t - c).abs()));
        }
        let mut hidden = self.compare.forward(&compared);
        hidden.iter_mut().for_each(|x| *x = x.tanh());
        let mut scores = self.score.forward(&hidden);
        if let Some(matching) = self
            .matching
            .as_ref()
            .filter(|_| !image.embedding.is_empty())
        {
            let matching = matching.logit(states, &image.embedding);
            scores.iter_mut().for_each(|score| *score += matching);
        }
        sigmoid(&mut scores);
        let mut scores = scores.into_iter();
        let mut of = |rows: &std::ops::Range<usize>| match rows.is_empty() {
            true => 0.0,
            false => scores.next().expect("a score for each grain"),
        };
        std::array::from_fn(|kind| of(&image.kinds[kind]))
    }
}

impl HostMatching {
    fn new(matching: &Matching) -> Self {
        let center = matching.center.as_ref();
        Self {
            sentence: matching.sentence.to_host(),
            gain: values(matching.gain.val())[0],
            offset: values(matching.offset.val())[0],
            center: center.map_or_else(Vec::new, |center| values(center.val())),
        }
    }

    /// What is added to the logits of the relevance, of the encoder's states, `[P, D]`, and an image in the space, `[S]`.
    fn logit(&self, states: &[f32], embedding: &[f32]) -> f32 {
        let d = self.sentence.inputs();
        let count = states.len() / d;
        let mut mean = vec![0.0; d];
        for state in states.chunks_exact(d) {
            for (sum, x) in mean.iter_mut().zip(state) {
                *sum += x / count as f32;
            }
        }
        let mut sentence = self.sentence.forward(&mean);
        unit(&mut sentence);
        let center = self.center.iter().chain(std::iter::repeat(&0.0));
        let images = embedding.iter().zip(center).map(|(x, center)| x - center);
        let alike: f32 = sentence.iter().zip(images).map(|(s, v)| s * v).sum();
        alike * self.gain + self.offset
    }
}

/// Makes a row one of length 1.
pub(super) fn unit(row: &mut [f32]) {
    let length = (row.iter().map(|x| x * x).sum::<f32>() + 1e-12).sqrt();
    row.iter_mut().for_each(|x| *x /= length);
}
