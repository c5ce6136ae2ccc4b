//! The exported class, and the TypeScript types of what it returns.

use crate::error::coded;
use burn::tensor::Device;
use mner_core::bundle::BundleFiles;
use mner_core::recognizer::Recognizer as Core;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** PER: a person, LOC: a place, ORG: an organisation, MISC: any other name. */
export type EntityType = "PER" | "LOC" | "ORG" | "MISC";

/** A name found in the text. Spans are [start, end). */
export interface Entity {
    type: EntityType;
    /** The name as it stands in the text. */
    text: string;
    /** UTF-16 code units: `tweet.slice(...entity.utf16)` is the name. */
    utf16: [number, number];
    /** Unicode scalar values, as Python counts. */
    chars: [number, number];
    /** Bytes of the UTF-8 text, as Rust counts. */
    bytes: [number, number];
    /** Probability of exactly this span and type, 0 to 1. */
    confidence: number;
    /** The likeliest other type of the same span. */
    runner_up: { type: EntityType; probability: number };
}

/** The answer for one tweet. Entities are in the order of the text and do not overlap. */
export interface Recognition {
    entities: Entity[];
}
"#;

/// A loaded model.
#[wasm_bindgen]
pub struct Recognizer(Core);

#[wasm_bindgen]
impl Recognizer {
    /// Verifies the three files of a bundle (sizes, SHA-256) and loads the model they hold.
    ///
    /// # Errors
    /// An `Error` with `code` `"bundle"`: the files do not belong together, or hold no model of this version.
    pub async fn load(
        manifest: Vec<u8>,
        weights: Vec<u8>,
        tokenizer: Vec<u8>,
    ) -> Result<Recognizer, JsValue> {
        let files = BundleFiles {
            manifest,
            weights,
            tokenizer,
            eyes: None,
            augmentation: None,
        };
        let device = Device::flex();
        Core::load(files, &device)
            .await
            .map(Recognizer)
            .map_err(|error| coded("bundle", &error))
    }

    /// Computes the bundle's known answer, if it carries one: a device that computes nonsense is found out here.
    ///
    /// # Errors
    /// An `Error` with `code` `"device"` if a score is off by more than `tolerance`.
    pub async fn check(&self, tolerance: f32) -> Result<(), JsValue> {
        self.0
            .check(tolerance)
            .await
            .map(|_| ())
            .map_err(|error| coded("device", &error))
    }

    /// Names the entities of a tweet of any length.
    ///
    /// A lone surrogate in the JavaScript string counts as U+FFFD, one UTF-16 unit as well, so spans stay right.
    ///
    /// # Errors
    /// An `Error` with `code` `"recognize"`.
    #[wasm_bindgen(unchecked_return_type = "Recognition")]
    pub async fn recognize(&self, text: String) -> Result<JsValue, JsValue> {
        let recognition = self
            .0
            .recognize(&text)
            .await
            .map_err(|error| coded("recognize", &error))?;
        recognition
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .map_err(|error| coded("recognize", &error))
    }
}
