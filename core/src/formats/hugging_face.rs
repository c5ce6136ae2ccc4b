//! Encoders to and from Hugging Face folders: `config.json`, `tokenizer.json` (or what came before it), and
//! `model.safetensors` or `pytorch_model.bin`, whole or in parts, as `transformers` reads and writes them.

mod family;
mod tokenizer;
mod weights;

pub use tokenizer::{load_tokenizer, load_tokenizer_of};

use crate::bundle::MANIFEST;
use crate::formats::hugging_face::family::{Family, HfConfig};
use crate::nn::encoder::{Encoder, EncoderConfig};
use crate::notice;
use crate::systems::{System, SystemConfig};
use crate::tweet::subwords::{SubwordTokenizer, TokenizerError};
use burn::module::{Module, ModuleVisitor, Param};
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
    /// There is no such folder.
    #[error(
        "{}: there is no such folder here; write one with AutoModel.from_pretrained(name).save_pretrained(folder) and the same of \
         AutoTokenizer, or fetch it with `hf download NAME --local-dir FOLDER`",
        .0.display()
    )]
    NoFolder(PathBuf),
    /// The folder is a bundle's.
    #[error(
        "{} holds a bundle of this program; go on from it with --start, or write an encoder of it with `mner export`",
        .0.display()
    )]
    Bundle(PathBuf),
    /// The folder is that around the model's.
    #[error("{} has no config.json, and {} has one; give that folder", folder.display(), inner.display())]
    Around {
        /// The folder given.
        folder: PathBuf,
        /// The one that has it.
        inner: PathBuf,
    },
    /// There are no weights.
    #[error(
        "{} holds neither model.safetensors nor pytorch_model.bin, nor the list of their parts; write it with save_pretrained",
        .0.display()
    )]
    NoWeights(PathBuf),
    /// There are weights to be added to those of another model.
    #[error(
        "{} holds what an adapter adds to a model, not the model; write both as one with model.merge_and_unload().save_pretrained(folder)",
        .0.display()
    )]
    Adapter(PathBuf),
    /// There is no tokenizer that could be read.
    #[error(
        "{} has no tokenizer.json, nor what one is made of here (vocab.txt, or vocab.json and merges.txt); write it with \
         AutoTokenizer.from_pretrained(folder, use_fast=True).save_pretrained(folder)",
        .0.display()
    )]
    NoTokenizer(PathBuf),
    /// The tokenizer has subwords for which the encoder has no row.
    #[error(
        "{}: the tokenizer's subword {subword:?} has the number {id} and the encoder's table {rows} rows; save the model again after \
         model.resize_token_embeddings(len(tokenizer)), or take the subword out of tokenizer.json",
        path.display()
    )]
    BeyondTable {
        /// The folder.
        path: PathBuf,
        /// The subword.
        subword: String,
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
    /// The weights cannot be used.
    #[error("{}: {problem}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The tokenizer cannot be used.
    #[error("{}: {source}", path.display())]
    Tokenizer {
        /// The file, or the folder whose files it was made of.
        path: PathBuf,
        /// What is wrong.
        source: TokenizerError,
    },
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

/// The bytes of a file, without the mark that some editors begin a text with.
fn read(path: PathBuf) -> Result<Vec<u8>, HuggingFaceError> {
    let bytes = fs::read(&path).map_err(|source| HuggingFaceError::Io { path, source })?;
    Ok(match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(text) => text.to_vec(),
        None => bytes,
    })
}

/// The folder within another that has a `config.json`: the first module of a sentence encoder, a version in a cache.
fn inner_folder(folder: &Path) -> Option<PathBuf> {
    let within = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        folders
    };
    let mut all = within(folder);
    all.extend(within(&folder.join("snapshots")));
    all.into_iter()
        .find(|inner| inner.join("config.json").is_file())
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
    if !folder.is_dir() {
        return Err(HuggingFaceError::NoFolder(folder.to_owned()));
    }
    if !path.is_file() && folder.join(MANIFEST).is_file() {
        return Err(HuggingFaceError::Bundle(folder.to_owned()));
    }
    if !path.is_file()
        && let Some(inner) = inner_folder(folder)
    {
        let folder = folder.to_owned();
        return Err(HuggingFaceError::Around { folder, inner });
    }
    if !path.is_file() && folder.join("adapter_config.json").is_file() {
        return Err(HuggingFaceError::Adapter(folder.to_owned()));
    }
    let config: HfConfig = serde_json::from_slice(&read(path.clone())?).map_err(|e| {
        problem(format!(
            "{e}; take the config.json that came with the weights"
        ))
    })?;
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
    let errors = result.errors.iter().map(ToString::to_string);
    let missing = missing.iter().map(|name| format!("{name} is missing"));
    let problems: Vec<String> = errors.chain(missing).collect();
    if let Some(first) = problems.first() {
        let more = match problems.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        return Err(problem(format!(
            "the weights do not fit config.json: {first}{more}; take the config.json that came with the weights"
        )));
    }
    if let Some(name) = not_finite(&encoder) {
        return Err(problem(format!(
            "{name} holds values that are no finite numbers, so that nothing can be computed with it; fetch the weights again, or take an earlier checkpoint"
        )));
    }
    // `transformers` leaves them out too, which is meant seldom.
    let beyond = |name: &&String| name.starts_with("layers.");
    if let Some(name) = result.unused.iter().find(beyond) {
        notice!(
            "{}: the weights have more than the {} layers that config.json names (the first tensor is {name}); what is beyond is left out",
            path.display(),
            config.layers
        );
    }
    Ok(Pretrained { config, encoder })
}

/// The name of a tensor with a value that is infinite or no number, if there is one.
fn not_finite(encoder: &Encoder) -> Option<String> {
    struct Finite {
        path: Vec<String>,
        broken: Option<String>,
    }
    impl ModuleVisitor for Finite {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // One that is not finite makes the sum so; of finite weights none comes near f32's largest number.
            let sum: f32 = param.val().abs().sum().into_scalar();
            if !sum.is_finite() {
                self.broken.get_or_insert_with(|| self.path.join("."));
            }
        }
    }
    let mut finite = Finite {
        path: Vec::new(),
        broken: None,
    };
    encoder.visit(&mut finite);
    finite.broken
}

/// Writes a system as f32 safetensors that `transformers` loads as an encoder; what is not the
/// encoder goes under `mner.`, with the names that `core/FORMAT.md` gives it and PyTorch's forms: norms have `weight` and `bias`,
/// linear layers `[out, in]`.
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

    let path = folder.join("model.safetensors");
    let mut store = SafetensorsStore::from_file(&path)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .remap(exported_names(family))
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
    let vocabulary = tokenizer
        .bytes()
        .map_err(|source| HuggingFaceError::Tokenizer {
            path: folder.join("tokenizer.json"),
            source,
        })?;
    let settings = tokenizer::settings(tokenizer, &vocabulary, e.max_subwords());
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
    // safetensors writes its file for the owner's eyes alone; a folder that is handed on has one kind of file.
    let beside = fs::metadata(folder.join("config.json")).map_err(|e| io(folder, e))?;
    fs::set_permissions(&path, beside.permissions()).map_err(|e| io(&path, e))
}

/// Every tensor under `mner.`, but for those that `transformers` knows of the encoder.
fn exported_names(family: Family) -> KeyRemapper {
    let names = |patterns| KeyRemapper::from_patterns(patterns).expect("a regular expression");
    let ours = names(vec![("^", "mner.")]);
    let theirs = remapper(family.names().iter().copied(), r"mner\.encoder\.", "");
    // What is left of the encoder: the word shapes of an MPNet, and its token types, which are 0.
    let left = names(vec![(r"^mner\.encoder\.", "mner.")]);
    let all = [ours, theirs, left].map(|names| names.to_regex_pairs());
    KeyRemapper::from_compiled_patterns(all.concat())
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
mod tests;
