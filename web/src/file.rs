//! A file of a bundle on its way in.

use crate::error::coded;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

/// Room for a file, filled as its bytes come in: so they lie in memory once, and not in JavaScript's.
#[wasm_bindgen]
pub struct FileBuffer(Vec<u8>);

#[wasm_bindgen]
impl FileBuffer {
    /// Room for `bytes` bytes.
    ///
    /// # Errors
    /// An `Error` with `code` `"memory"` if there is none.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: usize) -> Result<FileBuffer, JsValue> {
        let mut buffer = Vec::new();
        if buffer.try_reserve_exact(bytes).is_err() {
            let words = format!("this device has no memory for a file of {bytes} bytes");
            return Err(coded("memory", &words));
        }
        buffer.resize(bytes, 0);
        Ok(Self(buffer))
    }

    /// Puts `chunk` at `offset`.
    ///
    /// # Errors
    /// An `Error` with `code` `"truncated"` if it reaches beyond the end.
    pub fn write(&mut self, offset: usize, chunk: &Uint8Array) -> Result<(), JsValue> {
        let end = offset.saturating_add(chunk.length() as usize);
        let Some(place) = self.0.get_mut(offset..end) else {
            let words = format!("the file is longer than {} bytes", self.0.len());
            return Err(coded("truncated", &words));
        };
        chunk.copy_to(place);
        Ok(())
    }
}

impl From<FileBuffer> for Vec<u8> {
    fn from(file: FileBuffer) -> Self {
        file.0
    }
}
