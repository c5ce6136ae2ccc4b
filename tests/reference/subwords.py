"""Subwords of `transformers`' fast tokenizers with is_split_into_words=True.

Writes subwords.json: for a tiny BERT-like, RoBERTa-like and XLM-R-like tokenizer its tokenizer.json,
words, and the ids of each word. The tokenizer.json of the first cuts and pads, that of the second
has add_prefix_space off, as published ones do: a reader has to undo both.

    pip install transformers==5.23.0 tokenizers==0.23.3
    python tests/reference/subwords.py
"""

import json
import pathlib

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizerFast, PreTrainedTokenizerFast, RobertaTokenizerFast

TEXTS = [
    "RT @nasa : Sunita Williams is back in Houston with #Boeing",
    "It's so good to be in the house with friends, isn't it? Café in the sun.",
    "back to Houston, back to the house",
] * 3
WORDS = [
    "RT", "@nasa", ":", "Sunita", "Williams", "is", "back", "in", "Houston", "#Boeing", "It", "'", "s",
    "Café", "Cafe\u0301", "house-friends", "houston", "東京", "👩🏽‍🚀", "🇺🇸", "\ufe0f", "\u200b", "\ufffd",
    "http://t.co/x1", "...", "x" * 120, "שלום", "a b", " in", "in ", "", "ﬁne", "½",
]
XLMR = {"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>",
        "bos_token": "<s>", "eos_token": "</s>"}


def bert():
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=160, special_tokens=names))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    reference = BertTokenizerFast(vocab=t.get_vocab(), do_lower_case=True)
    t.enable_truncation(8)
    t.enable_padding(length=8)
    return t, reference


def roberta():
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=names, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    t.train_from_iterator(TEXTS, trainer)
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model = json.loads(t.to_str())["model"]
    merges = [tuple(m) for m in model["merges"]]
    reference = RobertaTokenizerFast(vocab=model["vocab"], merges=merges, add_prefix_space=True)
    return t, reference


def xlmr():
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    trainer = trainers.UnigramTrainer(vocab_size=90, special_tokens=names, unk_token="<unk>", show_progress=False)
    t.train_from_iterator(TEXTS, trainer)
    reference = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(t.to_str()), **XLMR)
    return t, reference


cases = []
for name, build in {"bert": bert, "roberta": roberta, "xlm-roberta": xlmr}.items():
    tokenizer, reference = build()
    encoding = reference(WORDS, is_split_into_words=True, add_special_tokens=False)
    ids = [[] for _ in WORDS]
    for piece, word in zip(encoding["input_ids"], encoding.word_ids()):
        ids[word].append(piece)
    special = [reference.cls_token_id, reference.sep_token_id, reference.pad_token_id, reference.unk_token_id]
    cases.append({
        "name": name,
        "tokenizer": json.loads(tokenizer.to_str()),
        "words": WORDS,
        "ids": ids,
        "special": special,
        "vocab_size": len(reference),
    })
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(cases, ensure_ascii=True, separators=(",", ":")) + "\n")
for case in cases:
    print(case["name"], case["vocab_size"], case["special"], case["ids"])
