//! How a system's batches are laid out: what it reads beside the words of a tweet.

use crate::systems::batch::Batch;
use crate::systems::image_batch::EncodedImage;
use crate::systems::ita::context::ContextSubwords;
use crate::systems::makes_rows::MakesRows;
use crate::systems::mgcmt::augmentation_rows;
use crate::systems::padding::LeastSizes;
use crate::systems::{System, SystemConfig};
use crate::tweet::augmentation::Augmentation;
use crate::tweet::sequence::SubwordSequence;
use burn::tensor::Device;
use std::sync::Arc;

/// The lengths that sequences are padded to under [`Layout::few_sizes`], in subwords; beyond the
/// last one its multiples.
const LENGTHS: [usize; 6] = [16, 32, 48, 64, 96, 128];

/// The tag subwords of an image are padded to multiples of this under [`Layout::few_sizes`].
const TAG_SUBWORDS: usize = 32;

/// What a system reads, and with what.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Id of the padding subword.
    pub pad: u32,
    /// The augmentation table, for a system that reads augmentation.
    pub augmentation: Option<Arc<Augmentation>>,
    /// The longest sequence with context in subwords, for a system that reads context.
    pub context_subwords: Option<usize>,
    /// Most objects of an image.
    pub objects: usize,
    /// The longest sequence the encoder reads, in subwords.
    pub max_subwords: usize,
    /// Whether batches are padded to few sizes, for a device that compiles kernels for the sizes
    /// it meets.
    pub few_sizes: bool,
    /// What makes rows of images, where the system computes in a CPU's own memory.
    pub host: Option<Arc<dyn MakesRows>>,
}

/// A tweet, cut into subwords, with what is known of its image.
#[derive(Debug)]
pub struct TweetInput<'a, S> {
    /// All its words.
    pub words: &'a [S],
    /// Its windows.
    pub windows: &'a [SubwordSequence],
    /// Its image, as the networks see it.
    pub encoded: Option<&'a EncodedImage>,
    /// Its image in words.
    pub context: Option<&'a ContextSubwords>,
}

impl Layout {
    /// The layout of a system, with the augmentation table if it has one.
    pub fn new(config: &SystemConfig, pad: u32, augmentation: Option<Arc<Augmentation>>) -> Self {
        Self {
            pad,
            augmentation: augmentation.filter(|_| config.augmentation_size().is_some()),
            context_subwords: config.context().map(|context| context.max_subwords),
            objects: config.objects(),
            max_subwords: config.encoder().max_subwords(),
            few_sizes: false,
            host: None,
        }
    }

    /// The same for a system that may compute in a CPU's own memory.
    #[must_use]
    pub fn of_host(self, system: &System) -> Self {
        Self {
            host: system.host(),
            ..self
        }
    }

    /// What a batch of some windows and their images is padded to.
    fn least(
        &self,
        windows: &[&[SubwordSequence]],
        encoded_images: &[Option<&EncodedImage>],
    ) -> LeastSizes {
        if !self.few_sizes {
            return LeastSizes::default();
        }
        let longest = |length: fn(&SubwordSequence) -> usize| {
            let lengths = windows.iter().copied().flatten().map(length);
            lengths.max().unwrap_or(0)
        };
        let tags = encoded_images
            .iter()
            .flatten()
            .map(|encoded| encoded.tag_subwords());
        LeastSizes {
            subwords: few(longest(|s| s.subwords.len())).min(self.max_subwords),
            words: few(longest(|s| s.first.len())),
            objects: self.objects,
            tag_subwords: tags
                .max()
                .unwrap_or(0)
                .max(1)
                .next_multiple_of(TAG_SUBWORDS),
        }
    }

    /// The window as the system reads it: with the context, if it reads any.
    pub fn sequence(
        &self,
        window: &SubwordSequence,
        context: Option<&ContextSubwords>,
    ) -> SubwordSequence {
        match (self.context_subwords, context) {
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
        let text: Vec<&[SubwordSequence]> = tweets.iter().map(|tweet| tweet.windows).collect();
        let encoded_images: Vec<Option<&EncodedImage>> =
            tweets.iter().map(|tweet| tweet.encoded).collect();
        let laid = |windows: &[&[SubwordSequence]]| {
            Batch::new(
                windows,
                self.pad,
                self.least(windows, &encoded_images),
                device,
            )
        };
        let mut batch = if self.context_subwords.is_some() {
            let longer: Vec<Vec<SubwordSequence>> = tweets
                .iter()
                .map(|tweet| {
                    let windows = tweet.windows.iter();
                    windows.map(|w| self.sequence(w, tweet.context)).collect()
                })
                .collect();
            let longer: Vec<&[SubwordSequence]> = longer.iter().map(Vec::as_slice).collect();
            let batch = laid(&longer);
            match views {
                true => batch.with_text_view(laid(&text)),
                false => batch,
            }
        } else if let Some(host) = &self.host {
            let images = encoded_images.iter();
            let rows: Vec<_> = images
                .map(|image| Some(host.rows((*image)?, device)))
                .collect();
            laid(&text).with_image_rows(&rows)
        } else {
            laid(&text).with_images(&encoded_images)
        };
        if let Some(table) = &self.augmentation {
            let rows: Vec<(&SubwordSequence, &[S])> = tweets
                .iter()
                .flat_map(|tweet| tweet.windows.iter().map(|w| (w, tweet.words)))
                .collect();
            let subwords = batch.text().subwords.dims()[1];
            batch = batch.with_augmentation(augmentation_rows(table, &rows, subwords, device));
        }
        batch
    }
}

/// The first of few lengths that is not shorter.
fn few(length: usize) -> usize {
    let last = LENGTHS[LENGTHS.len() - 1];
    LENGTHS
        .into_iter()
        .find(|&few| few >= length)
        .unwrap_or_else(|| length.next_multiple_of(last))
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::systems::hamlearning::HamLearningConfig;
    use crate::systems::image_batch::tests::encoded;
    use crate::tweet::sequence::sequences;

    #[test]
    fn lengths_are_few() {
        let lengths = [0, 1, 16, 17, 48, 65, 97, 128, 129, 300].map(few);
        assert_eq!(lengths, [16, 16, 16, 32, 48, 96, 128, 128, 256, 384]);
    }

    #[test]
    fn few_sizes_change_no_answer() {
        const CHANNELS: usize = 6;
        let device = Device::flex();
        device.seed(3);
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let encoder = crate::systems::tiny::config(&tokenizer).encoder().clone();
        let config = SystemConfig::HamLearning(HamLearningConfig::new(encoder, CHANNELS));
        let system = config.init(&device);
        let plain = Layout::new(&config, tokenizer.special().pad, None);
        let padded = Layout {
            few_sizes: true,
            ..plain.clone()
        };
        let encoded_images = [
            None,
            Some(encoded(1, CHANNELS, 0)),
            Some(encoded(2, CHANNELS, 3)),
        ];
        // 4, 20 and 62 subwords, the last in several windows.
        for text in ["ok", "off to see the kites", &"kite over lima ".repeat(12)] {
            let words: Vec<&str> = text.split_whitespace().collect();
            let windows = sequences(&words, &tokenizer, plain.max_subwords).unwrap();
            for encoded in &encoded_images {
                let answers = [&plain, &padded].map(|layout| {
                    let input = TweetInput {
                        words: &words,
                        windows: &windows,
                        encoded: encoded.as_ref(),
                        context: None,
                    };
                    let batch = layout.batch(&[input], false, &device);
                    let subwords = batch.text().subwords.dims()[1];
                    let emissions = batch.collect(system.forward(&batch));
                    (subwords, pollster::block_on(emissions).unwrap().remove(0))
                });
                let [(_, plain), (subwords, padded)] = answers;
                assert!(LENGTHS.contains(&subwords), "{subwords} subwords");
                assert_eq!(plain.len(), padded.len());
                for (a, b) in plain.iter().zip(&padded) {
                    assert!((a - b).abs() < 1e-5, "{text}: {a}, padded {b}");
                }
            }
        }
    }
}
