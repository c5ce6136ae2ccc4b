#!/usr/bin/env bash
# spacy 3.8.18 (Python 3.11)
#
# `spacy convert -c ner` splits every row at any white space, not at tabs, then zips the
# rows of a sentence to the shortest and takes the last column left as the tags. So in a
# tab-separated file
#  - a word with a space in it ("New York<TAB>B-LOC") becomes the word "New" of the type
#    "rk": the second half of the word is read as a tag without its first two letters;
#  - a word that is white space only (U+3000, as tweets hold) shortens its sentence by one
#    column: in a file of words, parts of speech and tags the parts of speech become the
#    tags, for the whole sentence, and "NNP" is a name of the type "P".
# The command ends with 0 and reports the file as written; the sentences beside are right.
#
# Why it surprises: the types "rk", "P" and "D" are invented, no line is refused, and a
# pipeline trained on the result simply learns them.
#
# Instead: replace white space within words before converting and check the set of types
# afterwards, or build Doc objects from the columns yourself.
#
# Output seen:
#   two   Ada left New | Ada=PER New=rk
#   two   Ada left Rome | Ada=PER Rome=LOC
#   three Ada left _ Rome | Ada=P left=D Rome=P
#   three In Rome | Rome=LOC
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q spacy==3.8.18
cd "$dir" && mkdir out
printf '%b' 'Ada\tB-PER\nleft\tO\nNew York\tB-LOC\n\nAda\tB-PER\nleft\tO\nRome\tB-LOC\n' >two.iob
printf '%b' 'Ada\tNNP\tB-PER\nleft\tVBD\tO\n\xe3\x80\x80\t_\tO\nRome\tNNP\tB-LOC\n\nIn\tIN\tO\nRome\tNNP\tB-LOC\n' >three.iob
for name in two three; do venv/bin/python -m spacy convert "$name.iob" out -c ner -n 1 >>log; done
cat >look.py <<'PY'
import spacy
from spacy.tokens import DocBin
vocab = spacy.blank("xx").vocab
for name in ("two", "three"):
    for doc in DocBin().from_disk(f"out/{name}.spacy").get_docs(vocab):
        print(name.ljust(5), *(w.text for w in doc), "|", *(f"{e.text}={e.label_}" for e in doc.ents))
PY
diff - <(venv/bin/python look.py 2>&1) <<'SEEN'
two   Ada left New | Ada=PER New=rk
two   Ada left Rome | Ada=PER Rome=LOC
three Ada left _ Rome | Ada=P left=D Rome=P
three In Rome | Rome=LOC
SEEN
echo "as seen: New=rk; Ada=P left=D Rome=P"
