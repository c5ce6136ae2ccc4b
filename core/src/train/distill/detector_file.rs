//! A trained detector as a file that `--detector` reads.

use crate::formats::vision_networks::SIDE;
use crate::nn::yolox::Yolox;
use crate::train::distill::error::DistillError;
use burn::store::{BurnToPyTorchAdapter, KeyRemapper, ModuleSnapshot, SafetensorsStore};
use std::path::Path;

/// Writes `detector`, folded or not, with Megvii's names and batch norms that only add the bias:
/// any reader of YOLOX-Nano's state dict takes it. The file's metadata says at which `side` it is
/// to be used.
///
/// # Errors
/// [`DistillError::Weights`]
pub fn write(mut detector: Yolox, side: u32, path: &Path) -> Result<(), DistillError> {
    detector.unfold();
    let names = [
        (r"^trunk\.stem\.", "backbone.backbone.stem.conv."),
        (r"^trunk\.(dark\d)\.down\.", "backbone.backbone.${1}.0."),
        (r"^trunk\.dark5\.spp\.", "backbone.backbone.dark5.1."),
        (r"^trunk\.dark5\.csp\.", "backbone.backbone.dark5.2."),
        (r"^trunk\.(dark\d)\.csp\.", "backbone.backbone.${1}.1."),
        (r"^neck\.c3_", "backbone.C3_"),
        (r"^neck\.", "backbone."),
    ];
    let names = names
        .into_iter()
        .fold(KeyRemapper::new(), |names, (ours, theirs)| {
            names
                .add_pattern(ours, theirs)
                .expect("a regular expression")
        });
    let mut store = SafetensorsStore::from_file(path)
        .with_to_adapter(BurnToPyTorchAdapter)
        .remap(names)
        .overwrite(true)
        .clear_metadata()
        // One entry: several come in any order, and equal weights should make equal files.
        .metadata(SIDE, side.to_string());
    detector
        .save_into(&mut store)
        .map_err(|error| DistillError::Weights {
            path: path.to_owned(),
            problem: error.to_string(),
        })
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::formats::state_dict::StateDict;
    use crate::nn::yolox::YoloxConfig;
    use burn::tensor::{Device, Distribution, Tensor, Tolerance};

    #[test]
    fn what_is_written_is_read_as_the_same_detector() {
        let device = Device::flex();
        device.seed(1);
        let mut detector = YoloxConfig::new().with_classes(2).init(&device);
        detector.fold();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("detector.safetensors");
        write(detector.clone(), 320, &path).unwrap();

        let file = StateDict::from_file(&path).unwrap();
        assert_eq!(file.metadata(SIDE).unwrap().as_deref(), Some("320"));
        let mut read = YoloxConfig::new().with_classes(2).init(&device);
        read.load(&file).unwrap();
        let input = Tensor::random([1, 3, 64, 64], Distribution::Uniform(0.0, 255.0), &device);
        let ours = detector.forward(input.clone()).raw.into_data();
        let theirs = read.forward(input).raw.into_data();
        theirs.assert_approx_eq::<f32>(&ours, Tolerance::absolute(1e-3));
    }
}
