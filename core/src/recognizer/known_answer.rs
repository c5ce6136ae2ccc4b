//! An input in the bundle with the emissions it must give: a device that computes nonsense is found out.

use crate::bundle::manifest::{Drawing, KnownAnswer};
use crate::label::LABELS;
use crate::nn::host::Precision;
use crate::recognizer::{LoadError, RecognizeError, Recognizer};
use crate::systems::image_batch::EncodedImage;
use crate::tweet::words::read_words;

/// What a score may be off by more where inputs of linear layers are rounded coarsely; of the answer that ships some 0.05 are.
const COARSE: f32 = 0.2;

impl Recognizer {
    /// Computes the known answer for `text` and an image.
    ///
    /// # Errors
    /// [`LoadError`] if the image cannot be drawn or encoded, or the device fails.
    pub async fn known_answer(
        &self,
        text: &str,
        image: Option<Drawing>,
    ) -> Result<KnownAnswer, LoadError> {
        let encoded = match image {
            Some(drawing) => Some(self.encode_image(&drawing.draw()?).await?),
            None => None,
        };
        let without_image = match &encoded {
            Some(_) => Some(self.scores(text, None).await?),
            None => None,
        };
        Ok(KnownAnswer {
            text: text.to_owned(),
            image,
            emissions: self.scores(text, encoded.as_ref()).await?,
            without_image,
        })
    }

    /// The emission scores of `text`, one row of nine per word.
    async fn scores(
        &self,
        text: &str,
        image: Option<&EncodedImage>,
    ) -> Result<Vec<Vec<f32>>, RecognizeError> {
        let words = read_words(text, &self.words(text));
        let answer = self.answers(&[&words], &[image]).await?.remove(0);
        let rows = answer.emissions.chunks(LABELS);
        Ok(rows
            .map(|row| row.iter().map(|&v| v as f32).collect())
            .collect())
    }

    /// Runs the bundle's known answer, without its image while the vision encoder is not loaded, and returns the largest absolute
    /// difference of an emission score; `None` if the bundle carries no known answer.
    ///
    /// # Errors
    /// If the bundle does not know the answer without the image, if the device fails, or differs by more than `tolerance`, or than
    /// that and 0.2 where [`Recognizer::precision`] is coarse.
    pub async fn check(&self, tolerance: f32) -> Result<Option<f32>, LoadError> {
        let Some(expected) = &self.manifest.about.known_answer else {
            return Ok(None);
        };
        let (encoded, right) = match expected.image {
            Some(_) if self.vision_is_to_come() => {
                let right = expected.without_image.as_ref();
                (None, right.ok_or(RecognizeError::VisionNotLoaded)?)
            }
            Some(drawing) => {
                let encoded = self.encode_image(&drawing.draw()?).await?;
                (Some(encoded), &expected.emissions)
            }
            None => (None, &expected.emissions),
        };
        let got = self.scores(&expected.text, encoded.as_ref()).await?;
        let same_shape = got.len() == right.len() && right.iter().all(|row| row.len() == LABELS);
        let difference = if same_shape {
            let pairs = got.iter().flatten().zip(right.iter().flatten());
            // Not `f32::max`, which forgets a NaN.
            pairs
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |most, d| if d > most || d.is_nan() { d } else { most })
        } else {
            f32::INFINITY
        };
        let coarse = self.precision() == Some(Precision::Coarse);
        let rounding = if coarse { COARSE } else { 0.0 };
        if difference <= tolerance + rounding {
            Ok(Some(difference))
        } else {
            Err(RecognizeError::WrongAnswer { difference }.into())
        }
    }
}
