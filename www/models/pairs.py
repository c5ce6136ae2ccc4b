"""Writes what `mner match` learns from beside tweets with their own images: captioned photographs, tweets beside stand-ins, and texts.

    python pairs.py DATA PHOTOGRAPHS TWEETS OUT

DATA         the folder that www/models/make.sh names
PHOTOGRAPHS  the table of tests/contrast: what it scores with is held out
TWEETS       a text file of tweets, one a line, gzip or plain
OUT          folder for
             captions.jsonl       {"text", "image"}, a line a caption of Flickr8k's photographs, but for a hundred of them,
             captions-held.jsonl  the same of that hundred,
             standins.jsonl       tweets of the train splits, and the captions of their own images, beside stand-ins that are much
                                  like these,
             told.jsonl           {"text", "caption"}, tweets of the train splits and captions of their own images, two of each,
             texts.txt            captions and tweets of the train splits, and the first of TWEETS

The same input gives the same output.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path

HELD_OUT = 100
FOLDER = "photos/flickr8k/"
SETS = ("twitter2015", "twitter2017")
ALIKE = 0.6
STAND_INS = 2
TWEETS = 6000


def write(path, pairs, other="image"):
    with open(path, "w", encoding="utf-8") as file:
        for text, value in pairs:
            file.write(json.dumps({"text": text, other: value}, ensure_ascii=False) + "\n")


def train(data):
    """The tweets of the train splits, each an id and a text."""
    for name in SETS:
        image, words = None, []
        for line in (data / name / "train.txt").read_text("utf-8").splitlines():
            if line.startswith("IMGID:"):
                image = line[len("IMGID:") :].strip()
            elif line.strip():
                words.append(line.split("\t")[0])
            elif words:
                yield image, " ".join(words)
                words = []


def captions_of(data):
    """The captions of the train splits' own images, by id."""
    captions = {}
    for name in SETS:
        for line in (data / name / "train.captions.jsonl").read_text("utf-8").splitlines():
            record = json.loads(line)
            captions[record["id"]] = record
    return captions


def main(data, photographs, tweets, out):
    data, out = Path(data), Path(out)
    photos = json.loads((data / "photos/flickr8k_captions.json").read_text("utf-8"))
    photos = {FOLDER + name: texts for name, texts in photos.items()}
    rows = [line.split("\t") for line in Path(photographs).read_text("utf-8").splitlines()]
    scored = {row[0] for row in rows if len(row) > 2 and row[2] == "eval"}
    by_hash = sorted(photos, key=lambda image: hashlib.sha256(image.encode()).digest())
    # A stable sort: what is scored with comes first.
    held = set(sorted(by_hash, key=lambda image: image not in scored)[:HELD_OUT])
    for name, wanted in (("captions.jsonl", False), ("captions-held.jsonl", True)):
        chosen = (image for image in photos if (image in held) == wanted)
        write(out / name, ((text, image) for image in chosen for text in photos[image]))

    captions, splits = captions_of(data), list(train(data))
    stand_ins = {}
    for line in (data / "pictures.tsv").read_text("utf-8").splitlines():
        image, *fields = line.split("\t")
        likeness = [field.rsplit("|", 1) for field in fields if "|" in field]
        stand_ins[image] = [(path, float(share)) for path, share in likeness][:STAND_INS]

    def beside():
        for image, text in splits:
            for path, share in stand_ins.get(image, []):
                if share < ALIKE or path in held or path in scored:
                    continue
                yield text, path
                caption = captions.get(image, {}).get("blip2")
                if caption:
                    yield caption, path

    write(out / "standins.jsonl", beside())

    def told():
        for image, text in splits:
            for caption in captions.get(image, {}).get("blip2"), captions.get(image, {}).get("catr"):
                if caption:
                    yield text, caption

    write(out / "told.jsonl", told(), "caption")
    opened = gzip.open if str(tweets).endswith(".gz") else open
    with open(out / "texts.txt", "w", encoding="utf-8") as file, opened(tweets, "rt", encoding="utf-8") as more:
        for record in captions.values():
            for key in ("blip2", "catr"):
                if record.get(key):
                    file.write(record[key].replace("\n", " ") + "\n")
        for _, text in splits:
            file.write(text + "\n")
        for _, line in zip(range(TWEETS), more):
            file.write(line)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
