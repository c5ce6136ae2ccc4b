#!/usr/bin/env bash
# transformers 5.24.0, tokenizers 0.23.3 (Python 3.11)
#
# A folder with config.json and a complete tokenizer.json but no tokenizer_config.json:
# `AutoTokenizer` picks the class from model_type and builds that class's own normaliser
# and pre-tokeniser; from tokenizer.json it takes the pieces and merges, not those two.
# A cased BERT is lower-cased ("Rome" becomes "rome", "Ada" [UNK]); a RoBERTa whose
# pre-tokeniser adds a space before each word loses the pieces that begin with a space.
#
# Why it surprises: tokenizer.json says both things outright, `Tokenizer.from_file` obeys
# it, and nothing is logged. Capital letters are what a name finder reads first.
#
# Instead: ship a tokenizer_config.json with "tokenizer_class": "PreTrainedTokenizerFast";
# then the file is used as written. Naming "BertTokenizerFast" does not help.
#
# Output seen:
#   bert    file ['Ada', 'saw', 'Rome'] auto ['[UNK]', 'saw', 'rome']
#   bert    BertTokenizerFast ['[UNK]', 'saw', 'rome'] PreTrainedTokenizerFast ['Ada', 'saw', 'Rome']
#   roberta file ['ĠA', 'd', 'a', 'Ġ', 'i', 'n'] auto ['Ad', 'a', 'i', 'n']
#   roberta PreTrainedTokenizerFast ['ĠA', 'd', 'a', 'Ġ', 'i', 'n']
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q transformers==5.24.0 tokenizers==0.23.3
cat >"$dir/look.py" <<'PY'
import json
from pathlib import Path
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer

def folder(name, tokenizer, model_type, tokenizer_class=None):
    place = Path(name)
    place.mkdir()
    tokenizer.save(str(place / "tokenizer.json"))
    (place / "config.json").write_text(json.dumps({"model_type": model_type}))
    if tokenizer_class:
        (place / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer_class}))
    return AutoTokenizer.from_pretrained(name)

pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Ada", "saw", "Rome", "rome"]
cased = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
cased.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
cased.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
said = "Ada saw Rome"
print("bert    file", cased.encode(said).tokens, "auto", folder("a", cased, "bert").tokenize(said))
print("bert   ", *(x for c in ("BertTokenizerFast", "PreTrainedTokenizerFast")
                   for x in (c, folder(c, cased, "bert", c).tokenize(said))))

pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "ĠA", "Ad"]
spaced = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, [("Ġ", "A"), ("A", "d")]))
spaced.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
words = ["Ada", "in"]

def split_words(auto):
    ids = auto(words, is_split_into_words=True, add_special_tokens=False)["input_ids"]
    return auto.convert_ids_to_tokens(ids)

print("roberta file", spaced.encode(words, is_pretokenized=True).tokens,
      "auto", split_words(folder("b", spaced, "roberta")))
print("roberta PreTrainedTokenizerFast",
      split_words(folder("c", spaced, "roberta", "PreTrainedTokenizerFast")))
PY
cd "$dir" && export HF_HOME="$dir/hf" HF_HUB_OFFLINE=1
diff - <("$dir/venv/bin/python" look.py 2>"$dir/log" || cat "$dir/log") <<'SEEN'
bert    file ['Ada', 'saw', 'Rome'] auto ['[UNK]', 'saw', 'rome']
bert    BertTokenizerFast ['[UNK]', 'saw', 'rome'] PreTrainedTokenizerFast ['Ada', 'saw', 'Rome']
roberta file ['ĠA', 'd', 'a', 'Ġ', 'i', 'n'] auto ['Ad', 'a', 'i', 'n']
roberta PreTrainedTokenizerFast ['ĠA', 'd', 'a', 'Ġ', 'i', 'n']
SEEN
echo "as seen: bert auto ['[UNK]', 'saw', 'rome'], roberta auto ['Ad', 'a', 'i', 'n']"
