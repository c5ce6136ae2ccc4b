//! The exported reader of the text in images.

use crate::error::coded;
use crate::file::FileBuffer;
use crate::{device, image_file};
use mner_core::bundle::beside::BesideFiles;
use mner_core::image::decode::Decoded;
use mner_core::ocr::OcrReader;
use mner_core::ocr::bundle::unpack;
use mner_core::ocr::lines::TextLine;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// A loaded reader.
#[wasm_bindgen]
pub struct Ocr(OcrReader);

/// What is written in an image.
#[derive(Serialize)]
struct ImageText {
    width: u32,
    height: u32,
    lines: Vec<TextLine>,
}

#[wasm_bindgen]
impl Ocr {
    /// Verifies the files of a reader (size, SHA-256) and loads its networks. The files are used up.
    ///
    /// # Errors
    /// An `Error` with `code` `"bundle"`: the files do not belong together, or hold no reader of this version; `"device"`: the
    /// device cannot be used.
    pub async fn load(manifest: Vec<u8>, weights: FileBuffer) -> Result<Ocr, JsValue> {
        let device = device::open().await?;
        let files = BesideFiles {
            manifest,
            weights: weights.into(),
        };
        let reader = unpack(files, &device);
        reader.map(Ocr).map_err(|error| coded("bundle", &error))
    }

    /// Reads the text in an image: a JPEG, PNG, WebP or GIF file.
    ///
    /// # Errors
    /// An `Error` with `code` `"picture"`: these bytes do not become an image, or cannot be read any more; `"device"`.
    #[wasm_bindgen(unchecked_return_type = "ImageText")]
    pub async fn read(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] file: JsValue,
    ) -> Result<JsValue, JsValue> {
        let bytes = image_file::read(file).await?;
        let Decoded { image, .. } =
            Decoded::read(&bytes).map_err(|error| coded("picture", &error))?;
        drop(bytes);
        let lines = self.0.read(&image).await;
        let read = ImageText {
            width: image.width,
            height: image.height,
            lines: lines.map_err(|error| coded("device", &error))?,
        };
        read.serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .map_err(|error| coded("picture", &error))
    }
}
