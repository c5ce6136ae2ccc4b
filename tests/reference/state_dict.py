"""A `.pth` state dict as PyTorch writes it, for `nn/torch_file.rs`: a convolution and a batch norm with the values
`vision.py` gives the names, and a linear layer, whose weight is [out, in] in PyTorch.

    .venv/bin/python tests/reference/state_dict.py        # writes state_dict.pth
"""

from pathlib import Path

import torch
from torch import nn

from vision import parameter

network = nn.ModuleDict(
    {
        "block": nn.ModuleDict({"conv": nn.Conv2d(4, 6, 3, bias=False), "bn": nn.BatchNorm2d(6)}),
        "linear": nn.Linear(6, 2),
    }
)
state = network.state_dict()
for name, tensor in state.items():
    if not name.endswith("num_batches_tracked"):
        state[name] = torch.from_numpy(parameter(name, list(tensor.shape)))
torch.save(state, Path(__file__).parent / "state_dict.pth")
