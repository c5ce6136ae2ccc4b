//! Whether the image shows what a name names: [`Seen`](crate::systems::hamlearning::seen::Seen) of one tweet.

use crate::nn::host::{HostLinear, gelu, sigmoid};
use crate::nn::values::values;
use crate::systems::hamlearning::host::relevance::unit;
use crate::systems::hamlearning::relevance::Relevance;

#[derive(Debug)]
pub(super) struct HostSeen {
    /// Into the space of sentences.
    sentence: HostLinear,
    hidden: HostLinear,
    out: HostLinear,
    /// `[S]`
    center: Vec<f32>,
}

impl HostSeen {
    /// None where it is not asked.
    pub(super) fn new(relevance: &Relevance) -> Option<Self> {
        let (matching, seen) = (relevance.matching.as_ref()?, relevance.seen.as_ref()?);
        Some(Self {
            sentence: matching.sentence.to_host(),
            hidden: seen.hidden.to_host(),
            out: seen.out.to_host(),
            center: values(seen.center.val()),
        })
    }

    /// By type, `[N, 4]`, of the words' states, `[N, D]`, and the image in the space, `[S]`.
    pub(super) fn forward(&self, words: &[f32], embedding: &[f32]) -> Vec<f32> {
        let (size, d) = (self.sentence.outputs(), self.sentence.inputs());
        let image: Vec<f32> = embedding
            .iter()
            .zip(&self.center)
            .map(|(x, center)| x - center)
            .collect();
        let mut sentences = self.sentence.forward(words);
        let mut joined = Vec::with_capacity(words.len() / d * (d + 2 * size));
        for (word, sentence) in words.chunks_exact(d).zip(sentences.chunks_exact_mut(size)) {
            unit(sentence);
            joined.extend_from_slice(word);
            joined.extend_from_slice(&image);
            joined.extend(sentence.iter().zip(&image).map(|(s, v)| s * v));
        }
        let mut hidden = self.hidden.forward(&joined);
        gelu(&mut hidden);
        let mut out = self.out.forward(&hidden);
        sigmoid(&mut out);
        out
    }
}
