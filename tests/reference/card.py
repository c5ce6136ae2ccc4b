"""The model cards of the bundles that ship, read by huggingface_hub.

    .venv/bin/python tests/reference/card.py www/models/*/

Insists that the front matter is what `ModelCardData` takes, scores included, that it survives being written again, and that it says
what the manifest says. Writes nothing.
"""

import json
import sys
from pathlib import Path

import yaml
from huggingface_hub import ModelCard, ModelCardData

for folder in map(Path, sys.argv[1:]):
    manifest = json.loads((folder / "manifest.json").read_text())
    path = folder / "MODEL_CARD.md"
    # Without this flag a fault in the scores would be passed over.
    card = ModelCard.load(path, ignore_metadata_errors=False)
    data = card.data
    assert isinstance(data, ModelCardData)
    assert data.pipeline_tag == "token-classification" and data.library_name == "mner"
    assert data.language == ["en"] and data.license == "other" and data.license_name
    assert manifest["config"]["system"] in data.tags and data.datasets and data.metrics == ["f1"]
    assert data.model_name == manifest["name"]
    scores = {result.dataset_name: result.metric_value for result in data.eval_results}
    assert scores.keys() == manifest["scores"].keys()
    assert all(abs(scores[name] - value) < 5e-5 for name, value in manifest["scores"].items())
    assert all(result.metric_type == "f1" and result.task_type == data.pipeline_tag for result in data.eval_results)
    again = ModelCardData(**yaml.safe_load(data.to_yaml()), ignore_metadata_errors=False)
    assert again.to_dict() == data.to_dict()
    for heading in ("Entity types", "Scores", "Training data", "Sizes", "Limits", "Licences"):
        assert f"\n## {heading}\n" in card.text, heading
    for licence in manifest["licences"]:
        assert licence.replace("_", "\\_") in card.text, licence
    print(f"{path}: {len(card.text)} characters, datasets {', '.join(data.datasets)}")
