#!/usr/bin/env bash
# nervaluate 1.2.1 (Python 3.11)
#
# The dictionary loader takes {label, start, end} and counts `end` as the last position of
# the span. Annotation tools, JSONL exports and tokenisers write `end` as the first
# position after it. With such spans, two names that merely touch ("AdaRome" in a hashtag,
# any text without spaces, "Rome/Paris" with the sign included) count as overlapping:
# a prediction that has no letter in common with the true name gets half a point as
# "partial" and the full point as "ent_type".
#
# Why it surprises: no error can show it, exact matches score as they should, and so the
# mistake appears only in the lenient figures, always upwards.
#
# Instead: subtract 1 from every end before the loader, in gold and prediction alike.
#
# Output seen:
#   ends after the span strict 0 partial 0.5 ent_type 1.0 exact 0
#   ends in the span    strict 0 partial 0 ent_type 0 exact 0
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q nervaluate==1.2.1
cat >"$dir/look.py" <<'PY'
from nervaluate import Evaluator

text = "#AdaRome"
def score(shift):
    gold, guess = [[{"label": "PER", "start": s, "end": e - shift}] for s, e in ((1, 4), (4, 8))]
    return Evaluator([gold], [guess], tags=["PER"], loader="dict").evaluate()["overall"]

assert (text[1:4], text[4:8]) == ("Ada", "Rome")
for name, shift in (("ends after the span", 0), ("ends in the span   ", 1)):
    found = score(shift)
    print(name, *(f"{k} {found[k].f1}" for k in ("strict", "partial", "ent_type", "exact")))
PY
diff - <("$dir/venv/bin/python" "$dir/look.py" 2>&1) <<'SEEN'
ends after the span strict 0 partial 0.5 ent_type 1.0 exact 0
ends in the span    strict 0 partial 0 ent_type 0 exact 0
SEEN
echo "as seen: touching spans score partial 0.5, ent_type 1.0"
