//! One pass over labelled tweets.

use crate::failure::Failure;
use crate::output::Counter;
use crate::threads::in_order;
use crate::user_names::UserNames;
use mner_core::data::corpus::Sample;
use mner_core::data::fine_types::{FineTypeNames, spelled};
use mner_core::decode::chunks::{Chunk, Rule, chunks};
use mner_core::decode::entities::WordEntity;
use mner_core::evaluate::calibration::Calibration;
use mner_core::evaluate::fine_types::FineTypeScores;
use mner_core::evaluate::mistakes::Gold;
use mner_core::evaluate::scores::{Report, Scores};
use mner_core::evaluate::seen_entities::SeenEntities;
use mner_core::evaluate::user_names::is_user_name;
use mner_core::label::Label;
use mner_core::recognizer::Recognizer;
use mner_core::recognizer::evidence::RelevanceScores;
use mner_core::systems::image_batch::EncodedImage;
use mner_core::systems::ita::image_text::ImageText;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::ops::Range;

/// Tweets that a thread reads at once.
const STEP: usize = 64;

/// What is asked of the tweets.
pub struct Question<'a> {
    pub samples: &'a [Sample],
    /// Of each tweet, where there are images.
    pub images: Option<&'a [Option<EncodedImage>]>,
    /// What is known in words of each tweet's image.
    pub known: &'a [Option<&'a ImageText>],
    /// The names of the corpora learnt from, where unseen ones are asked for.
    pub names: Option<&'a SeenEntities>,
    /// What the names are more finely, where that is asked for.
    pub fine_types: Option<&'a FineTypeNames>,
    pub user_names: UserNames,
    /// Whether confidences are compared with what is right.
    pub calibrated: bool,
    /// Whether what was found in each tweet is wanted.
    pub judged: bool,
    pub threads: NonZeroUsize,
}

/// What one pass over the tweets gives.
#[derive(Serialize)]
pub struct Pass {
    #[serde(flatten)]
    pub report: Report,
    /// Over the unseen entities alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<Report>,
    /// Names with their fine types, where people said what they are.
    #[serde(rename = "fine_types", skip_serializing_if = "Option::is_none")]
    pub fine_type_scores: Option<FineTypeScores>,
    /// Of entities whose names have fine types: log probabilities of all, and the right one.
    #[serde(skip)]
    pub fine_type_cases: Vec<(Vec<f64>, usize)>,
    /// Entities of user names that were left out, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_names: Option<LeftOut>,
    /// Mean over the tweets with an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance: Option<RelevanceScores>,
    /// Found entities by their confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Tweets with an image.
    #[serde(rename = "pictures", skip_serializing_if = "Option::is_none")]
    pub images: Option<usize>,
    /// What was found in each tweet, where it was wanted.
    #[serde(skip)]
    pub judged: Vec<Found>,
}

/// Names of the labels and entities of the answer, without those that are not scored.
pub type Found = (Vec<Gold>, Vec<WordEntity>);

/// Entities that are not scored.
#[derive(Clone, Copy, Default, Serialize)]
pub struct LeftOut {
    /// Of the labels.
    pub gold: usize,
    /// Of the answers.
    pub found: usize,
}

/// What an entity is more finely.
struct Told {
    /// Its words, spelled as names are compared.
    name: String,
    /// The likeliest fine type.
    fine: String,
    /// Log probabilities of all.
    logs: Vec<f64>,
}

/// The answer to one tweet.
struct Labelled {
    labels: Vec<Label>,
    entities: Vec<WordEntity>,
    /// What each is more finely, where that is wanted.
    fine_types: Vec<Told>,
    relevance: Option<RelevanceScores>,
    /// Names of its labels that are scored, where that is wanted.
    gold: Vec<Gold>,
}

impl Question<'_> {
    /// Whether an entity of a tweet is not scored.
    fn is_left_out(&self, sample: &Sample, chunk: Chunk) -> bool {
        self.user_names.dropped() && is_user_name(&sample.tokens, chunk)
    }

    /// Labels the tweets of a range, each beside its image if there is one.
    fn label(
        &self,
        recognizer: &Recognizer,
        range: Range<usize>,
    ) -> Result<Vec<Labelled>, Failure> {
        let samples = &self.samples[range.clone()];
        let tweets: Vec<&[String]> = samples.iter().map(|s| s.tokens.as_slice()).collect();
        let seen: Vec<Option<&EncodedImage>> = match self.images {
            Some(images) => images[range.clone()].iter().map(Option::as_ref).collect(),
            None => vec![None; tweets.len()],
        };
        let answers = recognizer.answers_with(&tweets, &seen, &self.known[range]);
        let answers = pollster::block_on(answers)?;
        let labelled = samples.iter().zip(&answers).map(|(sample, answer)| {
            let (labels, entities) = recognizer.decoded(answer);
            let mut gold = match self.judged {
                true => chunks(&sample.labels, Rule::Lenient),
                false => Vec::new(),
            };
            gold.retain(|chunk| !self.is_left_out(sample, *chunk));
            let probabilities = recognizer.probabilities(answer, &gold);
            let gold = gold.into_iter().zip(probabilities);
            let fine_types = entities.iter().filter(|_| self.fine_types.is_some());
            let fine_types = fine_types.filter_map(|entity| {
                let told = recognizer.fine_type(answer, entity)?;
                Some(Told {
                    name: spelled(&sample.tokens[entity.words.clone()]),
                    fine: told.name,
                    logs: recognizer.fine_type_logs(answer, entity)?,
                })
            });
            Labelled {
                fine_types: fine_types.collect(),
                labels,
                entities,
                relevance: answer.evidence.as_ref().map(|evidence| evidence.relevance),
                gold: gold
                    .map(|(chunk, probability)| Gold { chunk, probability })
                    .collect(),
            }
        });
        Ok(labelled.collect())
    }
}

/// Labels all tweets and compares.
pub fn pass(recognizer: &Recognizer, question: &Question) -> Result<Pass, Failure> {
    let Question { samples, names, .. } = *question;
    let (mut scores, mut unseen) = (Scores::new(), Scores::new());
    let (mut done, mut left_out) = (0, LeftOut::default());
    let (mut fine_types, mut fine_type_cases) = (FineTypeScores::default(), Vec::new());
    let types = recognizer.manifest().config.fine_types();
    let mut calibration = question.calibrated.then(Calibration::default);
    let mut judged = Vec::new();
    let total = samples.len();
    let mut counter = Counter::new(total, "tweets");
    let (mut sum, mut images) = (RelevanceScores::default(), 0);
    in_order(
        question.threads,
        (0..total)
            .step_by(STEP)
            .map(move |start| Ok(start..(start + STEP).min(total))),
        |range| question.label(recognizer, range),
        |all| {
            let count_of = all.len();
            for (sample, answer) in samples[done..].iter().zip(all) {
                let labels = &answer.labels;
                let is_left_out = |chunk| question.is_left_out(sample, chunk);
                let count = |labels: &[Label]| {
                    let all = chunks(labels, Rule::Lenient).into_iter();
                    all.filter(|chunk| is_left_out(*chunk)).count()
                };
                left_out.gold += count(&sample.labels);
                left_out.found += count(labels);
                scores.add_where(&sample.labels, labels, |chunk| !is_left_out(chunk));
                if let Some(calibration) = &mut calibration {
                    calibration.add_where(&sample.labels, &answer.entities, |chunk| {
                        !is_left_out(chunk)
                    });
                }
                let told = question
                    .fine_types
                    .and_then(|names| names.of(sample.id.as_deref()));
                if let Some(gold) = told {
                    let found = &answer.fine_types;
                    fine_types.add(
                        gold.iter()
                            .map(|(name, t)| (name.as_str(), t.fine.as_str())),
                        found
                            .iter()
                            .map(|told| (told.name.as_str(), told.fine.as_str())),
                    );
                    fine_type_cases.extend(found.iter().filter_map(|told| {
                        let (_, right) = gold.iter().find(|(name, _)| *name == told.name)?;
                        let right = types.iter().position(|other| other == right)?;
                        Some((told.logs.clone(), right))
                    }));
                }
                if let Some(names) = names {
                    let new = |chunk| !is_left_out(chunk) && !names.has(&sample.tokens, chunk);
                    unseen.add_where(&sample.labels, labels, new);
                }
                if question.judged {
                    let found = answer.entities.iter();
                    let found = found.filter(|entity| !is_left_out(Chunk::of(entity)));
                    judged.push((answer.gold, found.cloned().collect()));
                }
                if let Some(relevance) = &answer.relevance {
                    images += 1;
                    sum.global += relevance.global;
                    sum.object += relevance.object;
                    sum.semantic += relevance.semantic;
                    sum.spatial += relevance.spatial;
                }
            }
            done += count_of;
            counter.show(done);
            Ok(())
        },
    )?;
    counter.end();
    let mean = |sum: f64| sum / f64::from(images);
    Ok(Pass {
        report: scores.report(),
        unseen: names.map(|_| unseen.report()),
        fine_type_scores: question.fine_types.map(|_| fine_types),
        fine_type_cases,
        user_names: question.user_names.dropped().then_some(left_out),
        relevance: (images > 0).then(|| RelevanceScores {
            global: mean(sum.global),
            object: mean(sum.object),
            semantic: mean(sum.semantic),
            spatial: mean(sum.spatial),
        }),
        calibration,
        images: question.images.map(|_| images as usize),
        judged,
    })
}
