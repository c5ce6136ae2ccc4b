"""PyTorch peer for the training-throughput bench: the text tagger at MiniLM-L6's size.

    python -m venv .venv && .venv/bin/pip install -r tests/reference/requirements.txt
    .venv/bin/python tests/bench/peers/torch_train.py --threads 2
    .venv/bin/python tests/bench/peers/torch_train.py --threads 2 --profile

One step = forward, backward, clip the gradient norm to 5, AdamW, on random piece ids (fixed seed; a new batch
each step, no padding): BertModel (30522 subwords, hidden 384, 6 layers, 12 heads, FFN 1536, dropout 0.1, no
pooler, `transformers`' fused attention) -> dropout 0.1 -> Linear(384, 9) -> linear-chain CRF NLL. Every piece
counts as the first piece of a word, so the CRF runs over all of them: its longest case. AdamW with the usual
two groups (no decay on biases and LayerNorm), in PyTorch's fused CPU form, its fastest. The weights are random,
which does not change the work.

Prints one JSON line: name, version, threads, batch, subwords, steps, warmup (not timed),
seconds_per_step_median, subwords_per_second (batch * subwords / median), cpu_seconds_per_step
(processor time of all threads, mean; on a busy machine trust it only with one thread, because idle OpenMP
threads spin while they wait), loss_first, loss_last.
`--profile` adds forward_seconds, backward_seconds, optimizer_seconds (medians; clipping counts as optimizer).
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from transformers import BertConfig, BertModel

LABELS = 9


class Crf(nn.Module):
    """Linear-chain CRF over sequences of full length; transitions[from, to]."""

    def __init__(self):
        super().__init__()
        self.start = nn.Parameter(torch.empty(LABELS).uniform_(-0.1, 0.1))
        self.transitions = nn.Parameter(torch.empty(LABELS, LABELS).uniform_(-0.1, 0.1))
        self.end = nn.Parameter(torch.empty(LABELS).uniform_(-0.1, 0.1))

    def forward(self, emissions, gold):
        """emissions [B, N, labels], gold [B, N] -> mean NLL over the batch."""
        alpha = self.start + emissions[:, 0]
        for t in range(1, emissions.shape[1]):
            alpha = torch.logsumexp(alpha.unsqueeze(2) + self.transitions, 1) + emissions[:, t]
        log_z = torch.logsumexp(alpha + self.end, 1)
        score = emissions.gather(2, gold.unsqueeze(2)).squeeze(2).sum(1)
        score = score + self.transitions[gold[:, :-1], gold[:, 1:]].sum(1)
        score = score + self.start[gold[:, 0]] + self.end[gold[:, -1]]
        return (log_z - score).mean()


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        config = BertConfig(
            vocab_size=30522,
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            max_position_embeddings=512,
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(384, LABELS)
        self.crf = Crf()

    def forward(self, ids, mask, gold):
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.crf(self.head(self.dropout(hidden)), gold)


def optimizer_for(model):
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith("bias") or "LayerNorm" in n)]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-4, fused=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--subwords", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    if min(arguments.batch, arguments.steps, arguments.threads) < 1 or arguments.subwords < 2 or arguments.warmup < 0:
        parser.error("batch, steps and threads must be at least 1, subwords at least 2, warmup at least 0")

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = Tagger().train()
    optimizer = optimizer_for(model)
    shape = (arguments.batch, arguments.subwords)
    mask = torch.ones(shape, dtype=torch.long)

    steps, phases, losses = [], {"forward": [], "backward": [], "optimizer": []}, []
    for step in range(arguments.warmup + arguments.steps):
        if step == arguments.warmup:
            cpu_start = time.process_time()
        ids, gold = torch.randint(1000, 30522, shape), torch.randint(0, LABELS, shape)
        marks = [time.perf_counter()]
        loss = model(ids, mask, gold)
        marks.append(time.perf_counter())
        optimizer.zero_grad()
        loss.backward()
        marks.append(time.perf_counter())
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        marks.append(time.perf_counter())
        losses.append(loss.item())
        if step >= arguments.warmup:
            steps.append(marks[-1] - marks[0])
            for phase, begin, end in zip(phases, marks, marks[1:]):
                phases[phase].append(end - begin)

    cpu = (time.process_time() - cpu_start) / arguments.steps
    median = statistics.median(steps)
    report = {
        "name": "pytorch",
        "version": torch.__version__,
        "threads": arguments.threads,
        "batch": arguments.batch,
        "subwords": arguments.subwords,
        "steps": arguments.steps,
        "warmup": arguments.warmup,
        "seconds_per_step_median": round(median, 5),
        "subwords_per_second": round(arguments.batch * arguments.subwords / median, 1),
        "cpu_seconds_per_step": round(cpu, 5),
        "loss_first": round(losses[0], 4),
        "loss_last": round(losses[-1], 4),
    }
    if arguments.profile:
        report |= {f"{phase}_seconds": round(statistics.median(times), 5) for phase, times in phases.items()}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
