#!/usr/bin/env bash
# doccano-transformer 1.0.2 (Python 3.11), the converter of doccano's makers
#
# `to_conll2003` gives a name's tag to whatever token touches its start: of `"Obama" said`
# with Obama annotated the quotation mark becomes B-PER and Obama I-PER. The tag moves with
# the tokenizer: cut at white space alone, `"Obama"` is B-PER as one token.
#
# Why it surprises: the spans are exact, the tokenizer keeps the mark apart, nothing is
# said, and the file is well-formed BIO. Every quoted or bracketed name and every
# hashtag (`# Boeing`) is learnt, and scored, with a mark too many.
#
# Cause: a token is outside if its end is *before* the span's start (`token_end < start`);
# ends are exclusive, so one that ends where the span begins is inside.
#
# Instead: make the tags from the spans yourself, e.g. with spaCy's offsets_to_biluo_tags.
#
# (The package imports `spacy.gold`, which no spaCy 3 has; an empty one stands in here and
# is not used.)
#
# Output seen:
#   "/B-PER Obama/I-PER "/O said/O
#   #/B-ORG Boeing/I-ORG
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --no-deps doccano-transformer==1.0.2
mkdir "$dir/spacy" && touch "$dir/spacy/__init__.py"
echo 'biluo_tags_from_offsets = None' >"$dir/spacy/gold.py"
cat >"$dir/look.py" <<'PY'
import json, re
from doccano_transformer.datasets import NERDataset
from doccano_transformer.utils import read_jsonl

records = [{"id": 1, "text": '"Obama" said', "labels": [[1, 6, "PER"]]},
           {"id": 2, "text": "#Boeing", "labels": [[1, 7, "ORG"]]}]
with open("exported.jsonl", "w") as file:
    for record in records:
        file.write(json.dumps(record) + "\n")
dataset = read_jsonl(filepath="exported.jsonl", dataset=NERDataset, encoding="utf-8")
for document in dataset.to_conll2003(tokenizer=lambda text: re.findall(r"\w+|[^\w\s]", text)):
    rows = [line.split() for line in document["data"].splitlines()[1:] if line]
    print(" ".join(f"{row[0]}/{row[-1]}" for row in rows))
PY
cd "$dir"
diff - <(PYTHONPATH="$dir" "$dir/venv/bin/python" look.py 2>&1) <<'SEEN'
"/B-PER Obama/I-PER "/O said/O
#/B-ORG Boeing/I-ORG
SEEN
echo 'as seen: "/B-PER Obama/I-PER; #/B-ORG Boeing/I-ORG'
