#!/usr/bin/env bash
# Milliseconds that one tweet of SUBWORDS subwords takes in a quantised text encoder of MiniLM-L6's size, on the CPU: in
# f32 on burn's device with THREADS threads, and with the bundle's 8-bit weights, on one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

CARGO_PROFILE_DEV_OPT_LEVEL=3 RAYON_NUM_THREADS=${THREADS:-$(nproc)} cargo bench --quiet --profile dev \
    --package mner-core --features cli,simd --bench encode -- --subwords "${SUBWORDS:-32}"
