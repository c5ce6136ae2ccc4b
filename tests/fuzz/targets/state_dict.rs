//! A file that PyTorch wrote fills a network or is refused in words. The first byte says whether it is safetensors or a `.pth`.

use burn::tensor::Device;
use mner_core::formats::state_dict::{StateDict, load};
use mner_core::nn::conv_block::ConvBlockConfig;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for files"));

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let file = match kind % 2 {
        0 => StateDict::Safetensors(bytes.to_vec()),
        _ => {
            let path: PathBuf = FOLDER.path().join("weights.pth");
            std::fs::write(&path, bytes).expect("there is room for the file");
            match StateDict::from_file(&path) {
                Ok(file) => file,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    return;
                }
            }
        }
    };
    let _ = file.metadata("side");
    let mut network = ConvBlockConfig::new([4, 6], 3).init(&Device::flex());
    // The file of the corpus holds this block under a name, beside a linear layer.
    let rename = |key: &str| key.strip_prefix("block.").unwrap_or(key).to_owned();
    if let Err(error) = load(&mut network, &file, rename) {
        assert!(!error.to_string().is_empty());
    }
}
