//! Labelled tweets as batches, epoch by epoch.

use crate::data::corpus::buckets;
use crate::data::corpus::mixture::Mixture;
use crate::label::{LABELS, Label};
use crate::nn::crf::CrfTargets;
use crate::splitmix::SplitMix64;
use crate::systems::batch::Batch;
use crate::systems::distillation::TeacherPosteriors;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextSubwords;
use crate::systems::layout::{Layout, TweetInput};
use crate::tweet::sequence::{SubwordSequence, sequences};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::data::corpus::Sample;

/// A labelled tweet, cut into subwords.
#[derive(Clone, Debug)]
pub struct Example {
    windows: Vec<SubwordSequence>,
    words: Vec<String>,
    labels: Vec<Label>,
    /// Indices of labels that a word labelled `O` may have all the same.
    open: Vec<usize>,
    images: Vec<CandidateImage>,
    /// Its labels hold beside its image alone.
    image_decides: bool,
    /// Log posteriors of its words, `[N * 9]`, as teachers have them.
    posteriors: Option<Vec<f32>>,
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
        max_pieces: usize,
    ) -> Result<Self, TokenizerError> {
        let windows = sequences(&sample.tokens, tokenizer, max_pieces)?;
        Ok(Self {
            windows,
            words: sample.tokens,
            labels: sample.labels,
            open: Vec::new(),
            images: Vec::new(),
            image_decides: false,
            posteriors: None,
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
    pub fn has_sight(&self) -> bool {
        self.images.iter().any(|p| p.encoded.is_some())
    }

    /// The same tweet with the images it may have, the best first.
    #[must_use]
    pub fn with_images(mut self, images: Vec<CandidateImage>) -> Self {
        self.images = images;
        self
    }

    /// Subwords of the longest window, context included.
    fn length(&self, layout: &Layout) -> usize {
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
    fn new(
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

/// In which order examples come.
#[derive(Clone, Debug)]
pub enum Order {
    /// Anew each epoch: the mixture's choice, shuffled, tweets of like length together.
    Training {
        /// The corpora and their weights.
        mixture: Mixture,
        /// Seed of choice, order and dropout.
        seed: u64,
        /// Fraction of the images left out.
        image_dropout: f64,
        /// Fraction of the images exchanged for another tweet's.
        image_swap: f64,
        /// Whether the text view of each batch is there too.
        views: bool,
    },
    /// Always the same: by length.
    Evaluation,
}

impl Order {
    /// Which of `count` examples gives `example` its image in an epoch, and a number that draws
    /// one of its images: depends on seed, epoch and example alone, so that a resumed run is the
    /// same run.
    fn shown(
        &self,
        epoch: usize,
        example: usize,
        count: usize,
        image_decides: bool,
    ) -> Option<(usize, usize)> {
        let Self::Training {
            seed,
            image_dropout,
            image_swap,
            ..
        } = self
        else {
            return Some((example, 0));
        };
        let mut mixed = SplitMix64(seed ^ (epoch as u64).rotate_left(40));
        let mut rng = SplitMix64(mixed.next_u64() ^ example as u64);
        let unit = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        if unit < *image_dropout && !image_decides {
            return None;
        }
        let swapped = unit < image_dropout + image_swap && !image_decides;
        let from = if swapped { rng.below(count) } else { example };
        Some((from, rng.next_u64() as usize))
    }
}

/// Batches of examples for the learner; each call of `iter` is the next epoch.
pub struct Loader {
    examples: Arc<Vec<Example>>,
    order: Order,
    batch: usize,
    layout: Layout,
    /// Length of each example.
    lengths: Arc<Vec<usize>>,
    device: Device,
    /// Epochs already begun.
    epoch: AtomicUsize,
    /// The share of the items this loader serves.
    share: Range<usize>,
}

impl Loader {
    /// A loader over all of `examples`, the first epoch being `epoch + 1`.
    pub fn new(
        examples: Vec<Example>,
        order: Order,
        batch: usize,
        layout: &Layout,
        device: &Device,
        epoch: usize,
    ) -> Self {
        let lengths = examples.iter().map(|e| e.length(layout)).collect();
        let mut loader = Self {
            lengths: Arc::new(lengths),
            examples: Arc::new(examples),
            order,
            batch,
            layout: layout.clone(),
            device: device.clone(),
            epoch: AtomicUsize::new(epoch),
            share: 0..0,
        };
        loader.share = 0..loader.total();
        loader
    }

    /// Steps of one epoch.
    pub fn steps(&self) -> usize {
        self.batches(1).len()
    }

    /// Items of one epoch over all shares.
    fn total(&self) -> usize {
        match &self.order {
            Order::Training { mixture, .. } => mixture.len(),
            Order::Evaluation => self.examples.len(),
        }
    }

    /// This loader's batches of `epoch`, as indices of examples.
    fn batches(&self, epoch: usize) -> Vec<Vec<usize>> {
        match &self.order {
            Order::Training { mixture, seed, .. } => {
                let chosen = mixture.epoch(*seed, epoch);
                let batches = buckets::batches(&chosen, &self.lengths, self.batch, *seed, epoch);
                // Workers of a data-parallel run must agree on the number of steps, so each
                // takes an equal run of batches and a remainder is dropped.
                let workers = (self.total() / self.share.len().max(1)).max(1);
                let each = batches.len() / workers;
                let worker = (self.share.start * workers / self.total().max(1)).min(workers - 1);
                batches[worker * each..(worker + 1) * each].to_vec()
            }
            Order::Evaluation => {
                let mut all: Vec<usize> = self.share.clone().collect();
                all.sort_by_key(|&i| self.lengths[i]);
                all.chunks(self.batch).map(<[usize]>::to_vec).collect()
            }
        }
    }

    fn with(&self, device: Device, share: Range<usize>) -> Self {
        Self {
            examples: self.examples.clone(),
            order: self.order.clone(),
            batch: self.batch,
            layout: self.layout.clone(),
            lengths: self.lengths.clone(),
            device,
            epoch: AtomicUsize::new(self.epoch.load(Ordering::SeqCst)),
            share,
        }
    }
}

impl DataLoader<LabelledBatch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<LabelledBatch> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        if let Order::Training { seed, .. } = self.order {
            // Dropout then depends on seed and epoch alone, so that a resumed run is the same run.
            self.device.seed(
                seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
                    .wrapping_add(epoch as u64),
            );
        }
        let batches = self.batches(epoch);
        Box::new(Batches {
            loader: self,
            epoch,
            next: 0,
            done: 0,
            total: batches.iter().map(Vec::len).sum(),
            batches,
        })
    }

    fn num_items(&self) -> usize {
        self.share.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<LabelledBatch>> {
        Arc::new(self.with(device.clone(), self.share.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<LabelledBatch>> {
        Arc::new(self.with(
            self.device.clone(),
            self.share.start + start..self.share.start + end,
        ))
    }
}

struct Batches<'a> {
    loader: &'a Loader,
    epoch: usize,
    batches: Vec<Vec<usize>>,
    next: usize,
    done: usize,
    total: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<LabelledBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices = self.batches.get(self.next)?;
        self.next += 1;
        self.done += indices.len();
        let all = &self.loader.examples;
        // Where no image is exchanged, there is nothing to tell apart.
        let asks =
            matches!(self.loader.order, Order::Training { image_swap, .. } if image_swap > 0.0);
        let examples: Vec<_> = indices
            .iter()
            .map(|&i| {
                let decides = all[i].image_decides;
                let shown = self.loader.order.shown(self.epoch, i, all.len(), decides);
                let image = shown.and_then(|(from, draw)| {
                    let images = &all[from].images;
                    images.get(draw % images.len().max(1))
                });
                let own = shown.map(|(from, _)| from == i);
                (&all[i], image, own.filter(|_| asks))
            })
            .collect();
        Some(Ok(LabelledBatch::new(
            &examples,
            matches!(self.loader.order, Order::Training { views: true, .. }),
            &self.loader.layout,
            &self.loader.device,
        )))
    }
}

impl DataLoaderIterator<LabelledBatch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.total, Some("tweets".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_and_exchanges_the_share_of_images_asked_for() {
        const COUNT: usize = 10_000;
        let order = |image_dropout, image_swap| Order::Training {
            mixture: Mixture::new(&[(COUNT, 1.0)]).unwrap(),
            seed: 7,
            image_dropout,
            image_swap,
            views: false,
        };
        let shown = |order: &Order, epoch| -> Vec<Option<usize>> {
            (0..COUNT)
                .map(|i| order.shown(epoch, i, COUNT, false).map(|(from, _)| from))
                .collect()
        };
        let mixed = shown(&order(0.1, 0.2), 1);
        let none = mixed.iter().filter(|s| s.is_none()).count();
        let own = mixed.iter().enumerate().filter(|(i, s)| **s == Some(*i));
        assert!((900..1100).contains(&none), "{none}");
        let own = own.count();
        assert!((6800..7200).contains(&own), "{own}");
        assert!(mixed.iter().flatten().all(|&i| i < COUNT));
        assert_ne!(mixed, shown(&order(0.1, 0.2), 2));
        // Where the image decides, it stays.
        let deciding = (0..COUNT).map(|i| {
            order(0.5, 0.5)
                .shown(1, i, COUNT, true)
                .map(|(from, _)| from)
        });
        assert!(deciding.enumerate().all(|(i, shown)| shown == Some(i)));
        // Of four images each is drawn as often.
        let all = order(0.0, 0.0);
        let drawn = (0..COUNT).filter_map(|i| all.shown(1, i, COUNT, false));
        let first = drawn.filter(|(_, draw)| draw % 4 == 0).count();
        assert!((2350..2650).contains(&first), "{first}");
        // Exchanging some leaves the others as they were.
        let without = shown(&order(0.1, 0.0), 1);
        let changed = mixed.iter().zip(&without).filter(|(a, b)| a != b).count();
        assert_eq!(changed, COUNT - none - own);
        assert_eq!(
            shown(&Order::Evaluation, 1),
            (0..COUNT).map(Some).collect::<Vec<_>>()
        );
        assert_eq!(Order::Evaluation.shown(1, 3, COUNT, false), Some((3, 0)));
    }
}
