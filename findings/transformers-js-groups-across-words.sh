#!/usr/bin/env bash
# @huggingface/transformers 4.3.2 (npm, Node 20), onnx 1.23.2 and numpy 2.4.6 for a tiny model
#
# Token classification with aggregation_strategy "simple": pieces with an ignored label
# ("O" unless told otherwise) are thrown away before the groups are made, and a group goes
# on while the type stays the same, however far away the next piece is. With labels that
# begin a name by I- (IOB1, or a model that predicts I- after O) all names of one type in a
# text become one: two persons are one person called "ada bob", and "rome paris" one place.
# There is no `start` and no `end`, neither grouped nor raw (the types declare both as
# optional), and `word` is decoded from pieces, here lower-cased: "ada bob" stands nowhere
# in the text, so the mistake cannot be undone afterwards.
#
# Why it surprises: ignore_labels reads as a filter of the answer, yet leaving it empty gives
# other groups (the right ones), and a batch of tweets with one name each shows nothing.
#
# Instead: pass ignore_labels: [] and drop the group "O" yourself; for offsets take the
# tokeniser's pieces and align them with the text.
#
# Output seen:
#   simple               PER:ada bob LOC:rome paris
#   simple, none ignored PER:ada O:met PER:bob O:in LOC:rome O:not in LOC:paris
#   raw                  ada bo ##b rome paris
#   start or end anywhere: false
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
export npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
npm install --silent --ignore-scripts @huggingface/transformers@4.3.2
python3 -m venv venv
venv/bin/pip install -q onnx==1.23.2 numpy==2.4.6
cat >make.py <<'PY'
# A "network" that looks each piece's label up in a table.
import json
from pathlib import Path
import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

place = Path("models/tiny")
(place / "onnx").mkdir(parents=True)
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ada", "met", "in", "not", "rome", "paris", "bo", "##b"]
labels = ["O", "I-PER", "I-LOC"]
table = np.zeros((len(pieces), len(labels)), np.float32)
for row, piece in enumerate(pieces):
    table[row, 1 if piece in ("ada", "bo", "##b") else 2 if piece in ("rome", "paris") else 0] = 9
graph = helper.make_graph(
    [helper.make_node("Gather", ["table", "input_ids"], ["logits"])], "tiny",
    [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "pieces"])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", "pieces", len(labels)])],
    [numpy_helper.from_array(table, "table")])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(place / "onnx/model.onnx"))

def write(name, what):
    (place / name).write_text(json.dumps(what))

write("config.json", {"model_type": "bert", "architectures": ["BertForTokenClassification"],
                      "id2label": {str(i): x for i, x in enumerate(labels)}})
write("tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True})
def special(piece):
    return {"SpecialToken": {"id": piece, "type_id": 0}}
write("tokenizer.json", {
    "version": "1.0", "truncation": None, "padding": None,
    "added_tokens": [{"id": i, "content": pieces[i], "special": True, "single_word": False, "lstrip": False,
                      "rstrip": False, "normalized": False} for i in range(5)],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                   "strip_accents": None, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing", "pair": [],
                       "single": [special("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, special("[SEP]")],
                       "special_tokens": {p: {"id": p, "ids": [pieces.index(p)], "tokens": [p]} for p in ("[CLS]", "[SEP]")}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {p: i for i, p in enumerate(pieces)}}})
PY
cat >look.mjs <<'JS'
import { env, pipeline } from '@huggingface/transformers';
env.allowRemoteModels = false;
env.localModelPath = './models/';
const find = await pipeline('token-classification', 'tiny', { dtype: 'fp32' });
const text = 'Ada met Bob in Rome not in Paris';
const raw = await find(text);
const simple = await find(text, { aggregation_strategy: 'simple' });
const all = await find(text, { aggregation_strategy: 'simple', ignore_labels: [] });
const show = groups => groups.map(g => `${g.entity_group}:${g.word}`).join(' ');
console.log('simple              ', show(simple));
console.log('simple, none ignored', show(all));
console.log('raw                 ', raw.map(t => t.word).join(' '));
console.log('start or end anywhere:', [...raw, ...simple, ...all].some(x => 'start' in x || 'end' in x));
JS
venv/bin/python make.py
diff - <(node look.mjs 2>log || cat log) <<'SEEN'
simple               PER:ada bob LOC:rome paris
simple, none ignored PER:ada O:met PER:bob O:in LOC:rome O:not in LOC:paris
raw                  ada bo ##b rome paris
start or end anywhere: false
SEEN
echo "as seen: simple gives PER:ada bob LOC:rome paris"
