"""Leaves subwords out of an encoder that the texts hardly have, so that a model made of it is smaller.

    python trim.py ENCODER LEAST OUT TEXT... [--keep TEXT...]

ENCODER  Hugging Face folder of a BERT with a WordPiece tokenizer: config.json, model.safetensors (f32), tokenizer.json
LEAST    a subword stays if the texts have it so many times, if a text after --keep has it at all, or if it is a special token, a single
         character or the continuation of one: every word that could be cut still can
OUT      the folder to write
TEXT     a text file, gzip or plain

Prints how many subwords stay, and which share of the texts' words is cut as before.
"""

import gzip
import json
import shutil
import struct
import sys
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

TABLE = "embeddings.word_embeddings.weight"


def lines(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        yield from file


def read_safetensors(path):
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    at = 8 + size
    return metadata, {
        name: (entry["dtype"], entry["shape"], data[at + entry["data_offsets"][0] : at + entry["data_offsets"][1]])
        for name, entry in header.items()
    }


def write_safetensors(path, metadata, tensors):
    header, offset = {"__metadata__": metadata}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(b"".join([struct.pack("<Q", len(text)), text, *(data for _, _, data in tensors.values())]))


def main(encoder, least, out, texts, kept):
    encoder, out = Path(encoder), Path(out)
    file = encoder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    counts = Counter()
    for text in texts:
        for line in lines(text):
            counts.update(tokenizer.encode(line, add_special_tokens=False).ids)
    for text in kept:
        for line in lines(text):
            counts.update(dict.fromkeys(tokenizer.encode(line, add_special_tokens=False).ids, least))

    settings = json.loads(file.read_text(encoding="utf-8"))
    vocabulary = settings["model"]["vocab"]
    mark = settings["model"]["continuing_subword_prefix"]
    special = {token["content"] for token in settings["added_tokens"]}
    stay = sorted(
        (id, token)
        for token, id in vocabulary.items()
        if token in special or len(token.removeprefix(mark)) <= 1 or counts[id] >= least
    )
    new = {id: place for place, (id, _) in enumerate(stay)}
    settings["model"]["vocab"] = {token: new[id] for id, token in stay}
    for token in settings["added_tokens"]:
        token["id"] = new[token["id"]]
    for token in (settings.get("post_processor") or {}).get("special_tokens", {}).values():
        token["ids"] = [new[id] for id in token["ids"]]

    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    config = json.loads((encoder / "config.json").read_text())
    config["vocab_size"] = len(stay)
    config["pad_token_id"] = new[config.get("pad_token_id", 0)]
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    metadata, tensors = read_safetensors(encoder / "model.safetensors")
    name = next(name for name in tensors if name.endswith(TABLE))
    dtype, (_, width), data = tensors[name]
    row = 4 * width
    rows = b"".join(data[id * row : (id + 1) * row] for id, _ in stay)
    tensors[name] = (dtype, [len(stay), width], rows)
    write_safetensors(out / "model.safetensors", metadata, tensors)
    if (encoder / "tokenizer_config.json").exists():
        shutil.copy(encoder / "tokenizer_config.json", out)

    trimmed = Tokenizer.from_file(str(out / "tokenizer.json"))
    words, alike = Counter(), 0
    for text in texts:
        for line in lines(text):
            words.update(line.split())
    for word, count in words.items():
        pieces = (cut.encode(word, add_special_tokens=False).tokens for cut in (tokenizer, trimmed))
        alike += count if len({tuple(cut) for cut in pieces}) == 1 else 0
    print(f"{len(stay)} of {len(vocabulary)} subwords stay; {100 * alike / words.total():.2f} % of the words are cut as before")


if __name__ == "__main__":
    arguments, kept = sys.argv[1:], []
    if "--keep" in arguments:
        at = arguments.index("--keep")
        arguments, kept = arguments[:at], arguments[at + 1 :]
    if len(arguments) < 4:
        sys.exit(__doc__)
    main(arguments[0], int(arguments[1]), arguments[2], arguments[3:], kept)
