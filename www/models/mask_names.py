"""Writes an IMGID corpus again with [MASK] for every word of a name, to see whether images tell what a name alone would have told.

    python mask_names.py CORPUS OUT
"""

import sys


def masked(line):
    word, tab, label = line.rstrip("\n").partition("\t")
    return f"{word if label in ('', 'O') else '[MASK]'}{tab}{label}\n"


def main(corpus, out):
    with open(corpus, encoding="utf-8", newline="\n") as source, open(out, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(map(masked, source))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
