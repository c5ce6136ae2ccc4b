//! YOLOX's weights from files with Megvii's names.

use crate::formats::state_dict;
use crate::formats::state_dict::{StateDict, WeightError};
use crate::nn::yolox::Yolox;

impl Yolox {
    /// Loads weights with Megvii's names.
    ///
    /// # Errors
    /// [`WeightError`] where the file is not this network's.
    pub fn load(&mut self, source: &StateDict) -> Result<(), WeightError> {
        state_dict::load(self, source, megvii_path)
    }
}

/// `backbone.backbone.dark5.2.conv1.bn.weight` → `trunk.dark5.csp.conv1.bn.weight`.
fn megvii_path(key: &str) -> String {
    if let Some(rest) = key.strip_prefix("backbone.backbone.stem.conv.") {
        return format!("trunk.stem.{rest}");
    }
    if let Some(rest) = key.strip_prefix("backbone.backbone.") {
        let parts: Vec<&str> = rest.splitn(3, '.').collect();
        if let [stage, layer, rest] = parts[..] {
            let layer = match (stage, layer) {
                (_, "0") => "down",
                ("dark5", "1") => "spp",
                _ => "csp",
            };
            return format!("trunk.{stage}.{layer}.{rest}");
        }
    }
    match key.strip_prefix("backbone.") {
        Some(rest) => format!("neck.{}", rest.replacen("C3_", "c3_", 1)),
        None => key.to_owned(),
    }
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests;
