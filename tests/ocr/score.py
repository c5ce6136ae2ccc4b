"""How much of what is written in images a reader gets right.

    mner ocr --ocr DIR OUT/*.png > read.jsonl
    python tests/ocr/score.py OUT/truth.jsonl read.jsonl

Words are compared as a bag within each image, case kept; characters by edits (Levenshtein) between the lines joined in order.
"""
import json
import sys
from collections import Counter
from pathlib import Path


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(diagonal + (x != y), row[j] + 1, row[j - 1] + 1)
    return row[-1]


truth = {Path(t["image"]).name: t["lines"] for t in map(json.loads, open(sys.argv[1]))}
read = {Path(r["image"]).name: [line["text"] for line in r["lines"]] for r in map(json.loads, open(sys.argv[2]))}
words = right = found = characters = wrong = lines = exact = 0
for name, said in truth.items():
    got = read.get(name, [])
    a, b = (Counter(" ".join(x).split()) for x in (said, got))
    words, found, right = words + a.total(), found + b.total(), right + (a & b).total()
    characters += len("\n".join(said))
    wrong += edits("\n".join(said), "\n".join(got))
    lines, exact = lines + len(said), exact + (Counter(said) & Counter(got)).total()
print(f"{len(truth)} images, {words} words: {100 * right / words:.1f} % right, {100 * (found - right) / max(found, 1):.1f} % of those read are wrong;")
print(f"lines right {100 * exact / lines:.1f} %; character error rate {100 * wrong / characters:.1f} %")
