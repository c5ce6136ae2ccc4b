#!/usr/bin/env bash
# burn 0.22.1 with its CPU backend (flex); Rust 1.95. Four minutes of one core.
#
# A linear layer takes more time for sequences of 32 rows than for sequences of 33. Of 33 rows burn joins the sequences of a batch and
# multiplies one matrix by the weights; where rows are a multiple of 32 it takes them to fill its tiles, and multiplies each
# sequence by itself, for which flex lays out the whole of the weights anew.
#
# Why it surprises: 32 and 64 are what people pad to so that computing is fast. Forward and backward take half as much again, or more:
# the gradient of the inputs goes the same way. On GPUs the rule may be right.
#
# Instead: `layer.forward(x.reshape([-1, d_input]))`, and back.
#
# Output seen (AMD EPYC, one thread; milliseconds of forward and backward):
#   16 x 32 rows 108.5, 16 x 33 rows 66.5, 16 x 32 rows as one matrix 64.0
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "look"
version = "0.0.0"
edition = "2024"
[dependencies]
burn = { version = "=0.22.1", default-features = false, features = ["std", "flex", "autodiff"] }
[profile.dev]
debug = 0
opt-level = 3
TOML
cat >src/main.rs <<'RUST'
#![recursion_limit = "256"]
use burn::nn::LinearConfig;
use burn::tensor::{Device, Distribution, Tensor};
use std::time::Instant;

/// Milliseconds, the least of 30, of forward and backward.
fn least(x: impl Fn() -> Tensor<3>, matrix: bool) -> f64 {
    let layer = LinearConfig::new(384, 1536).init(&Device::flex().autodiff());
    let once = |_| {
        let x = x().require_grad();
        let started = Instant::now();
        let y = if matrix { layer.forward(x.reshape([-1, 384])).sum() } else { layer.forward(x).sum() };
        y.backward();
        1e3 * started.elapsed().as_secs_f64()
    };
    (0..30).map(once).fold(f64::MAX, f64::min)
}

fn main() {
    let x = |rows| move || Tensor::<3>::random([16, rows, 384], Distribution::Default, &Device::flex().autodiff());
    let [at_32, at_33, matrix] = [least(x(32), false), least(x(33), false), least(x(32), true)];
    println!("16 x 32 rows {at_32:.1}, 16 x 33 rows {at_33:.1}, 16 x 32 rows as one matrix {matrix:.1}");
    assert!(at_32 > 1.1 * at_33, "32 rows are not slower than 33");
}
RUST
cargo build --quiet 2>log || { cat log >&2; exit 1; }
RAYON_NUM_THREADS=1 target/debug/look
