#!/usr/bin/env bash
# burn 0.22.1 (its `Bytes` are those of cubecl-environment 0.11.3), compiled to WebAssembly; Rust 1.95, Node 20. A minute.
#
# `Bytes::from_bytes_vec`, by which a file of weights becomes burn's (`burn_pack::Reader::from_bytes`), copies all of it when the
# vector does not lie at a multiple of 16. In WebAssembly no large one does: Rust's allocator there (dlmalloc) gives multiples of
# 8, and a large block begins 8 behind a multiple of 16. So a file of 32 MB is there twice for a while, and a WebAssembly memory
# never shrinks.
#
# Why it surprises: natively large vectors lie at multiples of 16, nothing is copied, and the function's comment says that on most
# platforms the check "is fulfilled either way".
#
# Instead: `Bytes::from_elems`, which takes the vector as it lies; tensors of 4-byte values in it are aligned well enough.
#
# Output seen (MiB of memory before and after, and how far from a multiple of 16 the vector and the bytes lie):
#   from_bytes_vec 32 -> 64, 8 -> 0
#   from_elems     32 -> 32, 8 -> 8
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "look"
version = "0.0.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[dependencies]
cubecl-environment = { version = "=0.11.3", default-features = false }
TOML
cat >src/lib.rs <<'RUST'
use cubecl_environment::bytes::Bytes;

const SIZE: usize = 32 << 20;

/// How far from a multiple of 16 the vector lay and the bytes lie.
#[unsafe(no_mangle)]
pub extern "C" fn look(by_elements: bool) -> usize {
    let file = vec![1_u8; SIZE];
    let before = file.as_ptr() as usize % 16;
    let bytes = match by_elements {
        true => Bytes::from_elems(file),
        false => Bytes::from_bytes_vec(file),
    };
    100 * before + bytes.as_ptr() as usize % 16
}
RUST
rustup target add wasm32-unknown-unknown >/dev/null 2>&1
cargo build --quiet --release --target wasm32-unknown-unknown 2>log || { cat log >&2; exit 1; }
cat >run.mjs <<'NODE'
import { readFileSync } from 'node:fs';
const module = new WebAssembly.Module(readFileSync('target/wasm32-unknown-unknown/release/look.wasm'));
// What wasm-bindgen would fill in for clocks and the like; none is called.
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
for (const [name, byElements] of [['from_bytes_vec', 0], ['from_elems    ', 1]]) {
  const { look, memory } = new WebAssembly.Instance(module, imports).exports;
  const places = look(byElements);
  // The module itself needs less than 2.
  console.log(`${name} 32 -> ${32 * Math.round(memory.buffer.byteLength / 2 ** 25)}, ${Math.floor(places / 100)} -> ${places % 100}`);
}
NODE
diff - <(node run.mjs 2>&1) <<'SEEN'
from_bytes_vec 32 -> 64, 8 -> 0
from_elems     32 -> 32, 8 -> 8
SEEN
