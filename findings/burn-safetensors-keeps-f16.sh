#!/usr/bin/env bash
# burn 0.22.1 with burn-store 0.22.1 and its CPU backend (flex); Rust 1.95
# The build takes about two CPU minutes.
#
# A module is made in f32 and filled from a safetensors file in F16 by `load_from` with
# `SafetensorsStore`: the parameters come out in f16, the module's own type is not asked, and
# the report names no error. What the file lacks (here the normalisation) stays f32, so one
# module holds two types; half-precision encoders with a new head on top end there.
#
# Why it surprises: shapes are checked against the module and names are reported; the type
# alone is taken from the file.
#
# Instead: `.with_from_adapter(FloatCastAdapter::to(DType::F32))` on the store.
#
# Output seen:
#   made   weight F32 bias F32 gamma F32
#   loaded weight F16 bias F16 gamma F32, applied 2, errors 0
#   cast   weight F32 bias F32 gamma F32, applied 2, errors 0
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir" && mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "look"
version = "0.0.0"
edition = "2024"
[dependencies]
burn = { version = "=0.22.1", default-features = false, features = ["std", "flex", "safetensors"] }
[profile.dev]
debug = 0
TOML
cat >src/main.rs <<'RUST'
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::store::{FloatCastAdapter, ModuleSnapshot, SafetensorsStore};
use burn::tensor::{DType, Device};

#[derive(Module, Debug)]
struct Net {
    linear: Linear,
    norm: LayerNorm,
}

impl Net {
    fn new() -> Self {
        let device = Device::default();
        Net { linear: LinearConfig::new(4, 4).init(&device), norm: LayerNormConfig::new(4).init(&device) }
    }
    fn types(&self) -> String {
        let bias = self.linear.bias.as_ref().unwrap();
        let (weight, gamma) = (&self.linear.weight, &self.norm.gamma);
        format!("weight {:?} bias {:?} gamma {:?}", weight.val().dtype(), bias.val().dtype(), gamma.val().dtype())
    }
    fn filled(name: &str, store: SafetensorsStore) {
        let mut net = Net::new();
        let report = net.load_from(&mut store.allow_partial(true)).unwrap();
        println!("{name} {}, applied {}, errors {}", net.types(), report.applied.len(), report.errors.len());
    }
}

fn main() {
    let head = r#"{"linear.weight":{"dtype":"F16","shape":[4,4],"data_offsets":[0,32]},"linear.bias":{"dtype":"F16","shape":[4],"data_offsets":[32,40]}}"#;
    let mut file = (head.len() as u64).to_le_bytes().to_vec();
    file.extend(head.bytes());
    file.extend([0x00, 0x3c].repeat(20)); // twenty ones in half precision
    println!("made   {}", Net::new().types());
    Net::filled("loaded", SafetensorsStore::from_bytes(Some(file.clone())));
    Net::filled("cast  ", SafetensorsStore::from_bytes(Some(file)).with_from_adapter(FloatCastAdapter::to(DType::F32)));
}
RUST
cargo build --quiet 2>log || { cat log >&2; exit 1; }
diff - <(target/debug/look 2>&1) <<'SEEN'
made   weight F32 bias F32 gamma F32
loaded weight F16 bias F16 gamma F32, applied 2, errors 0
cast   weight F32 bias F32 gamma F32, applied 2, errors 0
SEEN
echo "as seen: loaded weight F16 bias F16 gamma F32, errors 0"
