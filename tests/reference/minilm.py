"""Hidden states of a real encoder (MiniLM-L6, all-mpnet-base-v2 or any other Hugging Face folder), for the parity test that runs
only where such a folder is present. The output belongs beside the weights, not in this repository.

    python -m venv .venv && .venv/bin/pip install -r tests/reference/requirements.txt
    .venv/bin/python tests/reference/minilm.py MODEL_FOLDER OUTPUT.safetensors

OUTPUT holds input_ids, attention_mask, token_type_ids (i64 [4, P]) of four sentences of different length,
`embeddings` and `last_hidden_state` (f32 [4, P, D]). Evaluation mode, f32, plain ("eager") attention.
The sentences are in the file's metadata, key `sentences`, as a JSON list.
"""

import argparse
import inspect
import json

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

SENTENCES = [
    "Obama",
    "RT @nasa: Sunita Williams is back in Houston with #Boeing!",
    "Caf\u00e9 \u65e5\u672c \U0001f680 https://t.co/abc",
    "The quick brown fox jumps over the lazy dog while Angela Merkel, Bayern Munich and the United Nations "
    "watch the northernmost lighthouse-keeper's unforgettable performance in Reykjavik.",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("output")
    arguments = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModel.from_pretrained(arguments.model, attn_implementation="eager", dtype=torch.float32).eval()
    encoded = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    case = {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}
    taken = inspect.signature(model.forward).parameters
    case["token_type_ids"] = encoded.get("token_type_ids", torch.zeros_like(case["input_ids"]))
    with torch.no_grad():
        output = model(**{name: case[name] for name in case if name in taken}, output_hidden_states=True)
    case["embeddings"] = output.hidden_states[0]
    case["last_hidden_state"] = output.last_hidden_state
    save_file(
        {k: v.contiguous().clone() for k, v in case.items()},
        arguments.output,
        metadata={"sentences": json.dumps(SENTENCES)},
    )
    lengths = case["attention_mask"].sum(1).tolist()
    print(f"{arguments.output}: {tuple(output.last_hidden_state.shape)}, lengths {lengths}")


if __name__ == "__main__":
    main()
