#!/usr/bin/env bash
# seqeval 1.2.2 beside nervaluate 1.2.1 (Python 3.11)
#
# seqeval's `f1_score(..., scheme=IOB2)` ignores the scheme unless mode="strict" is given
# too, without a word. Names that begin with I- then count as found in full, and with
# scheme=BILOU the tags L- and U- are not known: two one-word names side by side are one.
# nervaluate's figure named "strict" reads I- at a name's begin as a beginning as well.
# Strict is not always the lower figure: a lone I- before a right name is dropped there
# and costs a false name in the default mode.
#
# Why it surprises: an argument that says how tags are to be read changes nothing, and
# "strict" means the tags in one library and the boundaries in the other.
#
# Instead: always give mode="strict" with scheme, and state both when comparing figures.
#
# Output seen:
#   I- begins a name    default 1.0 scheme only 1.0 strict 0.0 nervaluate strict 1.0
#   lone I- before B-   default 0.667 scheme only 0.667 strict 1.0 nervaluate strict 0.667
#   U- beside U- found  default 0.5 scheme only 0.5 strict 0.8
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q seqeval==1.2.2 nervaluate==1.2.1
cat >"$dir/look.py" <<'PY'
from nervaluate import Evaluator
from seqeval.metrics import f1_score
from seqeval.scheme import BILOU, IOB2

def scores(gold, guess, scheme):
    gold, guess = [gold.split()], [guess.split()]
    return (("default", f1_score(gold, guess)),
            ("scheme only", f1_score(gold, guess, scheme=scheme)),
            ("strict", f1_score(gold, guess, mode="strict", scheme=scheme)))

def other(gold, guess):
    found = Evaluator([gold.split()], [guess.split()], tags=["PER", "LOC"], loader="list").evaluate()
    return (("nervaluate strict", found["overall"]["strict"].f1),)

def show(name, pairs):
    print(name, *(f"{k} {round(float(v), 3)}" for k, v in pairs))

case = "B-PER I-PER O B-LOC", "I-PER I-PER O I-LOC"
show("I- begins a name   ", scores(*case, IOB2) + other(*case))
case = "O B-PER I-PER", "I-PER B-PER I-PER"
show("lone I- before B-  ", scores(*case, IOB2) + other(*case))
show("U- beside U- found ", scores("U-LOC U-LOC O B-PER L-PER", "U-LOC O O B-PER L-PER", BILOU))
PY
diff - <("$dir/venv/bin/python" -W ignore "$dir/look.py" 2>&1) <<'SEEN'
I- begins a name    default 1.0 scheme only 1.0 strict 0.0 nervaluate strict 1.0
lone I- before B-   default 0.667 scheme only 0.667 strict 1.0 nervaluate strict 0.667
U- beside U- found  default 0.5 scheme only 0.5 strict 0.8
SEEN
echo "as seen: I- begins a name: scheme only 1.0, strict 0.0, nervaluate strict 1.0"
