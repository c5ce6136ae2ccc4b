#!/usr/bin/env bash
# burn 0.22.1 with its CPU backend (flex); Rust 1.95. The build takes about two CPU minutes.
#
# `quantize_weights` with the default scheme quantises every float parameter of a module, not
# its weights: biases and the scale and shift of a normalisation too, each to 8 bits with one
# scale for the whole tensor. A bias of 0.04 beside one of 12.7 becomes 0.
#
# Why it surprises: the name says weights; a bias is one row beside a matrix, so next to
# nothing is saved by it, and the small values in it are lost without a word.
#
# Instead: `quantize_weights_group(&mut quantizer, ParamGroup::from_regex(r"weight$"))`.
#
# Output seen:
#   made     weight f32 bias f32 gamma f32, bias [12.7, -0.04, 0.04, 0.0]
#   weights  weight quantised bias quantised gamma quantised, bias [12.650196, 0.0, 0.0, 0.0]
#   by group weight quantised bias f32 gamma f32, bias [12.7, -0.04, 0.04, 0.0]
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "look"
version = "0.0.0"
edition = "2024"
[dependencies]
burn = { version = "=0.22.1", default-features = false, features = ["std", "flex"] }
[profile.dev]
debug = 0
TOML
cat >src/main.rs <<'RUST'
use burn::module::{Module, Param, ParamGroup, Quantizer};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::quantization::{Calibration, QuantScheme};
use burn::tensor::{DType, Device, Tensor};

#[derive(Module, Debug)]
struct Net {
    linear: Linear,
    norm: LayerNorm,
}

fn show(name: &str, net: &Net) {
    let bias = net.linear.bias.as_ref().unwrap().val();
    let types = [net.linear.weight.val().dtype(), bias.dtype(), net.norm.gamma.val().dtype()]
        .map(|x| if x == DType::F32 { "f32" } else { "quantised" });
    let bias = if types[1] == "f32" { bias } else { bias.dequantize() };
    let values: Vec<f32> = bias.into_data().to_vec().unwrap();
    println!("{name} weight {} bias {} gamma {}, bias {:?}", types[0], types[1], types[2], values);
}

fn main() {
    let device = Device::default();
    let made = || {
        let mut net = Net { linear: LinearConfig::new(4, 4).init(&device), norm: LayerNormConfig::new(4).init(&device) };
        net.linear.bias = Some(Param::from_tensor(Tensor::from_floats([12.7, -0.04, 0.04, 0.0], &device)));
        net
    };
    let quantizer = || Quantizer::new(Calibration::MinMax, QuantScheme::default());
    show("made    ", &made());
    show("weights ", &made().quantize_weights(&mut quantizer()));
    let group = ParamGroup::from_regex(r"weight$").unwrap();
    show("by group", &made().quantize_weights_group(&mut quantizer(), group));
}
RUST
cargo build --quiet 2>log || { cat log >&2; exit 1; }
diff - <(target/debug/look 2>&1) <<'SEEN'
made     weight f32 bias f32 gamma f32, bias [12.7, -0.04, 0.04, 0.0]
weights  weight quantised bias quantised gamma quantised, bias [12.650196, 0.0, 0.0, 0.0]
by group weight quantised bias f32 gamma f32, bias [12.7, -0.04, 0.04, 0.0]
SEEN
echo "as seen: bias [12.7, -0.04, 0.04, 0.0] becomes [12.650196, 0.0, 0.0, 0.0]"
