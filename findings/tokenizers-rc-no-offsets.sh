#!/usr/bin/env bash
# tokenizers 1.0.0rc3 beside 0.23.3, numpy 2.4.6 in both (Python 3.11)
#
# The encodings of the release candidate hold ids, type ids and the attention mask, and no
# more: `offsets`, `word_ids` and `tokens` are gone, so a piece can no longer be tied to its
# place in the text or to its word, and that is what naming entities needs of a tokeniser.
# `is_pretokenized` is gone as well. A list of two words given to `encode` is taken for a
# pair of texts (the second word gets type 1), one of three words raises an error: code for
# tweets in words that just drops the argument is wrong for tweets of two words, silently.
#
# Why it surprises: both read the same tokenizer.json and give the same ids, and
# `Tokenizer.from_file` and `encode` go on working.
#
# Instead: stay with 0.23, or split the words yourself, encode each and count its pieces.
#
# Output seen:
#   0.23.3 ids [1, 2, 3, 4] offsets [(0, 3), (4, 7), (8, 10), (10, 12)] words [0, 1, 2, 2]
#   0.23.3 in words, two: ids [1, 3, 4] types [0, 0, 0]
#   1.0.0rc3 ids [1, 2, 3, 4] has offsets False word_ids False tokens False
#   1.0.0rc3 is_pretokenized: TypeError
#   1.0.0rc3 list of two: ids [1, 3, 4] types [0, 1, 1], list of three: TypeError
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
for version in 0.23.3 1.0.0rc3; do
  python3 -m venv "$version"
  "$version/bin/pip" install -q "tokenizers==$version" numpy==2.4.6
done
cat >old.py <<'PY'
from tokenizers import Tokenizer, __version__, models, normalizers, pre_tokenizers
pieces = ["[UNK]", "ada", "saw", "ro", "##me"]
tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
tokenizer.save("tokenizer.json")
found = tokenizer.encode("Ada saw Rome")
print(__version__, "ids", found.ids, "offsets", found.offsets, "words", found.word_ids)
found = tokenizer.encode(["Ada", "Rome"], is_pretokenized=True)
print(__version__, "in words, two: ids", found.ids, "types", found.type_ids)
PY
cat >new.py <<'PY'
from tokenizers import Tokenizer
name = "1.0.0rc3"
tokenizer = Tokenizer.from_file("tokenizer.json")
found = tokenizer.encode("Ada saw Rome")
print(name, "ids", found.ids, "has", *(f"{x} {hasattr(found, x)}" for x in ("offsets", "word_ids", "tokens")))
def error(*given, **more):
    try:
        return tokenizer.encode(*given, **more).ids
    except Exception as raised:
        return type(raised).__name__
print(name, "is_pretokenized:", error(["Ada", "Rome"], is_pretokenized=True))
found = tokenizer.encode(["Ada", "Rome"])
print(name, "list of two: ids", found.ids, f"types {found.type_ids}, list of three:", error(["Ada", "saw", "Rome"]))
PY
diff - <(0.23.3/bin/python old.py 2>&1; 1.0.0rc3/bin/python new.py 2>&1) <<'SEEN'
0.23.3 ids [1, 2, 3, 4] offsets [(0, 3), (4, 7), (8, 10), (10, 12)] words [0, 1, 2, 2]
0.23.3 in words, two: ids [1, 3, 4] types [0, 0, 0]
1.0.0rc3 ids [1, 2, 3, 4] has offsets False word_ids False tokens False
1.0.0rc3 is_pretokenized: TypeError
1.0.0rc3 list of two: ids [1, 3, 4] types [0, 1, 1], list of three: TypeError
SEEN
echo "as seen: no offsets, word_ids or tokens; a list of two words is a pair, types [0, 1, 1]"
