"""Tweets a second that onnxruntime int8 reads with the tokenizers library, in the fastest of three ways: JSON lines.

    python onnx_predict.py NETWORK TWEETS.jsonl [--cores 2]
"""

import argparse
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


class Reader:
    """Reads tweets in batches on some threads; a label for each subword is the answer."""

    def __init__(self, network, threads, batch):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(f"{network}/onnx/model_quantized.onnx", options, ["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(f"{network}/tokenizer.json")
        self.tokenizer.enable_padding()
        self.batch = batch

    def read(self, texts):
        labels = []
        for start in range(0, len(texts), self.batch):
            encoded = self.tokenizer.encode_batch(texts[start : start + self.batch])
            ids = np.array([one.ids for one in encoded], np.int64)
            mask = np.array([one.attention_mask for one in encoded], np.int64)
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            labels += list(self.session.run(None, inputs)[0].argmax(-1))
        return labels


def begin(network):
    global reader
    reader = Reader(network, 1, 1)


def read(texts):
    return len(reader.read(texts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("tweets")
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    texts = [json.loads(line)["text"] for line in open(given.tweets)]

    def measured(way, work):
        started = time.perf_counter()
        work()
        rate = round(len(texts) / (time.perf_counter() - started), 1)
        name = f"onnxruntime {onnxruntime.__version__} int8, {way}"
        print(json.dumps({"name": name, "cores": given.cores, "tweets_per_second": rate}))

    for batch in (1, 32):
        one = Reader(given.network, given.cores, batch)
        one.read(texts[:64])
        measured(f"one process, {batch} at a time", lambda: one.read(texts))
    # Not forked: the libraries have threads by now.
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.cores, spawned, initializer=begin, initargs=(given.network,)) as pool:
        parts = [texts[i : i + 50] for i in range(0, len(texts), 50)]
        list(pool.map(read, parts[: 4 * given.cores]))
        measured("a process a core", lambda: list(pool.map(read, parts)))


if __name__ == "__main__":
    main()
