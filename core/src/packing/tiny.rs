//! A bundle of random weights, small enough to make on the fly: for tests, and to try a page or
//! a pipeline without a trained model.

use crate::bundle::manifest::About;
use crate::bundle::{BundleError, BundleFiles, Parts};
use crate::nn::mobilenet::CHANNELS;
use crate::nn::yolox::YoloxConfig;
use crate::packing::pack_with_answer;
use crate::recognizer::LoadError;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::ita::ItaConfig;
use crate::systems::mgcmt::MgcmtConfig;
use crate::systems::text::TextConfig;
use crate::systems::tiny::encoder;
use crate::systems::{SystemConfig, SystemKind};
use crate::tweet::augmentation::Augmentation;
use crate::tweet::tiny::tokenizer;
use crate::tweet::words::Sigils;
use crate::vision::tiny::vision_encoder;
use burn::tensor::Device;
use std::sync::Arc;

/// The tweet of the bundle's known answer.
const KNOWN: &str = "Hello from Houston";

/// The vector of the one word that the augmentation table knows.
const WORD: [f32; 8] = [0.5, -0.25, 0.125, 0.0, -0.5, 0.25, 1.0, -1.0];

/// A bundle of any system, computed on `device`; with [vision networks](vision_encoder) unless it reads text alone.
///
/// # Errors
/// If the device fails.
pub fn bundle(kind: SystemKind, seed: u64, device: &Device) -> Result<BundleFiles, LoadError> {
    device.seed(seed);
    let tokenizer = tokenizer().map_err(BundleError::from)?;
    let encoder = encoder(&tokenizer);
    let max_subwords = encoder.max_subwords();
    let config = match kind {
        SystemKind::Text => SystemConfig::Text(TextConfig::new(encoder)),
        SystemKind::HamLearning => {
            SystemConfig::HamLearning(HamLearningConfig::new(encoder, CHANNELS))
        }
        SystemKind::Mgcmt => SystemConfig::Mgcmt(MgcmtConfig {
            augmentation_size: WORD.len(),
            ..MgcmtConfig::new(encoder, CHANNELS, YoloxConfig::new().classes)
        }),
        SystemKind::Ita => SystemConfig::Ita(ItaConfig::new(encoder)),
    };
    let vision = match kind.reads_images() {
        false => None,
        true => Some(vision_encoder(device).map_err(|e| BundleError::Config(e.to_string()))?),
    };
    let augmentation = config
        .augmentation_size()
        .map(|size| Arc::new(Augmentation::new(size, [("houston", WORD.to_vec())])));
    let system = config.init(device);
    let parts = Parts {
        max_subwords,
        sigils: Sigils::Joined,
        config,
        vision,
        augmentation,
        about: About {
            name: "mner-random".to_owned(),
            ..About::default()
        },
    };
    pack_with_answer(system, &tokenizer, parts, KNOWN, device)
}
