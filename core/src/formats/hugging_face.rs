//! Encoders to and from Hugging Face folders: `config.json`, `tokenizer.json`, and
//! `model.safetensors` or `pytorch_model.bin`, as `transformers` reads and writes them.

use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::systems::{System, SystemConfig};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use burn::module::{Module, Param};
use burn::nn::Embedding;
use burn::store::{
    BurnToPyTorchAdapter, KeyRemapper, ModuleSnapshot, PyTorchToBurnAdapter, PytorchStore,
    SafetensorsStore,
};
use burn::tensor::Device;
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Why a folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HuggingFaceError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// There are no weights.
    #[error("{} holds neither model.safetensors nor pytorch_model.bin", .0.display())]
    NoWeights(PathBuf),
    /// The configuration cannot be used.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The weights do not fit the configuration.
    #[error("{}: the weights do not fit config.json: {problem}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The tokenizer cannot be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

/// An encoder as loaded.
#[derive(Debug)]
pub struct Pretrained {
    /// Its sizes.
    pub config: EncoderConfig,
    /// Its weights.
    pub encoder: Encoder,
}

/// `config.json`, as far as the arithmetic depends on it.
#[derive(Deserialize)]
struct HfConfig {
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "one")]
    type_vocab_size: usize,
    layer_norm_eps: f64,
    #[serde(default)]
    pad_token_id: Option<usize>,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

fn one() -> usize {
    1
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl HfConfig {
    fn encoder(&self, shapes: usize, dropout: f64) -> Result<EncoderConfig, String> {
        let first_position = match self.model_type.as_str() {
            "bert" => 0,
            // fairseq counts positions from the padding id on.
            "roberta" | "xlm-roberta" | "camembert" => self.pad_token_id.unwrap_or(1) + 1,
            other => {
                return Err(format!(
                    "model_type is {other:?}; bert, roberta, xlm-roberta and camembert are known"
                ));
            }
        };
        if self.hidden_act != "gelu" {
            return Err(format!(
                "hidden_act is {:?}; only \"gelu\" is known",
                self.hidden_act
            ));
        }
        if self.position_embedding_type != "absolute" {
            return Err(format!(
                "position_embedding_type is {:?}; only \"absolute\" is known",
                self.position_embedding_type
            ));
        }
        if self.num_attention_heads == 0
            || !self.hidden_size.is_multiple_of(self.num_attention_heads)
        {
            return Err(format!(
                "{} heads do not divide {} dimensions",
                self.num_attention_heads, self.hidden_size
            ));
        }
        if first_position >= self.max_position_embeddings {
            return Err(format!(
                "{} positions leave no room for a piece",
                self.max_position_embeddings
            ));
        }
        Ok(EncoderConfig {
            vocab: self.vocab_size,
            d: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            ffn: self.intermediate_size,
            positions: self.max_position_embeddings,
            first_position,
            token_types: self.type_vocab_size,
            shapes,
            epsilon: self.layer_norm_eps,
            dropout,
        })
    }
}

/// Our names and theirs, `#` being a layer's number; the prefix of a task model is dropped.
const NAMES: [(&str, &str); 12] = [
    ("words", "embeddings.word_embeddings"),
    ("positions", "embeddings.position_embeddings"),
    ("token_types", "embeddings.token_type_embeddings"),
    ("norm", "embeddings.LayerNorm"),
    (
        "layers.#.attention.query",
        "encoder.layer.#.attention.self.query",
    ),
    (
        "layers.#.attention.key",
        "encoder.layer.#.attention.self.key",
    ),
    (
        "layers.#.attention.value",
        "encoder.layer.#.attention.self.value",
    ),
    (
        "layers.#.attention.output",
        "encoder.layer.#.attention.output.dense",
    ),
    (
        "layers.#.attention_norm",
        "encoder.layer.#.attention.output.LayerNorm",
    ),
    ("layers.#.ffn_in", "encoder.layer.#.intermediate.dense"),
    ("layers.#.ffn_out", "encoder.layer.#.output.dense"),
    ("layers.#.ffn_norm", "encoder.layer.#.output.LayerNorm"),
];

/// Renames `{before}{name}.` to `{after}{other}.` for every pair of names.
fn remapper<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    before: &str,
    after: &str,
) -> KeyRemapper {
    let patterns = pairs
        .map(|(from, to)| {
            let from = from.replace('.', r"\.").replace('#', r"(\d+)");
            (
                format!(r"^{before}{from}\."),
                format!("{after}{}.", to.replace('#', "${1}")),
            )
        })
        .collect();
    KeyRemapper::from_patterns(patterns).expect("the patterns are regular expressions")
}

fn read(path: PathBuf) -> Result<Vec<u8>, HuggingFaceError> {
    fs::read(&path).map_err(|source| HuggingFaceError::Io { path, source })
}

/// Reads the tokenizer of a folder.
///
/// # Errors
/// [`HuggingFaceError`]
pub fn load_tokenizer(folder: &Path) -> Result<SubwordTokenizer, HuggingFaceError> {
    Ok(SubwordTokenizer::from_bytes(&read(
        folder.join("tokenizer.json"),
    )?)?)
}

/// Reads the encoder of a folder onto `device`, with a fresh word-shape table of `shapes` rows.
///
/// # Errors
/// [`HuggingFaceError`]; every tensor must be there in the right shape.
pub fn load_encoder(
    folder: &Path,
    shapes: usize,
    dropout: f64,
    device: &Device,
) -> Result<Pretrained, HuggingFaceError> {
    let path = folder.join("config.json");
    let problem = |problem| HuggingFaceError::Config {
        path: path.clone(),
        problem,
    };
    let config: HfConfig =
        serde_json::from_slice(&read(path.clone())?).map_err(|e| problem(e.to_string()))?;
    let config = config.encoder(shapes, dropout).map_err(problem)?;
    let mut encoder = config.init(device);

    let names = remapper(
        NAMES.iter().map(|(ours, theirs)| (*theirs, *ours)),
        r"(?:bert\.|roberta\.)?",
        "",
    );
    let safetensors = folder.join("model.safetensors");
    let pytorch = folder.join("pytorch_model.bin");
    let (path, result) = if safetensors.is_file() {
        let mut store = SafetensorsStore::from_file(&safetensors)
            .with_from_adapter(PyTorchToBurnAdapter)
            .remap(names)
            .allow_partial(true);
        (
            safetensors,
            encoder.load_from(&mut store).map_err(|e| e.to_string()),
        )
    } else if pytorch.is_file() {
        let mut store = PytorchStore::from_file(&pytorch)
            .remap(names)
            .allow_partial(true);
        (
            pytorch,
            encoder.load_from(&mut store).map_err(|e| e.to_string()),
        )
    } else {
        return Err(HuggingFaceError::NoWeights(folder.to_owned()));
    };
    let problem = |problem| HuggingFaceError::Weights {
        path: path.clone(),
        problem,
    };
    let result = result.map_err(problem)?;
    let missing: Vec<_> = result
        .missing
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.starts_with("shapes"))
        .collect();
    if !result.errors.is_empty() || !missing.is_empty() {
        let errors = result.errors.iter().map(ToString::to_string);
        let missing = missing.iter().map(|name| format!("{name} is missing"));
        return Err(problem(
            errors.chain(missing).collect::<Vec<_>>().join("; "),
        ));
    }
    Ok(Pretrained { config, encoder })
}

/// Writes a system as f32 safetensors that `transformers` loads as an encoder; what is not the
/// encoder goes under `mner.`.
///
/// The word-shape table is folded into the token types: type `s` of the exported encoder is type
/// 0 plus shape `s`, so that `token_type_ids` = word-shape indices give the same hidden states.
///
/// # Errors
/// [`HuggingFaceError`]
pub fn export(
    system: System,
    config: &SystemConfig,
    tokenizer: &SubwordTokenizer,
    folder: &Path,
) -> Result<(), HuggingFaceError> {
    let io = |path: &Path, source| HuggingFaceError::Io {
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
    let encoder = system.encoder().clone();
    let (encoder, token_types) = fold_shapes(encoder, config.encoder());
    let system = system.with_encoder(encoder);

    let names = remapper(NAMES.iter().copied(), r"encoder\.", "")
        .add_pattern(r"^(emit|crf)\.", "mner.${1}.")
        .expect("a regular expression");
    let path = folder.join("model.safetensors");
    let mut store = SafetensorsStore::from_file(&path)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .remap(names)
        .overwrite(true)
        .clear_metadata()
        .metadata("format", "pt");
    system
        .save_into(&mut store)
        .map_err(|e| HuggingFaceError::Weights {
            path: path.clone(),
            problem: e.to_string(),
        })?;

    let e = config.encoder();
    let (model_type, architecture) = if e.first_position == 0 {
        ("bert", "BertModel")
    } else {
        ("roberta", "RobertaModel")
    };
    let json = json!({
        "architectures": [architecture],
        "model_type": model_type,
        "vocab_size": e.vocab,
        "hidden_size": e.d,
        "num_hidden_layers": e.layers,
        "num_attention_heads": e.heads,
        "intermediate_size": e.ffn,
        "max_position_embeddings": e.positions,
        "type_vocab_size": token_types,
        "layer_norm_eps": e.epsilon,
        "pad_token_id": tokenizer.special().pad,
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "hidden_dropout_prob": e.dropout,
        "attention_probs_dropout_prob": e.dropout,
    });
    let mut text = serde_json::to_vec_pretty(&json).expect("finite numbers");
    text.push(b'\n');
    for (name, bytes) in [
        ("config.json", text),
        ("tokenizer.json", tokenizer.bytes()?),
    ] {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| io(&path, e))?;
    }
    Ok(())
}

/// The encoder without a word-shape table, and how many token types it then has.
fn fold_shapes(mut encoder: Encoder, config: &EncoderConfig) -> (Encoder, usize) {
    let Some(shapes) = encoder.shapes.take() else {
        return (encoder, config.token_types);
    };
    let plain = encoder.token_types.weight.val().slice([0..1, 0..config.d]);
    let table = shapes.weight.val() + plain;
    encoder.token_types = Embedding {
        weight: Param::from_tensor(table),
    };
    (encoder.no_grad(), config.shapes)
}

#[cfg(all(test, feature = "flex"))]
mod parity;

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::nn::encoder::EncoderInput;
    use burn::tensor::{Int, Tensor};

    fn input(device: &Device, shapes_as_types: bool) -> EncoderInput {
        let subwords = Tensor::<2, Int>::from_ints([[2, 30, 40, 3], [2, 50, 3, 0]], device);
        let shapes = Tensor::<2, Int>::from_ints([[10, 4, 6, 10], [10, 0, 10, 10]], device);
        EncoderInput {
            subwords,
            token_types: shapes_as_types.then(|| shapes.clone()),
            shapes: (!shapes_as_types).then_some(shapes),
            present: Tensor::from_floats([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]], device),
        }
    }

    #[test]
    fn an_exported_encoder_gives_the_same_hidden_states() {
        let device = Device::flex();
        device.seed(3);
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let config = crate::systems::tiny::config(&tokenizer);
        let mut system = config.init(&device);
        // A trained word-shape table is not zero.
        let mut encoder = system.encoder().clone();
        let table = encoder
            .shapes
            .as_mut()
            .expect("the tiny system has word shapes");
        table.weight = Param::from_tensor(Tensor::ones_like(&table.weight.val()).cumsum(0) * 0.1);
        system = system.with_encoder(encoder);
        let expected = system.encoder().forward(&input(&device, false)).into_data();

        let folder = tempfile::tempdir().unwrap();
        export(system, &config, &tokenizer, folder.path()).unwrap();
        let loaded = load_encoder(folder.path(), 0, 0.1, &device).unwrap();
        let got = loaded.encoder.forward(&input(&device, true)).into_data();
        for (a, b) in got.iter::<f32>().zip(expected.iter::<f32>()) {
            assert!((a - b).abs() < 1e-5, "{a} against {b}");
        }
        assert_eq!(
            load_tokenizer(folder.path()).unwrap().vocab_size(),
            tokenizer.vocab_size()
        );
    }

    #[test]
    fn unusable_folders_are_explained() {
        let folder = tempfile::tempdir().unwrap();
        let sentence = || {
            load_encoder(folder.path(), 0, 0.1, &Device::flex())
                .unwrap_err()
                .to_string()
        };
        assert!(sentence().contains("config.json"));
        let mut config = serde_json::json!({
            "model_type": "gpt2", "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 8, "max_position_embeddings": 8, "layer_norm_eps": 1e-12,
        });
        let write = |config: &serde_json::Value| {
            fs::write(folder.path().join("config.json"), config.to_string()).unwrap()
        };
        write(&config);
        assert!(sentence().contains("gpt2"));
        config["model_type"] = "bert".into();
        write(&config);
        assert!(sentence().contains("model.safetensors"));
        config["num_attention_heads"] = 3.into();
        write(&config);
        assert!(sentence().contains("3 heads"));
    }
}
