"""Writes a corpus in which only the picture says whether a name is a person or a place, to see what a system makes of pictures.

    python picture_decides.py PHOTOS CAPTIONS OUT

PHOTOS is a folder of photographs and CAPTIONS a JSON object with several captions for each file in it (Flickr8k). A name is a
person where people are in the picture, a place where nobody is; names and sentences are the same for both. Writes
OUT/train.txt (1,600 tweets), OUT/dev.txt (400, other photographs) and OUT/pictures.tsv.
"""

import json
import random
import sys
from pathlib import Path

PEOPLE = """man men woman women boy boys girl girls child children kid kids baby toddler person people lady guy group crowd
player players rider biker skier climber surfer someone he she his her""".split()
NAMES = """Jordan Paris Washington Houston Chelsea Georgia Sydney Austin Florence Phoenix Lincoln Madison Brooklyn Charlotte
Dakota Savannah Carolina Israel Chad Virginia Victoria Alexandria Diego Francisco""".split()
TWEETS = [
    "with {} today", "love {} so much", "{} !", "missing {} already", "finally {} again", "this is {}", "ready for {} tonight",
    "nothing like {}", "one word : {}", "good morning {}", "my {} story", "look at {} now",
]  # fmt: skip


def shows_people(caption):
    return any(word in PEOPLE for word in caption.lower().split())


def main(photos, captions, out):
    rng = random.Random(1)
    out.mkdir(parents=True, exist_ok=True)
    seen = {file: sum(map(shows_people, texts)) for file, texts in json.loads(captions.read_text()).items()}
    pictures = {
        "B-PER": [file for file, people in seen.items() if people >= 4],
        "B-LOC": [file for file, people in seen.items() if people == 0],
    }
    for files in pictures.values():
        rng.shuffle(files)
    count = min(map(len, pictures.values()))
    table = []
    for split, tweets, part in (("train", 1600, slice(0, count * 3 // 4)), ("dev", 400, slice(count * 3 // 4, count))):
        with (out / f"{split}.txt").open("w") as file:
            for i in range(tweets):
                label = ("B-PER", "B-LOC")[i % 2]
                table.append(f"{split}{i}\t{(photos / rng.choice(pictures[label][part])).resolve()}|1\n")
                name = rng.choice(NAMES)
                words = rng.choice(TWEETS).format(name).split()
                lines = (f"{word}\t{label if word == name else 'O'}\n" for word in words)
                file.write(f"IMGID:{split}{i}\n{''.join(lines)}\n")
    (out / "pictures.tsv").write_text("".join(table))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
