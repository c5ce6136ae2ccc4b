#!/usr/bin/env bash
# nervaluate 1.2.1 (Python 3.11)
#
# Where predictions overlap each other (nested names, or two candidates for one name), the
# figures depend on their order in the list. Each prediction in turn takes the first true
# span it overlaps, even as an error; a later prediction that equals this span finds it
# taken and counts as spurious. The same two predictions score 0 or 2/3 in "strict".
#
# Why it surprises: a list of spans is a set to every other measure, "strict" sounds like a
# comparison of sets, and sorting by start and end (shortest first) gives the worst figure.
#
# Instead: remove overlaps before scoring, or put each exact match first; for nested names
# count the intersection of two sets of (start, end, label).
#
# Output seen:
#   part before whole strict F1 0 correct 0 of 1
#   whole before part strict F1 0.667 correct 1 of 1
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q nervaluate==1.2.1
cat >"$dir/look.py" <<'PY'
from nervaluate import Evaluator

whole = {"label": "ORG", "start": 0, "end": 3}   # University of New York, in words
part = {"label": "ORG", "start": 0, "end": 0}
for name, guesses in (("part before whole", [part, whole]), ("whole before part", [whole, part])):
    found = Evaluator([[whole]], [guesses], tags=["ORG"], loader="dict").evaluate()["overall"]["strict"]
    print(name, "strict F1", round(found.f1, 3), "correct", found.correct, "of", found.possible)
PY
diff - <("$dir/venv/bin/python" "$dir/look.py" 2>&1) <<'SEEN'
part before whole strict F1 0 correct 0 of 1
whole before part strict F1 0.667 correct 1 of 1
SEEN
echo "as seen: strict F1 0 in one order, 0.667 in the other"
