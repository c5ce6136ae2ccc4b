//! Encoders to and from Hugging Face folders: `config.json`, `tokenizer.json` (or what came before it), and
//! `model.safetensors` or `pytorch_model.bin`, whole or in parts, as `transformers` reads and writes them.

mod family;
mod tokenizer;
mod weights;

pub use tokenizer::{load_tokenizer, load_tokenizer_of};

use crate::formats::hugging_face::family::{Family, HfConfig};
use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::systems::{System, SystemConfig};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use burn::module::{Module, Param};
use burn::nn::Embedding;
use burn::store::{
    BurnToPyTorchAdapter, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot,
    PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::{DType, Device, Tensor};
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
    #[error(
        "{} holds neither model.safetensors nor pytorch_model.bin, nor the list of their parts; write it with save_pretrained",
        .0.display()
    )]
    NoWeights(PathBuf),
    /// There is no tokenizer that could be read.
    #[error(
        "{} has a tokenizer that is not read without its tokenizer.json; write that with \
         AutoTokenizer.from_pretrained(folder, use_fast=True).save_pretrained(folder)",
        .0.display()
    )]
    NoTokenizer(PathBuf),
    /// The tokenizer has pieces for which the encoder has no row.
    #[error(
        "{}: the tokenizer's piece {piece:?} has the number {id} and the encoder's table {rows} rows; save the model again after \
         model.resize_token_embeddings(len(tokenizer)), or take the piece out of tokenizer.json",
        path.display()
    )]
    BeyondTable {
        /// The folder.
        path: PathBuf,
        /// The piece.
        piece: String,
        /// Its number.
        id: u32,
        /// Rows of the table.
        rows: usize,
    },
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

/// Reads the encoder of a folder onto `device`, with a fresh word-shape table of `shapes` rows.
///
/// Weights of 16 or 64 bits become f32.
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
    let family = config.family().map_err(problem)?;
    let types = config.type_vocab_size;
    let mut config = config.encoder(family, shapes, dropout).map_err(problem)?;

    let (path, tensors) = weights::encoder(folder)?;
    if types.is_none() {
        let table = tensors
            .iter()
            .find(|tensor| tensor.name == "embeddings.token_type_embeddings.weight");
        config.token_types = table
            .and_then(|table| table.shape.first().copied())
            .unwrap_or(1);
    }
    let names = family.names().iter().map(|(ours, theirs)| (*theirs, *ours));
    let (tensors, _) = remapper(names, "", "").remap(tensors);
    let mut encoder = config.init(device);
    if !family.has_token_types() {
        let none = Tensor::zeros_like(&encoder.token_types.weight.val());
        encoder.token_types.weight = Param::from_tensor(none);
    }
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
    let result = encoder.apply(tensors, None, Some(Box::new(adapter)), true);
    let problem = |problem| HuggingFaceError::Weights {
        path: path.clone(),
        problem,
    };
    let missing: Vec<_> = result
        .missing
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.starts_with("shapes"))
        .filter(|name| family.has_token_types() || !name.starts_with("token_types"))
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
/// 0 plus shape `s`, so that `token_type_ids` = word-shape indices give the same hidden states. An encoder with a bias by
/// distance is written as MPNet, which has no token types: type 0 goes into the positions, the word shapes under `mner.`.
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
    let family = Family::of(config.encoder());
    let (encoder, token_types) = match family.has_token_types() {
        true => fold_shapes(encoder, config.encoder()),
        false => (fold_types(encoder, config.encoder()), 0),
    };
    let system = system.with_encoder(encoder);

    let names = remapper(family.names().iter().copied(), r"encoder\.", "")
        .add_pattern(r"^(emit|crf)\.", "mner.${1}.")
        .and_then(|names| names.add_pattern(r"^encoder\.(shapes|token_types)\.", "mner.${1}."))
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
    let (model_type, architecture) = family.classes();
    let mut json = json!({
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
    if family == Family::Mpnet {
        json["relative_attention_num_buckets"] = e.distances.into();
    }
    let mut text = serde_json::to_vec_pretty(&json).expect("finite numbers");
    text.push(b'\n');
    let vocabulary = tokenizer.bytes()?;
    let settings = tokenizer::settings(tokenizer, &vocabulary, e.max_pieces());
    let mut settings = serde_json::to_vec_pretty(&settings).expect("text and numbers");
    settings.push(b'\n');
    for (name, bytes) in [
        ("config.json", text),
        ("tokenizer.json", vocabulary),
        ("tokenizer_config.json", settings),
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

/// The encoder whose positions hold what its token type 0 adds; the table of types is 0 then.
fn fold_types(mut encoder: Encoder, config: &EncoderConfig) -> Encoder {
    let types = encoder.token_types.weight.val();
    let plain = types.clone().slice([0..1, 0..config.d]);
    encoder.positions.weight = Param::from_tensor(encoder.positions.weight.val() + plain);
    encoder.token_types.weight = Param::from_tensor(types.zeros_like());
    encoder.no_grad()
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
        config["num_attention_heads"] = 2.into();
        config["hidden_act"] = "gelu_new".into();
        write(&config);
        assert!(sentence().contains("gelu_new") && sentence().contains("config.json"));
        config["hidden_act"] = "gelu".into();
        write(&config);
        let index = folder.path().join("model.safetensors.index.json");
        for part in ["absent.safetensors", "../absent.safetensors"] {
            fs::write(
                &index,
                serde_json::json!({"weight_map": {"a": part}}).to_string(),
            )
            .unwrap();
            assert!(sentence().contains(part) && sentence().contains("fetch all parts"));
        }
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
        fs::write(folder.path().join("model.safetensors"), pointer).unwrap();
        assert!(sentence().contains("git lfs pull"));
    }

    /// An encoder written as others write it: in 16 bits, under a prefix, in parts, with half a configuration.
    #[test]
    fn other_ways_of_writing_an_encoder_give_the_same_hidden_states() {
        let device = Device::flex();
        device.seed(4);
        let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
        let config = crate::systems::tiny::config(&tokenizer);
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        export(config.init(&device), &config, &tokenizer, folder.path()).unwrap();
        let settings: serde_json::Value =
            serde_json::from_slice(&fs::read(file("tokenizer_config.json")).unwrap()).unwrap();
        assert_eq!(settings["tokenizer_class"], "PreTrainedTokenizerFast");
        let hidden = || {
            let loaded = load_encoder(folder.path(), 0, 0.1, &device).unwrap();
            let values = loaded.encoder.forward(&input(&device, true)).into_data();
            values.iter::<f32>().collect::<Vec<f32>>()
        };
        let expected = hidden();
        let close = |apart: f32| {
            let got = hidden();
            assert_eq!(got.len(), expected.len());
            for (a, b) in got.iter().zip(&expected) {
                assert!((a - b).abs() < apart, "{a} against {b}");
            }
        };
        let whole = fs::read(file("model.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&whole).unwrap();
        type Values = (String, Vec<usize>, Vec<f32>);
        let values: Vec<Values> = tensors
            .iter()
            .map(|(name, view)| {
                let values = view
                    .data()
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
                (name.to_owned(), view.shape().to_vec(), values.collect())
            })
            .collect();
        let write = |to: &str, values: &[Values], prefix: &str, dtype: safetensors::Dtype| {
            let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = values
                .iter()
                .map(|(name, shape, values)| {
                    let bytes = values.iter().flat_map(|&v| match dtype {
                        safetensors::Dtype::BF16 => {
                            burn::tensor::bf16::from_f32(v).to_le_bytes().to_vec()
                        }
                        safetensors::Dtype::F16 => {
                            burn::tensor::f16::from_f32(v).to_le_bytes().to_vec()
                        }
                        _ => v.to_le_bytes().to_vec(),
                    });
                    (format!("{prefix}{name}"), shape.clone(), bytes.collect())
                })
                .collect();
            let views = bytes.iter().map(|(name, shape, bytes)| {
                (
                    name,
                    safetensors::tensor::TensorView::new(dtype, shape.clone(), bytes).unwrap(),
                )
            });
            fs::write(file(to), safetensors::serialize(views, None).unwrap()).unwrap();
        };
        for (dtype, apart) in [
            (safetensors::Dtype::F16, 0.02),
            (safetensors::Dtype::BF16, 0.1),
            (safetensors::Dtype::F32, 1e-6),
        ] {
            for prefix in [
                "module.",
                "0.auto_model.",
                "model.",
                "bert.",
                "module.roberta.",
                "_orig_mod.",
            ] {
                write("model.safetensors", &values, prefix, dtype);
                close(apart);
            }
        }
        // In two parts.
        let (one, two) = values.split_at(values.len() / 2);
        write("model-1-of-2.safetensors", one, "", safetensors::Dtype::F32);
        write("model-2-of-2.safetensors", two, "", safetensors::Dtype::F32);
        fs::remove_file(file("model.safetensors")).unwrap();
        let part = |part: &[Values], name: &str| -> Vec<(String, serde_json::Value)> {
            part.iter()
                .map(|(tensor, ..)| (tensor.clone(), name.into()))
                .collect()
        };
        let parts = [
            part(one, "model-1-of-2.safetensors"),
            part(two, "model-2-of-2.safetensors"),
        ]
        .concat();
        let map: serde_json::Map<_, _> = parts.into_iter().collect();
        let index = serde_json::json!({"metadata": {}, "weight_map": map}).to_string();
        fs::write(file("model.safetensors.index.json"), index).unwrap();
        close(1e-6);
        // With half a configuration.
        let mut config: serde_json::Value =
            serde_json::from_slice(&fs::read(file("config.json")).unwrap()).unwrap();
        let fields = config.as_object_mut().unwrap();
        for name in [
            "model_type",
            "layer_norm_eps",
            "type_vocab_size",
            "hidden_act",
        ] {
            fields.remove(name);
        }
        fs::write(file("config.json"), config.to_string()).unwrap();
        close(1e-4);
        // Two encoders, and none.
        write("model.safetensors", &values, "a.", safetensors::Dtype::F32);
        let mut both = values.clone();
        both.extend(
            values
                .iter()
                .map(|(name, shape, values)| (format!("b.{name}"), shape.clone(), values.clone())),
        );
        write("model.safetensors", &both, "", safetensors::Dtype::F32);
        let sentence = || {
            load_encoder(folder.path(), 0, 0.1, &device)
                .unwrap_err()
                .to_string()
        };
        assert!(sentence().contains("two encoders"), "{}", sentence());
        write(
            "model.safetensors",
            &[("x".to_owned(), vec![1], vec![0.0])],
            "",
            safetensors::Dtype::F32,
        );
        assert!(sentence().contains("the first is x"), "{}", sentence());
    }
}
