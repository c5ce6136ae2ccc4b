//! WebGPU, through burn-wgpu.
//!
//! Whether there is an adapter that can carry the engine is asked before this code is even downloaded (`www/webgpu.js`).

use crate::error::coded;
use burn::tensor::Device;
use burn_wgpu::graphics::WebGpu;
use burn_wgpu::{MemoryConfiguration, RuntimeOptions, WgpuDevice, try_init_setup_async};
use mner_core::bundle::Compute;
use std::cell::RefCell;
use wasm_bindgen::JsValue;

/// Whether the device compiles kernels for the sizes it meets.
pub const COMPILES: bool = true;

/// What computes a quantised text encoder.
pub const COMPUTE: Compute = Compute::Device;

/// Operations that are handed to the GPU at once: a tweet takes hundreds, each hand-over costs a call into the browser, and
/// what waits for one keeps its buffers.
const TASKS: usize = 32;

thread_local! {
    static OPENED: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// Opens the browser's fastest adapter, with all the features and limits that it has. An instance has one device, which its
/// models share, with the kernels that it has compiled; a lost one needs a fresh Worker.
///
/// # Errors
/// An `Error` with `code` `"device"`: the browser gives no adapter or no device.
pub async fn open() -> Result<Device, JsValue> {
    if let Some(device) = OPENED.with_borrow(Clone::clone) {
        return Ok(device);
    }
    let device = WgpuDevice::default();
    let options = RuntimeOptions {
        tasks_max: TASKS,
        // A buffer an allocation: a tab shares the GPU's memory with others, so none is held for what may come, and WebGPU does
        // not let two parts of a buffer be read and written in one pass.
        memory_config: MemoryConfiguration::ExclusivePages,
    };
    try_init_setup_async::<WebGpu>(&device, options)
        .await
        .map_err(|error| coded("device", &error))?;
    let device = Device::from(device);
    OPENED.set(Some(device.clone()));
    Ok(device)
}
