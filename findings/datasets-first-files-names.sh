#!/usr/bin/env bash
# datasets 5.2.0, pyarrow 26.0.1 (Python 3.11)
#
# Two Parquet files, each written by `to_parquet` with its own ClassLabel names in
# its schema, are loaded together: all numbers are read with the names of the first
# file. It happens within one split and across splits, so a test file whose list is
# in another order is scored with the training file's names. Nothing is said.
# A file whose numbers go beyond the first list does raise an error; one that merely
# orders the same types otherwise does not.
#
# Why it surprises: each file alone is read rightly, and `concatenate_datasets` of
# the two raises an error because the names differ. `load_dataset` looks at no schema
# but the first.
#
# Instead: load each file by itself, compare `features`, turn tags into names where they
# differ and these into numbers of one list, then concatenate.
#
# Output seen:
#   first alone   B-PER O B-LOC
#   second alone  B-PER O B-LOC
#   one split     B-PER O B-LOC | B-LOC O B-PER
#   train, test   B-PER O B-LOC | B-LOC O B-PER
#   concatenate   ValueError
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1
cat >"$dir/look.py" <<'PY'
from datasets import (ClassLabel, Dataset, Features, List, Value,
                      concatenate_datasets, load_dataset)

WORDS, TAGS = ["Ada", "in", "Rome"], ["B-PER", "O", "B-LOC"]
for file, order in (("one", ["O", "B-PER", "B-LOC"]), ("two", ["O", "B-LOC", "B-PER"])):
    features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=order))})
    Dataset.from_dict({"tokens": [WORDS], "ner_tags": [TAGS]}, features=features).to_parquet(file + ".parquet")

def load(files, **more):
    return load_dataset("parquet", data_files=files, cache_dir="cache", **more)

def names(part):
    label = part.features["ner_tags"].feature
    return [" ".join(map(label.int2str, row)) for row in part["ner_tags"]]

one = load("one.parquet", split="train")
two = load("two.parquet", split="train")
both = load(["one.parquet", "two.parquet"], split="train")
splits = load({"train": "one.parquet", "test": "two.parquet"})
try:
    concatenate_datasets([one, two])
    glued = "no error"
except ValueError:
    glued = "ValueError"
print("first alone  ", *names(one))
print("second alone ", *names(two))
print("one split    ", " | ".join(names(both)))
print("train, test  ", " | ".join(names(splits["train"]) + names(splits["test"])))
print("concatenate  ", glued)
PY
cd "$dir" && export HF_HOME="$dir/hf" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
diff - <("$dir/venv/bin/python" look.py 2>"$dir/log" || cat "$dir/log") <<'SEEN'
first alone   B-PER O B-LOC
second alone  B-PER O B-LOC
one split     B-PER O B-LOC | B-LOC O B-PER
train, test   B-PER O B-LOC | B-LOC O B-PER
concatenate   ValueError
SEEN
echo "as seen: one split reads B-PER O B-LOC | B-LOC O B-PER"
