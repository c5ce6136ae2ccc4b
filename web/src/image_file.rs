//! The bytes of an image file, as a page has them.

use crate::error::coded;
use crate::file::FileBuffer;
use js_sys::Uint8Array;
use mner_core::image::decode::Limits;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamDefaultReader, ReadableStreamReadResult};

/// Refuses an image file by its size, before its bytes are in memory.
///
/// # Errors
/// An `Error` with `code` `"picture"`.
#[wasm_bindgen(js_name = checkImageSize)]
pub fn check_image_size(bytes: f64) -> Result<(), JsValue> {
    // Exact below 2^53, and what is beyond saturates.
    let checked = Limits::default().check_file(bytes as usize);
    checked.map_err(|error| coded("picture", &error))
}

/// The bytes of a `Blob` or a `Uint8Array`.
///
/// # Errors
/// An `Error` with `code` `"picture"`: too many, or the file behind the blob has changed or gone; `"memory"`: no room for them;
/// `"input"`: neither of the two.
pub(crate) async fn read(image: JsValue) -> Result<Vec<u8>, JsValue> {
    match image.dyn_into::<Blob>() {
        Ok(blob) => read_blob(&blob).await,
        Err(image) => match image.dyn_ref::<Uint8Array>() {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(coded("input", &"an image is a Blob or a Uint8Array")),
        },
    }
}

/// Reads a blob piece by piece: so its bytes lie in memory once, and not in JavaScript's.
async fn read_blob(blob: &Blob) -> Result<Vec<u8>, JsValue> {
    check_image_size(blob.size())?;
    let mut file = FileBuffer::new(blob.size() as usize)?;
    let reader: ReadableStreamDefaultReader = blob.stream().get_reader().unchecked_into();
    let mut end = 0;
    loop {
        let read = JsFuture::from(reader.read()).await.map_err(unreadable)?;
        let read: ReadableStreamReadResult = read.unchecked_into();
        if read.get_done() == Some(true) {
            let mut bytes: Vec<u8> = file.into();
            bytes.truncate(end);
            return Ok(bytes);
        }
        let piece: Uint8Array = read.get_value().unchecked_into();
        file.write(end, &piece)?;
        end += piece.length() as usize;
    }
}

/// A browser reads a file only when it is asked to, and then it may have been changed or moved.
fn unreadable(reason: JsValue) -> JsValue {
    let reason = match reason.dyn_into::<js_sys::Error>() {
        Ok(error) => String::from(error.message()),
        Err(other) => format!("{other:?}"),
    };
    let words = format!("The image file cannot be read any more ({reason}). Choose it again.");
    coded("picture", &words)
}
