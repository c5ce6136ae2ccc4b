#!/usr/bin/env bash
# The compiler for fuzz targets: what is of this workspace counts which of its edges are taken, as `cargo fuzz` has it on a nightly
# toolchain; the counters are a pass of LLVM that the stable one takes too.
set -euo pipefail
rustc=$1
shift
exec "$rustc" "$@" --cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
