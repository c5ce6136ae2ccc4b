"""Every tensor of a bundle in what `mner export` writes, name by name and value by value.

    cargo build --features cli,flex --bin mner
    .venv/bin/python tests/reference/exported_tensors.py target/debug/mner

For each system a bundle of random f32 weights is exported. `weights.bpk` is read here by its specification (core/FORMAT.md), with
cbor2 and numpy; `model.safetensors` by safetensors. What is not the encoder must stand under `mner.` with the same name, `gamma` and
`beta` as `weight` and `bias`, matrices of linear layers transposed, and nothing else may stand there.

Writes `exported_tensors.json`: {system: {name: shape}} of all of `model.safetensors`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cbor2
import numpy as np
from safetensors.numpy import load_file

HERE = Path(__file__).parent


def burnpack(path):
    """The f32 tensors of a burnpack file by name."""
    data = path.read_bytes()
    assert int.from_bytes(data[:4], "little") == 0x4255524E and int.from_bytes(data[4:6], "little") == 1
    length = int.from_bytes(data[6:10], "little")
    start = -(-(10 + length) // 256) * 256
    tensors = {}
    for name, tensor in cbor2.loads(data[10 : 10 + length])["tensors"].items():
        assert tensor["dtype"] == "F32", (name, tensor["dtype"])
        begin, end = tensor["data_offsets"]
        values = np.frombuffer(data[start + begin : start + end], "<f4")
        tensors[name] = values.reshape(tensor["shape"])
    return tensors


def main():
    mner, found = Path(sys.argv[1]).resolve(), {}
    with tempfile.TemporaryDirectory() as folder:
        for system in ("text", "hamlearning", "mgcmt", "ita"):
            bundle, out = Path(folder) / system, Path(folder) / f"{system}-exported"
            for args in (["init", "--system", system, "--out", bundle], ["export", "--bundle", bundle, "--out", out]):
                subprocess.run([mner, *args], check=True, capture_output=True)
            exported = load_file(out / "model.safetensors")
            weights = burnpack(bundle / "weights.bpk")
            beyond = {name.split(".", 1)[1]: values for name, values in weights.items()}
            beyond = {name: values for name, values in beyond.items() if not name.startswith("encoder.")}
            assert beyond, system
            for name, values in beyond.items():
                theirs = "mner." + name.replace(".gamma", ".weight").replace(".beta", ".bias")
                got = exported[theirs]
                if got.shape != values.shape or not np.array_equal(got, values):
                    got = got.T
                assert np.array_equal(got, values), (system, name, got.shape, values.shape)
            mine = {name for name in exported if name.startswith("mner.")}
            assert len(mine) == len(beyond), (system, len(mine), len(beyond))
            # A matrix of a linear layer is [out, in], so that y = W x + b.
            emit = exported["mner.emit.weight"]
            assert emit.shape[0] == 9 == exported["mner.emit.bias"].shape[0]
            encoder = len(exported) - len(mine)
            parameters = sum(values.size for values in beyond.values())
            print(f"{system}: {len(mine)} tensors under mner. ({parameters} values), {encoder} of the encoder")
            found[system] = {name: list(values.shape) for name, values in sorted(exported.items())}
    (HERE / "exported_tensors.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
