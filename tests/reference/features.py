"""What `mner predict --features` writes, read by safetensors and numpy and computed again.

    cargo build --features cli,flex --bin mner
    .venv/bin/python tests/reference/features.py target/debug/mner

For each system a bundle of random weights (`mner init`) answers three tweets, two of them beside an image. From the exported
emissions and the CRF's scores this script finds best path, marginals and confidences by a CRF of its own, in f64, and insists that
labels, marginals (to 1e-5) and the entities of the tool's JSON are these; and that what was read of the image fits together.

Writes `features.json`: a list of {"system", "text", "image", "labels": [N], "marginals": [N][9]}, the marginals as computed here.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors import safe_open

HERE = Path(__file__).parent
TYPES = ["PER", "LOC", "ORG", "MISC"]
LABELS = ["O"] + [f"{prefix}-{kind}" for kind in TYPES for prefix in "BI"]
NONE = -np.inf
TWEETS = [
    ("RT @nasa: Sunita Williams Jr. is back in Houston, Texas", None),
    ("Mt. Rainier with #Boeing and J. R. Smith http://t.co/x1 @ U.S. Bank", "rgb.png"),
    ("so tired", "progressive.jpg"),
]


def log_sum_exp(values, axis):
    top = np.max(values, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.sum(np.exp(values - top), axis=axis)) + np.squeeze(top, axis=axis)


class Crf:
    """A linear chain under BIO whose entities keep within bounds."""

    def __init__(self, emissions, start, transitions, end, bounds):
        begins, continues, ends = (bounds[:, i].astype(bool) for i in range(3))
        self.emissions = emissions.astype(np.float64).copy()
        for label, name in enumerate(LABELS):
            if name[0] == "B":
                self.emissions[~begins, label] = NONE
            if name[0] == "I":
                self.emissions[~continues, label] = NONE
        words = len(emissions)
        self.start = start.astype(np.float64).copy()
        self.end = end.astype(np.float64).copy()
        self.steps = np.repeat(transitions.astype(np.float64)[None], max(words - 1, 0), axis=0)
        for to, name in enumerate(LABELS):
            if name[0] == "I":
                self.start[to] = NONE
                for before, other in enumerate(LABELS):
                    if other == "O" or other[2:] != name[2:]:
                        self.steps[:, before, to] = NONE
        # An entity that may not end with a word goes on with the next.
        for word in range(words):
            if ends[word]:
                continue
            if word + 1 == words:
                self.end[1:] = NONE
            else:
                for to, name in enumerate(LABELS):
                    if name[0] != "I":
                        self.steps[word, 1:, to] = NONE

    def log_partition(self, emissions=None):
        emissions = self.emissions if emissions is None else emissions
        alpha = self.start + emissions[0]
        for word in range(1, len(emissions)):
            alpha = log_sum_exp(alpha[:, None] + self.steps[word - 1], axis=0) + emissions[word]
        return log_sum_exp(alpha + self.end, axis=0)

    def probability(self, allowed):
        """Of the label sequences whose labels at each word are among `allowed`, word -> labels."""
        emissions = self.emissions.copy()
        for word, labels in allowed.items():
            others = np.ones(len(LABELS), bool)
            others[list(labels)] = False
            emissions[word, others] = NONE
        return float(np.exp(self.log_partition(emissions) - self.log_partition()))

    def marginals(self):
        words = len(self.emissions)
        return np.array([[self.probability({w: [y]}) for y in range(len(LABELS))] for w in range(words)])

    def best(self):
        score, back = self.start + self.emissions[0], []
        for word in range(1, len(self.emissions)):
            paths = score[:, None] + self.steps[word - 1]
            back.append(np.argmax(paths, axis=0))
            score = np.max(paths, axis=0) + self.emissions[word]
        path = [int(np.argmax(score + self.end))]
        for pointers in reversed(back):
            path.append(int(pointers[path[-1]]))
        return path[::-1]


def entities_of(labels):
    found, start = [], None
    for word, label in enumerate(labels + [0]):
        if start is not None and not (LABELS[label][0] == "I" and LABELS[label][2:] == kind):
            found.append((start, word, kind))
            start = None
        if LABELS[label][0] == "B":
            start, kind = word, LABELS[label][2:]
    return found


def check_tweet(tensors, metadata, answer, text):
    """Computes the tweet's labels, marginals and entities again; returns the first two."""
    bounds, emissions = tensors["bounds"], tensors["emissions"]
    words = len(metadata["words"])
    assert emissions.shape == (words, 9) and tensors["marginals"].shape == (words, 9)
    assert metadata["labels"] == LABELS and metadata["types"] == TYPES and metadata["text"] == text
    # A word that follows the one before is no step of the chain.
    own = [word for word in range(words) if not bounds[word, 3]]
    crf = Crf(
        emissions[own], tensors["crf.start"], tensors["crf.transitions"], tensors["crf.end"], bounds[own]
    )
    path, of_steps = crf.best(), crf.marginals()
    labels, marginals = [], np.zeros((words, 9))
    for word in range(words):
        if not bounds[word, 3]:
            step = own.index(word)
            labels.append(path[step])
            marginals[word] = of_steps[step]
            continue
        before = labels[-1]
        labels.append(before if before == 0 or LABELS[before][0] == "I" else before + 1)
        marginals[word, 0] = marginals[word - 1, 0]
        for kind in range(4):
            marginals[word, 2 + 2 * kind] = marginals[word - 1, 1 + 2 * kind : 3 + 2 * kind].sum()
    assert labels == tensors["labels"].tolist(), (labels, tensors["labels"])
    apart = np.abs(marginals - tensors["marginals"]).max()
    assert apart < 1e-5, apart

    found = entities_of(labels)
    assert [list(e[:2]) for e in found] == tensors["entities.words"].tolist()
    assert [TYPES.index(e[2]) for e in found] == tensors["entities.types"].tolist()
    assert len(found) == len(answer["entities"])
    for (start, end, kind), entity, confidence in zip(found, answer["entities"], tensors["entities.confidences"]):
        assert entity["type"] == kind
        chars = [int(tensors["words.chars"][start, 0]), int(tensors["words.chars"][end - 1, 1])]
        if text[chars[0]] in "@#" and chars[1] > chars[0] + 1:
            chars[0] += 1
        assert entity["chars"] == chars, (entity, chars)
        octets = tensors["words.bytes"][start, 0], tensors["words.bytes"][end - 1, 1]
        assert text.encode()[octets[0] : octets[1]].decode().endswith(entity["text"])
        begin = LABELS.index(f"B-{kind}")
        steps = [own.index(word) for word in range(start, end) if word in own]
        allowed = {step: [begin if at == 0 else begin + 1] for at, step in enumerate(steps)}
        if steps[-1] + 1 < len(own):
            allowed[steps[-1] + 1] = [y for y in range(9) if y != begin + 1]
        assert abs(crf.probability(allowed) - entity["confidence"]) < 1e-5
        assert abs(confidence - entity["confidence"]) < 1e-12
    return labels, marginals


def check_image(tensors, metadata, answer, system):
    width, height = tensors["image.size"]
    objects, channels = tensors["image.regions"].shape
    assert tensors["image.grid"].shape == (49, channels)
    boxes = tensors["image.boxes"].astype(np.float64)
    seen = answer["picture"]
    assert (seen["width"], seen["height"]) == (width, height)
    assert metadata["objects"] == [o["name"] for o in seen["objects"]] and len(metadata["objects"]) == objects
    assert np.allclose([o["box"] for o in seen["objects"]], boxes)
    assert np.allclose([o["score"] for o in seen["objects"]], tensors["image.scores"])
    assert metadata["tags"] == seen["tags"]
    assert np.allclose([tag["probability"] for tag in seen["tags"]], tensors["image.tags"])
    relative = boxes / np.array([width, height, width, height])
    sides = relative[:, 2:] - relative[:, :2]
    expected = np.concatenate([relative, np.prod(sides, axis=1, keepdims=True)], axis=1)
    assert np.allclose(tensors["image.relative_boxes"], expected, atol=1e-6)
    assert tensors["image.classes"].shape == (objects,) and (tensors["image.classes"] < 80).all()
    assert tensors["image.spatial_labels"].shape == (objects, objects) and (tensors["image.spatial_labels"] < 12).all()
    assert tensors["image.geometries"].shape == (objects, objects, 64)
    # Hu et al., equation 5: log distances and log ratios of sides, each as 8 sines and 8 cosines of wavelengths up to 1000.
    assert (np.abs(tensors["image.geometries"]) <= 1).all()
    assert tensors["image.tag_weights"].shape == tensors["image.tag_subwords"].shape
    assert np.isclose(tensors["image.tag_weights"].sum(), tensors["image.tags"].sum(), atol=1e-5)
    assert ("image.context" in tensors) == (system == "ita" and len(seen["tags"]) > 0)
    if system != "hamlearning":
        assert "attention" not in tensors
        return
    assert tensors["attention"].shape == (len(metadata["words"]), 49 + objects)
    assert np.allclose(tensors["attention"].sum(axis=1), 1, atol=1e-5)
    shares = [seen["relevance"][grain] for grain in ("global", "object", "semantic", "spatial")]
    assert np.allclose(tensors["relevance"], shares)
    # What the JSON says of an entity is the mean over its words.
    for (start, end), entity in zip(tensors["entities.words"], answer["entities"]):
        mean = tensors["attention"][start:end].mean(axis=0)
        assert np.allclose(mean[:49], entity["evidence"]["heat"])
        assert np.allclose(mean[49:], entity["evidence"]["objects"])


def main():
    mner = Path(sys.argv[1]).resolve()
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)

        def run(*args):
            return subprocess.run([mner, *map(str, args)], check=True, capture_output=True, text=True).stdout

        for system in ("text", "hamlearning", "mgcmt", "ita"):
            bundle = folder / system
            run("init", "--system", system, "--out", bundle)
            for text, image in TWEETS:
                image = None if system == "text" else image
                out = folder / "features.safetensors"
                args = ["--text", text, "--json", "--emissions", "--features", out]
                args += ["--image", HERE / "images" / image] if image else []
                answer = json.loads(run("predict", "--bundle", bundle, *args))
                with safe_open(out, framework="np") as file:
                    tensors = {name: file.get_tensor(name) for name in file.keys()}
                    metadata = json.loads(file.metadata()["mner"])
                assert metadata["system"] == system
                labels, marginals = check_tweet(tensors, metadata, answer, text)
                if image:
                    check_image(tensors, metadata, answer, system)
                else:
                    assert not any(name.startswith("image") for name in tensors)
                rows = [[round(p, 9) for p in row] for row in marginals.tolist()]
                cases.append({"system": system, "text": text, "image": image, "labels": labels, "marginals": rows})
                print(system, repr(text), image, len(tensors), "tensors agree")
    (HERE / "features.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
