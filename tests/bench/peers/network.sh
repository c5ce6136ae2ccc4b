#!/usr/bin/env bash
# network.sh PYTHON MODEL: makes the peers' network, a MiniLM-L6 token classifier of random weights with the tokenizer of a
# bundle, once for each tokenizer, and prints its folder. Fails in words where PYTHON has not what the peers need.
set -euo pipefail

# An environment's python is a link that must stay one.
python=$1
[[ $python != */* ]] || python=$(realpath -s "$python")
tokenizer=$(realpath "$2/tokenizer.json")
target=$(realpath -m "${CARGO_TARGET_DIR:-$(dirname "${BASH_SOURCE[0]}")/../../../target}")
folder=$target/bench-network-$(sha256sum "$tokenizer" | head -c 8)
"$python" -c 'import onnx, onnxruntime, tokenizers' 2>/dev/null || {
    echo "skipped: $python has no onnx, onnxruntime and tokenizers (./build.sh bench brings them, or tests/bench/requirements.txt)" >&2
    exit 1
}
if [ ! -e "$folder/config.json" ]; then
    rm -rf "$folder"
    "$python" "$(dirname "${BASH_SOURCE[0]}")/network.py" "$tokenizer" "$folder" >&2
fi
echo "$folder"
