"""Gives a bundle the vision encoder of another, where the two differ in their projector alone.

    python eyes.py FROM TO    # folders of bundles

TO's manifest is then without the entry by which it checks itself; `mner calibrate` writes it again.
"""

import json
import shutil
import sys
from pathlib import Path


def main(source, target):
    manifests = [json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (source, target)]
    ours, theirs = manifests
    if not ours.get("eyes") or ours.get("eyes") != theirs.get("eyes"):
        sys.exit(f"{source} and {target} have vision encoders of different kinds or sizes")
    theirs["files"]["eyes"] = ours["files"]["eyes"]
    theirs["files"].pop("manifest", None)
    shutil.copy(source / "eyes.bpk", target / "eyes.bpk")
    (target / "manifest.json").write_text(json.dumps(theirs, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
