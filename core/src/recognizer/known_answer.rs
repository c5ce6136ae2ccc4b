//! An input in the bundle with the emissions it must give: a device that computes nonsense is found out.

use crate::bundle::manifest::{Drawing, KnownAnswer};
use crate::label::LABELS;
use crate::nn::host::Precision;
use crate::recognizer::{LoadError, RecognizeError, Recognizer};
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
        let words = read_words(text, &self.words(text));
        let answer = self
            .answers(&[&words], &[encoded.as_ref()])
            .await?
            .remove(0);
        let rows = answer.emissions.chunks(LABELS);
        Ok(KnownAnswer {
            text: text.to_owned(),
            image,
            emissions: rows
                .map(|row| row.iter().map(|&v| v as f32).collect())
                .collect(),
        })
    }

    /// Runs the bundle's known answer and returns the largest absolute difference of an emission
    /// score; `None` if the bundle carries none.
    ///
    /// # Errors
    /// If the device fails, or differs by more than `tolerance`, or than that and 0.2 where [`Recognizer::precision`] is coarse.
    pub async fn check(&self, tolerance: f32) -> Result<Option<f32>, LoadError> {
        let Some(expected) = &self.manifest.about.known_answer else {
            return Ok(None);
        };
        let got = self.known_answer(&expected.text, expected.image).await?;
        let same_shape = got.emissions.len() == expected.emissions.len()
            && expected.emissions.iter().all(|row| row.len() == LABELS);
        let difference = if same_shape {
            let pairs = got
                .emissions
                .iter()
                .flatten()
                .zip(expected.emissions.iter().flatten());
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
