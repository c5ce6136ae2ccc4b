#!/usr/bin/env bash
# Tweets a second of `mner predict --input` with MODEL (www/models/text) on THREADS threads and on one, start and end
# included, over the probe's tweets TIMES times; beside onnxruntime int8 with the tokenizers library, where PEERS_PYTHON (or .venv/bin/python) has both.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

model=${MODEL:-www/models/text}
threads=${THREADS:-$(nproc)}
python=${PEERS_PYTHON:-.venv/bin/python}
[ -e "$model/manifest.json" ] || { echo "skipped: there is no bundle in $model"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for ((i = 0; i < ${TIMES:-20}; i++)); do cat tests/probe/tweets.jsonl; done >"$work/tweets.jsonl"
tweets=$(($(wc -l <"$work/tweets.jsonl")))

mner=${MNER:-}
if [ -z "$mner" ]; then
    cargo build --quiet --release --package mner-core --features cli,simd --bin mner
    mner=${CARGO_TARGET_DIR:-target}/release/mner
fi
# ours THREADS: tweets a second.
ours() {
    local before after
    before=$(date +%s%N)
    "$mner" predict --bundle "$model" --input "$work/tweets.jsonl" --json --threads "$1" >"$work/out.jsonl" 2>"$work/log"
    after=$(date +%s%N)
    [ "$(($(wc -l <"$work/out.jsonl")))" -eq "$tweets" ] || { cat "$work/log" >&2; exit 1; }
    awk -v n="$tweets" -v t="$((after - before))" 'BEGIN { printf "%.1f", 1e9 * n / t }'
}
one=$(ours 1)
all=$(ours "$threads")
printf '{"name":"mner","cores":1,"tweets_per_second":%s}\n{"name":"mner","cores":%d,"tweets_per_second":%s}\n' "$one" "$threads" "$all"
network=$(tests/bench/peers/network.sh "$python" "$model") || exit 0
theirs=$("$python" tests/bench/peers/onnx_predict.py "$network" "$work/tweets.jsonl" --cores "$threads")
echo "$theirs"
"$python" -c '
import json, sys
best = max(json.loads(line)["tweets_per_second"] for line in sys.argv[2].splitlines())
print(f"mner / the fastest of onnxruntime: {float(sys.argv[1]) / best:.2f}")' "$all" "$theirs"
