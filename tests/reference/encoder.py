"""Text-encoder references: small random models of the BERT, RoBERTa, MPNet, DistilBERT and ELECTRA families, run by
`transformers`.

    python -m venv .venv && .venv/bin/pip install -r tests/reference/requirements.txt
    .venv/bin/python tests/reference/encoder.py

Writes `encoder/<model>/`, each a folder as found on the Hugging Face hub, plus `cases.safetensors`:

    bert          BertModel, safetensors, bare keys (as MiniLM-L6 has them)
    bert_legacy   BertForPreTraining, safetensors, `bert.` prefix, `LayerNorm.gamma/.beta`, `cls.*` keys and a
                  `position_ids` buffer (as bert-base-cased has them)
    roberta       RobertaModel, safetensors, bare keys
    xlm_roberta   XLMRobertaForMaskedLM, pytorch_model.bin, `roberta.` prefix, `lm_head.*` keys
    mpnet         MPNetForMaskedLM, safetensors, `mpnet.` prefix, `lm_head.*` keys; as long as its buckets reach
    distilbert    DistilBertModel, safetensors, bare keys
    electra       ElectraForPreTraining, safetensors, `electra.` prefix, `discriminator_predictions.*` keys

`cases.safetensors` (B tweets, P subwords, D hidden):

    input_ids, attention_mask, token_type_ids   i64 [B, P]; mask 1 = real piece, 0 = padding
    embeddings            f32 [B, P, D]  output of the embedding layer, after its LayerNorm
    layer_1 .. layer_L-1  f32 [B, P, D]  output of each encoder layer but the last
    last_hidden_state     f32 [B, P, D]

Rows at padded subwords are what `transformers` computes there: BERT counts positions through the padding, the
RoBERTa family gives padding the position `pad_token_id` and counts real subwords from `pad_token_id + 1`.
The first row of each batch fills every position. Weights have standard deviation 0.2, biases and LayerNorm
parameters are random too, and so is the padding row of the word table, so that no mistake hides behind a
zero or a one. Evaluation mode, f32, plain ("eager") attention, one thread.
"""

import inspect
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    AutoModel,
    BertConfig,
    BertForPreTraining,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraForPreTraining,
    MPNetConfig,
    MPNetForMaskedLM,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    logging,
)

OUT = Path(__file__).parent / "encoder"
VOCAB = 120
POSITIONS = 40  # usable positions; the RoBERTa family needs pad_token_id + 1 = 2 more rows

SMALL = dict(
    vocab_size=VOCAB,
    hidden_size=48,
    num_attention_heads=12,
    intermediate_size=96,
    attn_implementation="eager",
)
TINY = SMALL | dict(hidden_size=32, num_attention_heads=2, intermediate_size=64, num_hidden_layers=1)
ROBERTA = dict(
    max_position_embeddings=POSITIONS + 2,
    type_vocab_size=1,
    layer_norm_eps=1e-5,
    pad_token_id=1,
    bos_token_id=0,
    eos_token_id=2,
)
FAR = 150  # the last bucket of MPNet's distances begins at 128
MPNET = ROBERTA | dict(max_position_embeddings=FAR + 2)
MPNET.pop("type_vocab_size")
DISTILBERT = dict(
    vocab_size=VOCAB,
    dim=48,
    n_heads=12,
    hidden_dim=96,
    n_layers=2,
    max_position_embeddings=POSITIONS,
    pad_token_id=0,
    attn_implementation="eager",
)
BERT = dict(max_position_embeddings=POSITIONS, type_vocab_size=2, layer_norm_eps=1e-12, pad_token_id=0)


def randomise(model, seed):
    """Overwrites every parameter, in name order, with draws from one seeded generator."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            draw = torch.randn(parameter.shape, generator=generator) * 0.2
            if "LayerNorm.weight" in name or "layer_norm.weight" in name:
                draw += 1.0
            parameter.copy_(draw)


def batch(config, lengths, seed):
    """Random subwords for tweets of the given lengths, padded to the longest."""
    generator = torch.Generator().manual_seed(seed)
    subwords = max(lengths)
    input_ids = torch.full((len(lengths), subwords), config.pad_token_id)
    mask = torch.zeros_like(input_ids)
    types = torch.zeros_like(input_ids)
    for row, length in enumerate(lengths):
        input_ids[row, :length] = torch.randint(3, VOCAB, (length,), generator=generator)
        mask[row, :length] = 1
        # The second half of a tweet carries the last token type, as a sentence pair does.
        types[row, length // 2 : length] = getattr(config, "type_vocab_size", 1) - 1
    return {"input_ids": input_ids, "attention_mask": mask, "token_type_ids": types}


def inputs(model, case):
    """What of a batch the model takes: not every family has token types."""
    taken = inspect.signature(model.forward).parameters
    return {name: value for name, value in case.items() if name in taken}


def legacy_keys(state):
    """The key style of the first BERT checkpoints."""
    renamed = {
        key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for key, value in state.items()
    }
    renamed["bert.embeddings.position_ids"] = torch.arange(POSITIONS).unsqueeze(0)
    return renamed


def write(name, model, seed, lengths, *, binary=False, rename=None):
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    randomise(model, seed)
    model.eval()
    model.config.architectures = [type(model).__name__]
    model.config.to_json_file(folder / "config.json", use_diff=False)
    # Heads tie their output to the word table: a checkpoint holds the table once.
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("decoder.weight")}
    state = {k: v.contiguous().clone() for k, v in (rename(state) if rename else state).items()}
    if binary:
        torch.save(state, folder / "pytorch_model.bin")
    else:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})

    # The reference is what transformers makes of the folder, not of the object in memory.
    loaded = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    for key, value in getattr(model, model.base_model_prefix, model).state_dict().items():
        if "pooler" not in key:
            assert torch.equal(loaded.state_dict()[key], value), key
    case = batch(model.config, lengths, seed + 1)
    with torch.no_grad():
        output = loaded(**inputs(loaded, case), output_hidden_states=True)
    case["embeddings"] = output.hidden_states[0]
    for layer, hidden in enumerate(output.hidden_states[1:-1], start=1):
        case[f"layer_{layer}"] = hidden
    case["last_hidden_state"] = output.last_hidden_state
    save_file({k: v.contiguous().clone() for k, v in case.items()}, folder / "cases.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors writes files only the owner may read
    print(f"{name}: {sum(f.stat().st_size for f in folder.iterdir())} bytes")


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()  # The reports of unused head keys are expected.
    logging.disable_progress_bar()
    write("bert", BertModel(BertConfig(**SMALL, **BERT, num_hidden_layers=3)), 11, [POSITIONS, 17, 3])
    write(
        "bert_legacy",
        BertForPreTraining(BertConfig(**TINY, **BERT)),
        21,
        [12, 5],
        rename=legacy_keys,
    )
    write(
        "roberta",
        RobertaModel(RobertaConfig(**SMALL, **ROBERTA, num_hidden_layers=2)),
        31,
        [POSITIONS, 17, 3],
    )
    write(
        "xlm_roberta",
        XLMRobertaForMaskedLM(XLMRobertaConfig(**TINY, **ROBERTA)),
        41,
        [12, 5],
        binary=True,
    )
    write("mpnet", MPNetForMaskedLM(MPNetConfig(**TINY, **MPNET)), 51, [FAR, 60, 5])
    write("distilbert", DistilBertModel(DistilBertConfig(**DISTILBERT)), 61, [POSITIONS, 17, 3])
    write(
        "electra",
        ElectraForPreTraining(ElectraConfig(**TINY, **BERT, embedding_size=TINY["hidden_size"])),
        71,
        [12, 5],
    )


if __name__ == "__main__":
    main()
