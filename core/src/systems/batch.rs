//! Tweets side by side: what the device computes at once, and how its answers find their tweet.

use super::fine_types::FineTargets;
use super::padding::LeastSizes;
use crate::decode::fine_types::FineSpan;
use crate::nn::encoder::{Encoder, EncoderInput};
use crate::nn::values::values;
use crate::systems::image_batch::{EncodedImage, ImageBatch};
use crate::systems::image_rows::ImageRows;
use crate::tweet::sequence::SubwordSequence;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::ops::Range;
use std::sync::Arc;

/// The image of each row, if it has one.
pub type ImageRowsOfBatch = [Option<Arc<ImageRows>>];

/// A batch of tweets on the device. Each row is one window of one tweet.
#[derive(Clone, Debug)]
pub struct Batch {
    text: EncoderInput,
    images: Option<ImageBatch>,
    image_rows: Option<Vec<Option<Arc<ImageRows>>>>,
    augmentation: Option<Tensor<3>>,
    text_view: Option<Box<Batch>>,
    ownership: Option<Ownership>,
    fine_types: Option<FineTargets>,
    /// Row of the flattened `[R * P]` hidden states holding each word's first subword, `[R * N]`.
    first: Tensor<1, Int>,
    rows: Vec<Row>,
    tweets: usize,
    least: LeastSizes,
}

/// Whose the image of each row is, to learn relevance from.
#[derive(Clone, Debug)]
pub struct Ownership {
    /// 1 where it is the tweet's own, 0 where it is another's, `[R, 1]`.
    pub own: Tensor<2>,
    /// 1 where that is known, `[R, 1]`.
    pub known: Tensor<2>,
}

/// A row in a CPU's own memory, without padding.
#[derive(Clone, Debug)]
pub struct HostRow<'a> {
    /// The encoder's states, `[P, D]`.
    pub states: &'a [f32],
    /// Which of them are the words' first subwords, `[N]`.
    pub first: Vec<usize>,
    /// The image, if it has one.
    pub image: Option<&'a ImageRows>,
}

/// Where one row's emissions belong.
#[derive(Clone, Debug)]
struct Row {
    tweet: usize,
    /// The row's words that count, counted within the row.
    keep: Range<usize>,
}

impl Batch {
    /// Lays out `tweets`, each as its windows, padded to `least`.
    ///
    /// # Panics
    /// If there is no window at all.
    pub fn new(
        tweets: &[&[SubwordSequence]],
        pad: u32,
        least: LeastSizes,
        device: &Device,
    ) -> Self {
        let sequences = || tweets.iter().flat_map(|windows| windows.iter());
        let n_rows = sequences().count();
        assert!(n_rows > 0, "a batch needs at least one tweet with words");
        let length = sequences()
            .map(|s| s.subwords.len())
            .max()
            .unwrap_or(0)
            .max(least.subwords);
        let words = sequences().map(|s| s.first.len()).max().unwrap_or(0);
        let words = words.max(least.words);

        let mut ids = vec![pad as i32; n_rows * length];
        let mut shapes = vec![0i32; n_rows * length];
        let mut present = vec![0f32; n_rows * length];
        let mut first = vec![0i32; n_rows * words];
        for (row, sequence) in sequences().enumerate() {
            for (p, &id) in sequence.subwords.iter().enumerate() {
                let at = row * length + p;
                ids[at] = id as i32;
                shapes[at] = sequence.shapes[p] as i32;
                present[at] = 1.0;
            }
            // Absent words point at the row's own first subword.
            first[row * words..(row + 1) * words].fill((row * length) as i32);
            for (word, &p) in sequence.first.iter().enumerate() {
                first[row * words + word] = (row * length + p) as i32;
            }
        }
        let rows = tweets
            .iter()
            .enumerate()
            .flat_map(|(tweet, windows)| {
                windows.iter().map(move |s| {
                    let start = s.window.words.start;
                    Row {
                        tweet,
                        keep: s.window.keep.start - start..s.window.keep.end - start,
                    }
                })
            })
            .collect();
        let table = [n_rows, length];
        Self {
            text: EncoderInput {
                subwords: Tensor::from_data(TensorData::new(ids, table), device),
                token_types: None,
                shapes: Some(Tensor::from_data(TensorData::new(shapes, table), device)),
                present: Tensor::from_data(TensorData::new(present, table), device),
            },
            images: None,
            image_rows: None,
            augmentation: None,
            text_view: None,
            ownership: None,
            fine_types: None,
            first: Tensor::from_data(TensorData::new(first, [n_rows * words]), device),
            rows,
            tweets: tweets.len(),
            least,
        }
    }

    /// The same tweets with their images, one or none a tweet; the windows of a tweet share it.
    ///
    /// # Panics
    /// If `images` are not as many as the tweets, or come from different backbones.
    #[must_use]
    pub fn with_images(mut self, images: &[Option<&EncodedImage>]) -> Self {
        assert_eq!(images.len(), self.tweets, "one image or none a tweet");
        let rows: Vec<Option<&EncodedImage>> =
            self.rows.iter().map(|row| images[row.tweet]).collect();
        self.images = ImageBatch::new(&rows, self.least, &self.text.present.device());
        self
    }

    /// The same tweets with what a system in a CPU's own memory makes of their images, one or none a tweet.
    ///
    /// # Panics
    /// If `images` are not as many as the tweets.
    #[must_use]
    pub fn with_image_rows(mut self, images: &ImageRowsOfBatch) -> Self {
        assert_eq!(images.len(), self.tweets, "one image or none a tweet");
        let rows = self.rows.iter().map(|row| images[row.tweet].clone());
        let any = images.iter().any(Option::is_some);
        self.image_rows = any.then(|| rows.collect());
        self
    }

    /// The same tweets, told whether each one's image is its own (`true`) or another's; none where that is not known.
    ///
    /// # Panics
    /// If `own` are not as many as the tweets.
    #[must_use]
    pub fn with_ownership(mut self, own: &[Option<bool>]) -> Self {
        assert_eq!(own.len(), self.tweets, "one answer or none a tweet");
        let column = |value: &dyn Fn(Option<bool>) -> bool| {
            let values: Vec<f32> = self
                .rows
                .iter()
                .map(|row| f32::from(value(own[row.tweet])))
                .collect();
            let data = TensorData::new(values, [self.rows.len(), 1]);
            Tensor::from_data(data, &self.text.present.device())
        };
        self.ownership = Some(Ownership {
            own: column(&|own| own == Some(true)),
            known: column(&|own| own.is_some()),
        });
        self
    }

    /// Whose the images are, if the batch was told.
    pub fn ownership(&self) -> Option<&Ownership> {
        self.ownership.as_ref()
    }

    /// The same tweets with the gold fine types of spans of each row, in whichever view.
    ///
    /// # Panics
    /// If they are not as many as the rows, or a span is not within its row.
    #[must_use]
    pub fn with_fine_types(mut self, spans: &[Vec<FineSpan>]) -> Self {
        assert_eq!(spans.len(), self.rows.len(), "spans of every row");
        let words = self.first.dims()[0] / self.rows.len();
        self.fine_types = FineTargets::new(spans, words, &self.text.present.device());
        self.text_view = self
            .text_view
            .map(|text| Box::new(text.with_fine_types(spans)));
        self
    }

    /// The gold fine types, if the batch has any.
    pub fn fine_types(&self) -> Option<&FineTargets> {
        self.fine_types.as_ref()
    }

    /// The same tweets with their images as another backbone sees them.
    #[must_use]
    pub fn with_seen(mut self, images: ImageBatch) -> Self {
        self.images = Some(images);
        self
    }

    /// The images, none where no tweet has one.
    pub fn images(&self) -> Option<&ImageBatch> {
        self.images.as_ref()
    }

    /// What a system in a CPU's own memory makes of each row's image, none where no tweet has one or the images lie on the device.
    pub fn image_rows(&self) -> Option<&ImageRowsOfBatch> {
        self.image_rows.as_deref()
    }

    /// The same tweets with the augmentation of their subwords, `[R, P, V]`.
    ///
    /// # Panics
    /// If it is not of as many rows and subwords.
    #[must_use]
    pub fn with_augmentation(mut self, augmentation: Tensor<3>) -> Self {
        assert_eq!(augmentation.dims()[..2], self.text.subwords.dims());
        self.augmentation = Some(augmentation);
        self
    }

    /// The augmentation of the subwords, `[R, P, V]`, if the batch carries it.
    pub fn augmentation(&self) -> Option<&Tensor<3>> {
        self.augmentation.as_ref()
    }

    /// The same tweets, whose sequences carry context, with their text view: `text` holds them
    /// without.
    ///
    /// # Panics
    /// If it does not have the same rows.
    #[must_use]
    pub fn with_text_view(mut self, text: Batch) -> Self {
        assert_eq!(text.first.dims(), self.first.dims());
        assert_eq!(text.rows.len(), self.rows.len());
        self.text_view = Some(Box::new(text));
        self
    }

    /// The same tweets without what their images add: without context, if the batch carries that
    /// too, and without images.
    #[must_use]
    pub fn text_view(&self) -> Batch {
        match &self.text_view {
            Some(text) => Batch::clone(text),
            None => Self {
                images: None,
                image_rows: None,
                ownership: None,
                ..self.clone()
            },
        }
    }

    /// The subwords, `[R, P]`.
    pub fn text(&self) -> &EncoderInput {
        &self.text
    }

    /// The rows of `hidden`, `[R, P, D]`, at each word's first subword, `[R, N, D]`.
    pub fn first_subwords(&self, hidden: Tensor<3>) -> Tensor<3> {
        let [rows, subwords, d] = hidden.dims();
        let words = self.first.dims()[0] / rows;
        hidden
            .reshape([rows * subwords, d])
            .select(0, self.first.clone())
            .reshape([rows, words, d])
    }

    /// The states that `encoder` has of each word's first subword, `[R, N, D]`.
    pub fn encoded_words(&self, encoder: &Encoder) -> Tensor<3> {
        let of_words = match encoder.is_on_host() {
            true => encoder.forward_at(&self.text, &self.places()),
            false => None,
        };
        of_words.unwrap_or_else(|| self.first_subwords(encoder.forward(&self.text)))
    }

    /// Where each word's first subword is in its row, `[R * N]`.
    fn places(&self) -> Vec<usize> {
        let subwords = self.text.present.dims()[1];
        let places = self.first.to_data();
        places
            .iter::<i64>()
            .map(|at| at as usize % subwords)
            .collect()
    }

    /// The rows one by one, of the encoder's states in a CPU's own memory, `[R, P, D]`.
    pub fn by_rows<'a>(&'a self, states: &'a [f32]) -> Vec<HostRow<'a>> {
        let [count, subwords] = self.text.present.dims();
        let size = states.len() / count;
        let present = values(self.text.present.clone());
        let first = self.places();
        let n = first.len() / count;
        let row = |row: usize| {
            let present = &present[row * subwords..][..subwords];
            let there = present.iter().filter(|&&present| present > 0.5).count();
            let first = &first[row * n..][..n];
            HostRow {
                states: &states[row * size..][..size / subwords * there],
                first: first.to_vec(),
                image: self.image_rows().and_then(|images| images[row].as_deref()),
            }
        };
        (0..count).map(row).collect()
    }

    /// Reads values of words, `[R, N, X]`, such as emissions, back and sorts them by tweet: one
    /// `[N * X]` each.
    ///
    /// # Errors
    /// If the device fails to answer.
    pub async fn collect(
        &self,
        values: Tensor<3>,
    ) -> Result<Vec<Vec<f64>>, burn::tensor::ExecutionError> {
        let [_, words, columns] = values.dims();
        let values: Vec<f64> = values
            .into_data_async()
            .await?
            .iter::<f32>()
            .map(f64::from)
            .collect();
        let mut by_tweet = vec![Vec::new(); self.tweets];
        for (row, values) in self.rows.iter().zip(values.chunks(words * columns)) {
            by_tweet[row.tweet].extend(&values[row.keep.start * columns..row.keep.end * columns]);
        }
        Ok(by_tweet)
    }
}
