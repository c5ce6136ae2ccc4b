#!/usr/bin/env bash
# doccano 1.8.4 (its front end run by Node 20; Python 3.11) beside doccano-transformer 1.0.2
#
# doccano's front end counts offsets in UTF-16 units, which its source calls code points
# (`codePointLength` is `text.length`); with "Count grapheme clusters" it counts these. Its
# server stores what it is sent and exports that. Python, doccano's own server model and
# converter included, slices by code points: after an emoji every span is off.
#
# Why it surprises: it goes wrong only in texts with characters beyond U+FFFF, tweets above
# all, and silently: the span is inside the text and cuts something else. No setting gives
# code points. A file that was imported with Python's offsets and then edited has both kinds.
#
# Instead: text.encode("utf-16-le")[2*s:2*e].decode("utf-16-le"), or the clusters.
#
# Output seen:
#   text.length of the class  "👩 Ada" 6, code points 5
#   selecting Ada             sends [3, 6], with grapheme clusters [2, 5]
#   Python's text[3:6]        "da"
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
pip download -q --no-deps --disable-pip-version-check doccano==1.8.4
cat >look.py <<'PY'
import json, re, subprocess, zipfile

with zipfile.ZipFile("doccano-1.8.4-py3-none-any.whl") as archive:
    names = [n for n in archive.namelist() if re.fullmatch(r"backend/staticfiles/_nuxt/\w+\.js", n)]
    bundles = (archive.read(n).decode() for n in names)
    open("bundle.js", "w").write(next(b for b in bundles if "te(this,e),this.text=text,this.graphemes" in b))
print(subprocess.run(["node", "look.js"], capture_output=True, text=True, check=True).stdout, end="")
print(f"Python's text[3:6]        {json.dumps('👩 Ada'[3:6])}")
PY
cat >look.js <<'JS'
// The class `Text` of the annotator and what it needs, cut out of the bundle; the three helpers are Babel's.
const bundle = require('fs').readFileSync('bundle.js', 'utf8');
const balanced = (from) => {
  let depth = 0;
  for (let i = bundle.indexOf('{', from); ; i++) {
    if (bundle[i] === '{') depth++;
    if (bundle[i] === '}' && --depth === 0) return bundle.slice(from, i + 1);
  }
};
const splitter = { exports: {} };
eval(`(${balanced(bundle.lastIndexOf(':function(e,t,n)', bundle.indexOf('splitGraphemes=function')) + 1)})`)(splitter);
const ee = (list) => { const it = list[Symbol.iterator](); let s; return { s() {}, n: () => (s = it.next()), e(x) { throw x; }, f() {} }; };
const l = (list) => Array.from(list);
const te = () => {};
const re = (type, members) => { for (const { key, ...m } of members) Object.defineProperty(type.prototype, key, m); return type; };
const be = { a: splitter.exports };
const Text = eval(`(${balanced(bundle.lastIndexOf('function()', bundle.indexOf('this.graphemes=[],this.g2c')))})()`);
const text = new Text('👩 Ada');
console.log(`text.length of the class  "👩 Ada" ${text.codePointLength}, code points ${[...text.text].length}`);
console.log(`selecting Ada             sends [3, 6], with grapheme clusters [${text.toGraphemeOffset(3)}, ${text.toGraphemeOffset(6)}]`);
JS
diff - <(python3 look.py 2>&1) <<'SEEN'
text.length of the class  "👩 Ada" 6, code points 5
selecting Ada             sends [3, 6], with grapheme clusters [2, 5]
Python's text[3:6]        "da"
SEEN
echo 'as seen: the class counts 6 in "👩 Ada", and [3, 6] is "da" to Python'
