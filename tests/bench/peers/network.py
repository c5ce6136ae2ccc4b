"""A MiniLM-L6 token classifier of random weights, as ONNX in f32 and int8, laid out for transformers.js.

    python network.py TOKENIZER_JSON OUT

Sizes are those of sentence-transformers/all-MiniLM-L6-v2 (6 layers of 384, 12 heads, feed-forward 1536, 30522 subwords),
with nine labels; the graph is what torch.onnx exports for it. int8 is onnxruntime's dynamic quantisation.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

LAYERS, D, HEADS, FFN, VOCAB, POSITIONS, LABELS = 6, 384, 12, 1536, 30522, 512, 9
random = np.random.default_rng(1)
nodes, weights = [], []
count = 0


def constant(values):
    name = f"w{len(weights)}"
    weights.append(numpy_helper.from_array(np.asarray(values), name))
    return name


def op(kind, *inputs, **attributes):
    global count
    count += 1
    nodes.append(helper.make_node(kind, list(inputs), [f"x{count}"], name=f"{kind}{count}", **attributes))
    return f"x{count}"


def linear(x, rows, columns):
    matrix = constant((0.02 * random.standard_normal((rows, columns))).astype(np.float32))
    return op("Add", op("MatMul", x, matrix), constant(np.zeros(columns, np.float32)))


def norm(x):
    one, zero = constant(np.ones(D, np.float32)), constant(np.zeros(D, np.float32))
    return op("LayerNormalization", x, one, zero, epsilon=1e-12, axis=-1)


def table(rows, ids):
    return op("Gather", constant((0.02 * random.standard_normal((rows, D))).astype(np.float32)), ids)


def heads(x, order):
    split = op("Reshape", x, constant(np.array([0, 0, HEADS, D // HEADS], np.int64)))
    return op("Transpose", split, perm=order)


def gelu(x):
    erf = op("Erf", op("Div", x, constant(np.float32(2**0.5))))
    return op("Mul", op("Mul", x, op("Add", erf, constant(np.float32(1)))), constant(np.float32(0.5)))


def network():
    length = op("Gather", op("Shape", "input_ids"), constant(np.int64(1)))
    positions = op("Range", constant(np.int64(0)), length, constant(np.int64(1)))
    x = op("Add", table(VOCAB, "input_ids"), table(2, "token_type_ids"))
    x = norm(op("Add", x, table(POSITIONS, positions)))
    absent = op("Sub", constant(np.float32(1)), op("Cast", "attention_mask", to=TensorProto.FLOAT))
    mask = op("Unsqueeze", op("Mul", absent, constant(np.float32(-1e9))), constant(np.array([1, 2], np.int64)))
    for _ in range(LAYERS):
        q = heads(linear(x, D, D), [0, 2, 1, 3])
        k = heads(linear(x, D, D), [0, 2, 3, 1])
        v = heads(linear(x, D, D), [0, 2, 1, 3])
        logits = op("Div", op("MatMul", q, k), constant(np.float32((D // HEADS) ** 0.5)))
        attention = op("MatMul", op("Softmax", op("Add", logits, mask), axis=-1), v)
        joined = op("Transpose", attention, perm=[0, 2, 1, 3])
        joined = op("Reshape", joined, constant(np.array([0, 0, D], np.int64)))
        x = norm(op("Add", x, linear(joined, D, D)))
        x = norm(op("Add", x, linear(gelu(linear(x, D, FFN)), FFN, D)))
    logits = linear(x, D, LABELS)
    nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    scores = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "length", LABELS])
    graph = helper.make_graph(nodes, "minilm", ids, [scores], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def main():
    tokenizer, out = map(Path, sys.argv[1:])
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    full, small = out / "onnx/model.onnx", out / "onnx/model_quantized.onnx"
    model = network()
    onnx.checker.check_model(model)
    onnx.save(model, full)
    quantize_dynamic(full, small, weight_type=QuantType.QUInt8)
    shutil.copy(tokenizer, out / "tokenizer.json")
    labels = ["O"] + [f"{prefix}-{kind}" for kind in ("PER", "LOC", "ORG", "MISC") for prefix in "BI"]
    config = {
        "model_type": "bert",
        "architectures": ["BertForTokenClassification"],
        "hidden_size": D,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "vocab_size": VOCAB,
        "id2label": dict(enumerate(labels)),
    }
    (out / "config.json").write_text(json.dumps(config))
    (out / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", "model_max_length": 512}))


main()
