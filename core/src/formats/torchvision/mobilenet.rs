//! MobileNetV2's weights from files with torchvision's names.

use crate::formats::state_dict;
use crate::formats::state_dict::{StateDict, WeightError};
use crate::nn::mobilenet::MobileNetV2;

impl MobileNetV2 {
    /// Loads weights with torchvision's names.
    ///
    /// # Errors
    /// [`WeightError`] where the file is not this network's.
    pub fn load(&mut self, source: &StateDict) -> Result<(), WeightError> {
        state_dict::load(self, source, torchvision_path)
    }
}

/// `features.3.conv.1.0.weight` → `blocks.2.depthwise.conv.weight`.
fn torchvision_path(key: &str) -> String {
    let parts: Vec<&str> = key.split('.').collect();
    let part = |layer: &str| match layer {
        "0" => "conv",
        _ => "bn",
    };
    match parts[..] {
        ["features", "0", layer, name] => format!("stem.{}.{name}", part(layer)),
        ["features", "18", layer, name] => format!("last.{}.{name}", part(layer)),
        // The first inverted residual has no expansion.
        ["features", "1", "conv", "0", layer, name] => {
            format!("blocks.0.depthwise.{}.{name}", part(layer))
        }
        ["features", "1", "conv", layer, name] => {
            let layer = if layer == "1" { "conv" } else { "bn" };
            format!("blocks.0.project.{layer}.{name}")
        }
        ["features", block, "conv", step, layer, name] => {
            let step = if step == "0" { "expand" } else { "depthwise" };
            format!("blocks.{}.{step}.{}.{name}", before(block), part(layer))
        }
        ["features", block, "conv", layer, name] => {
            let layer = if layer == "2" { "conv" } else { "bn" };
            format!("blocks.{}.project.{layer}.{name}", before(block))
        }
        ["classifier", "1", name] => format!("classifier.{name}"),
        _ => key.to_owned(),
    }
}

/// torchvision counts the stem as block 0.
fn before(block: &str) -> String {
    match block.parse::<usize>() {
        Ok(index) if index > 0 => (index - 1).to_string(),
        _ => block.to_owned(),
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests;
