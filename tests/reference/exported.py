"""What `transformers` makes of a folder written by `mner export`.

    cargo run --features cli,flex --bin mner -- init --out runs/bundle
    cargo run --features cli,flex --bin mner -- export --bundle runs/bundle --out tests/reference/encoder/exported
    .venv/bin/python tests/reference/exported.py tests/reference/encoder/exported

Loads the encoder with AutoModel, insists that every weight of it is in the file, and adds `cases.safetensors`
(as `encoder.py` writes it) with word-shape indices as token types.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

folder = Path(sys.argv[1])
model, report = AutoModel.from_pretrained(
    folder, attn_implementation="eager", output_loading_info=True, add_pooling_layer=False
)
assert not report["missing_keys"] and not report["mismatched_keys"], report
print("beside the encoder:", *sorted(report["unexpected_keys"]))
assert AutoTokenizer.from_pretrained(folder).vocab_size <= model.config.vocab_size

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(5)
lengths, longest = [20, 7, 3], 20
draw = lambda high: torch.randint(0, high, (len(lengths), longest), generator=generator)
mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
case = {
    "input_ids": draw(model.config.vocab_size),
    "attention_mask": mask,
    "token_type_ids": draw(model.config.type_vocab_size),
}
with torch.no_grad():
    case["last_hidden_state"] = model.eval()(**case).last_hidden_state.contiguous()
save_file(case, folder / "cases.safetensors")
(folder / "cases.safetensors").chmod(0o644)
