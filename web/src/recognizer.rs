//! The exported class. The TypeScript types of what it returns are the page's.

use crate::clock::Pace;
use crate::error::coded;
use crate::file::FileBuffer;
use crate::{device, image_file};
use js_sys::{Function, Promise};
use mner_core::bundle::BundleFiles;
use mner_core::image::decode::Decoded;
use mner_core::nn::host::Precision;
use mner_core::recognizer::{LoadError, RecognizeError, Recognizer as Core};
use mner_core::systems::image_batch::EncodedImage as CoreEncodedImage;
use mner_core::systems::ita::image_text::ImageText;
use serde::Serialize;
use std::ops::ControlFlow;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("../../www/answers.d.ts");

/// Milliseconds between two reports of how much of a text is read.
const PROGRESS_PAUSE: f64 = 50.0;

/// A loaded model.
#[wasm_bindgen]
pub struct Recognizer(Core);

/// An image that has been encoded: good for any number of tweets.
#[wasm_bindgen]
pub struct EncodedImage {
    encoded: CoreEncodedImage,
    note: Option<String>,
}

#[wasm_bindgen]
impl EncodedImage {
    /// What is to be known of how the file was read: which frame of an animation it is, if not the first.
    #[wasm_bindgen(getter)]
    pub fn note(&self) -> Option<String> {
        self.note.clone()
    }
}

impl EncodedImage {
    /// The image in the space of sentences; empty without a projector.
    pub(crate) fn embedding(&self) -> &[f32] {
        &self.encoded.features.embedding
    }
}

#[wasm_bindgen]
impl Recognizer {
    /// Verifies the files of a bundle (sizes, SHA-256) and loads the model they hold. `augmentation` is there if and only if the
    /// manifest names it; `vision` may follow by `loadVision` before the first image. The files are used up.
    ///
    /// # Errors
    /// An `Error` with `code` `"bundle"`: the files do not belong together, or hold no model of this version;
    /// `"device"`: the device cannot be used.
    pub async fn load(
        manifest: Vec<u8>,
        weights: FileBuffer,
        tokenizer: FileBuffer,
        vision: Option<FileBuffer>,
        augmentation: Option<FileBuffer>,
    ) -> Result<Recognizer, JsValue> {
        let files = BundleFiles {
            manifest,
            weights: weights.into(),
            tokenizer: tokenizer.into(),
            vision: vision.map(Into::into),
            augmentation: augmentation.map(Into::into),
        };
        let device = device::open().await?;
        let core = match files.vision {
            Some(_) => Core::load(files, &device, device::COMPUTE).await,
            None => Core::load_all_but_vision(files, &device, device::COMPUTE).await,
        };
        let core = core.map_err(|error| unusable(&error))?;
        Ok(Recognizer(match device::COMPILES {
            true => core.with_few_sizes(),
            false => core,
        }))
    }

    /// Loads what encodes images, where the model was loaded without its `vision`. The file is used up.
    ///
    /// # Errors
    /// An `Error` with `code` `"bundle"`: the file is not the one that the manifest names.
    #[wasm_bindgen(js_name = loadVision)]
    pub fn load_vision(&self, vision: FileBuffer) -> Result<(), JsValue> {
        let loaded = self.0.load_vision(vision.into(), device::COMPUTE);
        loaded.map_err(|error| coded("bundle", &error))
    }

    /// Computes the bundle's known answer, if it carries one: a device that computes nonsense is found out here.
    ///
    /// # Errors
    /// An `Error` with `code` `"device"` if a score is off by more than `tolerance`.
    pub async fn check(&self, tolerance: f32) -> Result<(), JsValue> {
        let checked = self.0.check(tolerance).await;
        checked.map(|_| ()).map_err(|error| unusable(&error))
    }

    /// How finely the inputs of the text encoder's linear layers are rounded, `fine` or `coarse`, where the CPU computes with
    /// weights that stay quantised.
    #[wasm_bindgen(getter, unchecked_return_type = "'fine' | 'coarse' | undefined")]
    pub fn precision(&self) -> Option<String> {
        let name = |precision| match precision {
            Precision::Fine => "fine",
            Precision::Coarse => "coarse",
        };
        self.0
            .precision()
            .map(|precision| name(precision).to_owned())
    }

    /// Computes once what a tweet with an image takes, so that kernels are compiled.
    ///
    /// # Errors
    /// An `Error` with `code` `"device"`.
    #[wasm_bindgen(js_name = warmUp)]
    pub async fn warm_up(&self) -> Result<(), JsValue> {
        self.0.warm_up().await.map_err(|error| failed(&error))
    }

    /// Encodes an image: a JPEG, PNG, WebP or GIF file.
    ///
    /// # Errors
    /// An `Error` with `code` `"picture"`: these bytes do not become an image, or cannot be read any more; `"input"`: this
    /// model reads text alone; `"device"`.
    #[wasm_bindgen(js_name = encodeImage)]
    pub async fn encode_image(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] file: JsValue,
    ) -> Result<EncodedImage, JsValue> {
        let bytes = image_file::read(file).await?;
        let Decoded { image, note } =
            Decoded::read(&bytes).map_err(|error| coded("picture", &error))?;
        drop(bytes);
        let encoded = self.0.encode_image(&image).await;
        Ok(EncodedImage {
            encoded: encoded.map_err(|error| failed(&error))?,
            note: note.map(|note| note.to_string()),
        })
    }

    /// Names the entities of a tweet of any length. `caption` describes the tweet's image, `written` is the text in it; only a
    /// model that reads context takes notice of them. `onRead(done, total)` is called while a long text is read, at most every 50
    /// milliseconds; where it returns a promise, that is waited for, and one of `false` ends the reading.
    ///
    /// A lone surrogate in the JavaScript string counts as U+FFFD, one UTF-16 unit as well, so spans stay right.
    ///
    /// # Errors
    /// An `Error` with `code` `"recognize"`, `"device"` or, where `onRead` ended the reading, `"stopped"`.
    #[wasm_bindgen(unchecked_return_type = "Recognition")]
    pub async fn recognize(
        &self,
        text: String,
        caption: Option<String>,
        written: Option<String>,
        #[wasm_bindgen(js_name = onRead)] on_read: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let known = known(caption, written);
        self.answer(&text, None, &known, on_read).await
    }

    /// Names the entities of a tweet with an image.
    ///
    /// # Errors
    /// As [`Recognizer::recognize`].
    #[wasm_bindgen(js_name = recognizeWith, unchecked_return_type = "Recognition")]
    pub async fn recognize_with(
        &self,
        text: String,
        encoded: &EncodedImage,
        caption: Option<String>,
        written: Option<String>,
        #[wasm_bindgen(js_name = onRead)] on_read: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let known = known(caption, written);
        self.answer(&text, Some(&encoded.encoded), &known, on_read)
            .await
    }
}

impl Recognizer {
    async fn answer(
        &self,
        text: &str,
        encoded: Option<&CoreEncodedImage>,
        known: &ImageText,
        on_read: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let mut pace = Pace::new(PROGRESS_PAUSE);
        let report = async |done: usize, total: usize| match &on_read {
            Some(on_read) if pace.is_due() => told(on_read, done, total).await,
            _ => ControlFlow::Continue(()),
        };
        let recognition = self
            .0
            .recognize_reporting(text, encoded, Some(known), report)
            .await
            .map_err(|error| failed(&error))?;
        recognition
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .map_err(|error| coded("recognize", &error))
    }
}

/// Tells the caller's function how much is read. What that throws is its own matter.
async fn told(on_read: &Function, done: usize, total: usize) -> ControlFlow<()> {
    let said = on_read.call2(
        &JsValue::NULL,
        &(done as f64).into(),
        &(total as f64).into(),
    );
    let promise = said.ok().and_then(|said| said.dyn_into::<Promise>().ok());
    match promise {
        Some(promise) => match JsFuture::from(promise).await {
            Ok(goes_on) if goes_on == JsValue::FALSE => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        },
        None => ControlFlow::Continue(()),
    }
}

/// What is known of an image in words.
fn known(caption: Option<String>, written: Option<String>) -> ImageText {
    ImageText {
        captions: Vec::from_iter(caption),
        ocr: Vec::from_iter(written),
        ..ImageText::default()
    }
}

fn unusable(error: &LoadError) -> JsValue {
    match error {
        LoadError::Bundle(error) => coded("bundle", error),
        LoadError::Device(error) => failed(error),
    }
}

/// `error` with the code of who can do something about it.
fn failed(error: &RecognizeError) -> JsValue {
    let code = match error {
        RecognizeError::Device(_)
        | RecognizeError::WrongAnswer { .. }
        | RecognizeError::VisionEncoder(_) => "device",
        RecognizeError::NoVision | RecognizeError::VisionNotLoaded => "input",
        RecognizeError::Pieces(_) | RecognizeError::OtherVision { .. } => "recognize",
        RecognizeError::Stopped => "stopped",
    };
    coded(code, error)
}
