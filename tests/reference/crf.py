"""CRF reference: the batch-mean NLL of a linear-chain CRF and its gradients, by PyTorch autograd in f64.

    python -m venv .venv && .venv/bin/pip install -r tests/reference/requirements.txt
    .venv/bin/python tests/reference/crf.py

Writes `crf/crf.json`: {"random": case, "large": case}. A case has 3 tweets of 6, 3 and 1 words, 9 labels:

    lengths              [3]
    emissions            [3][6][9]   values past a tweet's length are noise that must not matter
    start, end           [9]
    transitions          [9][9]      transitions[from][to]
    gold                 [3][6]      label ids; past the length they are -1
    log_partition        [3]         log sum_y exp score(x, y)
    gold_score           [3]
    nll                  scalar      mean over tweets of log_partition - gold_score
    grad_emissions, grad_start, grad_end, grad_transitions   gradients of `nll`, shapes as the inputs
    marginals            [3][6][9]   p(y_t = label); 0 past the length

    score(x, y) = start[y_1] + sum_t emissions[t][y_t] + sum_{t>1} transitions[y_{t-1}][y_t] + end[y_n]

Inputs are exact in f32; results are f64. "large" multiplies the emissions by 1e4, where a sum of plain
exponentials overflows.
"""

import json
from pathlib import Path

import torch

OUT = Path(__file__).parent / "crf" / "crf.json"
LENGTHS = [6, 3, 1]
WORDS, LABELS = 6, 9


def log_partition(emissions, start, transitions, end):
    """log Z of one tweet, emissions [n, labels]: the forward algorithm, written out."""
    alpha = start + emissions[0]
    for row in emissions[1:]:
        alpha = torch.stack([torch.logsumexp(alpha + transitions[:, to], 0) + row[to] for to in range(LABELS)])
    return torch.logsumexp(alpha + end, 0)


def path_score(emissions, start, transitions, end, labels):
    score = start[labels[0]] + emissions[0][labels[0]]
    for t in range(1, len(labels)):
        score = score + transitions[labels[t - 1]][labels[t]] + emissions[t][labels[t]]
    return score + end[labels[-1]]


def case(seed, scale):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, by=1.0):
        # Rounded to f32 first, so that an f32 reader starts from the same numbers.
        values = (torch.randn(shape, generator=generator) * by).float().double()
        return values.requires_grad_()

    emissions = draw(len(LENGTHS), WORDS, LABELS, by=scale)
    start, transitions, end = draw(LABELS), draw(LABELS, LABELS), draw(LABELS)
    gold = torch.randint(0, LABELS, (len(LENGTHS), WORDS), generator=generator).tolist()

    log_z = [log_partition(emissions[b][:n], start, transitions, end) for b, n in enumerate(LENGTHS)]
    scores = [path_score(emissions[b][:n], start, transitions, end, gold[b][:n]) for b, n in enumerate(LENGTHS)]
    nll = torch.stack([z - s for z, s in zip(log_z, scores)]).mean()
    inputs = [emissions, start, end, transitions]
    gradients = torch.autograd.grad(nll, inputs, retain_graph=True)
    # d log Z / d emission is the probability of that label at that word.
    (marginals,) = torch.autograd.grad(sum(log_z), [emissions])
    assert all(torch.isfinite(g).all() for g in gradients)

    return {
        "lengths": LENGTHS,
        "emissions": emissions.tolist(),
        "start": start.tolist(),
        "end": end.tolist(),
        "transitions": transitions.tolist(),
        "gold": [row[:n] + [-1] * (WORDS - n) for row, n in zip(gold, LENGTHS)],
        "log_partition": [z.item() for z in log_z],
        "gold_score": [s.item() for s in scores],
        "nll": nll.item(),
        "grad_emissions": gradients[0].tolist(),
        "grad_start": gradients[1].tolist(),
        "grad_end": gradients[2].tolist(),
        "grad_transitions": gradients[3].tolist(),
        "marginals": marginals.tolist(),
    }


def main():
    cases = {"random": case(7, 1.0), "large": case(8, 1e4)}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(f"{OUT.name}: nll {[c['nll'] for c in cases.values()]}, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
