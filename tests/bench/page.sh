#!/usr/bin/env bash
# The page's engine on the CPU, one thread, beside onnxruntime-web and transformers.js in the same Chromium: cold, warm,
# bytes, memory. Peers run a MiniLM-L6 token classifier of random weights; ours is MODEL (a bundle's folder; www/models/text).
# PEERS_PYTHON (or .venv/bin/python) needs onnx and onnxruntime for the peers' network; ./build.sh bench brings them.
set -euo pipefail
model=$(realpath -m "${MODEL:-$(dirname "${BASH_SOURCE[0]}")/../../www/models/text}")
cd "$(dirname "${BASH_SOURCE[0]}")/page"
python=${PEERS_PYTHON:-../../../.venv/bin/python}

[ -e "$model/manifest.json" ] || { echo "skipped: there is no bundle in $model"; exit 0; }
[ -e ../../../www/pkg/cpu/mner_web.js ] || { echo "skipped: the page's engine is not built (./build.sh build)"; exit 0; }
cmp -s package-lock.json node_modules/.lock || {
    npm ci --no-audit --no-fund --loglevel=error --ignore-scripts
    cp package-lock.json node_modules/.lock
}
network=$(../peers/network.sh "$python" "$model") || exit 0
shopt -s nullglob
examples=(../../../www/examples/*.{png,webp,jpg})
node page.mjs "$model" "$network" "${IMAGE:-${examples[0]:-}}"
