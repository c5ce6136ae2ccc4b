#!/usr/bin/env bash
# rapidocr 3.10.0, onnxruntime 1.32.0, pillow 13.0.0 (Python 3.11, Linux on x86-64)
#
# The order of the words depends on the size of the picture. Two words on one line, the
# left one a little lower (a seventh of the letters' height, as in any photograph held
# askew): boxes whose tops lie fewer than 10 pixels apart are one line and sorted from the
# left; 10 or more and the higher one comes first. The same drawing twice as large is read
# from right to left.
#
# Why it surprises: the 10 is a number of pixels, not a share of the letters' height, so a
# sharper photograph is read worse, and "Rome Paris" becomes "Paris Rome" to whatever looks
# for names in the text.
#
# Instead: take the boxes and sort them by a share (about half) of their own height.
#
# Output seen:
#   1 x ('Rome', 'Paris')
#   2 x ('Paris', 'Rome')
#   4 x ('Paris', 'Rome')
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q rapidocr==3.10.0 onnxruntime==1.32.0 pillow==13.0.0
cat >"$dir/look.py" <<'PY'
from PIL import Image, ImageDraw, ImageFont
from rapidocr import RapidOCR

reader = RapidOCR(params={"Global.log_level": "error"})
for size in (1, 2, 4):
    picture = Image.new("RGB", (640 * size, 200 * size), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(40 * size)
    draw.text((30 * size, 46 * size), "Rome", fill="black", font=font)
    draw.text((330 * size, 40 * size), "Paris", fill="black", font=font)
    print(size, "x", reader(picture).txts)
PY
diff - <("$dir/venv/bin/python" "$dir/look.py" 2>"$dir/log" || cat "$dir/log") <<'SEEN'
1 x ('Rome', 'Paris')
2 x ('Paris', 'Rome')
4 x ('Paris', 'Rome')
SEEN
echo "as seen: 1 x ('Rome', 'Paris'), 2 x ('Paris', 'Rome')"
