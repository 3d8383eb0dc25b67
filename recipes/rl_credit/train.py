"""Reinforcement learning of the embedded policy, with credit from outcomes or from step labels.

python train.py --arm outcome --seed 1 --out run
python train.py --arm steps --seed 1 --out run

Both sample the same number of traces of the same problems a step, from the policy as it is, and
learn from each of them once. What they measure goes to OUT/ARM-SEED.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads ruin a shared machine

import torch
from learner import Learner
from rows import grouped, rows_of, same_for_all

import prmdata
from prmdata.credit import FORMS
from prmdata.credit.contract import outcome_advantages
from prmdata.records import Trace
from prmdata.stages.credit import credited

START = Path(__file__).parents[1] / "train_abacus" / "weak"
MEASURED, TRAINED = 7700, 880_000
"""Seeds of the problems that are measured on, and of those that are learned from."""
LEVELS = "1-2"
"""Shorter stories: more of them in the same time."""
ARMS = ("outcome", "steps")


@dataclass(frozen=True)
class Plan:
    arm: str
    seed: int
    steps: int
    problems: int
    samples: int
    held: int
    every: int
    rate: float
    form: str
    threads: int


class Run:
    def __init__(self, plan: Plan, folder: Path, log: Path) -> None:
        self.plan, self.folder, self.log = plan, folder, log
        self.learner = Learner(START, plan.rate)
        self.engine = {"threads": str(plan.threads)}
        self.sampled = self.spent = 0
        """Tokens of traces to learn from, and those that their labels took."""

    def go(self) -> None:
        self.log.write_text("", encoding="utf-8")
        for step in range(self.plan.steps + 1):
            sampler = f"local:{self.learner.save(self.folder)}"
            if step % self.plan.every == 0 or step == self.plan.steps:
                self.measure(step, sampler)
            if step < self.plan.steps:
                self.step(step, sampler)

    def measure(self, step: int, sampler: str) -> None:
        """On the same problems each time, with other samples."""
        source = f"abacus:{self.plan.held}?level={LEVELS}&seed={MEASURED}"
        traces = prmdata.generate(source, samples=4, sampler=sampler, seed=step, engine=self.engine)
        right = [sum(t.correct is True for t in group) for group in grouped(traces)]
        found = {
            **{"step": step, "arm": self.plan.arm, "seed": self.plan.seed},
            "right": right,
            "of": 4,
            "sampled": self.sampled,
            "spent": self.spent,
        }
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        print(f"step {step}: pass@1 {sum(right) / 4 / len(right):.3f}", flush=True)

    def step(self, step: int, sampler: str) -> None:
        started = time.monotonic()
        seed = TRAINED + 1000 * self.plan.seed + step
        source = f"abacus:{self.plan.problems}?level={LEVELS}&seed={seed}"
        traces = prmdata.generate(
            source, samples=self.plan.samples, sampler=sampler, seed=seed, engine=self.engine
        )
        self.sampled += sum(trace.origin.tokens or 0 for trace in traces)
        right = sum(trace.correct is True for trace in traces) / len(traces)
        sampled_at = time.monotonic()
        if self.plan.arm == "steps":
            traces = prmdata.label(traces, sampler=sampler, seed=seed, engine=self.engine)
            self.spent += sum(t.labels.cost.tokens for t in traces if t.labels is not None)
        labelled_at = time.monotonic()
        torch.set_num_threads(self.plan.threads)
        paid = [trace for group in grouped(traces) for trace in self.paid(group)]
        rows = rows_of(paid, START)
        norm = self.learner.learn(rows)
        took = [sampled_at - started, labelled_at - sampled_at, time.monotonic() - labelled_at]
        print(
            f"{self.plan.arm} {self.plan.seed} step {step}: right {right:.3f}, {len(rows)} rows, "
            f"gradient {norm:.3f}; sampled, labelled and learned in "
            + ", ".join(f"{seconds:.0f} s" for seconds in took),
            flush=True,
        )

    def paid(self, group: Sequence[Trace]) -> list[Trace]:
        """The traces of a problem with credit for each step."""
        if self.plan.arm == "outcome":
            earned = zip(group, outcome_advantages(group), strict=True)
            return [same_for_all(trace, a) for trace, a in earned if a is not None]
        form = FORMS[self.plan.form](evidence="labels", outcome=1.0)
        made, _ = credited(group, self.plan.form, form)
        return made


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=Path("run"))
    options.add_argument("--arm", choices=ARMS, default="outcome")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--steps", type=int, default=30)
    options.add_argument("--problems", type=int, default=12)
    options.add_argument("--samples", type=int, default=8)
    options.add_argument("--held", type=int, default=100, help="problems that are measured on")
    options.add_argument("--every", type=int, default=10, help="steps between two measurements")
    options.add_argument("--rate", type=float, default=1.5e-4)
    options.add_argument("--form", choices=("td", "batch"), default="td")
    options.add_argument("--threads", type=int, default=2)
    asked = vars(options.parse_args())
    out = asked.pop("out")
    out.mkdir(parents=True, exist_ok=True)
    plan = Plan(**asked)
    with tempfile.TemporaryDirectory() as folder:
        Run(plan, Path(folder), out / f"{plan.arm}-{plan.seed}.jsonl").go()


if __name__ == "__main__":
    main()
