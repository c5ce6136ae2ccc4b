//! A bundle's folder whose sizes and hashes are right: what stands in the files is refused in words, or the model answers.
//!
//! The first byte says which file is changed, whether what follows takes its place or changes single bytes of it (three bytes for
//! the place, one for the value), and what computes.

use burn::tensor::Device;
use mner_core::bundle::manifest::FileEntry;
use mner_core::bundle::quantize::Scheme;
use mner_core::bundle::{BundleFiles, Compute};
use mner_core::packing::{quantize_bundle, tiny};
use mner_core::recognizer::Recognizer;
use mner_core::systems::SystemKind;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A model of random weights, as they come and in 8 bits.
static BUNDLES: LazyLock<[BundleFiles; 2]> = LazyLock::new(|| {
    let device = Device::flex();
    let plain = tiny::bundle(SystemKind::Text, 1, &device).expect("a bundle");
    let small = quantize_bundle(&plain, Scheme::Q8, &device).expect("a smaller bundle");
    [plain, small]
});

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let Some((&how, rest)) = bytes.split_first() else {
        return;
    };
    let how = usize::from(how);
    let mut files = BUNDLES[how / 12 % 2].clone();
    let file = match how % 3 {
        0 => &mut files.manifest,
        1 => &mut files.weights,
        _ => &mut files.tokenizer,
    };
    match how / 3 % 2 {
        0 => *file = rest.to_vec(),
        _ => {
            for change in rest.chunks_exact(4) {
                let place = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize;
                let length = file.len();
                file[place % length] = change[3];
            }
        }
    }
    if let Ok(mut manifest) = serde_json::from_slice::<Value>(&files.manifest)
        && let Some(entries) = manifest.get_mut("files").and_then(Value::as_object_mut)
    {
        entries.insert("weights".to_owned(), json!(FileEntry::of(&files.weights)));
        entries.insert(
            "tokenizer".to_owned(),
            json!(FileEntry::of(&files.tokenizer)),
        );
        files.manifest = manifest.to_string().into_bytes();
    }
    let compute = [Compute::Host, Compute::Device][how / 6 % 2];
    match pollster::block_on(Recognizer::load(files, &Device::flex(), compute)) {
        Ok(recognizer) => {
            let text = "Hello from Houston, @nasa \u{1F680}";
            match pollster::block_on(recognizer.recognize(text)) {
                Ok(found) => assert!(
                    found
                        .entities
                        .iter()
                        .all(|entity| text.contains(&entity.text))
                ),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
