//! What runs once, when the module is instantiated.

use crate::error::remember_panics;
use wasm_bindgen::prelude::*;

#[cfg(target_arch = "wasm32")]
unsafe extern "C" {
    /// Every constructor of the module: wasm-ld makes it.
    fn __wasm_call_ctors();
}

/// Runs the module's constructors and installs the panic hook.
///
/// Where nothing calls the constructors, wasm-ld has every export call them (<https://reviews.llvm.org/D81689>). cubecl's
/// compiler registers some 10,000 operations and attributes that way, and one kernel makes hundreds of calls from JavaScript:
/// half of what the WebGPU engine did was to register them again.
#[wasm_bindgen(start)]
fn start() {
    #[cfg(target_arch = "wasm32")]
    // SAFETY: this is the first of our code that runs, and nothing else calls it.
    unsafe {
        __wasm_call_ctors();
    }
    remember_panics();
}
