//! Batches for burn-train's learner: drawn anew in each epoch, and fixed ones to measure on.

use crate::splitmix::SplitMix64;
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The generator of a step, the same in a resumed run.
pub(super) fn of_step(seed: u64, epoch: usize, step: usize) -> SplitMix64 {
    let mut rng = SplitMix64(seed ^ (epoch as u64).rotate_left(40) ^ (step as u64).rotate_left(16));
    SplitMix64(rng.next_u64())
}

/// Places of items of like length, `batch` by `batch`.
pub(super) fn by_length<T>(
    items: &[T],
    batch: usize,
    length: impl Fn(&T) -> usize,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&at| length(&items[at]));
    order.chunks(batch).map(<[usize]>::to_vec).collect()
}

/// Of every epoch, counted from 1, which batch comes when.
pub(super) fn orders(seed: u64, epochs: usize, batches: usize) -> Vec<Vec<usize>> {
    let order = |epoch| {
        let mut order: Vec<usize> = (0..batches).collect();
        of_step(seed, epoch, 0).shuffle(&mut order);
        order
    };
    (0..=epochs).map(order).collect()
}

/// What makes the batch of an epoch and a step on a device.
type Make<T> = Arc<dyn Fn(usize, usize, &Device) -> T + Send + Sync>;

/// Batches that are made when they are asked for; each call of `iter` is the next epoch.
pub struct Drawn<T> {
    make: Make<T>,
    device: Device,
    /// Epochs already begun.
    epoch: AtomicUsize,
    /// The share of an epoch's steps that this loader serves.
    share: Range<usize>,
}

impl<T: Send + 'static> Drawn<T> {
    /// `steps` batches an epoch, the first epoch being `epoch + 1`. `make` gives the same batch for the same epoch and step.
    pub fn new(
        make: impl Fn(usize, usize, &Device) -> T + Send + Sync + 'static,
        steps: usize,
        device: &Device,
        epoch: usize,
    ) -> Self {
        Self {
            make: Arc::new(make),
            device: device.clone(),
            epoch: AtomicUsize::new(epoch),
            share: 0..steps,
        }
    }

    fn with(&self, device: &Device, share: Range<usize>) -> Arc<dyn DataLoader<T>> {
        Arc::new(Self {
            make: self.make.clone(),
            device: device.clone(),
            epoch: AtomicUsize::new(self.epoch.load(Ordering::SeqCst)),
            share,
        })
    }
}

impl<T: Send + 'static> DataLoader<T> for Drawn<T> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<T> + 'a> {
        Box::new(Epoch {
            drawn: self,
            epoch: self.epoch.fetch_add(1, Ordering::SeqCst) + 1,
            steps: self.share.clone(),
        })
    }

    fn num_items(&self) -> usize {
        self.share.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<T>> {
        self.with(device, self.share.clone())
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<T>> {
        let from = self.share.start;
        self.with(&self.device, from + start..from + end)
    }
}

struct Epoch<'a, T> {
    drawn: &'a Drawn<T>,
    epoch: usize,
    steps: Range<usize>,
}

impl<T> Iterator for Epoch<'_, T> {
    type Item = Result<T, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.steps.next()?;
        Some(Ok((self.drawn.make)(self.epoch, step, &self.drawn.device)))
    }
}

impl<T> DataLoaderIterator<T> for Epoch<'_, T> {
    fn progress(&self) -> Progress {
        let all = self.drawn.share.len();
        Progress::new(all - self.steps.len(), all, Some("steps".to_owned()))
    }
}

/// Batches that stay the same. They are on the device that they were made for.
pub struct Fixed<T>(pub Vec<T>);

impl<T: Clone + Send + Sync + 'static> DataLoader<T> for Fixed<T> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<T> + 'a> {
        Box::new(Rest {
            all: self.0.len(),
            batches: self.0.iter(),
        })
    }

    fn num_items(&self) -> usize {
        self.0.len()
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<T>> {
        Arc::new(Self(self.0.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<T>> {
        Arc::new(Self(self.0[start..end].to_vec()))
    }
}

struct Rest<'a, T> {
    all: usize,
    batches: std::slice::Iter<'a, T>,
}

impl<T: Clone> Iterator for Rest<'_, T> {
    type Item = Result<T, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batches.next().cloned().map(Ok)
    }
}

impl<T: Clone> DataLoaderIterator<T> for Rest<'_, T> {
    fn progress(&self) -> Progress {
        Progress::new(
            self.all - self.batches.len(),
            self.all,
            Some("batches".to_owned()),
        )
    }
}
