"""Augmentation reference: most similar words and their weighted mean, by numpy in f64.

    python -m venv .venv && .venv/bin/pip install -r tests/reference/requirements.txt
    .venv/bin/python tests/reference/augmentation.py

Writes `augmentation.json`:
    words          [12]
    vectors        [12][6]   multiples of 1/64: exact in f32
    neighbours     [12][4]   the most similar other words by cosine, the most similar first
    augmentation   [12][6]   sum_k softmax(cosine)_k vector_k over the neighbours
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(7)
vectors = rng.integers(-128, 128, (12, 6)) / 64
units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
cosines = units @ units.T
np.fill_diagonal(cosines, -np.inf)
neighbours = np.argsort(-cosines, axis=1, kind="stable")[:, :4]
weights = np.exp(np.take_along_axis(cosines, neighbours, axis=1))
weights /= weights.sum(axis=1, keepdims=True)
augmentation = np.einsum("wk,wkv->wv", weights, vectors[neighbours])

result = {
    "words": ["the", "@user", "#naïve", "🙂", "houston", "kite", "nasa", "don't", ".", "a", "b", "東京"],
    "vectors": vectors.tolist(),
    "neighbours": neighbours.tolist(),
    "augmentation": augmentation.tolist(),
}
path = Path(__file__).parent / "augmentation.json"
path.write_text(json.dumps(result, ensure_ascii=False) + "\n")
