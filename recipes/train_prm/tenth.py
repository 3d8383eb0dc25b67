"""Is an eighth of the traces, chosen by balanced information, as good as all of them?

python tenth.py run ../compare_methods/data/traces.parquet ../compare_methods/data/rollouts.parquet

Values of the steps of wrong traces are eight rollouts of the frozen bank (`mc`), and a step with a
hit is right; right traces are taken at their word. Models learn from all traces of 120 problems,
from one in eight chosen by `prmdata choose --rollouts 1 --by information` or at random, and from as
many of the highest information whatever their problem; all are trained for as many steps. They are
measured on the other 60 problems.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from features import Steps
from figures import Scores, chosen_by, faults
from report import write_into
from train import cached, score, trained

import prmdata
from prmdata.dataset.choosing import best, information
from prmdata.records import Evidence, Trace

LEARNED = 120
"""Problems that are learned from."""
Group = list[Trace]
Chosen = Callable[[Sequence[Group], int], list[Trace]]


def everything(groups: Sequence[Group], seed: int) -> list[Trace]:
    return [trace for group in groups for trace in group]


def informative(groups: Sequence[Group], seed: int) -> list[Trace]:
    return [trace for group in groups for trace in best(group, 1, "information")]


def at_random(groups: Sequence[Group], seed: int) -> list[Trace]:
    chance = random.Random(seed)
    return [chance.choice(group) for group in groups]


def most_informative(groups: Sequence[Group], seed: int) -> list[Trace]:
    ranked = sorted(everything(groups, seed), key=lambda trace: (-information(trace), trace.id))
    return ranked[: len(groups)]


WAYS: dict[str, Chosen] = {
    "all of them": everything,
    "one of eight, by information": informative,
    "an eighth, of the highest information": most_informative,
    "one of eight, at random": at_random,
}


def trusted(trace: Trace) -> Trace:
    return trace.with_evidence(Evidence("mc", "rollouts", values=(1.0,) * len(trace.steps)))


def examples(traces: Sequence[Trace], known: Steps) -> tuple[np.ndarray, np.ndarray]:
    """Steps up to the first without a hit, which is wrong."""
    xs, ys = [], []
    for trace in traces:
        evidence = trace.evidence_named("mc")
        assert evidence is not None
        for x, value in zip(known[trace.id], evidence.values, strict=True):
            xs.append(x)
            ys.append(float((value or 0) > 0))
            if not value:
                break
    return np.stack(xs), np.array(ys, np.float32)


def measured(
    learned: Sequence[Group], held: Sequence[Group], known: Steps, how: Chosen, seeds: int
) -> tuple[int, list[Scores]]:
    scores: list[Scores] = []
    for seed in range(seeds):
        some = how(learned, seed)
        x, y = examples(some, known)
        middle, spread = x.mean(0), x.std(0) + 1e-4
        again = round(len(everything(learned, 0)) / len(some))  # as many steps of training for all
        model = trained(np.tile((x - middle) / spread, (again, 1)), np.tile(y, again), seed)
        scores.append(
            {t.id: score(model, (known[t.id] - middle) / spread) for g in held for t in g}
        )
    return len(some), scores


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    options.add_argument("traces")
    options.add_argument("bank", type=Path)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--problems", type=int, default=180)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--into", type=Path, help="a README to write the table into")
    asked = options.parse_args()
    torch.set_num_threads(asked.threads)
    asked.run.mkdir(parents=True, exist_ok=True)
    known = cached(asked.run, asked.traces)
    sampler = f"bank:{asked.bank.resolve()}"
    traces = [t for t in prmdata.read(asked.traces) if t.error is None and t.steps]
    order = itertools.groupby(traces, key=lambda trace: trace.problem.id)
    groups = [list(group) for _, group in itertools.islice(order, asked.problems)]
    bounds = LEARNED * len(groups) // 180
    learned = [list(map(trusted, group)) for group in groups[:bounds]]
    wrong = [trace for group in learned for trace in group if not trace.correct]
    valued = {t.id: t for t in prmdata.estimate(wrong, sampler=sampler, store="none")}
    learned = [[valued.get(trace.id, trace) for trace in group] for group in learned]
    held = groups[bounds:]
    rows = [
        f"{bounds} problems to learn from, {len(held)} held out; seeds: {asked.seeds}. ± is half "
        "of the 95 % interval (problems drawn anew); in brackets the seeds' range.",
        "",
        "| learned from | traces | F1 | best of 8, by min |",
        "|---|---|---|---|",
    ]
    for name, how in WAYS.items():
        count, scores = measured(learned, held, known, how, asked.seeds)
        found, chosen = faults(held, scores), chosen_by(held, scores, min)
        rows.append(f"| {name} | {count} | {found} ({found.range}) | {chosen} ({chosen.range}) |")
    text = "\n".join(rows)
    print(text)
    if asked.into:
        write_into(asked.into, "information", text)


if __name__ == "__main__":
    main()
