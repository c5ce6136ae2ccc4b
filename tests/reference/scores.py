"""Random tag sequences and what seqeval makes of them; writes scores.json beside this file.

    pip install seqeval==1.2.2
    python tests/reference/scores.py

Lenient is seqeval's default mode; strict is `mode="strict", scheme=IOB2`.
"""

import json
import random
from pathlib import Path

from seqeval.metrics import classification_report
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

DOCUMENTS = 60
TYPES = ["PER", "LOC", "ORG", "MISC"]
TAGS = ["O"] + [f"{prefix}-{kind}" for kind in TYPES for prefix in "BI"]


def tags(rng, length):
    """Runs of one type, well-formed more often than not, with stray tags between."""
    result = []
    while len(result) < length:
        draw = rng.random()
        if draw < 0.4:
            result.append("O")
        elif draw < 0.55:
            result.append(rng.choice(TAGS))
        else:
            kind = rng.choice(TYPES)
            first = "B" if rng.random() < 0.8 else "I"
            result += [f"{first}-{kind}"] + [f"I-{kind}"] * rng.randrange(3)
    return result[:length]


def disturbed(rng, gold):
    """A prediction that is often, but not always, right."""
    return [rng.choice(TAGS) if rng.random() < 0.12 else tag for tag in gold]


def lenient_spans(sequence):
    return [[kind, start, end + 1] for kind, start, end in get_entities(sequence)]


def strict_spans(sequence):
    entities = Entities([sequence], IOB2).entities[0]
    return [[e.tag, e.start, e.end] for e in entities]


def table(gold, predicted, **mode):
    report = classification_report(
        gold, predicted, output_dict=True, zero_division=0, **mode
    )
    names = {"micro": "micro avg"} | {kind: kind for kind in TYPES}
    return {
        name: {
            "precision": float(report[row]["precision"]),
            "recall": float(report[row]["recall"]),
            "f1": float(report[row]["f1-score"]),
            "support": int(report[row]["support"]),
        }
        for name, row in names.items()
    }


def main():
    rng = random.Random(20230523)
    gold = [tags(rng, rng.randrange(1, 16)) for _ in range(DOCUMENTS)]
    predicted = [disturbed(rng, sequence) for sequence in gold]
    documents = [
        {
            "gold": " ".join(g),
            "predicted": " ".join(p),
            "lenient": lenient_spans(g),
            "strict": strict_spans(g),
        }
        for g, p in zip(gold, predicted)
    ]
    scores = {
        "lenient": table(gold, predicted),
        "strict": table(gold, predicted, mode="strict", scheme=IOB2),
    }
    lines = ",\n  ".join(json.dumps(document) for document in documents)
    text = f'{{"documents": [\n  {lines}\n],\n"scores": {json.dumps(scores)}}}\n'
    Path(__file__).with_suffix(".json").write_text(text)


if __name__ == "__main__":
    main()
