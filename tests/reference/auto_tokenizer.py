"""Writes auto_tokenizer.json: the settings beside tokenizer.json with which `AutoTokenizer` gives the subwords of subwords.json.

A cased BERT (the reference's one, not lower-casing), a lower-casing one and a RoBERTa, words given split. Without the settings the
cased one is lower-cased and the RoBERTa loses its leading blanks; that is shown too. Run with transformers 4.57.1 and 5.24.0.
"""

import copy
import json
import tempfile
from pathlib import Path

import tokenizers
import transformers
from transformers import AutoTokenizer

HERE = Path(__file__).parent
CASES = {case["name"]: case for case in json.loads((HERE / "subwords.json").read_text())}
TYPES = {"bert": "bert", "bert-cased": "bert", "roberta": "roberta"}


def settings(name, case):
    names = [entry["content"] for entry in case["tokenizer"]["added_tokens"]]
    bert = "[CLS]" in names
    start, end = ("[CLS]", "[SEP]") if bert else ("<s>", "</s>")
    found = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 64,
        "cls_token": start,
        "sep_token": end,
        "pad_token": "[PAD]" if bert else "<pad>",
        "unk_token": "[UNK]" if bert else "<unk>",
        "mask_token": "[MASK]" if bert else "<mask>",
    }
    if not bert:
        found |= {"add_prefix_space": True, "bos_token": start, "eos_token": end}
    return found


def subwords(folder, words):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoding = tokenizer(words, is_split_into_words=True, add_special_tokens=False)
    return encoding["input_ids"]


def main():
    written = {}
    for name, model_type in TYPES.items():
        case = copy.deepcopy(CASES["bert" if name == "bert-cased" else name])
        if name == "bert-cased":
            case["tokenizer"]["normalizer"]["lowercase"] = False
        # As `mner export` writes it.
        case["tokenizer"] |= {"truncation": None, "padding": None}
        before = case["tokenizer"]["pre_tokenizer"]
        if before["type"] == "ByteLevel":
            before["add_prefix_space"] = True
        own = tokenizers.Tokenizer.from_str(json.dumps(case["tokenizer"]))
        # A word given as it is reads as one that follows a blank.
        words = case["words"]
        expected = [i for word in words for i in own.encode(word, add_special_tokens=False).ids]
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            (folder / "tokenizer.json").write_text(json.dumps(case["tokenizer"]))
            (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
            try:
                without = subwords(folder, words) == expected
            except Exception as error:
                without = type(error).__name__
            written[name] = settings(name, case)
            (folder / "tokenizer_config.json").write_text(json.dumps(written[name]))
            assert subwords(folder, words) == expected, name
        print(transformers.__version__, name, "right; without the settings:", without)
    text = json.dumps(written, indent=1, ensure_ascii=False) + "\n"
    (HERE / "auto_tokenizer.json").write_text(text)


main()
