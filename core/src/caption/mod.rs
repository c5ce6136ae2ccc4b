//! What an image shows, as a sentence: the image's vector in the space of sentences is said in words.
//!
//! The walk: [`ImageFeatures::embedding`](crate::vision::ImageFeatures) → [`CaptionDecoder`], subword by subword, in a [`search`] →
//! [`vocabulary`]. [`bundle`] is the file that the network comes in.

pub mod bundle;
pub mod search;
#[cfg(all(test, feature = "flex"))]
mod tests;
pub mod vocabulary;

use crate::image::Image;
use crate::nn::caption_decoder::{CaptionDecoder, CaptionDecoderConfig};
use crate::systems::ita::image_text::{ImageReader, ImageText, Reading};
use crate::vision::ImageFeatures;
use burn::tensor::activation::log_softmax;
use burn::tensor::{DataError, Device, ExecutionError, Int, Tensor, TensorData};
use search::Search;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use vocabulary::{BOUNDARY, CaptionVocabulary};

/// Captions that are followed at a time.
const BEAMS: usize = 3;

/// What an image shows, in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// A sentence in lower case, without a full stop.
    pub text: String,
    /// `e` to the mean log probability of its subwords, in `(0, 1]`: how sure of its words the decoder is, and no probability that
    /// the sentence is true.
    pub confidence: f64,
}

/// Why there is no caption.
#[derive(Debug, Error)]
pub enum CaptionError {
    /// Features of a model without a projector, or of another space.
    #[error(
        "the image has {found} values in the space of sentences and the captioner reads {expected}; encode the image with a model that has a projector (mner match)"
    )]
    OtherSpace {
        /// Values of the image.
        found: usize,
        /// Values that are read.
        expected: usize,
    },
    /// The device failed.
    #[error("the compute device failed: {0}")]
    Device(#[from] ExecutionError),
    /// Its answer cannot be read.
    #[error("the compute device's answer cannot be read: {0}")]
    Answer(#[from] DataError),
}

/// Says what images show.
#[derive(Debug)]
pub struct Captioner {
    config: CaptionDecoderConfig,
    decoder: CaptionDecoder,
    shift: Vec<f32>,
    vocabulary: CaptionVocabulary,
    device: Device,
}

impl Captioner {
    /// A captioner whose decoder is on `device` and says the subwords of `vocabulary`. `shift`: from where images lie in the space of
    /// sentences to where captions lie, `[S]`.
    pub fn new(
        config: CaptionDecoderConfig,
        decoder: CaptionDecoder,
        shift: Vec<f32>,
        vocabulary: CaptionVocabulary,
        device: &Device,
    ) -> Self {
        Self {
            config,
            decoder,
            shift,
            vocabulary,
            device: device.clone(),
        }
    }

    /// The likeliest caption of an image by its vector in the space of sentences, `[S]`; none where nothing is likelier than
    /// anything.
    ///
    /// # Errors
    /// [`CaptionError`]
    pub async fn caption(&self, vector: &[f32]) -> Result<Option<Caption>, CaptionError> {
        if vector.len() != self.config.sentence {
            return Err(CaptionError::OtherSpace {
                found: vector.len(),
                expected: self.config.sentence,
            });
        }
        let shape = [1, vector.len()];
        let vector =
            Tensor::<2>::from_data(TensorData::new(self.moved(vector), shape), &self.device);
        let mut search = Search::new(BEAMS, BOUNDARY);
        let mut said = None;
        for at in 0..=self.config.most {
            let last = search
                .open
                .iter()
                .map(|beam| beam.subwords.last().copied().unwrap_or(BOUNDARY));
            let last = self.places(last, search.open.len());
            let [rows] = last.dims();
            let vectors = vector.clone().repeat_dim(0, rows);
            let (logits, read) = self
                .decoder
                .step(vectors, last.reshape([rows, 1]), at, said);
            let logs = log_softmax(logits, 1).into_data_async().await?;
            let logs: Vec<f32> = logs.try_into_vec()?;
            let from = search.extend(&logs, self.config.vocab);
            if search.is_done(self.config.most) || from.is_empty() {
                break;
            }
            said = Some(read.select(&self.places(from.iter().copied(), from.len())));
        }
        let best = search.best().map(|beam| Caption {
            text: self.vocabulary.sentence(&beam.subwords),
            confidence: beam.mean().exp(),
        });
        Ok(best.filter(|caption| !caption.text.is_empty()))
    }

    /// An image's vector among those of captions: moved by what their means differ, and of length 1 again.
    ///
    /// That the two lie apart was found by Liang et al., "Mind the Gap", NeurIPS 2022.
    pub fn moved(&self, vector: &[f32]) -> Vec<f32> {
        let sum = vector.iter().zip(&self.shift).map(|(v, shift)| v + shift);
        let sum: Vec<f32> = sum.collect();
        let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
        sum.iter().map(|v| v / length).collect()
    }

    fn places(&self, places: impl Iterator<Item = usize>, count: usize) -> Tensor<1, Int> {
        let places: Vec<i32> = places.map(|at| at as i32).collect();
        Tensor::from_data(TensorData::new(places, [count]), &self.device)
    }
}

impl ImageReader for Captioner {
    fn name(&self) -> &str {
        "captioner"
    }

    fn read<'a>(&'a self, _: &'a Image, features: &'a ImageFeatures) -> Reading<'a> {
        Box::pin(async {
            let caption = self.caption(&features.embedding).await?;
            Ok(ImageText {
                captions: caption.into_iter().map(|caption| caption.text).collect(),
                ..ImageText::default()
            })
        })
    }
}
