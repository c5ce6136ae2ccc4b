//! The exported captioner of images.

use crate::device;
use crate::error::coded;
use crate::file::FileBuffer;
use crate::recognizer::EncodedImage;
use mner_core::bundle::beside::BesideFiles;
use mner_core::caption::Captioner as Core;
use mner_core::caption::bundle::unpack;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// A loaded captioner.
#[wasm_bindgen]
pub struct Captioner(Core);

#[wasm_bindgen]
impl Captioner {
    /// Verifies the files of a captioner (size, SHA-256) and loads its network. The files are used up.
    ///
    /// # Errors
    /// An `Error` with `code` `"bundle"`: the files do not belong together, or hold no captioner of this version; `"device"`: the
    /// device cannot be used.
    pub async fn load(manifest: Vec<u8>, weights: FileBuffer) -> Result<Captioner, JsValue> {
        let device = device::open().await?;
        let files = BesideFiles {
            manifest,
            weights: weights.into(),
        };
        let captioner = unpack(files, &device);
        captioner
            .map(Captioner)
            .map_err(|error| coded("bundle", &error))
    }

    /// Says what an image shows, by what a model has seen in it; `undefined` where nothing comes of it.
    ///
    /// # Errors
    /// An `Error` with `code` `"input"`: the model that encoded the image has no projector into the captioner's space; `"device"`.
    #[wasm_bindgen(unchecked_return_type = "Caption | undefined")]
    pub async fn describe(&self, encoded: &EncodedImage) -> Result<JsValue, JsValue> {
        use mner_core::caption::CaptionError::OtherSpace;
        let caption = match self.0.caption(encoded.embedding()).await {
            Ok(Some(caption)) => caption,
            Ok(None) => return Ok(JsValue::UNDEFINED),
            Err(error @ OtherSpace { .. }) => return Err(coded("input", &error)),
            Err(error) => return Err(coded("device", &error)),
        };
        caption
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .map_err(|error| coded("device", &error))
    }
}
