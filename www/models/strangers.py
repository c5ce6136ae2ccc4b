"""Writes unlabelled tweets beside images that are not theirs, to learn from teachers that such an image changes nothing.

    python strangers.py TWEETS TABLE OWN COUNT OUT

TWEETS  a text file of tweets, one a line, gzip or plain
TABLE   stand-ins of the benchmarks' images, `id<TAB>path|similarity...`: each line's first image may be drawn
OWN     JSONL of tweets with their own images, {"text", "image"}: so may these, three times of five
COUNT   tweets to write, each of which is in TWEETS once at least
OUT     JSONL {"text", "image"}

The same input and Python give the same output.
"""

import gzip
import json
import random
import sys


def lines(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def main(tweets, table, own, count, out):
    draw = random.Random(11)
    texts = lines(tweets)
    draw.shuffle(texts)
    first = (line.split("\t") for line in lines(table))
    stand_ins = sorted({fields[1].split("|")[0] for fields in first if len(fields) > 1})
    images = [json.loads(line)["image"] for line in lines(own)]
    with open(out, "w", encoding="utf-8") as file:
        for text in list(dict.fromkeys(texts))[: int(count)]:
            image = draw.choice(images if draw.random() < 0.6 else stand_ins)
            file.write(json.dumps({"text": text, "image": image}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
