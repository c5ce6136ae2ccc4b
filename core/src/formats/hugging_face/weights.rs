//! The tensors of a folder: one file or several, safetensors or PyTorch's, under whatever prefix.

use crate::formats::hugging_face::{HuggingFaceError, read};
use crate::formats::packed::{LFS_POINTER, LFS_REMEDY};
use crate::formats::state_dict::OTHER_TYPE;
use burn::store::{ModuleStore, PytorchStore, SafetensorsStore};
use burn_pack::Tensor;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The tensor that every encoder has.
const MARK: &str = "embeddings.word_embeddings.weight";

/// Files of a list of shards beside those of one file.
const FILES: [(&str, &str); 2] = [
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

/// Which file holds which tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The encoder's tensors under their names in the encoder, and the file that names them all.
pub(super) fn encoder(folder: &Path) -> Result<(PathBuf, Vec<Tensor>), HuggingFaceError> {
    let (path, tensors) = all(folder)?;
    let prefixes: BTreeSet<&str> = tensors
        .keys()
        .filter_map(|name| name.strip_suffix(MARK))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        .collect();
    let problem = |problem| HuggingFaceError::Weights {
        path: path.clone(),
        problem,
    };
    let mut found = prefixes.iter();
    let prefix = match (found.next(), found.next()) {
        (Some(prefix), None) => (*prefix).to_owned(),
        (None, _) => {
            let first = tensors.keys().next().map_or("nothing", String::as_str);
            return Err(problem(format!(
                "no tensor is called {MARK}, with or without a prefix (the first is {first}); an encoder of the BERT, RoBERTa, XLM-R, \
                 DistilBERT or MPNet family is needed"
            )));
        }
        (Some(one), Some(other)) => {
            return Err(problem(format!(
                "there are two encoders, under {one:?} and {other:?}; save the one to be read by itself, with save_pretrained"
            )));
        }
    };
    let tensors: Vec<Tensor> = tensors
        .into_iter()
        .filter_map(|(name, mut tensor)| {
            tensor.name = name.strip_prefix(&prefix)?.to_owned();
            Some(tensor)
        })
        .collect();
    let whole = |tensor: &&Tensor| tensor.name.ends_with(".weight") && !tensor.dtype.is_float();
    match tensors.iter().find(whole) {
        Some(tensor) => Err(problem(quantised(&format!("{:?}", tensor.dtype)))),
        None => Ok((path, tensors)),
    }
}

/// What is wrong with weights of a type that is not computed with.
fn quantised(dtype: &str) -> String {
    format!("they are quantised ({dtype}); take the model they were made from, in 16 or 32 bits")
}

/// All tensors of a folder.
fn all(folder: &Path) -> Result<(PathBuf, BTreeMap<String, Tensor>), HuggingFaceError> {
    for (whole, index) in FILES {
        let (whole, index) = (folder.join(whole), folder.join(index));
        if whole.is_file() {
            let tensors = file(&whole)?;
            return Ok((whole, tensors));
        }
        if !index.is_file() {
            continue;
        }
        let shards: Index = serde_json::from_slice(&read(index.clone())?).map_err(|e| {
            HuggingFaceError::Weights {
                path: index.clone(),
                problem: format!(
                    "this is no list of the weights' parts ({e}); fetch the file again"
                ),
            }
        })?;
        let mut tensors = BTreeMap::new();
        for name in shards.weight_map.values().collect::<BTreeSet<_>>() {
            let path = folder.join(name);
            // A name is that of a file beside the list, nowhere else.
            if Path::new(name).file_name() != Some(name.as_ref()) || !path.is_file() {
                return Err(HuggingFaceError::Weights {
                    path: index,
                    problem: format!("its part {name} is missing; fetch all parts of the model"),
                });
            }
            tensors.extend(file(&path)?);
        }
        return Ok((index, tensors));
    }
    Err(match folder.join("adapter_config.json").is_file() {
        true => HuggingFaceError::Adapter(folder.to_owned()),
        false => HuggingFaceError::NoWeights(folder.to_owned()),
    })
}

fn file(path: &Path) -> Result<BTreeMap<String, Tensor>, HuggingFaceError> {
    let fault = |detail: String| HuggingFaceError::Weights {
        path: path.to_owned(),
        problem: match detail.contains(OTHER_TYPE) {
            true => quantised(&detail),
            false => format!("these are no whole weights ({detail}); fetch the file again"),
        },
    };
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(32).read_to_end(&mut start));
    if read.is_ok() && start.starts_with(LFS_POINTER) {
        return Err(HuggingFaceError::Weights {
            path: path.to_owned(),
            problem: format!("this is {LFS_REMEDY}"),
        });
    }
    if path
        .extension()
        .is_some_and(|extension| extension == "safetensors")
    {
        let mut store = SafetensorsStore::from_file(path);
        store
            .get_all_tensors()
            .cloned()
            .map_err(|e| fault(e.to_string()))
    } else {
        let mut store = PytorchStore::from_file(path).map_indices_contiguous(false);
        store
            .get_all_tensors()
            .cloned()
            .map_err(|e| fault(e.to_string()))
    }
}
