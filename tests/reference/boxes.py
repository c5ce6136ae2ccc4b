"""RoI-align and non-maximum suppression references, by torchvision.ops.

    python -m venv .venv && .venv/bin/pip install -r tests/reference/requirements.txt
    .venv/bin/python tests/reference/boxes.py

Writes `boxes/roi_align.json`:
    features [1][3][13][17]   the map of an image 208 pixels high and 272 wide, at scale 1/16
    spatial_scale 0.0625, sampling_ratio 2, aligned true
    names    [K]              what each box is for
    boxes    [K][4]           x1, y1, x2, y2 in image pixels: inside, partly and wholly outside, empty, tiny
    outputs  {"1x1": [K][3][1][1], "2x2": [K][3][2][2], "7x7": [K][3][7][7]}

and `boxes/nms.json`, a list of cases:
    name, iou_threshold, boxes [K][4], scores [K], classes [K]
    keep     indices that survive class-wise NMS, by descending score. A box goes when its IoU with a kept box
             of the same class is strictly greater than the threshold.

All inputs are exact in f32 (coordinates are multiples of 1/4, scores of 2^-20 and all different).
"""

import json
from pathlib import Path

import numpy as np
import torch
from torchvision.ops import batched_nms, roi_align

OUT = Path(__file__).parent / "boxes"

ROI_BOXES = {
    "inside": [32.0, 48.0, 160.0, 112.0],
    "fractional": [37.25, 21.5, 101.75, 90.25],
    "whole image": [0.0, 0.0, 272.0, 208.0],
    "past the top left": [-40.0, -24.0, 56.0, 72.0],
    "past the bottom right": [240.0, 176.0, 330.0, 260.0],
    "wholly outside": [300.0, 230.0, 380.0, 300.0],
    "smaller than a cell": [100.0, 100.0, 103.0, 105.0],
    "a line": [64.0, 64.0, 64.0, 128.0],
    "tall and thin": [120.0, 0.0, 128.0, 208.0],
}


def nested(tensor):
    """Nested lists of the shortest decimals that read back as the same f32."""
    if tensor.dim() == 0:
        return float(str(np.float32(tensor.item())))
    return [nested(row) for row in tensor]


def roi_case(generator):
    features = torch.randn(1, 3, 13, 17, generator=generator)
    boxes = torch.tensor(list(ROI_BOXES.values()))
    outputs = {}
    for side in (1, 2, 7):
        # f64, rounded once: what an exact implementation gives.
        pooled = roi_align(
            features.double(), [boxes.double()], side, spatial_scale=1 / 16, sampling_ratio=2, aligned=True
        )
        outputs[f"{side}x{side}"] = nested(pooled)
    return {
        "features": nested(features),
        "spatial_scale": 1 / 16,
        "sampling_ratio": 2,
        "aligned": True,
        "names": list(ROI_BOXES),
        "boxes": nested(boxes),
        "outputs": outputs,
    }


def nms_case(name, threshold, boxes, scores, classes):
    keep = batched_nms(boxes, scores, classes, threshold)
    assert scores.unique().numel() == scores.numel(), "ties have no defined order"
    return {
        "name": name,
        "iou_threshold": threshold,
        "boxes": nested(boxes),
        "scores": [s.item() for s in scores],
        "classes": classes.tolist(),
        "keep": keep.tolist(),
    }


def random_boxes(generator, count, classes):
    """Jittered copies of a few boxes, so that overlaps of every degree occur."""
    corner = torch.randint(0, 800, (8, 2), generator=generator) / 4
    size = torch.randint(80, 600, (8, 2), generator=generator) / 4
    pick = torch.randint(0, 8, (count,), generator=generator)
    jitter = torch.randint(-80, 81, (count, 4), generator=generator) / 4
    boxes = torch.cat([corner, corner + size], 1)[pick] + jitter
    boxes[:, 2:] = torch.maximum(boxes[:, 2:], boxes[:, :2] + 0.25)
    scores = (torch.randperm(2**20, generator=generator)[:count] + 1) / 2**20
    return boxes, scores, torch.randint(0, classes, (count,), generator=generator)


def main():
    generator = torch.Generator().manual_seed(5)
    cases = []
    for threshold in (0.3, 0.45, 0.65):
        for count, classes in ((60, 1), (60, 5)):
            name = f"{count} boxes, {classes} classes, IoU {threshold}"
            cases.append(nms_case(name, threshold, *random_boxes(generator, count, classes)))
    pair = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 2.0]])
    scores, same = torch.tensor([0.5, 0.75]), torch.tensor([3, 3])
    cases.append(nms_case("IoU equal to the threshold stays", 0.5, pair, scores, same))
    cases.append(nms_case("IoU above the threshold goes", 0.4375, pair, scores, same))
    cases.append(nms_case("other class stays", 0.25, pair[[0, 0]], scores, torch.tensor([3, 4])))
    cases.append(nms_case("no boxes", 0.5, torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.long)))

    OUT.mkdir(exist_ok=True)
    for name, value in (("roi_align", roi_case(generator)), ("nms", cases)):
        path = OUT / f"{name}.json"
        path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
        print(f"{path.name}: {path.stat().st_size} bytes")
    print("kept " + ", ".join(f"{len(c['keep'])}/{len(c['boxes'])}" for c in cases))


if __name__ == "__main__":
    main()
