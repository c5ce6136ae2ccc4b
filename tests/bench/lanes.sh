#!/usr/bin/env bash
# Microseconds that the linear layers of one transformer layer of MiniLM-L6's size take on SUBWORDS subwords, in 8 bits, by how
# many outputs (PANEL) and rows (ROWS) the inner loop of core/src/nn/host computes side by side: compiled for this processor,
# and for WebAssembly, which Node runs. The least of 400 runs each, so that a busy machine matters little; a minute in all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
host=$work/nn/host
mkdir -p "$host"

# The library's own source, without what needs other crates: tests, and the constructor from burn's tensors.
for name in activations job lanes linear pairs panel quads; do
    sed -e '/^#\[cfg(test)\]/,$d' -e '/^use burn/d' -e '/Of burn.s quantised/,/^    }$/d' \
        "core/src/nn/host/$name.rs" >"$host/$name.rs"
done

cat >"$work/main.rs" <<'RUST'
#![allow(dead_code, private_interfaces)]
pub mod nn {
    pub mod host {
        pub mod activations;
        pub mod job;
        pub mod lanes;
        pub mod linear;
        pub mod pairs;
        pub mod panel;
        pub mod quads;
    }
}
use nn::host::{activations::Activations, linear::BlockLinear};

/// The layers and what they read: D -> D four times, D -> 4 D, 4 D -> D.
pub struct Layer(Vec<(BlockLinear, Vec<f32>, usize)>);

impl Layer {
    pub fn new(subwords: usize) -> Self {
        let mut state = 1_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let sizes = [[384, 384]; 4].into_iter().chain([[384, 1536], [1536, 384]]);
        Self(sizes.map(|[i, o]| {
            let codes: Vec<i8> = (0..i * o).map(|_| (127.0 * random()) as i8).collect();
            let scales: Vec<f32> = (0..i / 32 * o).map(|_| random()).collect();
            let x = (0..subwords * i).map(|_| random()).collect();
            (BlockLinear::new(&codes, &scales, vec![0.0; o], 32), x, i)
        }).collect())
    }
    pub fn run(&self) -> f32 {
        self.0.iter().map(|(layer, x, d)| layer.forward(&Activations::new(x, *d))[0]).sum()
    }
}

#[cfg(target_arch = "wasm32")]
static LAYER: std::sync::OnceLock<Layer> = std::sync::OnceLock::new();
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
pub extern "C" fn run(subwords: usize) -> f32 {
    LAYER.get_or_init(|| Layer::new(subwords)).run()
}

fn main() {
    let subwords = std::env::args().nth(1).unwrap().parse().unwrap();
    let layer = Layer::new(subwords);
    let times = (0..400).map(|_| {
        let started = std::time::Instant::now();
        std::hint::black_box(layer.run());
        started.elapsed().as_secs_f64()
    });
    println!("{:.0}", 1e6 * times.fold(f64::MAX, f64::min));
}
RUST

cat >"$work/run.mjs" <<'NODE'
import { readFileSync } from 'node:fs';
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const subwords = Number(process.argv[3]);
let least = Infinity;
for (let i = 0; i < 400; i++) {
  const started = performance.now();
  instance.exports.run(subwords);
  least = Math.min(least, performance.now() - started);
}
console.log((1e3 * least).toFixed(0));
NODE

# lanes LANES PANEL ROWS: the loops with these numbers.
lanes() {
    sed -i "/fn here()/,/^    }/c\    pub fn here() -> Self {\n        Self::$1\n    }" "$host/lanes.rs"
    sed -i -e "s/^pub const PANEL: usize = .*/pub const PANEL: usize = $2;/" \
        -e "s/^pub const ROWS: usize = .*/pub const ROWS: usize = $3;/" \
        -e "s/align([0-9]*)/align($(($2 < 16 ? 32 : 64)))/" "$host/panel.rs"
    sed -i -e "s/v128, [0-9]*>(/v128, $(($2 / 4))>(/" -e "s/Avx2, [0-9]*>(/Avx2, $(($2 / 8))>(/" "$host/pairs.rs"
    rustc --edition 2024 -C opt-level=3 "$work/main.rs" -o "$work/native"
}

subwords=${SUBWORDS:-32}
for panel in 8 16 32; do
    for rows in 1 2 4 8; do
        lanes Pairs "$panel" "$rows"
        rustc --edition 2024 -C opt-level=3 -C target-feature=+simd128 --target wasm32-unknown-unknown --crate-type cdylib \
            "$work/main.rs" -o "$work/lanes.wasm"
        printf '{"lanes":"pairs","panel":%d,"rows":%d,"microseconds_native":%d,"microseconds_wasm":%d}\n' "$panel" "$rows" \
            "$("$work/native" "$subwords")" "$(node "$work/run.mjs" "$work/lanes.wasm" "$subwords")"
    done
done
grep -qwE 'avx512_vnni|avx_vnni' /proc/cpuinfo || exit 0
for rows in 2 4 8; do
    lanes Quads 16 "$rows"
    printf '{"lanes":"quads","panel":16,"rows":%d,"microseconds_native":%d}\n' "$rows" "$("$work/native" "$subwords")"
done
