#!/usr/bin/env bash
# cubecl-ir 0.11.3 (what burn-wgpu 0.22 compiles its kernels with), pliron 0.19.0, inventory 0.3.25; Rust 1.95, Node 20
#
# cubecl's intermediate representation registers its operations, types and attributes by static constructors. A module for
# wasm32-unknown-unknown has no `main` that would run them once. wasm-ld then puts a call of all of them in front of every
# export: a function that does nothing runs thousands of constructors, and so does every callback and every allocation
# that JavaScript asks a wasm-bindgen module for. inventory passes over what is registered already, so nothing is wrong
# but the time. In one page with WebGPU it was half of all the time that compiling a model's kernels took.
#
# Why it surprises: no warning, and right answers; a profile of the page shows constructors where kernels are expected.
#
# Instead: call `__wasm_call_ctors` yourself, once, at the start. wasm-ld sees the call and leaves the exports alone.
#
# Output seen (microseconds a call on the machine that wrote this: 200 and 0.03):
#   as it is: every export calls the constructors, an empty call takes more than 20 microseconds: true
#   called once: every export calls the constructors, an empty call takes more than 20 microseconds: false
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat >rust-toolchain.toml <<'TOML'
[toolchain]
channel = "1.95.0"
profile = "minimal"
targets = ["wasm32-unknown-unknown"]
TOML
cat >Cargo.toml <<'TOML'
[package]
name = "look"
version = "0.0.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[features]
once = []
[dependencies]
cubecl-ir = "=0.11.3"
inventory = "=0.3.25"
pliron = { version = "=0.19.0", default-features = false }
getrandom = { version = "0.4", features = ["wasm_js"] }
[profile.release]
opt-level = 1
codegen-units = 1
TOML
cat >src/lib.rs <<'RS'
#[unsafe(no_mangle)]
pub extern "C" fn nothing() {}
/// Something of the crate, so that it is linked.
#[unsafe(no_mangle)]
pub extern "C" fn something() -> usize {
    std::hint::black_box(cubecl_ir::Scope::root as usize)
}
#[cfg(feature = "once")]
#[unsafe(no_mangle)]
pub extern "C" fn start() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    unsafe { __wasm_call_ctors() }
}
RS
cat >look.mjs <<'JS'
import { readFileSync } from 'node:fs';
const [, , name, file] = process.argv;
const module = new WebAssembly.Module(readFileSync(file));
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
const { nothing, start } = new WebAssembly.Instance(module, imports).exports;
start?.();
const CALLS = 2000;
for (let i = 0; i < CALLS; i++) nothing();
const begun = performance.now();
for (let i = 0; i < CALLS; i++) nothing();
const each = (1000 * (performance.now() - begun)) / CALLS;
console.error(`${each.toFixed(2)} microseconds a call`);
console.log(`${name}: every export calls the constructors, an empty call takes more than 20 microseconds: ${each > 20}`);
JS
export CARGO_TARGET_DIR=$dir/target
out=target/wasm32-unknown-unknown/release/look.wasm
cargo build --quiet --release --target wasm32-unknown-unknown
node look.mjs 'as it is' "$out" >seen
cargo build --quiet --release --target wasm32-unknown-unknown --features once
node look.mjs 'called once' "$out" >>seen
diff - seen <<'SEEN'
as it is: every export calls the constructors, an empty call takes more than 20 microseconds: true
called once: every export calls the constructors, an empty call takes more than 20 microseconds: false
SEEN
cat seen
