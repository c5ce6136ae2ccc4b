//! A bundle of random weights, small enough to make on the fly: for tests, and to try a page or
//! a pipeline without a trained model.

use super::config::SystemKind;
use super::packing::pack_with_answer;
use crate::bundle::manifest::About;
use crate::bundle::{BundleError, BundleFiles, Parts};
use crate::nn::encoder::EncoderConfig;
use crate::nn::mobilenet::{CHANNELS, MobileNetV2Config};
use crate::nn::yolox::YoloxConfig;
use crate::picture::detect::DetectConfig;
use crate::picture::eyes::{BackboneConfig, Eyes, EyesConfig};
use crate::picture::tags::{ClassNames, ClassNamesError};
use crate::recognizer::LoadError;
use crate::systems::SystemConfig;
use crate::systems::hamlearning::HamLearningConfig;
use crate::systems::ita::ItaConfig;
use crate::systems::mgcmt::MgcmtConfig;
use crate::systems::text::TextConfig;
use crate::tweet::augmentation::Augmentation;
use crate::tweet::pieces::WordPieces;
use crate::tweet::shape::WordShape;
use crate::tweet::words::Sigils;
use burn::tensor::Device;
use serde_json::json;
use std::sync::Arc;

/// The tweet of the bundle's known answer.
const KNOWN: &str = "Hello from Houston";

/// The vector of the one word that the augmentation table knows.
const WORD: [f32; 8] = [0.5, -0.25, 0.125, 0.0, -0.5, 0.25, 1.0, -1.0];

/// A WordPiece tokenizer whose pieces are single characters.
///
/// # Errors
/// If the tokenizers crate refuses it.
pub fn tokenizer() -> Result<WordPieces, BundleError> {
    let mut vocab: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        .map(str::to_owned)
        .to_vec();
    let characters = || {
        (b'!'..=b'~')
            .map(char::from)
            .filter(|c| !c.is_ascii_uppercase())
    };
    vocab.extend(characters().map(String::from));
    vocab.extend(characters().map(|c| format!("##{c}")));
    let added: Vec<_> = vocab[..4]
        .iter()
        .enumerate()
        .map(|(id, content)| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
        })
        .collect();
    let ids: serde_json::Map<_, _> = vocab
        .iter()
        .enumerate()
        .map(|(id, piece)| (piece.clone(), json!(id)))
        .collect();
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    });
    Ok(WordPieces::from_bytes(json.to_string().as_bytes())?)
}

/// A text system of 2 layers and 32 dimensions, the fewest that are quantised, over the [`tokenizer`].
pub fn config(tokenizer: &WordPieces) -> SystemConfig {
    SystemConfig::Text(TextConfig {
        encoder: encoder(tokenizer),
    })
}

fn encoder(tokenizer: &WordPieces) -> EncoderConfig {
    EncoderConfig {
        vocab: tokenizer.vocab_size(),
        d: 32,
        layers: 2,
        heads: 2,
        ffn: 64,
        positions: 64,
        first_position: 0,
        token_types: 2,
        shapes: WordShape::COUNT,
        epsilon: 1e-12,
        dropout: 0.1,
    }
}

/// Vision networks of random weights: a MobileNetV2 of three classes and a YOLOX-Nano on 64 × 64
/// pixels, to which the four best of its boxes are objects.
///
/// # Errors
/// If the names made up were not as many as the classes.
pub fn eyes(device: &Device) -> Result<Eyes, ClassNamesError> {
    let backbone = BackboneConfig::MobileNetV2(MobileNetV2Config::new().with_classes(3));
    let detector = YoloxConfig::new();
    let numbers: Vec<String> = (0..detector.classes)
        .map(|class| format!("thing {class}"))
        .collect();
    // Untrained scores are near 0.25: any threshold below lets all of them through.
    let detect = DetectConfig {
        score: 0.0,
        most: 4,
        ..DetectConfig::default()
    };
    let mut eyes = Eyes {
        backbone: backbone.init(device),
        detector: detector.init(device),
        object_names: ClassNames::parse(&numbers.join("\n"), detector.classes)?,
        class_names: ClassNames::parse("sea snake\nkite\nsnow", backbone.classes())?,
        config: EyesConfig::new(backbone)
            .with_detector_side(64)
            .with_detect(detect),
        device: device.clone(),
    };
    eyes.backbone.fold();
    eyes.detector.fold();
    Ok(eyes)
}

/// A bundle of any system, computed on `device`; with [`eyes`] unless it reads text alone.
///
/// # Errors
/// If the device fails.
pub fn bundle(kind: SystemKind, seed: u64, device: &Device) -> Result<BundleFiles, LoadError> {
    device.seed(seed);
    let tokenizer = tokenizer()?;
    let encoder = encoder(&tokenizer);
    let max_pieces = encoder.max_pieces();
    let config = match kind {
        SystemKind::Text => SystemConfig::Text(TextConfig { encoder }),
        SystemKind::HamLearning => {
            SystemConfig::HamLearning(HamLearningConfig::new(encoder, CHANNELS))
        }
        SystemKind::Mgcmt => SystemConfig::Mgcmt(MgcmtConfig {
            augmentation_size: WORD.len(),
            ..MgcmtConfig::new(encoder, CHANNELS, YoloxConfig::new().classes)
        }),
        SystemKind::Ita => SystemConfig::Ita(ItaConfig::new(encoder)),
    };
    let eyes = match kind {
        SystemKind::Text => None,
        _ => Some(eyes(device).map_err(|e| BundleError::Config(e.to_string()))?),
    };
    let augmentation = config
        .augmentation_size()
        .map(|size| Arc::new(Augmentation::new(size, [("houston", WORD.to_vec())])));
    let system = config.init(device);
    let parts = Parts {
        max_pieces,
        sigils: Sigils::Joined,
        config,
        eyes,
        augmentation,
        about: About {
            name: "mner-random".to_owned(),
            ..About::default()
        },
    };
    pack_with_answer(system, &tokenizer, parts, KNOWN, device)
}
