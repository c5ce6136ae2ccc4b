//! What a system makes of an image in a CPU's own memory, whatever the tweet.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Kinds of rows.
pub const KINDS: usize = 4;

/// The rows of an image, `[V, W]`.
#[derive(Clone, PartialEq)]
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

impl fmt::Debug for ImageRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageRows")
            .field("kinds", &self.kinds)
            .finish_non_exhaustive()
    }
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
                kinds: Default::default(),
                values: vec![value],
                keys: Vec::new(),
                embedding: Vec::new(),
            }
        };
        let first = kept.of(1, made(1.0));
        assert!(Arc::ptr_eq(&first, &kept.clone().of(1, made(2.0))));
        assert_eq!(kept.of(2, made(3.0)).values, [3.0]);
        assert_eq!(kept.of(1, made(4.0)).values, [1.0]);
    }
}
