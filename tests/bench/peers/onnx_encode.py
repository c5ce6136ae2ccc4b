"""Milliseconds that onnxruntime takes for one tweet of so many subwords: f32 and int8, a JSON line each.

    python onnx_encode.py NETWORK [--subwords 32] [--threads 1] [--runs 60]
"""

import argparse
import json
import time

import numpy as np
import onnxruntime

parser = argparse.ArgumentParser()
parser.add_argument("network")
parser.add_argument("--subwords", type=int, default=32)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--runs", type=int, default=60)
given = parser.parse_args()

random = np.random.default_rng(1)
ids = random.integers(1000, 20000, (1, given.subwords))
inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = given.threads
for name, file in [("f32", "model.onnx"), ("int8", "model_quantized.onnx")]:
    session = onnxruntime.InferenceSession(f"{given.network}/onnx/{file}", options, ["CPUExecutionProvider"])
    times = []
    for _ in range(given.runs + 3):
        started = time.perf_counter()
        session.run(None, inputs)
        times.append(1e3 * (time.perf_counter() - started))
    times = sorted(times[3:])
    line = {
        "name": f"onnxruntime {onnxruntime.__version__} {name}",
        "subwords": given.subwords,
        "threads": given.threads,
        "milliseconds_least": round(times[0], 2),
        "milliseconds_median": round(times[len(times) // 2], 2),
    }
    print(json.dumps(line))
