#!/usr/bin/env bash
# Microseconds that the linear layers of one transformer layer of MiniLM-L6's size take on 8, 16 and 32 subwords by every inner loop
# of core/src/nn/host, for fine inputs and for coarse ones: compiled for this processor, and as WebAssembly with vectors and with
# relaxed ones, which Node 22 and later run (NODE=...). The least of 400 runs each, so that a busy machine matters little.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
host=$work/nn/host
mkdir -p "$host"

# The library's own source, all that needs no other crate. Which loop is taken says a number below.
for name in activations bytes job lanes linear pairs panel quads scales vector wide; do
    sed "/pub fn here(/,/^    }/c\    pub fn here(_: Precision) -> Self {\n        crate::LANES\n    }" "core/src/nn/host/$name.rs" >"$host/$name.rs"
done

cat >"$work/main.rs" <<'RUST'
#![allow(dead_code, private_interfaces)]
pub mod nn {
    pub mod host {
        pub mod activations;
        pub mod bytes;
        pub mod job;
        pub mod lanes;
        pub mod linear;
        pub mod pairs;
        pub mod panel;
        pub mod quads;
        pub mod scales;
        pub mod vector;
        pub mod wide;
    }
}
use nn::host::lanes::{Lanes, Precision};
use nn::host::linear::BlockLinear;
use std::sync::OnceLock;

const LANES: Lanes = Lanes::NAME;
const PRECISION: Precision = Precision::HOW;

/// The layers and what they read: D -> D four times, D -> 4 D, 4 D -> D.
pub struct Layer(Vec<(BlockLinear, Vec<f32>)>);

impl Layer {
    pub fn new(subwords: usize) -> Self {
        let mut state = 1_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let most = if PRECISION == Precision::Fine { 127.0 } else { 7.0 };
        let sizes = [[384, 384]; 4].into_iter().chain([[384, 1536], [1536, 384]]);
        Self(sizes.map(|[i, o]| {
            let codes: Vec<i8> = (0..i * o).map(|_| (most * random()) as i8).collect();
            let scales: Vec<f32> = (0..i / 32 * o).map(|_| random()).collect();
            let x = (0..subwords * i).map(|_| random()).collect();
            (BlockLinear::new(&codes, &scales, vec![0.0; o], 32, PRECISION), x)
        }).collect())
    }
    pub fn run(&self) -> f32 {
        self.0.iter().map(|(layer, x)| layer.apply(x)[0]).sum()
    }
}

static LAYERS: [OnceLock<Layer>; 3] = [const { OnceLock::new() }; 3];

#[unsafe(no_mangle)]
pub extern "C" fn run(subwords: usize) -> f32 {
    LAYERS[subwords / 16].get_or_init(|| Layer::new(subwords)).run()
}

fn main() {
    for subwords in [8, 16, 32] {
        let times = (0..400).map(|_| {
            let started = std::time::Instant::now();
            std::hint::black_box(run(subwords));
            started.elapsed().as_secs_f64()
        });
        println!("{:.0}", 1e6 * times.fold(f64::MAX, f64::min));
    }
}
RUST

cat >"$work/run.mjs" <<'NODE_PROGRAM'
import { readFileSync } from 'node:fs';
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
for (const subwords of [8, 16, 32]) {
  let least = Infinity;
  for (let i = 0; i < 400; i++) {
    const started = performance.now();
    instance.exports.run(subwords);
    least = Math.min(least, performance.now() - started);
  }
  console.log((1e3 * least).toFixed(0));
}
NODE_PROGRAM

# told PRECISION LOOP WHERE COMMAND...
told() {
    printf '{"precision":"%s","loop":"%s","where":"%s","microseconds":[%s]}\n' "$1" "$2" "$3" "$("${@:4}" | paste -sd,)"
}
node=${NODE:-node}
for precision in Fine Coarse; do
    for loop in Pairs Quads Bytes; do
        case $precision$loop in FineBytes | CoarseQuads) continue ;; esac
        sed "s/Lanes::NAME/Lanes::$loop/; s/Precision::HOW/Precision::$precision/" "$work/main.rs" >"$work/one.rs"
        rustc --edition 2024 -C opt-level=3 "$work/one.rs" -o "$work/native"
        told "$precision" "$loop" native "$work/native"
        features=+simd128
        as_built=()
        # As web/build.rs has it.
        [ "$loop" = Pairs ] || { features=$features,+relaxed-simd; as_built=(-Cllvm-args=-disable-lsr); }
        rustc --edition 2024 -C opt-level=3 -C codegen-units=1 -C lto=fat -C panic=abort -C "target-feature=$features" "${as_built[@]}" \
            --target wasm32-unknown-unknown --crate-type cdylib "$work/one.rs" -o "$work/lanes.wasm"
        told "$precision" "$loop" "WebAssembly, $features" "$node" "$work/run.mjs" "$work/lanes.wasm"
    done
done
