#!/usr/bin/env bash
# safetensors 0.8.0 beside 0.7.0 (Python 3.11; the Rust crate 0.8.0 does the same)
#
# Since 0.8.0 `save_file` writes a temporary file and renames it. The file that comes out can be
# read by its owner alone, whatever the umask and whatever mode the file before had. Saved onto
# a symbolic link, it takes the link's place: what the link led to stays as it was.
#
# Why it surprises: config.json and the tokenizer beside it have the usual mode, so a model folder
# that a web server or a colleague could read before an update has one file that they cannot; and
# a link to a disk for large files fills the small disk, while readers of the other path get the
# old weights.
#
# Instead: give the file the mode of its neighbours after saving, and save to the path that
# `os.path.realpath` gives.
#
# Output seen:
#   0.7.0: new 644, over a file of 664: 664, over a link: still a link, target new
#   0.8.0: new 600, over a file of 664: 600, over a link: a file, target old
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
cat >"$dir/look.py" <<'PY'
import os
import stat
import sys
import tempfile

import numpy as np
import safetensors
from safetensors.numpy import load_file, save_file

os.umask(0o022)
folder = tempfile.mkdtemp(dir=sys.argv[1])
at = lambda name: os.path.join(folder, name)
mode = lambda name: f"{stat.S_IMODE(os.stat(at(name)).st_mode):o}"
save = lambda name, value: save_file({"a": np.full(2, value, np.float32)}, at(name))

save("new", 1)
save("shared", 1)
os.chmod(at("shared"), 0o664)
save("shared", 2)
save("target", 1)
os.symlink("target", at("link"))
save("link", 2)
link = "still a link" if os.path.islink(at("link")) else "a file"
target = "new" if load_file(at("target"))["a"][0] == 2 else "old"
print(f"{safetensors.__version__}: new {mode('new')}, over a file of 664: {mode('shared')}, over a link: {link}, target {target}")
PY
seen() {
    for version in 0.7.0 0.8.0; do
        "$dir/venv/bin/pip" install -q --disable-pip-version-check "safetensors==$version" numpy==2.3.5
        "$dir/venv/bin/python" "$dir/look.py" "$dir"
    done
}
diff - <(seen 2>&1) <<'SEEN'
0.7.0: new 644, over a file of 664: 664, over a link: still a link, target new
0.8.0: new 600, over a file of 664: 600, over a link: a file, target old
SEEN
echo "as seen: 0.8.0 writes files for their owner alone and replaces links"
