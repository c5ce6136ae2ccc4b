"""Backbone references: torchvision's MobileNetV2, ResNet-50 and ResNet-101 on weights made by a formula, so
that only the answers are committed.

    python -m venv .venv && .venv/bin/pip install -r tests/reference/requirements.txt
    .venv/bin/python tests/reference/vision.py            # writes vision/
    .venv/bin/python tests/reference/vision.py --check    # also: does the output depend on every parameter?

Writes `vision/<network>.json` and `vision/<network>.safetensors` for mobilenet_v2, mobilenet_v2_same,
resnet50, resnet101. `mobilenet_v2_same` is mobilenet_v2 with TensorFlow's SAME padding in its stride-2
convolutions: along a side of n pixels total = max((ceil(n/s) - 1) s + k - n, 0), the smaller half first.

The formula, bit for bit
    FNV-1a 64 over the UTF-8 bytes of a name: h = 0xcbf29ce484222325; per byte h = (h ^ byte) * 0x100000001b3.
    SplitMix64 seeded by h; the draw at flat index i = 0, 1, 2, ... (row-major, PyTorch layout):
        z = h + (i + 1) * 0x9e3779b97f4a7c15
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb
        z =  z ^ (z >> 31)
    all modulo 2^64.  v = ((z >> 40) - 2^23) / 2^23, in [-1, 1), exact in f32.

    A parameter or buffer of name `name` (torchvision's state-dict key) and shape `shape` has the values
        rank 4 (convolution)   f32(sqrt(6 / (shape[1] * shape[2] * shape[3]))) * v
        rank 2 (linear)        f32(sqrt(3 / shape[1])) * v
        `.bias`, `.running_mean`                                0.125 * v
        `.running_var`                                          1 + 0.5 * v
        `.weight` of rank 1 (batch norm)                        1 + 0.25 * v
        ... times 0.25 where the name ends in `bn3.weight`      (keeps ResNet's residual sums of order 1)
    sqrt and the quotient under it are f64, rounded once to f32; every other operation is one f32 operation,
    in the order written (the products by powers of two are exact). `num_batches_tracked` is not used.

    The input [1, 3, H, W], with v(name, i) as above, is one f32 addition (both terms are exact):
        x[c][y][x] = v("input.coarse", (c * ceil(H/8) + y div 8) * ceil(W/8) + x div 8)
                     + 0.25 * v("input.fine", (c * H + y) * W + x)

<network>.json
    input            [1, 3, H, W]
    parameters       [[name, shape], ...] in state-dict order, all the network needs
    parameters_sha256, input_sha256   SHA-256 of the little-endian f32 bytes, parameters joined in that order
    first_values     {name: the first 4 values} of one tensor of each kind
    stages           {module path: {shape, mean, abs_mean, first: 8 values}} to find the first layer that differs
    f32_error        {tensor: max abs difference between torch in f32 and the stored values}: what to expect of f32
<network>.safetensors, f32
    features [1, C, h, w]   the last feature map
    pooled   [1, C]         its spatial mean
    logits   [1, 1000]
Results are computed in f64 and rounded once. Evaluation mode: batch norm with running statistics, eps 1e-5,
no dropout. The input is 75 x 96 (unequal sides, one odd, so that swapped sides and wrong paddings show);
ResNet-101's is 64 x 64, to be quick.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import mobilenet_v2, resnet50, resnet101

OUT = Path(__file__).parent / "vision"
MOBILENET_STAGES = [f"features.{i}" for i in range(19)]
RESNET_STAGES = ["conv1", "maxpool", "layer1.0", "layer1", "layer2", "layer3", "layer4"]


def draws(name, indices):
    """v(name, i) for an array of indices, f32."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) % 2**64
    z = np.uint64(h) + (np.asarray(indices, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (((z >> np.uint64(40)).astype(np.int64) - 2**23).astype(np.float32)) * np.float32(2.0**-23)


def parameter(name, shape):
    v = draws(name, np.arange(math.prod(shape)))
    one = np.float32(1.0)
    if len(shape) == 4:
        values = np.float32(math.sqrt(6.0 / math.prod(shape[1:]))) * v
    elif len(shape) == 2:
        values = np.float32(math.sqrt(3.0 / shape[1])) * v
    elif name.endswith((".bias", ".running_mean")):
        values = np.float32(0.125) * v
    elif name.endswith(".running_var"):
        values = one + np.float32(0.5) * v
    else:
        values = one + np.float32(0.25) * v
        if name.endswith("bn3.weight"):
            values = values * np.float32(0.25)
    assert values.dtype == np.float32
    return values.reshape(shape)


def image(height, width):
    c, y, x = np.meshgrid(np.arange(3), np.arange(height), np.arange(width), indexing="ij")
    rows, columns = -(-height // 8), -(-width // 8)
    coarse = draws("input.coarse", (c * rows + y // 8) * columns + x // 8)
    fine = draws("input.fine", (c * height + y) * width + x)
    return coarse + np.float32(0.25) * fine


class SamePadding(nn.Module):
    """A convolution with TensorFlow's SAME padding in place of its own."""

    def __init__(self, convolution):
        super().__init__()
        self.convolution = convolution
        convolution.padding = (0, 0)

    def forward(self, x):
        sides = []
        for n, k, s in zip(x.shape[:1:-1], self.convolution.kernel_size[::-1], self.convolution.stride[::-1]):
            total = max((-(-n // s) - 1) * s + k - n, 0)
            sides += [total // 2, total - total // 2]
        return self.convolution(nn.functional.pad(x, sides))


def same_padding(network):
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                setattr(module, name, SamePadding(child))


def decimals(values):
    """f32 values as the shortest decimals that read back as the same f32."""
    return [float(str(v)) for v in np.asarray(values, np.float32).ravel()]


def run(network, x, stages=()):
    """Last feature map, its mean, logits, and the outputs of the modules named in `stages`."""
    seen = {}
    paths = dict(network.named_modules())
    last = "layer4" if "layer4" in paths else "features"
    hooks = [
        paths[path].register_forward_hook(lambda _m, _i, out, path=path: seen.update({path: out}))
        for path in {*stages, last}
    ]
    with torch.no_grad():
        logits = network(x)
    for hook in hooks:
        hook.remove()
    features = seen[last]
    outputs = {"features": features, "pooled": features.mean((2, 3)), "logits": logits}
    return outputs, {path: seen[path] for path in stages}


def check_dependence(name, network, x, parameters):
    """Fails unless 5 % more of any single tensor moves the pooled features visibly, beyond f32 rounding."""
    state = network.state_dict()
    base = run(network, x)[0]
    least = (math.inf, "")
    for key, _ in parameters:
        tensor = state[key]
        kept = tensor.clone()
        tensor.mul_(1.05)
        out = run(network, x)[0]
        tensor.copy_(kept)
        target = "logits" if key.startswith(("fc", "classifier")) else "pooled"
        moved = ((out[target] - base[target]).norm() / base[target].norm()).item()
        least = min(least, (moved, key))
    print(f"{name}: the least of {len(parameters)} tensors is {least[1]}: relative change {least[0]:.2e}")
    assert least[0] > 1e-5, least


def write(name, build, size, stages, *, same=False, check=False):
    network = build(weights=None).eval()
    shapes = [(k, list(v.shape)) for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")]
    digest, weights, first = hashlib.sha256(), {}, {}
    for key, shape in shapes:
        values = parameter(key, shape)
        digest.update(values.astype("<f4").tobytes())
        weights[key] = torch.from_numpy(values)
        kind = (len(shape), key.rsplit(".", 1)[1], key.endswith("bn3.weight"))
        first.setdefault(kind, (key, decimals(values.ravel()[:4])))
    network.load_state_dict(weights, strict=False)
    pixels = image(*size)
    x = torch.from_numpy(pixels).unsqueeze(0)
    if check and not same:
        check_dependence(name, network, x, shapes)
    if same:
        same_padding(network)

    rough, _ = run(network, x)
    outputs, seen = run(network.double(), x.double(), stages)
    stored = {k: v.float().contiguous() for k, v in outputs.items()}
    summary = {
        "input": list(x.shape),
        "input_sha256": hashlib.sha256(pixels.astype("<f4").tobytes()).hexdigest(),
        "parameters_sha256": digest.hexdigest(),
        "first_values": dict(first.values()),
        "stages": {
            path: {
                "shape": list(out.shape),
                "mean": decimals([out.mean()])[0],
                "abs_mean": decimals([out.abs().mean()])[0],
                "first": decimals(out.flatten()[:8]),
            }
            for path, out in seen.items()
        },
        "f32_error": {k: (rough[k] - stored[k]).abs().max().item() for k in stored},
        "parameters": shapes,
    }
    largest = {k: round(v.abs().max().item(), 3) for k, v in stored.items()}
    assert all(0.1 < v < 50 for v in largest.values()), largest
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(summary, separators=(",", ":")) + "\n")
    save_file(stored, OUT / f"{name}.safetensors")
    (OUT / f"{name}.safetensors").chmod(0o644)
    print(f"{name}: features {tuple(stored['features'].shape)}, largest {largest}, f32 error {summary['f32_error']}")
    print("  abs_mean " + " ".join(f"{s['abs_mean']:.2f}" for s in summary["stages"].values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="test that the output depends on every parameter")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    write("mobilenet_v2", mobilenet_v2, (75, 96), MOBILENET_STAGES, check=check)
    write("mobilenet_v2_same", mobilenet_v2, (75, 96), MOBILENET_STAGES, same=True)
    write("resnet50", resnet50, (75, 96), RESNET_STAGES, check=check)
    write("resnet101", resnet101, (64, 64), RESNET_STAGES, check=check)


if __name__ == "__main__":
    main()
