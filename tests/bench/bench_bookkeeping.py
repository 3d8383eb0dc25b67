"""What a search costs beside its sampler, for one rollout: milliseconds of one core, at 40 steps.

Every method runs twice over the same traces. The first run draws rollouts from a policy without
weights and keeps them; the second takes them from memory and is timed by the processor's clock.
From that, what the same calls cost on their own is taken away: `search` is what remains over
`rollouts.sample` alone (prompts, seeds, grading), `all` over the sampler alone.
"""

from __future__ import annotations

import asyncio
import gc
import random
import re
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from prmdata.grading import Grader
from prmdata.labellers import LABELLERS, method
from prmdata.records import Problem, Trace
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.sampler.rollouts import Outcome, Rollouts, RolloutSettings
from prmdata.stages.label import apply
from prmdata.traces.generate import Generation, generate
from tests.policy import TEMPLATE

STEPS = 40
PROBLEMS, SAMPLES = 12, 8
SEARCHES = ("posterior", "bisect", "forward", "mc", "adaptive", "omega", "value-tree", "next-step")
AT_MOST_MS = {"posterior": 2.0}
"""0.3 of all others."""
SETTINGS: dict[str, dict[str, Any]] = {"omega": {"searches": 20}}
PLENTY = ("mc", "adaptive", "forward")
"""They ask for so much that two problems are enough."""


@dataclass(slots=True)
class Adder:
    """Adds 1 to a number forty times, aloud; it slips now and then, and seldom finds back."""

    slips: float = 0.02
    mends: float = 0.01
    spec = fingerprint = "adder"
    template = TEMPLATE
    context = 4096
    known: dict[tuple[str, int, int], list[Completion]] = field(default_factory=dict)
    calls: list[tuple[str, int, Sampling, int]] = field(default_factory=list)
    remember: bool = True

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        if not self.remember:
            return self.known[prefix, n, seed]
        self.calls.append((prefix, n, sampling, seed))
        made = [self._one(prefix, seed + i) for i in range(n)]
        self.known[prefix, n, seed] = made
        return made

    def _one(self, prefix: str, seed: int) -> Completion:
        chance = random.Random(f"{prefix} {seed}")
        start = int(re.findall(r"Start with (\d+)", prefix)[0])
        done = prefix.count("Step ")
        now = int(prefix.rsplit("= ", 1)[1].split(".")[0]) if done else start
        lines = []
        for step in range(done + 1, STEPS):
            slip = chance.random() < (self.mends if now != start + step - 1 else self.slips)
            new = start + step if now != start + step - 1 and slip else now + 1 + slip
            lines.append(f"Step {step}: now we have {now} + 1 = {new}.\n")
            now = new
        text = "".join(lines) + f"The answer is {now + 1}."
        return Completion(text, len(text) // 4, "stop")

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        words = text.split()
        return Scored((-0.5,) * len(words), (0,) * len(words), len(words))

    async def close(self) -> None:
        pass


@dataclass(slots=True)
class Watched(Rollouts):
    """Writes down what was asked of it."""

    asked: list[tuple[Trace, int, int]] = field(default_factory=list)

    async def sample(self, trace: Trace, after_step: int, n: int) -> list[Outcome]:
        self.asked.append((trace, after_step, n))
        return await Rollouts.sample(self, trace, after_step, n)


@dataclass(frozen=True, slots=True)
class Figure:
    rollouts: int
    search_ms: float
    """For one rollout, over `rollouts.sample` alone."""
    all_ms: float
    """For one rollout, over the sampler alone."""


def problems(adder: Adder, grader: Grader) -> list[list[Trace]]:
    async def made() -> list[list[Trace]]:
        asked = [
            Problem(f"p{i}", f"Start with {100 + i}; add 1 {STEPS} times.", str(100 + i + STEPS))
            for i in range(PROBLEMS)
        ]
        how = Generation(samples=SAMPLES)
        return [await generate(problem, adder, grader, how) for problem in asked]

    return asyncio.run(made())


def measure(name: str, groups: list[list[Trace]], grader: Grader, rounds: int = 5) -> Figure:
    how = method(name, LABELLERS[name].verb, SETTINGS.get(name, {}))
    adder = Adder()
    asked: list[list[tuple[Trace, int, int]]] = []

    async def record() -> None:
        for group in groups:
            watched = Watched(adder, grader, RolloutSettings())
            await apply(how, group, watched)
            asked.append(watched.asked)

    async def whole() -> None:
        for group in groups:
            await apply(how, group, Rollouts(adder, grader, RolloutSettings()))

    async def rollouts_alone() -> None:
        for calls in asked:
            bare = Rollouts(adder, grader, RolloutSettings())
            for trace, after_step, n in calls:
                await bare.sample(trace, after_step, n)

    async def sampler_alone() -> None:
        for call in adder.calls:
            await adder.complete(*call)

    asyncio.run(record())
    adder.remember = False
    count = sum(n for calls in asked for *_, n in calls)
    differences = []
    for _ in range(rounds):
        spent = [_seconds(run) for run in (whole, rollouts_alone, sampler_alone)]
        differences.append((spent[0] - spent[1], spent[0] - spent[2]))
    search, everything = (statistics.median(column) for column in zip(*differences, strict=True))
    return Figure(count, 1000 * search / count, 1000 * everything / count)


def _seconds(run: Callable[[], Awaitable[None]]) -> float:
    gc.collect()
    started = time.process_time()
    asyncio.run(run())  # type: ignore[arg-type]
    return time.process_time() - started


def rollouts_per_prefix(groups: list[list[Trace]], grader: Grader, k: int) -> tuple[int, int]:
    """Of `omega`: its rollouts, and the distinct prefixes that they labelled."""
    how, adder = method("omega", "label", {"rollouts_per_probe": k}), Adder()
    found: set[tuple[str, str]] = set()
    rollouts = 0

    async def search(group: list[Trace]) -> list[Trace]:
        return await apply(how, group, Rollouts(adder, grader, RolloutSettings()))

    for group in groups:
        for trace in asyncio.run(search(group)):
            evidence = trace.evidence_named("omega")
            for t, value in enumerate(evidence.values if evidence else (), 1):
                if value is not None:
                    found.add((trace.problem.id, trace.prefix(t)))
            rollouts += evidence.cost.rollouts if evidence else 0
    return rollouts, len(found)


def main() -> None:
    grader = Grader()
    groups = problems(Adder(), grader)
    steps = statistics.mean(len(t.steps) for g in groups for t in g)
    print(f"bookkeeping at {steps:.0f} steps, ms of one core for a rollout")
    for name in SEARCHES:
        found = measure(name, groups[:2] if name in PLENTY else groups, grader)
        target = AT_MOST_MS.get(name, 0.3)
        met = "" if found.all_ms <= target else ": MISSED"
        print(
            f"  {name:<10} search {found.search_ms:6.3f}, all {found.all_ms:6.3f} "
            f"(at most {target:g}{met}; {found.rollouts:,} rollouts)"
        )
    for k in (8, 16):
        rollouts, prefixes = rollouts_per_prefix(groups[:4], grader, k)
        share = rollouts / prefixes
        print(
            f"  omega      k = {k}: {share:.1f} rollouts a labelled prefix ({prefixes:,} of them)"
        )
    asyncio.run(grader.close())


if __name__ == "__main__":
    main()
