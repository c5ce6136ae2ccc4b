//! ResNet's weights from files with torchvision's names.

use crate::formats::state_dict;
use crate::formats::state_dict::{StateDict, WeightError};
use crate::nn::resnet::ResNet;

impl ResNet {
    /// Loads weights with torchvision's names.
    ///
    /// # Errors
    /// [`WeightError`] where the file is not this network's.
    pub fn load(&mut self, source: &StateDict) -> Result<(), WeightError> {
        state_dict::load(self, source, torchvision_path)
    }
}

/// `layer1.0.conv2.weight` → `layer1.0.block2.conv.weight`.
fn torchvision_path(key: &str) -> String {
    let parts: Vec<&str> = key.split('.').collect();
    match parts[..] {
        ["conv1", name] => format!("stem.conv.{name}"),
        ["bn1", name] => format!("stem.bn.{name}"),
        [layer, block, "downsample", "0", name] => {
            format!("{layer}.{block}.downsample.conv.{name}")
        }
        [layer, block, "downsample", "1", name] => format!("{layer}.{block}.downsample.bn.{name}"),
        [layer, block, step, name] => match (step.strip_prefix("conv"), step.strip_prefix("bn")) {
            (Some(n), _) => format!("{layer}.{block}.block{n}.conv.{name}"),
            (_, Some(n)) => format!("{layer}.{block}.block{n}.bn.{name}"),
            _ => key.to_owned(),
        },
        _ => key.to_owned(),
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests;
