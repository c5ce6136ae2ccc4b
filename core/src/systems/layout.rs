//! How a system's batches are laid out: what it reads beside the words of a tweet.

use super::SystemConfig;
use super::batch::Batch;
use super::ita::context::ContextPieces;
use super::mgcmt::augmentation_rows;
use super::pictures::Sight;
use crate::tweet::augmentation::Augmentation;
use crate::tweet::sequence::PieceSequence;
use burn::tensor::Device;
use std::sync::Arc;

/// What a system reads, and with what.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Id of the padding piece.
    pub pad: u32,
    /// The augmentation table, for a system that reads augmentation.
    pub augmentation: Option<Arc<Augmentation>>,
    /// The longest sequence with context in pieces, for a system that reads context.
    pub context_pieces: Option<usize>,
}

/// A tweet, cut into pieces, with what is known of its picture.
#[derive(Debug)]
pub struct TweetInput<'a, S> {
    /// All its words.
    pub words: &'a [S],
    /// Its windows.
    pub windows: &'a [PieceSequence],
    /// Its picture, as the networks see it.
    pub sight: Option<&'a Sight>,
    /// Its picture in words.
    pub context: Option<&'a ContextPieces>,
}

impl Layout {
    /// The layout of a system, with the augmentation table if it has one.
    pub fn new(config: &SystemConfig, pad: u32, augmentation: Option<Arc<Augmentation>>) -> Self {
        Self {
            pad,
            augmentation: augmentation.filter(|_| config.augmentation_size().is_some()),
            context_pieces: config.context().map(|context| context.max_pieces),
        }
    }

    /// The window as the system reads it: with the context, if it reads any.
    pub fn sequence(
        &self,
        window: &PieceSequence,
        context: Option<&ContextPieces>,
    ) -> PieceSequence {
        match (self.context_pieces, context) {
            (Some(limit), Some(context)) => context.after(window, limit),
            _ => window.clone(),
        }
    }

    /// The batch of some tweets; with `views`, their text view too where they have context.
    ///
    /// # Panics
    /// If there is no window at all.
    pub fn batch<S: AsRef<str>>(
        &self,
        tweets: &[TweetInput<'_, S>],
        views: bool,
        device: &Device,
    ) -> Batch {
        let text: Vec<&[PieceSequence]> = tweets.iter().map(|tweet| tweet.windows).collect();
        let sights: Vec<Option<&Sight>> = tweets.iter().map(|tweet| tweet.sight).collect();
        let plain = || Batch::new(&text, self.pad, 0, device);
        let mut batch = if self.context_pieces.is_some() {
            let longer: Vec<Vec<PieceSequence>> = tweets
                .iter()
                .map(|tweet| {
                    let windows = tweet.windows.iter();
                    windows.map(|w| self.sequence(w, tweet.context)).collect()
                })
                .collect();
            let longer: Vec<&[PieceSequence]> = longer.iter().map(Vec::as_slice).collect();
            let batch = Batch::new(&longer, self.pad, 0, device);
            match views {
                true => batch.with_text_view(plain()),
                false => batch,
            }
        } else {
            plain().with_pictures(&sights)
        };
        if let Some(table) = &self.augmentation {
            let rows: Vec<(&PieceSequence, &[S])> = tweets
                .iter()
                .flat_map(|tweet| tweet.windows.iter().map(|w| (w, tweet.words)))
                .collect();
            let pieces = batch.text().pieces.dims()[1];
            batch = batch.with_augmentation(augmentation_rows(table, &rows, pieces, device));
        }
        batch
    }
}
