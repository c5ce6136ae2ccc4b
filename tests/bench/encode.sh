#!/usr/bin/env bash
# Milliseconds that one tweet of SUBWORDS subwords takes in a quantised text encoder of MiniLM-L6's size, on the CPU: in
# f32 on burn's device with THREADS threads, and with weights of 8 bits and of 4, on one; beside onnxruntime on one thread, in f32
# and int8, where PEERS_PYTHON (or .venv/bin/python) has it. The ratio is of the least times: other programs only ever make them longer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

subwords=${SUBWORDS:-32}
python=${PEERS_PYTHON:-.venv/bin/python}
# Our own code as in a release, without checks of overflow.
as_released=(--config profile.dev.package.mner-core.overflow-checks=false --config profile.dev.package.mner-core.debug-assertions=false)
ours=$(CARGO_PROFILE_DEV_OPT_LEVEL=3 RAYON_NUM_THREADS=${THREADS:-$(nproc)} cargo bench --quiet --profile dev "${as_released[@]}" \
    --package mner-core --features cli,simd --bench encode -- --subwords "$subwords")
echo "$ours"
network=$(tests/bench/peers/network.sh "$python" www/models/text) || exit 0
theirs=$("$python" tests/bench/peers/onnx_encode.py "$network" --subwords "$subwords")
echo "$theirs"
"$python" -c '
import json, sys
least = {}
for line in sys.argv[1].splitlines():
    line = json.loads(line)
    least[line["name"].split()[-1]] = line["milliseconds_least"]
for bits in ("8", "4"):
    print(f"{bits}-bit weights / onnxruntime int8: {least['"'host-q'"' + bits] / least['"'int8'"']:.2f}")' "$ours
$theirs"
