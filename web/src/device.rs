//! The device of this build.

use burn::tensor::Device;
use mner_core::bundle::Compute;
use wasm_bindgen::JsValue;

/// Whether the device compiles kernels for the sizes it meets.
pub(crate) const COMPILES: bool = cfg!(feature = "gpu");

/// What computes a quantised text encoder.
pub(crate) const COMPUTE: Compute = match cfg!(feature = "cpu") {
    true => Compute::Host,
    false => Compute::Device,
};

/// Burn's Flex.
#[cfg(feature = "cpu")]
pub(crate) async fn open() -> Result<Device, JsValue> {
    Ok(Device::flex())
}

/// The browser's best adapter. An instance can do this once: a lost device needs a fresh Worker.
#[cfg(feature = "gpu")]
pub(crate) async fn open() -> Result<Device, JsValue> {
    Device::wgpu_options()
        .init_async()
        .await
        .map_err(|error| crate::error::coded("device", &error))
}
