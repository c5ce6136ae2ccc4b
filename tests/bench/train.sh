#!/usr/bin/env bash
# Training throughput of the text system on the CPU: subwords a second, and the ratio to PyTorch where PYTHON (or
# .venv/bin/python) has torch and transformers. Same network, batch and threads.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

threads=${THREADS:-$(nproc)}
python=${PYTHON:-.venv/bin/python}

ours=$(CARGO_PROFILE_DEV_OPT_LEVEL=3 RAYON_NUM_THREADS=$threads cargo bench --quiet --profile dev \
    --package mner-core --features cli,simd --bench train)
echo "$ours"
if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
    echo "skipped: PyTorch, because $python has no torch and transformers (tests/reference/requirements.txt)"
    exit 0
fi
theirs=$("$python" tests/bench/peers/torch_train.py --threads "$threads")
echo "$theirs"
"$python" -c '
import json, sys
ours, theirs = (json.loads(line)["subwords_per_second"] for line in sys.argv[1:])
print(f"ours / PyTorch: {ours / theirs:.2f}")' "$ours" "$theirs"
