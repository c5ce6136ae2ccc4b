//! Weights from files written by PyTorch: safetensors or `.pth` state dicts.

use crate::formats::packed::{Packed, packed};
use burn::module::Module;
use burn::store::{
    ApplyResult, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, ModuleStore,
    PyTorchToBurnAdapter, PytorchStore, SafetensorsStore,
};
use burn::tensor::DType;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where a state dict lies.
#[derive(Clone, Debug)]
pub enum StateDict {
    /// The bytes of a safetensors file.
    Safetensors(Vec<u8>),
    /// The path of a `.pth` or `.pt` file.
    Pth(PathBuf),
}

impl StateDict {
    /// Reads a file: what PyTorch wrote, whatever it is called, by how it begins, anything else as safetensors.
    ///
    /// # Errors
    /// [`WeightError::Unreadable`] where the file cannot be read, [`WeightError::Foreign`] where it is known to be neither.
    pub fn from_file(path: &Path) -> Result<Self, WeightError> {
        let unreadable = |error: std::io::Error| WeightError::Unreadable {
            detail: format!("{}: {error}", path.display()),
        };
        let mut start = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(256).read_to_end(&mut start).map_err(unreadable)?;
        let named = matches!(
            path.extension().and_then(|e| e.to_str()),
            Some("pth" | "pt")
        );
        if start.starts_with(b"version https://git-lfs") {
            return Err(WeightError::Foreign {
                name: "a pointer of Git LFS in place of the file",
                remedy: "fetch the file with git lfs pull",
            });
        }
        // An archive, or a pickle of protocol 2 to 5. A safetensors file begins with a length whose first byte may be that of a
        // pickle, but then zeros follow.
        let zeros = start.get(4..8) == Some(&[0; 4]);
        if start.starts_with(b"PK\x03\x04") || (matches!(start[..], [0x80, 2..=5, ..]) && !zeros) {
            return Ok(Self::Pth(path.to_owned()));
        }
        if let Some(Packed { name, .. }) = packed(&start) {
            return Err(WeightError::Foreign {
                name,
                remedy: "unpack it first",
            });
        }
        if start.starts_with(b"\x89HDF") {
            return Err(WeightError::Foreign {
                name: "a Keras file",
                remedy: "take the weights in PyTorch's form",
            });
        }
        if named {
            return Ok(Self::Pth(path.to_owned()));
        }
        std::fs::read(path)
            .map(Self::Safetensors)
            .map_err(unreadable)
    }

    /// A value of the metadata of a safetensors file; none in a `.pth` file, which has none.
    ///
    /// # Errors
    /// [`WeightError::Unreadable`] where the file's header is damaged.
    pub fn metadata(&self, key: &str) -> Result<Option<String>, WeightError> {
        #[derive(Deserialize)]
        struct Header {
            #[serde(default, rename = "__metadata__")]
            metadata: HashMap<String, String>,
        }
        let Self::Safetensors(bytes) = self else {
            return Ok(None);
        };
        // Length of the header (u64, little-endian), header (JSON).
        let header = bytes.split_first_chunk::<8>().and_then(|(length, rest)| {
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            serde_json::from_slice::<Header>(rest.get(..length)?).ok()
        });
        let header = header.ok_or_else(|| WeightError::Unreadable {
            detail: "its header is damaged".to_owned(),
        })?;
        Ok(header.metadata.get(key).cloned())
    }
}

/// What burn-store (0.22.1) says of a file with numbers of a type that it does not know, such as floats of 8 bits.
pub(super) const OTHER_TYPE: &str = "Unsupported dtype";

/// Why weights did not fit a network.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WeightError {
    /// The file is something else.
    #[error("the weight file is {name}; {remedy}")]
    Foreign {
        /// What it is.
        name: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The file is no state dict.
    #[error("the weight file cannot be read ({detail}); fetch it again")]
    Unreadable {
        /// What the reader met.
        detail: String,
    },
    /// Tensors the network has and the file has not.
    #[error(
        "the weight file lacks {count} tensors of this network, first `{first}`; is it the file \
         of another network?"
    )]
    Missing {
        /// How many.
        count: usize,
        /// The network's name of the first one.
        first: String,
    },
    /// Tensors the file has and the network has not.
    #[error(
        "the weight file has {count} tensors this network lacks, first `{first}`; is it the file \
         of another network?"
    )]
    Unused {
        /// How many.
        count: usize,
        /// The renamed key of the first one.
        first: String,
    },
    /// A tensor of another shape or type than the network's.
    #[error("the weight file does not fit this network: {detail}")]
    Misfit {
        /// Which tensor, and how it differs.
        detail: String,
    },
}

/// Fills `module` from a state dict, every tensor exactly once. `rename` turns a key of the file
/// into the module's path, with PyTorch's last part (`weight`, `bias`, `running_mean`, ...).
/// Linear weights are transposed, weights of 16 or 64 bits become f32; `num_batches_tracked` is passed over, and so is what a
/// wrapper around the network puts before every key, such as `module.`, and what a checkpoint holds beside the network.
///
/// # Errors
/// [`WeightError`] where the file and the network do not match in full; `module` may then be
/// partly filled.
pub fn load<M: Module>(
    module: &mut M,
    source: &StateDict,
    rename: impl Fn(&str) -> String,
) -> Result<(), WeightError> {
    const QUANTISED: WeightError = WeightError::Foreign {
        name: "a quantised network's",
        remedy: "take its weights in 16 or 32 bits",
    };
    fn unreadable(error: impl std::fmt::Display) -> WeightError {
        let detail = error.to_string();
        match detail.contains(OTHER_TYPE) {
            true => QUANTISED,
            false => WeightError::Unreadable { detail },
        }
    }
    let tensors = match source {
        StateDict::Safetensors(bytes) => SafetensorsStore::from_bytes(Some(bytes.clone()))
            .get_all_tensors()
            .map_err(unreadable)?
            .clone(),
        StateDict::Pth(path) => PytorchStore::from_file(path)
            .map_indices_contiguous(false)
            .get_all_tensors()
            .map_err(unreadable)?
            .clone(),
    };
    let wrapper = wrapper(tensors.keys().map(String::as_str));
    let tensors: Vec<_> = tensors
        .into_values()
        .filter(|tensor| !tensor.name.ends_with("num_batches_tracked"))
        .filter_map(|mut tensor| {
            tensor.name = rename(tensor.name.strip_prefix(&wrapper)?);
            Some(tensor)
        })
        .collect();
    let whole = |name: &str| name.ends_with(".weight") || name.ends_with(".bias");
    if tensors
        .iter()
        .any(|t| whole(&t.name) && !t.dtype.is_float())
    {
        return Err(QUANTISED);
    }
    let adapter = Box::new(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)));
    check(module.apply(tensors, None, Some(adapter), true))
}

/// What stands before every key of the network, dots included: the place of its weights in a checkpoint, whose other keys are the
/// optimiser's or another network's, and what wrappers put before all of them.
fn wrapper<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    const PLACES: [&str; 12] = [
        "model_state_dict.",
        "state_dict.",
        "model_state.",
        "model.",
        "net.",
        "network.",
        "weights.",
        "params.",
        "params_ema.",
        "ema_state_dict.",
        "model_ema.",
        "ema.",
    ];
    let mut keys: Vec<&str> = keys.collect();
    let mut wrapper = String::new();
    if let Some(place) = PLACES
        .iter()
        .find(|place| keys.iter().any(|key| key.starts_with(**place)))
    {
        keys.retain(|key| key.starts_with(place));
    }
    // Of what stands before all of them, a name and a parameter are left.
    while keys.len() > 1
        && let Some(next) = keys.first().and_then(|key| Some(&key[..=key.find('.')?]))
        && keys.iter().all(|key| {
            key.strip_prefix(next)
                .is_some_and(|rest| rest.contains('.'))
        })
    {
        wrapper.push_str(next);
        keys = keys.iter().map(|key| &key[next.len()..]).collect();
    }
    wrapper
}

fn check(result: ApplyResult) -> Result<(), WeightError> {
    if let Some(error) = result.errors.first() {
        return Err(WeightError::Misfit {
            detail: error.to_string(),
        });
    }
    if let Some((first, _)) = result.missing.first() {
        return Err(WeightError::Missing {
            count: result.missing.len(),
            first: first.clone(),
        });
    }
    if let Some(first) = result.unused.first() {
        return Err(WeightError::Unused {
            count: result.unused.len(),
            first: first.clone(),
        });
    }
    Ok(())
}

#[cfg(all(test, feature = "train", feature = "flex"))]
mod tests {
    use super::*;
    use crate::formula;
    use crate::nn::conv_block::{ConvBlock, ConvBlockConfig};
    use burn::nn::{Linear, LinearConfig};
    use burn::prelude::*;
    use burn::tensor::{Distribution, Tolerance};

    #[derive(Module, Debug)]
    struct Network {
        block: ConvBlock,
        linear: Linear,
    }

    fn network() -> Network {
        let device = Device::flex();
        Network {
            block: ConvBlockConfig::new([4, 6], 3).init(&device),
            linear: LinearConfig::new(6, 2).init(&device),
        }
    }

    #[test]
    fn a_pth_file_holds_what_torch_wrote() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference");
        let file = StateDict::from_file(&folder.join("state_dict.pth")).unwrap();
        let mut network = network();
        load(&mut network, &file, str::to_owned).unwrap();

        let values = |data: TensorData| -> Vec<f32> { data.try_to_vec().unwrap() };
        let conv = values(network.block.conv.weight.to_data());
        let name = "block.conv.weight";
        assert_eq!(conv, formula::parameter(name, &[6, 4, 3, 3]));
        let bn = network.block.bn.unwrap();
        let name = "block.bn.running_var";
        let variance = values(bn.running_var.value().into_data());
        assert_eq!(variance, formula::parameter(name, &[6]));
        let scale = values(bn.gamma.to_data());
        assert_eq!(scale, formula::parameter("block.bn.weight", &[6]));
        let linear = values(network.linear.weight.val().swap_dims(0, 1).into_data());
        assert_eq!(linear, formula::parameter("linear.weight", &[2, 6]));
    }

    #[test]
    fn every_tensor_must_fit_exactly() {
        let all: Vec<(String, Vec<usize>)> = [
            ("block.conv.weight", vec![6, 4, 3, 3]),
            ("block.bn.weight", vec![6]),
            ("block.bn.bias", vec![6]),
            ("block.bn.running_mean", vec![6]),
            ("block.bn.running_var", vec![6]),
            ("linear.weight", vec![2, 6]),
            ("linear.bias", vec![2]),
        ]
        .map(|(name, shape)| (name.to_owned(), shape))
        .into();
        let read = |names: &[(String, Vec<usize>)]| {
            let file = StateDict::Safetensors(formula::state_dict(names));
            load(&mut network(), &file, str::to_owned)
        };
        assert_eq!(read(&all), Ok(()));
        for wrapper in [
            "module.",
            "_orig_mod.module.",
            "model.",
            "ema.module.",
            "student.",
            "state_dict.net.",
        ] {
            let mut wrapped: Vec<_> = all
                .iter()
                .map(|(name, shape)| (format!("{wrapper}{name}"), shape.clone()))
                .collect();
            assert_eq!(read(&wrapped), Ok(()), "{wrapper}");
            // What a checkpoint holds beside the network.
            if ["model.", "ema.module.", "state_dict.net."].contains(&wrapper) {
                wrapped.push(("optimizer.state.0.momentum".to_owned(), vec![6]));
                assert_eq!(read(&wrapped), Ok(()), "{wrapper}");
            }
        }
        for index in 0..all.len() {
            let mut fewer = all.clone();
            fewer.remove(index);
            let missing = read(&fewer);
            assert!(
                matches!(missing, Err(WeightError::Missing { count: 1, .. })),
                "{missing:?}"
            );
            let mut other = all.clone();
            other[index].1[0] += 1;
            let misfit = read(&other);
            assert!(
                matches!(misfit, Err(WeightError::Misfit { .. })),
                "{misfit:?}"
            );
        }
        for dtype in [safetensors::Dtype::I8, safetensors::Dtype::F8_E4M3] {
            let values: Vec<(String, Vec<usize>, Vec<u8>)> = all
                .iter()
                .map(|(name, shape)| (name.clone(), shape.clone(), vec![1; shape.iter().product()]))
                .collect();
            let views = values.iter().map(|(name, shape, bytes)| {
                let view = safetensors::tensor::TensorView::new(dtype, shape.clone(), bytes);
                (name, view.unwrap())
            });
            let file = StateDict::Safetensors(safetensors::serialize(views, None).unwrap());
            let error = load(&mut network(), &file, str::to_owned).unwrap_err();
            assert!(error.to_string().contains("16 or 32 bits"), "{error}");
        }
        let mut more = all.clone();
        more.push(("extra.weight".to_owned(), vec![1]));
        let unused = read(&more);
        assert!(
            matches!(unused, Err(WeightError::Unused { count: 1, .. })),
            "{unused:?}"
        );
    }

    #[test]
    fn files_are_told_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference");
        for name in ["weights.bin", "best.ckpt", "model.pth.tar", "weights"] {
            let path = folder.path().join(name);
            std::fs::copy(reference.join("state_dict.pth"), &path).unwrap();
            let file = StateDict::from_file(&path).unwrap();
            assert_eq!(load(&mut network(), &file, str::to_owned), Ok(()), "{name}");
        }
        for (bytes, said) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid"[..],
                "git lfs pull",
            ),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"\x89HDF\r\n\x1a\n", "PyTorch"),
        ] {
            for name in ["weights.safetensors", "weights.pth"] {
                let path = folder.path().join(name);
                std::fs::write(&path, bytes).unwrap();
                let error = StateDict::from_file(&path).unwrap_err().to_string();
                assert!(error.contains(said), "{error}");
            }
        }
    }

    #[test]
    fn an_absent_file_is_named() {
        let error = StateDict::from_file(Path::new("no/such.safetensors")).unwrap_err();
        assert!(error.to_string().contains("no/such.safetensors"));
    }

    #[test]
    fn folding_does_not_change_the_function() {
        let device = Device::flex();
        let mut block = ConvBlockConfig::new([4, 6], 3)
            .with_stride(2)
            .with_groups(2)
            .init(&device);
        let norm = ["weight", "bias", "running_mean", "running_var"];
        let mut names = vec![("conv.weight".to_owned(), vec![6, 2, 3, 3])];
        names.extend(norm.map(|name| (format!("bn.{name}"), vec![6])));
        let weights = StateDict::Safetensors(formula::state_dict(&names));
        load(&mut block, &weights, str::to_owned).unwrap();

        let input = Tensor::<4>::random([2, 4, 9, 9], Distribution::Uniform(-1.0, 1.0), &device);
        let before = block.forward(input.clone()).into_data();
        block.fold();
        assert!(block.bn.is_none());
        let after = block.forward(input.clone()).into_data();
        after.assert_approx_eq::<f32>(&before, Tolerance::absolute(1e-5));
        block.unfold(1e-3);
        assert!(block.bn.is_some() && block.conv.bias.is_none());
        let again = block.forward(input).into_data();
        again.assert_approx_eq::<f32>(&after, Tolerance::absolute(1e-5));
    }
}
