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
    /// If the bundle does not know the answer without the image, if the device fails, or differs by more than `tolerance`, or than that and 0.2 where [`Recognizer::precision`] is coarse.
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::bundle::manifest::Manifest;
    use crate::bundle::quantize::Scheme;
    use crate::bundle::{BundleError, BundleFiles, Compute};
    use crate::packing::{quantize_bundle, tiny};
    use crate::systems::SystemKind;
    use burn::tensor::Device;

    fn bundle() -> BundleFiles {
        let device = Device::flex();
        let files = tiny::bundle(SystemKind::HamLearning, 5, &device).unwrap();
        quantize_bundle(&files, Scheme::Q8, &device).unwrap()
    }

    fn loaded(files: BundleFiles) -> Recognizer {
        let device = Device::flex();
        pollster::block_on(Recognizer::load(files, &device, Compute::Host)).unwrap()
    }

    /// Without the vision encoder.
    fn begun(files: BundleFiles) -> Recognizer {
        let device = Device::flex();
        let files = BundleFiles {
            vision: None,
            ..files
        };
        let loaded = Recognizer::load_all_but_vision(files, &device, Compute::Host);
        pollster::block_on(loaded).unwrap()
    }

    fn checked(recognizer: &Recognizer) -> Result<Option<f32>, LoadError> {
        pollster::block_on(recognizer.check(2e-3))
    }

    fn image(recognizer: &Recognizer) -> Result<EncodedImage, RecognizeError> {
        let image = recognizer.manifest().about.known_answer.as_ref().unwrap();
        let image = image.image.unwrap().draw().unwrap();
        pollster::block_on(recognizer.encode_image(&image))
    }

    #[test]
    fn the_vision_encoder_may_come_after_the_first_text() {
        let whole = bundle();
        let weights = whole.vision.clone().unwrap();
        let together = loaded(whole.clone());
        let apart = begun(whole);
        let read = |recognizer: &Recognizer, encoded: Option<&EncodedImage>| {
            pollster::block_on(recognizer.recognize_with("Ada is in Ulm", encoded, None)).unwrap()
        };
        assert_eq!(read(&apart, None), read(&together, None));
        assert!(checked(&apart).unwrap().is_some());
        assert!(matches!(
            image(&apart),
            Err(RecognizeError::VisionNotLoaded)
        ));

        let mut other = weights.clone();
        *other.last_mut().unwrap() ^= 1;
        let refused = apart.load_vision(other, Compute::Host);
        assert!(matches!(refused, Err(BundleError::Hash { .. })));

        apart.load_vision(weights, Compute::Host).unwrap();
        assert!(checked(&apart).unwrap().is_some());
        let [ours, theirs] = [&apart, &together].map(|it| read(it, Some(&image(it).unwrap())));
        assert_eq!(ours, theirs);
    }

    #[test]
    fn wrong_numbers_are_found_before_and_after() {
        let whole = bundle();
        let mut manifest = Manifest::parse(&whole.manifest).unwrap();
        let known = manifest.about.known_answer.as_mut().unwrap();
        known.without_image.as_mut().unwrap()[0][0] += 1.0;
        let files = |manifest: &Manifest| BundleFiles {
            manifest: manifest.to_bytes().unwrap(),
            ..whole.clone()
        };
        let apart = begun(files(&manifest));
        let wrong = |recognizer: &Recognizer| {
            let error = checked(recognizer).unwrap_err();
            matches!(
                error,
                LoadError::Device(RecognizeError::WrongAnswer { difference }) if difference > 0.9
            )
        };
        assert!(wrong(&apart));
        apart
            .load_vision(whole.vision.clone().unwrap(), Compute::Host)
            .unwrap();
        assert!(checked(&apart).is_ok());
        let known = manifest.about.known_answer.as_mut().unwrap();
        known.emissions[0][0] += 1.0;
        known.without_image = None;
        assert!(wrong(&loaded(files(&manifest))));
        // Nothing to check it by.
        assert!(matches!(
            checked(&begun(files(&manifest))),
            Err(LoadError::Device(RecognizeError::VisionNotLoaded))
        ));
    }

    #[test]
    fn a_model_of_texts_has_no_vision_encoder_to_load() {
        let files = tiny::bundle(SystemKind::Text, 5, &Device::flex()).unwrap();
        let refused = loaded(files).load_vision(vec![1, 2, 3], Compute::Host);
        assert!(matches!(refused, Err(BundleError::Config(_))));
    }
}
