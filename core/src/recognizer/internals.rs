//! What lies behind a recognition: to analyse a model, and to check another implementation against this one.

use crate::decode::chain::ChainScores;
use crate::decode::chunks::Chunk;
use crate::decode::entities::WordEntity;
use crate::decode::marginals::{entity_probabilities, marginals_within};
use crate::label::Label;
use crate::recognizer::evidence::Answer;
use crate::recognizer::{Recognition, RecognizeError, Recognizer};
use crate::systems::image_batch::EncodedImage;
use crate::tweet::bounds::{Bound, Bounds};
use crate::tweet::words::{Word, read_words};

/// Every step from a tweet to its entities.
#[derive(Clone, Debug)]
pub struct Internals {
    /// The `N` words, with their spans in the tweet.
    pub words: Vec<Word>,
    /// The words as they are read.
    pub tokens: Vec<String>,
    /// What each word may be.
    pub bounds: Vec<Bound>,
    /// Emissions, `[N * 9]`, and evidence.
    pub answer: Answer,
    /// Posteriors of every label of every word within the bounds, `[N * 9]` ([`marginals_within`]).
    pub marginals: Vec<f64>,
    /// The best label of every word within the bounds.
    pub labels: Vec<Label>,
    /// The entities over words, left to right.
    pub entities: Vec<WordEntity>,
    /// What [`Recognizer::recognize_with`] gives.
    pub recognition: Recognition,
}

impl Recognizer {
    /// The entities of a raw tweet and its image, and every step on the way there.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn internals(
        &self,
        text: &str,
        image: Option<&EncodedImage>,
    ) -> Result<Internals, RecognizeError> {
        let words = self.words(text);
        let tokens = read_words(text, &words);
        let answer = self.answers(&[&tokens], &[image]).await?.remove(0);
        let bounds = Bounds::new(text, &words, self.manifest.sigils).words;
        let (labels, entities) = self.found(&answer, &bounds);
        Ok(Internals {
            marginals: marginals_within(&self.chain, &answer.emissions, &bounds),
            recognition: self.recognition(text, &words, &answer, image),
            tokens: tokens.into_iter().map(String::from).collect(),
            words,
            bounds,
            answer,
            labels,
            entities,
        })
    }

    /// The scores of the CRF as they were learnt: no label sequence is forbidden.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn crf(&self) -> Result<ChainScores, RecognizeError> {
        Ok(self.system.crf().to_host().await?)
    }

    /// Posteriors of every label of every word of an answer, `[N * 9]`, under BIO.
    pub fn posteriors(&self, answer: &Answer) -> Vec<f64> {
        marginals_within(&self.chain, &answer.emissions, &[])
    }

    /// What the answer's chain believes of entities that are given: the posterior probability of each span and type, under BIO, as
    /// the bundle's calibration reads it.
    ///
    /// # Panics
    /// If an entity is not of the answer's words.
    pub fn probabilities(&self, answer: &Answer, entities: &[Chunk]) -> Vec<f64> {
        let believed = entity_probabilities(&self.chain, &answer.emissions, entities);
        let Some(scaling) = &self.manifest.about.confidence else {
            return believed;
        };
        let each = entities.iter().zip(believed);
        each.map(|(entity, probability)| scaling.line(entity.kind).of(probability))
            .collect()
    }
}
