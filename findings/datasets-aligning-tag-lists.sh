#!/usr/bin/env bash
# datasets 5.2.0, pyarrow 26.0.1 (Python 3.11)
#
# A column of tag lists, List(ClassLabel), is to be brought to another order of the same
# names. `cast_column` to the other ClassLabel keeps the numbers and so exchanges the names:
# B-PER becomes B-LOC, in silence. `align_labels_with_mapping`, made for this, works on a
# column with one label a row and raises NameError ("Sequence" is not defined) on lists.
#
# Why it surprises: a cast from strings to ClassLabel goes by the names; the one from
# ClassLabel to ClassLabel knows both lists of names and goes by neither. And the function
# for the purpose fails exactly for tags, in a branch that a column of lists always takes.
#
# Instead: `map` over the rows: names by int2str of the old feature, numbers by str2int of
# the new one, with `features=` given.
#
# Output seen:
#   before      B-PER O B-LOC
#   cast_column B-LOC O B-PER
#   strings     B-PER O B-LOC
#   align, one label a row: B-PER
#   align, lists: NameError name 'Sequence' is not defined
#   map         B-PER O B-LOC
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1
cat >"$dir/look.py" <<'PY'
from datasets import ClassLabel, Dataset, Features, List, Value

old, new = ClassLabel(names=["O", "B-LOC", "B-PER"]), ClassLabel(names=["O", "B-PER", "B-LOC"])
TAGS = ["B-PER", "O", "B-LOC"]
data = Dataset.from_dict({"tags": [TAGS]}, features=Features({"tags": List(old)}))

def show(name, table):
    print(name.ljust(11), *map(table.features["tags"].feature.int2str, table["tags"][0]))

show("before", data)
show("cast_column", data.cast_column("tags", List(new)))
text = Dataset.from_dict({"tags": [TAGS]}, features=Features({"tags": List(Value("string"))}))
show("strings", text.cast_column("tags", List(new)))
order = {name: number for number, name in enumerate(new.names)}
single = Dataset.from_dict({"tags": ["B-PER"]}, features=Features({"tags": old}))
single = single.align_labels_with_mapping(order, "tags")
print("align, one label a row:", single.features["tags"].int2str(single["tags"][0]))
try:
    data.align_labels_with_mapping(order, "tags")
    print("align, lists: no error")
except Exception as error:
    print("align, lists:", type(error).__name__, error)
show("map", data.map(lambda row: {"tags": [new.str2int(old.int2str(tag)) for tag in row["tags"]]},
                     features=Features({"tags": List(new)})))
PY
cd "$dir" && export HF_HOME="$dir/hf" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
diff - <("$dir/venv/bin/python" look.py 2>"$dir/log" || cat "$dir/log") <<'SEEN'
before      B-PER O B-LOC
cast_column B-LOC O B-PER
strings     B-PER O B-LOC
align, one label a row: B-PER
align, lists: NameError name 'Sequence' is not defined
map         B-PER O B-LOC
SEEN
echo "as seen: cast_column gives B-LOC O B-PER; align on lists gives NameError"
