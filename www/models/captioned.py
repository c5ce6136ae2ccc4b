"""Writes photographs with their captions as pairs for `mner match`, a hundred photographs apart.

    python captioned.py CAPTIONS PHOTOGRAPHS OUT HELD_OUT

CAPTIONS     JSON, {"file name": [caption, ...]} of photos/flickr8k
PHOTOGRAPHS  the table of tests/contrast: what it scores with is held out
OUT          JSONL {"text", "image"}, a line a caption, paths as in PHOTOGRAPHS
HELD_OUT     the same of the photographs held out, the first caption first

The same input gives the same output.
"""

import hashlib
import json
import sys

HELD_OUT = 100
FOLDER = "photos/flickr8k/"


def main(captions, photographs, out, held_out):
    with open(captions, encoding="utf-8") as file:
        captions = {FOLDER + name: texts for name, texts in json.load(file).items()}
    with open(photographs, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    scored = {row[0] for row in rows if len(row) > 2 and row[2] == "eval"}
    by_hash = sorted(captions, key=lambda image: hashlib.sha256(image.encode()).digest())
    # A stable sort: what is scored with comes first.
    apart = set(sorted(by_hash, key=lambda image: image not in scored)[:HELD_OUT])
    for path, holds in ((out, lambda image: image not in apart), (held_out, lambda image: image in apart)):
        with open(path, "w", encoding="utf-8") as file:
            for image in filter(holds, captions):
                for text in captions[image]:
                    file.write(json.dumps({"text": text, "image": image}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
