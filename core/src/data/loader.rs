//! Examples in the order in which they are learnt from, epoch by epoch.

use crate::data::corpus::buckets;
use crate::data::corpus::mixture::Mixture;
use crate::data::example::{Example, LabelledBatch};
use crate::splitmix::SplitMix64;
use crate::systems::layout::Layout;
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
        let unit = rng.unit();
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
