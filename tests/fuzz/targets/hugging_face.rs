//! A folder of an encoder: whatever stands in one of its files, it is read or refused in words.
//!
//! The first byte says which file, and whether what follows takes its place or changes single bytes of it (three bytes for the
//! place, one for the value).

use burn::tensor::Device;
use mner_core::formats::hugging_face::{load_encoder, load_tokenizer_of};
use std::fs;
use std::sync::LazyLock;
use tempfile::TempDir;

/// A BERT of random weights as `mner export` wrote it.
const FILES: [(&str, &[u8]); 3] = [
    (
        "config.json",
        include_bytes!("../../reference/encoder/exported/config.json"),
    ),
    (
        "model.safetensors",
        include_bytes!("../../reference/encoder/exported/model.safetensors"),
    ),
    (
        "tokenizer.json",
        include_bytes!("../../reference/encoder/exported/tokenizer.json"),
    ),
];
/// Files that may stand in the place of one of these.
const OTHERS: [(&str, &str); 5] = [
    ("vocab.txt", "tokenizer.json"),
    ("vocab.json", "tokenizer.json"),
    ("tokenizer_config.json", ""),
    ("pytorch_model.bin", "model.safetensors"),
    ("model.safetensors.index.json", "model.safetensors"),
];
const MERGES: &str = "#version: 0.2\nh o\nho u\n";

static FOLDER: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for files"));

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let Some((&how, rest)) = bytes.split_first() else {
        return;
    };
    let how = usize::from(how);
    let folder = FOLDER.path();
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("there is room");
    for (name, _) in OTHERS {
        let _ = fs::remove_file(folder.join(name));
    }
    for (name, bytes) in FILES {
        write(name, bytes);
    }
    write("merges.txt", MERGES.as_bytes());
    match (how % 8, how / 8 % 2) {
        (at, _) if at >= FILES.len() => {
            let (name, instead) = OTHERS[at - FILES.len()];
            let _ = fs::remove_file(folder.join(instead));
            if name == "tokenizer_config.json" {
                let _ = fs::remove_file(folder.join("tokenizer.json"));
                write("vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\nhouston\n##x\n");
            }
            write(name, rest);
        }
        (at, 0) => write(FILES[at].0, rest),
        (at, _) => {
            let mut file = FILES[at].1.to_vec();
            for change in rest.chunks_exact(4) {
                let place = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize;
                let length = file.len();
                file[place % length] = change[3];
            }
            write(FILES[at].0, &file);
        }
    }
    match load_encoder(folder, 0, 0.1, &Device::flex()) {
        Ok(pretrained) => match load_tokenizer_of(folder, pretrained.config.vocab) {
            Ok(tokenizer) => {
                let words = ["Houston", "\u{1F680}", "@nasa", "caf\u{E9}"];
                if let Ok(ids) = tokenizer.encode(&words) {
                    let mut ids = ids.iter().flatten();
                    assert!(ids.all(|&id| (id as usize) < pretrained.config.vocab));
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        },
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
