"""Pillow's BILINEAR resize of a made-up image, as the reference of `core/src/image/resize.rs`.

    pip install pillow numpy
    python tests/reference/resize.py > tests/reference/resize.tsv

Columns: width, height, new width, new height, FNV-1a 64 of the resized bytes, its first 6 bytes.
"""

import numpy as np
import PIL
from PIL import Image

CASES = [
    (640, 427, 224, 224),
    (640, 427, 416, 277),
    (427, 640, 277, 416),
    (100, 80, 224, 224),
    (33, 57, 416, 416),
    (1, 1, 7, 5),
    (1, 300, 40, 9),
    (300, 1, 9, 40),
    (64, 64, 64, 20),
    (64, 64, 20, 64),
    (1500, 3, 1024, 2),
    (50, 50, 50, 50),
]


def noise(width, height):
    i = np.arange(width * height * 3, dtype=np.uint64)
    i = (i * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    return (i >> np.uint64(24)).astype(np.uint8).reshape(height, width, 3)


def fnv1a(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


print(f"# Pillow {PIL.__version__}")
for w, h, nw, nh in CASES:
    out = np.asarray(Image.fromarray(noise(w, h)).resize((nw, nh), Image.BILINEAR)).tobytes()
    print(w, h, nw, nh, f"{fnv1a(out):016x}", " ".join(str(b) for b in out[:6]), sep="\t")
