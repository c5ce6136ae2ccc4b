#!/usr/bin/env bash
# network.sh PYTHON MODEL: makes the peers' network, a MiniLM-L6 token classifier of random weights with the tokenizer of a
# bundle, once, and prints its folder. Fails in words where PYTHON has no onnx and onnxruntime.
set -euo pipefail

# An environment's python is a link that must stay one.
python=$1
[[ $python != */* ]] || python=$(realpath -s "$python")
tokenizer=$(realpath "$2/tokenizer.json")
cd "$(dirname "${BASH_SOURCE[0]}")"
folder=$(realpath -m "${CARGO_TARGET_DIR:-../../../target}")/bench-network
if ! cmp -s "$tokenizer" "$folder/tokenizer.json"; then
    "$python" -c 'import onnx, onnxruntime' 2>/dev/null || {
        echo "skipped: $python has no onnx and onnxruntime (./build.sh bench brings them, or tests/bench/requirements.txt)" >&2
        exit 1
    }
    rm -rf "$folder"
    "$python" network.py "$tokenizer" "$folder" >&2
fi
echo "$folder"
