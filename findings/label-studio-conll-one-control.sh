#!/usr/bin/env bash
# label-studio-sdk 2.1.2 (Python 3.11)
#
# The converter's CONLL2003 export writes the regions of one labelling control per task:
# of the control whose region stands first in the task's result, that is, whichever was
# drawn first. The regions of every other <Labels> control become O. Two tasks with the
# same labels, drawn in another order, come out with different tags.
#
# Why it surprises: nothing is said, the file is valid, the tasks' JSON holds every region,
# and a project that keeps people and places in two controls gets a training corpus in
# which each sentence lacks one of the two kinds, another one each time.
#
# Instead: export JSON and make CoNLL from all regions, or put all labels in one control.
#
# Output seen:
#   who first    Ada/B-PER saw/O Rome/O
#   where first  Ada/O saw/O Rome/B-LOC
#   one control  Ada/B-PER saw/O Rome/B-LOC
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q label-studio-sdk==2.1.2
cat >"$dir/look.py" <<'PY'
import json
from label_studio_sdk.converter import Converter

TEXT = "Ada saw Rome"
def control(name, *labels):
    return f'<Labels name="{name}" toName="t">' + "".join(f'<Label value="{x}"/>' for x in labels) + "</Labels>"

def export(controls, *regions):
    result = [{"id": f"r{start}", "from_name": name, "to_name": "t", "type": "labels",
               "value": {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]}}
              for name, start, end, label in regions]
    with open("tasks.json", "w") as file:
        json.dump([{"id": 1, "data": {"text": TEXT}, "annotations": [{"id": 1, "result": result}]}], file)
    view = f'<View>{controls}<Text name="t" value="$text"/></View>'
    Converter(view, project_dir=None).convert("tasks.json", "out", "CONLL2003", is_dir=False)
    with open("out/result.conll") as file:
        rows = [line.split() for line in file.read().splitlines()[1:] if line]
    return " ".join(f"{row[0]}/{row[-1]}" for row in rows)

two = control("who", "PER") + control("where", "LOC")
person, place = ("who", 0, 3, "PER"), ("where", 8, 12, "LOC")
print("who first   ", export(two, person, place))
print("where first ", export(two, place, person))
print("one control ", export(control("all", "PER", "LOC"), ("all", 0, 3, "PER"), ("all", 8, 12, "LOC")))
PY
cd "$dir"
diff - <("$dir/venv/bin/python" look.py 2>"$dir/log" || cat "$dir/log") <<'SEEN'
who first    Ada/B-PER saw/O Rome/O
where first  Ada/O saw/O Rome/B-LOC
one control  Ada/B-PER saw/O Rome/B-LOC
SEEN
echo "as seen: who first Ada/B-PER saw/O Rome/O; where first Ada/O saw/O Rome/B-LOC"
