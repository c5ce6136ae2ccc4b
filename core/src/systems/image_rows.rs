//! What a system makes of an image in a CPU's own memory, whatever the tweet.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Kinds of rows; what they are is the system's own.
pub const KINDS: usize = 4;

/// The rows of an image, `[V, W]`.
#[derive(Clone, Default, PartialEq)]
pub struct ImageRows {
    /// Which of them are of each kind, one after the other; none for a kind that is absent.
    pub kinds: [Range<usize>; KINDS],
    /// Row by row.
    pub values: Vec<f32>,
    /// What relevance compares with instead, row by row; nothing where it is not measured.
    pub keys: Vec<f32>,
    /// The image in the space of sentences, `[S]`; nothing where it is not known.
    pub embedding: Vec<f32>,
}

impl ImageRows {
    /// Adds the rows of a kind, of `width` values each.
    pub fn push(&mut self, kind: usize, rows: &[f32], width: usize) {
        let from = self.values.len() / width;
        self.values.extend_from_slice(rows);
        self.kinds[kind] = from..self.values.len() / width;
    }

    /// The rows of a kind, of `width` values each.
    pub fn of_kind(&self, kind: usize, width: usize) -> &[f32] {
        let Range { start, end } = self.kinds[kind];
        &self.values[start * width..end * width]
    }
}

impl fmt::Debug for ImageRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageRows")
            .field("kinds", &self.kinds)
            .finish_non_exhaustive()
    }
}

/// A number for a system, to tell it from others, whose rows of an image are not its own.
pub fn number() -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// The rows of an image once a system has made them. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct KeptRows(Arc<OnceLock<(u64, Arc<ImageRows>)>>);

impl KeptRows {
    /// The rows that the system of this number makes, made once; of another system they are made each time.
    pub fn of(&self, system: u64, make: impl Fn() -> ImageRows) -> Arc<ImageRows> {
        let (owner, rows) = self.0.get_or_init(|| (system, Arc::new(make())));
        match *owner == system {
            true => rows.clone(),
            false => Arc::new(make()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_for_one_system() {
        let kept = KeptRows::default();
        let made = |value| {
            move || ImageRows {
                values: vec![value],
                ..ImageRows::default()
            }
        };
        let first = kept.of(1, made(1.0));
        assert!(Arc::ptr_eq(&first, &kept.clone().of(1, made(2.0))));
        assert_eq!(kept.of(2, made(3.0)).values, [3.0]);
        assert_eq!(kept.of(1, made(4.0)).values, [1.0]);
    }
}
