//! Networks from files with torchvision's names.

mod mobilenet;
mod resnet;

use crate::formats::state_dict::{StateDict, WeightError};
use crate::vision::encoder::Backbone;

impl Backbone {
    /// Loads weights with torchvision's names.
    ///
    /// # Errors
    /// [`WeightError`] where the file is not this network's.
    pub fn load(&mut self, source: &StateDict) -> Result<(), WeightError> {
        match self {
            Self::MobileNetV2(network) => network.load(source),
            Self::ResNet(network) => network.load(source),
        }
    }
}
