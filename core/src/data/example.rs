//! Labelled tweets cut into subwords, and batches of them with what the loss needs.

use crate::data::corpus::Sample;
use crate::decode::fine_types::FineSpan;
use crate::label::{LABELS, Label};
use crate::nn::crf::CrfTargets;
use crate::systems::batch::Batch;
use crate::systems::distillation::TeacherPosteriors;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextSubwords;
use crate::systems::layout::{Layout, TweetInput};
use crate::tweet::sequence::{SubwordSequence, sequences};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use burn::tensor::Device;
use std::ops::Range;

/// A labelled tweet, cut into subwords.
#[derive(Clone, Debug)]
pub struct Example {
    windows: Vec<SubwordSequence>,
    words: Vec<String>,
    labels: Vec<Label>,
    /// Indices of labels that a word labelled `O` may have all the same.
    open: Vec<usize>,
    pub(super) images: Vec<CandidateImage>,
    /// Its labels hold beside its image alone.
    pub(super) image_decides: bool,
    /// Log posteriors of its words, `[N * 9]`, as teachers have them.
    posteriors: Option<Vec<f32>>,
    /// Its spans whose fine type is known.
    fine_types: Vec<FineSpan>,
}

/// An image that a tweet may have.
#[derive(Clone, Debug)]
pub struct CandidateImage {
    /// As the networks see it.
    pub encoded: Option<EncodedImage>,
    /// In words.
    pub context: Option<ContextSubwords>,
}

impl Example {
    /// Cuts a sample, which has words, into subwords.
    ///
    /// # Errors
    /// If the tokenizer fails on a word.
    pub fn new(
        sample: Sample,
        tokenizer: &SubwordTokenizer,
        max_subwords: usize,
    ) -> Result<Self, TokenizerError> {
        let windows = sequences(&sample.tokens, tokenizer, max_subwords)?;
        Ok(Self {
            windows,
            words: sample.tokens,
            labels: sample.labels,
            open: Vec::new(),
            images: Vec::new(),
            image_decides: false,
            posteriors: None,
            fine_types: Vec::new(),
        })
    }

    /// The same tweet with what teachers believe of its words, `[N * 9]`, if they were asked.
    ///
    /// # Panics
    /// If that is not nine log posteriors a word.
    #[must_use]
    pub fn with_posteriors(mut self, posteriors: Option<Vec<f32>>) -> Self {
        let right = |p: &Vec<f32>| p.len() == self.words.len() * LABELS;
        assert!(posteriors.as_ref().is_none_or(right), "nine a word");
        self.posteriors = posteriors;
        self
    }

    /// The same tweet with the spans whose fine type is known.
    #[must_use]
    pub fn with_fine_types(mut self, spans: Vec<FineSpan>) -> Self {
        self.fine_types = spans;
        self
    }

    /// The spans whose fine type is known that a window holds whole, counted within it.
    fn fine_types_of(&self, window: &Range<usize>) -> Vec<FineSpan> {
        let within = self
            .fine_types
            .iter()
            .filter(|span| window.start <= span.words.start && span.words.end <= window.end);
        within
            .map(|span| FineSpan {
                words: span.words.start - window.start..span.words.end - window.start,
                ..span.clone()
            })
            .collect()
    }

    /// The same tweet, whose words labelled `O` may have these labels, by index, all the same.
    #[must_use]
    pub fn with_open(mut self, open: Vec<usize>) -> Self {
        self.open = open;
        self
    }

    /// The same tweet, whose labels hold beside its image alone, or not.
    #[must_use]
    pub fn with_image_deciding(mut self, decides: bool) -> Self {
        self.image_decides = decides;
        self
    }

    /// Whether it shows an image.
    pub fn has_image(&self) -> bool {
        self.images.iter().any(|p| p.encoded.is_some())
    }

    /// The same tweet with the images it may have, the best first.
    #[must_use]
    pub fn with_images(mut self, images: Vec<CandidateImage>) -> Self {
        self.images = images;
        self
    }

    /// Subwords of the longest window, context included.
    pub(super) fn length(&self, layout: &Layout) -> usize {
        let contexts = self.images.iter().map(|p| p.context.as_ref());
        let contexts: Vec<_> = contexts.chain([None]).collect();
        self.windows
            .iter()
            .flat_map(|w| {
                contexts
                    .iter()
                    .map(|c| layout.sequence(w, *c).subwords.len())
            })
            .max()
            .unwrap_or(0)
    }
}

/// A batch with its gold labels.
#[derive(Clone, Debug)]
pub struct LabelledBatch {
    /// What the system reads.
    pub batch: Batch,
    /// The gold labels of every row, as the loss needs them.
    pub targets: CrfTargets,
    /// The gold labels of every tweet.
    pub gold: Vec<Vec<Label>>,
    /// What teachers believe of every row, if they were asked about any.
    pub taught: Option<TeacherPosteriors>,
}

impl LabelledBatch {
    /// Each example with the image it has and whether that is its own, where known; `views`: whether the text view is
    /// there too.
    pub(super) fn new(
        examples: &[(&Example, Option<&CandidateImage>, Option<bool>)],
        views: bool,
        layout: &Layout,
        device: &Device,
    ) -> Self {
        let inputs: Vec<TweetInput<'_, String>> = examples
            .iter()
            .map(|(example, shown, _)| TweetInput {
                words: &example.words,
                windows: &example.windows,
                encoded: shown.and_then(|p| p.encoded.as_ref()),
                context: shown.and_then(|p| p.context.as_ref()),
            })
            .collect();
        // Each window is a chain of its own while training.
        let rows: Vec<Vec<usize>> = examples
            .iter()
            .flat_map(|(e, ..)| {
                e.windows.iter().map(|w| {
                    e.labels[w.window.words.clone()]
                        .iter()
                        .map(|l| l.index())
                        .collect()
                })
            })
            .collect();
        let open: Vec<&[usize]> = examples
            .iter()
            .flat_map(|(e, ..)| e.windows.iter().map(|_| e.open.as_slice()))
            .collect();
        let taught: Vec<Option<&[f32]>> = examples
            .iter()
            .flat_map(|(e, ..)| {
                e.windows.iter().map(|w| {
                    let Range { start, end } = w.window.words;
                    let all = e.posteriors.as_ref()?;
                    Some(&all[start * LABELS..end * LABELS])
                })
            })
            .collect();
        let targets = CrfTargets::new(&rows, LABELS, device).with_open(&open);
        let own: Vec<Option<bool>> = examples.iter().map(|(.., own)| *own).collect();
        let batch = layout.batch(&inputs, views, device);
        let fine_types: Vec<Vec<FineSpan>> = examples
            .iter()
            .flat_map(|(e, ..)| e.windows.iter().map(|w| e.fine_types_of(&w.window.words)))
            .collect();
        let batch = match fine_types.iter().all(Vec::is_empty) {
            true => batch,
            false => batch.with_fine_types(&fine_types),
        };
        Self {
            batch: match own.iter().any(Option::is_some) {
                true => batch.with_ownership(&own),
                false => batch,
            },
            taught: TeacherPosteriors::new(&taught, targets.present().len(), LABELS, device),
            targets,
            gold: examples.iter().map(|(e, ..)| e.labels.clone()).collect(),
        }
    }
}
