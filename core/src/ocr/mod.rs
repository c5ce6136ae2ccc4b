//! What is written in an image: lines of text are found, cut out, read and put in order.
//!
//! The walk of an image: [`input`] → [`TextDetector`] → [`regions`] → [`input`] → [`TextRecognizer`] → [`ctc`] → [`lines`].
//! [`bundle`] is the file that the two networks come in.

pub mod alphabet;
pub mod bundle;
pub mod ctc;
pub mod input;
pub mod lines;
pub mod regions;
#[cfg(all(test, feature = "flex"))]
mod tests;

use crate::image::Image;
use crate::nn::text_detector::TextDetector;
use crate::nn::text_recognizer::TextRecognizer;
use crate::systems::ita::image_text::{ImageReader, ImageText, Reading};
use crate::vision::ImageFeatures;
use alphabet::Alphabet;
use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{DataError, Device, ExecutionError, Tensor};
use lines::TextLine;
use regions::{Region, RegionConfig};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How images are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OcrConfig {
    /// Pixels of the longer side of an image as the detector sees it, a multiple of 32.
    pub side: u32,
    /// Which cells make a line.
    pub regions: RegionConfig,
    /// Lines that are read with less confidence are left out, `[0, 1]`.
    pub least_confidence: f32,
}

impl Default for OcrConfig {
    fn default() -> Self {
        Self {
            side: 640,
            regions: RegionConfig::default(),
            least_confidence: 0.5,
        }
    }
}

/// Why an image was not read.
#[derive(Debug, Error)]
pub enum OcrError {
    /// The device failed.
    #[error("the compute device failed: {0}")]
    Device(#[from] ExecutionError),
    /// Its answer cannot be read.
    #[error("the compute device's answer cannot be read: {0}")]
    Answer(#[from] DataError),
}

/// Reads the text in images.
#[derive(Debug)]
pub struct OcrReader {
    /// How images are read.
    pub config: OcrConfig,
    detector: TextDetector,
    recognizer: TextRecognizer,
    alphabet: Alphabet,
    device: Device,
}

impl OcrReader {
    /// A reader of these networks, whose batch norms are folded or not.
    pub fn new(
        config: OcrConfig,
        detector: TextDetector,
        recognizer: TextRecognizer,
        alphabet: Alphabet,
        device: &Device,
    ) -> Self {
        Self {
            config,
            detector,
            recognizer,
            alphabet,
            device: device.clone(),
        }
    }

    /// The lines of text in an image, in reading order.
    ///
    /// # Errors
    /// [`OcrError`], if the device fails.
    pub async fn read(&self, image: &Image) -> Result<Vec<TextLine>, OcrError> {
        let mut lines = Vec::new();
        for region in self.regions(image).await? {
            if let Some(line) = self.line(image, &region).await?
                && line.confidence >= self.config.least_confidence
            {
                lines.push(line);
            }
        }
        Ok(lines::in_reading_order(lines))
    }

    /// Where lines of text are, in pixels of the image.
    ///
    /// # Errors
    /// [`OcrError`], if the device fails.
    pub async fn regions(&self, image: &Image) -> Result<Vec<Region>, OcrError> {
        let seen = input::whole(image, self.config.side);
        let input = Tensor::from_data(seen.data, &self.device);
        let map = sigmoid(self.detector.forward(input));
        let [_, height, width] = map.dims();
        let map: Vec<f32> = map.into_data_async().await?.try_into_vec()?;
        let found = regions::regions(&map, [height, width], &self.config.regions);
        let found = found
            .into_iter()
            .map(|region| region.scaled(1.0 / seen.scale));
        Ok(found
            .filter_map(|region| region.within(image.width, image.height))
            .collect())
    }

    /// What a region says; nothing where no character is seen.
    async fn line(&self, image: &Image, region: &Region) -> Result<Option<TextLine>, OcrError> {
        let Some(cut) = input::line(image, &region.bounds) else {
            return Ok(None);
        };
        let scores = self
            .recognizer
            .forward(Tensor::from_data(cut.data, &self.device));
        let [_, frames, classes] = scores.dims();
        let probabilities: Vec<f32> = softmax(scores, 2).into_data_async().await?.try_into_vec()?;
        debug_assert_eq!(probabilities.len(), frames * classes);
        let read = ctc::greedy(&probabilities, classes);
        Ok(TextLine::new(
            &read,
            &self.alphabet,
            region.bounds,
            cut.frame,
        ))
    }
}

impl ImageReader for OcrReader {
    fn name(&self) -> &str {
        "reader of text"
    }

    fn read<'a>(&'a self, image: &'a Image, _: &'a ImageFeatures) -> Reading<'a> {
        Box::pin(async {
            let lines = OcrReader::read(self, image).await?;
            Ok(ImageText {
                ocr: lines.into_iter().map(|line| line.text).collect(),
                ..ImageText::default()
            })
        })
    }
}
