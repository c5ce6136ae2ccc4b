//! The only place that names compute backends: a device's name becomes a device.

use burn::tensor::Device;
#[cfg(any(feature = "vulkan", feature = "wgpu"))]
use burn::tensor::{DeviceKind, DeviceType};

/// What `--device` says of itself in every command.
pub const HELP: &str =
    "Where to compute: cpu, torch, torch-cuda, vulkan, wgpu or cuda, with :1 for the second GPU";

/// The devices this program was built with, as `--device` takes them.
fn known() -> String {
    let built = [
        ("cpu", cfg!(feature = "flex")),
        ("vulkan[:i]", cfg!(feature = "vulkan")),
        ("wgpu[:i]", cfg!(feature = "wgpu")),
        ("wgpu:software", cfg!(feature = "wgpu")),
        ("cuda[:i]", cfg!(feature = "cuda")),
        ("torch", cfg!(feature = "torch")),
        ("torch-cuda[:i]", cfg!(feature = "torch")),
    ];
    built
        .into_iter()
        .filter(|(_, built)| *built)
        .map(|(name, _)| name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The device of this name: `cpu`, `torch` (LibTorch on the CPU), `torch-cuda` (on a GPU), `vulkan`,
/// `vulkan:1`, `wgpu` (any graphics API), `wgpu:software` (a driver that computes on the CPU), `cuda`,
/// `cuda:1`.
///
/// # Errors
/// A sentence that says which names there are.
pub fn parse(name: &str) -> Result<Device, String> {
    let unknown = || {
        format!(
            "there is no device {name:?}; this program was built for: {}",
            known()
        )
    };
    #[cfg(feature = "wgpu")]
    if name == "wgpu:software" {
        return Ok(Device::wgpu(DeviceKind::Cpu));
    }
    let (kind, index) = match name.split_once(':') {
        Some((kind, index)) => (kind, index.parse::<usize>().map_err(|_| unknown())?),
        None => (name, 0),
    };
    match (kind, index) {
        #[cfg(feature = "flex")]
        ("cpu", 0) => Ok(Device::flex()),
        #[cfg(feature = "vulkan")]
        ("vulkan", _) => gpu(DeviceType::Vulkan, index, Device::vulkan),
        #[cfg(feature = "wgpu")]
        ("wgpu", _) => gpu(DeviceType::Wgpu, index, Device::wgpu),
        #[cfg(feature = "cuda")]
        ("cuda", _) => Ok(Device::cuda(index)),
        // burn deprecates LibTorch for its own backends; on a CPU it still trains the fastest.
        #[cfg(feature = "torch")]
        #[allow(deprecated)]
        ("torch", 0) => Ok(Device::libtorch()),
        #[cfg(feature = "torch")]
        ("torch-cuda", _) => torch_cuda(index),
        _ => Err(unknown()),
    }
}

/// A GPU through LibTorch, which says only by a panic that it has none.
#[cfg(feature = "torch")]
#[allow(deprecated)]
fn torch_cuda(index: usize) -> Result<Device, String> {
    let device = Device::libtorch_cuda(index);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let tried = std::panic::catch_unwind(|| burn::tensor::Tensor::<1>::zeros([1], &device));
    std::panic::set_hook(hook);
    match tried {
        Ok(_) => Ok(device),
        Err(_) => Err(format!(
            "LibTorch finds no CUDA device {index}; build with a LibTorch for CUDA and install the GPU's driver, or use \
             --device torch"
        )),
    }
}

/// The devices a training run names.
///
/// # Errors
/// As [`parse`]; and burn has a transport between devices, which data-parallel training needs, for
/// CUDA alone.
pub fn parse_all(names: &[String]) -> Result<Vec<Device>, String> {
    if names.len() > 1
        && let Some(name) = names.iter().find(|name| !name.starts_with("cuda"))
    {
        return Err(format!(
            "several devices must all be CUDA devices; name {name} alone"
        ));
    }
    names.iter().map(|name| parse(name)).collect()
}

/// The first device of a graphics API is the best there is, a software one included; others are
/// counted among the discrete ones.
#[cfg(any(feature = "vulkan", feature = "wgpu"))]
fn gpu(api: DeviceType, index: usize, open: fn(DeviceKind) -> Device) -> Result<Device, String> {
    let found = Device::enumerate(api).into_iter().count();
    if index >= found {
        return Err(format!(
            "this machine has {found} such devices; install the GPU's driver, or use --device cpu"
        ));
    }
    Ok(open(match index {
        0 => DeviceKind::DefaultDevice,
        _ => DeviceKind::DiscreteGpu(index),
    }))
}
