"""Writes a corpus of any size as JSON lines, {"id", "text"}, from files of tweets; the same one each time.

    python tests/big/tweets.py --count 100000 [--bad 1000] FILE... > tweets.jsonl

A FILE has a tweet a line, or, where it is called .jsonl, an object with a "text", or, where it is called .conll, a labelled token; it may
be compressed by gzip (.gz). Where there are fewer tweets than asked for, they come again, each time with another word behind them, so that no two lines are alike. With --bad N every N-th
line is one that holds no tweet: cut-off JSON, JSON that is no object, no text, and a text that is none, in turn.
"""

import argparse
import gzip
import json
import random
import sys


def tweets(path):
    plain = path.removesuffix(".gz")
    opened = gzip.open(path, "rt", encoding="utf-8") if plain != path else open(path, encoding="utf-8")
    words = []
    with opened as lines:
        for line in lines:
            line = line.strip("\n")
            if plain.endswith(".jsonl"):
                yield json.loads(line)["text"]
            elif not plain.endswith(".conll"):
                yield line
            # A token and its labels a line, a blank line behind a tweet.
            elif line:
                words.append(line.split("\t")[0])
            else:
                yield " ".join(words)
                words = []
    yield " ".join(words)


def bad(at, number):
    return [
        '{"id": %d, "text": "cut o' % at,
        '["no object", %d]' % at,
        '{"id": %d, "body": "no text"}' % at,
        '{"id": %d, "text": null}' % at,
    ][number % 4]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--bad", type=int, default=0, metavar="N")
    parser.add_argument("files", nargs="+", metavar="FILE")
    args = parser.parse_args()
    known = list(dict.fromkeys(text for path in args.files for text in tweets(path) if text.strip()))
    if not known:
        sys.exit("the files hold no tweets")
    random.Random(1).shuffle(known)
    for at in range(args.count):
        if args.bad and at % args.bad == args.bad - 1:
            print(bad(at, at // args.bad))
            continue
        again = at // len(known)
        text = known[at % len(known)] + (f" #again{again}" if again else "")
        print(json.dumps({"id": at, "text": text}, ensure_ascii=False))


if __name__ == "__main__":
    main()
