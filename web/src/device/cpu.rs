//! The CPU: burn's Flex.

use burn::tensor::Device;
use mner_core::bundle::Compute;
use wasm_bindgen::JsValue;

/// Whether the device compiles kernels for the sizes it meets.
pub const COMPILES: bool = false;

/// What computes a quantised text encoder.
pub const COMPUTE: Compute = Compute::Host;

/// Opens the device.
///
/// # Errors
/// None: there always is a CPU.
pub async fn open() -> Result<Device, JsValue> {
    Ok(Device::flex())
}
