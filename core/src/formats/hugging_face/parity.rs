//! The encoder against `transformers` (`tests/reference/encoder.py`).

use crate::formats::hugging_face::load_encoder;
use crate::nn::encoder::{Encoder, EncoderInput};
use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/reference/encoder")
        .join(name)
}

/// Largest absolute difference over the subwords that are there.
fn difference(encoder: &Encoder, cases: &Path) -> f32 {
    let device = Device::flex();
    let bytes = std::fs::read(cases).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let ints = |name: &str| {
        let view = file.tensor(name).unwrap();
        let values = view
            .data()
            .chunks(8)
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as i32);
        (
            values.collect::<Vec<_>>(),
            [view.shape()[0], view.shape()[1]],
        )
    };
    let floats = |name: &str| -> Vec<f32> {
        file.tensor(name)
            .unwrap()
            .data()
            .chunks(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect()
    };
    let tensor = |name: &str| {
        let (values, shape) = ints(name);
        Tensor::<2, Int>::from_data(TensorData::new(values, shape), &device)
    };
    let (mask, [_, _]) = ints("attention_mask");
    let input = EncoderInput {
        subwords: tensor("input_ids"),
        token_types: Some(tensor("token_type_ids")),
        shapes: None,
        present: tensor("attention_mask").float(),
    };
    let got = encoder
        .forward(&input)
        .into_data()
        .try_to_vec::<f32>()
        .unwrap();
    let expected = floats("last_hidden_state");
    assert_eq!(got.len(), expected.len());
    let d = got.len() / mask.len();
    got.chunks(d)
        .zip(expected.chunks(d))
        .zip(&mask)
        .filter(|(_, present)| **present == 1)
        .flat_map(|((a, b), _)| a.iter().zip(b).map(|(a, b)| (a - b).abs()))
        .fold(0.0, f32::max)
}

#[test]
fn agrees_with_transformers() {
    for name in [
        "bert",
        "bert_legacy",
        "roberta",
        "xlm_roberta",
        "mpnet",
        "distilbert",
        "electra",
        "exported",
    ] {
        let folder = reference(name);
        let loaded = load_encoder(&folder, 13, 0.1, &Device::flex())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let off = difference(&loaded.encoder, &folder.join("cases.safetensors"));
        assert!(off <= 1e-4, "{name}: off by {off}");
    }
}

#[test]
fn real_minilm_agrees_with_transformers() {
    // Made by `tests/reference/minilm.py MODEL_FOLDER OUTPUT`.
    let (Ok(folder), Ok(cases)) = (
        std::env::var("MNER_MINILM"),
        std::env::var("MNER_MINILM_CASES"),
    ) else {
        return eprintln!(
            "skipped: MNER_MINILM and MNER_MINILM_CASES do not name the model and its reference"
        );
    };
    let loaded = load_encoder(Path::new(&folder), 13, 0.1, &Device::flex()).unwrap();
    let off = difference(&loaded.encoder, Path::new(&cases));
    assert!(off <= 1e-4, "off by {off}");
}
