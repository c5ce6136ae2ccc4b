"""For tests/big/test.sh: whether every line of a corpus has its answer, once and in its place.

    python check.py TWEETS.jsonl ANSWERS.jsonl

An answer is its line with members behind the line's own; of a line that is no object, an error.
"""

import itertools
import json
import sys


def main():
    counts = {"entities": 0, "error": 0}
    with open(sys.argv[1], "rb") as tweets, open(sys.argv[2], "rb") as answers:
        pairs = itertools.zip_longest(filter(bytes.strip, tweets), answers)
        for number, (line, answer) in enumerate(pairs, 1):
            if line is None or answer is None:
                sys.exit(f"{'no answer to a line' if answer is None else 'an answer too many'}: {number}")
            found = json.loads(answer)
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            if isinstance(value, dict):
                own = line.strip()[:-1]
                tweet = isinstance(value.get("text"), str)
                right = answer.startswith(own) and ("entities" if tweet else "error") in found
            else:
                right = found.keys() == {"line", "error"}
            if not right:
                sys.exit(f"line {number} has another answer: {line!r} {answer!r}")
            counts["error" if "error" in found else "entities"] += 1
    print(f"{counts['entities']} tweets and {counts['error']} lines without one, each with its answer once, in order")


if __name__ == "__main__":
    main()
