//! Batches of tweets of similar length, so that little is padding.

use crate::data::corpus::rng::{Purpose, rng};

/// How many batches are sorted by length together: enough for equal lengths, few enough that who
/// meets whom changes from epoch to epoch.
const SORTED_TOGETHER: usize = 50;

/// Cuts `indices` into shuffled batches whose members have similar lengths.
///
/// `lengths[i]` is the length of sample `i`, in subwords. Every index comes out as often as it went
/// in. All batches have `batch_size` samples but one, which has the rest. The same arguments give the
/// same batches on every machine.
///
/// # Panics
/// If `batch_size` is 0, or an index has no length.
pub fn batches(
    indices: &[usize],
    lengths: &[usize],
    batch_size: usize,
    seed: u64,
    epoch: usize,
) -> Vec<Vec<usize>> {
    assert!(batch_size > 0, "a batch needs at least one sample");
    let mut rng = rng(Purpose::Order, seed, epoch);
    let mut order = indices.to_vec();
    rng.shuffle(&mut order);
    for together in order.chunks_mut(batch_size.saturating_mul(SORTED_TOGETHER)) {
        together.sort_by_key(|&index| lengths[index]);
    }
    let mut batches: Vec<_> = order.chunks(batch_size).map(<[usize]>::to_vec).collect();
    rng.shuffle(&mut batches);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The share of a padded batch that is padding.
    fn padding<'a>(batches: impl IntoIterator<Item = &'a [usize]>, lengths: &[usize]) -> f64 {
        let (mut used, mut padded) = (0, 0);
        for batch in batches {
            let longest = batch.iter().map(|&i| lengths[i]).max().unwrap();
            used += batch.iter().map(|&i| lengths[i]).sum::<usize>();
            padded += longest * batch.len();
        }
        1.0 - used as f64 / padded as f64
    }

    #[test]
    fn little_is_padding() {
        let lengths: Vec<usize> = (0..4000).map(|i| 5 + i * 7919 % 50).collect();
        let indices: Vec<usize> = (0..4000).collect();
        let sorted = batches(&indices, &lengths, 16, 1, 0);
        let plain = padding(indices.chunks(16), &lengths);
        let bucketed = padding(sorted.iter().map(Vec::as_slice), &lengths);
        assert!(plain > 0.3 && bucketed < 0.03, "{plain} {bucketed}");
    }

    /// The pinned order is that of the same steps written in Python.
    #[test]
    fn the_order_is_the_same_everywhere_and_another_in_every_epoch() {
        let lengths = [3, 9, 4, 8, 5, 7, 6];
        let indices = [0, 1, 2, 3, 4, 5, 6];
        assert_eq!(
            batches(&indices, &lengths, 3, 7, 0),
            [vec![1], vec![0, 2, 4], vec![6, 5, 3]]
        );
        let lengths = [5; 64];
        let indices: Vec<usize> = (0..64).collect();
        let first = batches(&indices, &lengths, 4, 7, 0);
        assert_ne!(first, batches(&indices, &lengths, 4, 7, 1));
        assert_ne!(first, batches(&indices, &lengths, 4, 8, 0));
    }

    proptest! {
        #[test]
        fn every_index_comes_out_as_often_as_it_went_in(
            lengths in prop::collection::vec(1..60usize, 1..50),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..300),
            batch_size in 1..9usize,
            seed: u64,
            epoch in 0..9usize,
        ) {
            let mut indices: Vec<_> = picks.iter().map(|pick| pick.index(lengths.len())).collect();
            let batches = batches(&indices, &lengths, batch_size, seed, epoch);
            prop_assert_eq!(batches.len(), indices.len().div_ceil(batch_size));
            prop_assert!(batches.iter().filter(|batch| batch.len() != batch_size).count() <= 1);
            let mut out = batches.concat();
            out.sort_unstable();
            indices.sort_unstable();
            prop_assert_eq!(out, indices);
        }
    }
}
