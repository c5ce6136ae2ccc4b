#!/usr/bin/env bash
# rapidocr 3.10.0, onnxruntime 1.32.0, pillow 13.0.0 (Python 3.11, Linux on x86-64)
#
# What is passed to one call of a RapidOCR object (`text_score`, `use_rec`, `use_det`, ..)
# is kept by the object: a later call without arguments uses it again. One strict call
# (text_score=1.0) and every later picture is empty; one call with use_rec=False and every
# later call returns another class, without any text.
#
# Why it surprises: they are keyword arguments with default values of the call, there is a
# constructor for settings of the object, and an empty answer is a valid one. A second part
# of a program that shares the object changes what the first one reads.
#
# Instead: pass every option in every call, or keep one object per set of options.
#
# Output seen:
#   fresh               RapidOCROutput ('Rome',)
#   text_score=1.0      RapidOCROutput None
#   no argument         RapidOCROutput None
#   text_score=0.5      RapidOCROutput ('Rome',)
#   use_rec=False       TextDetOutput -
#   no argument         TextDetOutput -
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q rapidocr==3.10.0 onnxruntime==1.32.0 pillow==13.0.0
cat >"$dir/look.py" <<'PY'
from PIL import Image, ImageDraw, ImageFont
from rapidocr import RapidOCR

picture = Image.new("RGB", (320, 120), "white")
ImageDraw.Draw(picture).text((30, 30), "Rome", fill="black", font=ImageFont.load_default(40))
reader = RapidOCR(params={"Global.log_level": "error"})

def show(name, **options):
    found = reader(picture, **options)
    print(name.ljust(19), type(found).__name__, getattr(found, "txts", "-"))

show("fresh")
show("text_score=1.0", text_score=1.0)
show("no argument")
show("text_score=0.5", text_score=0.5)
show("use_rec=False", use_rec=False)
show("no argument")
PY
diff - <("$dir/venv/bin/python" "$dir/look.py" 2>"$dir/log" || cat "$dir/log") <<'SEEN'
fresh               RapidOCROutput ('Rome',)
text_score=1.0      RapidOCROutput None
no argument         RapidOCROutput None
text_score=0.5      RapidOCROutput ('Rome',)
use_rec=False       TextDetOutput -
no argument         TextDetOutput -
SEEN
echo "as seen: after one call with text_score=1.0 a call without arguments reads None"
