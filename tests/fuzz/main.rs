//! Fuzz targets in one program, which is linked once: the environment's `TARGET` names the one that is tried.
#![no_main]
#![recursion_limit = "256"]

#[path = "targets/bundle.rs"]
mod bundle;
#[path = "targets/corpus.rs"]
mod corpus;
#[path = "targets/hugging_face.rs"]
mod hugging_face;
#[path = "targets/image.rs"]
mod image;
#[path = "targets/jsonl.rs"]
mod jsonl;
#[path = "targets/state_dict.rs"]
mod state_dict;
#[path = "targets/word_vectors.rs"]
mod word_vectors;
#[path = "targets/words.rs"]
mod words;

use std::sync::LazyLock;

/// The target that `TARGET` names.
static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    match name.as_str() {
        "bundle" => bundle::run,
        "corpus" => corpus::run,
        "hugging_face" => hugging_face::run,
        "image" => image::run,
        "jsonl" => jsonl::run,
        "state_dict" => state_dict::run,
        "word_vectors" => word_vectors::run,
        "words" => words::run,
        _ => panic!("TARGET names no target: {name:?}"),
    }
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
