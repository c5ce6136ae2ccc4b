//! A WebAssembly module of its own, which `build.rs` compiles and the engine carries within it: the linear layers by the relaxed
//! dot products of bytes, and beside them as the engine itself computes them, so that all can be timed alike.
//!
//! It lives in the engine's memory and knows nothing of what lies where, so it must have neither data nor a stack: the linker gives
//! it a stack of no bytes, and a push onto it would be an access beyond the memory, which ends the call.
#![no_std]
#![allow(dead_code, reason = "of the loops' files it needs the loops alone")]

#[path = "../../../core/src/nn/host/bytes.rs"]
mod bytes;
#[path = "../../../core/src/nn/host/job.rs"]
mod job;
#[path = "../../../core/src/nn/host/pairs.rs"]
mod pairs;
#[path = "../../../core/src/nn/host/panel.rs"]
mod panel;
#[path = "../../../core/src/nn/host/quads.rs"]
mod quads;
#[path = "../../../core/src/nn/host/vector.rs"]
mod vector;

use job::Job;

/// Computes a job laid out for `quads`.
///
/// # Safety
/// What the job points to must be there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quads(job: *const Job) {
    // SAFETY: as the caller's.
    unsafe { (*job).fine(quads::add_products) }
}

/// Computes a job laid out for `bytes`.
///
/// # Safety
/// What the job points to must be there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bytes(job: *const Job) {
    // SAFETY: as the caller's.
    unsafe { (*job).coarse(bytes::add_products) }
}

/// Computes a job of fine inputs laid out for `pairs`.
///
/// # Safety
/// What the job points to must be there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pairs(job: *const Job) {
    // SAFETY: as the caller's.
    unsafe { (*job).fine(pairs::add_products) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
