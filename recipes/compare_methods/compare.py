"""Every method on the same traces and the same rollouts: accuracy, price, and what it buys.

python compare.py traces.jsonl bank.parquet --into README.md --mark main --chart chart.svg
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tables import Result, Row, chart, report, write_into

import prmdata
from prmdata.grading import Grader
from prmdata.labellers import Method, method
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.run.stage import Resources
from prmdata.sampler import open_sampler
from prmdata.sampler.bank import Bank
from prmdata.sampler.protocol import Sampler
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.sampler.storage.stored import Spending, StoredSampler
from prmdata.stages.label import apply
from prmdata.stages.pilot import draw, informed, looks_first
from prmdata.truth import truth_of
from prmdata.verifiers import VERIFIERS, ready
from prmdata.verifiers.contract import as_evidence

PRICES = (5.0, 2.5, 1.3, 0.7, 0.5, 0.35, 0.2)
"""Bits per 1,000 tokens, for the frontier of `posterior`."""
PILOT = 60
"""Wrong traces from which `posterior` learns its policy first."""
BASELINES: dict[str, tuple[str, dict[str, object]]] = {
    "mc, k = 8": ("mc", {"rollouts_per_step": 8}),
    "forward, k = 8": ("forward", {}),
    "bisect, k = 4, first hit": ("bisect", {"rollouts_per_probe": 4, "first_hit": True}),
    "bisect, k = 8": ("bisect", {}),
    "bisect, k = 8, first hit": ("bisect", {"first_hit": True}),
    "bisect, k = 16": ("bisect", {"rollouts_per_probe": 16}),
    "bisect, k = 8, .55 of pass rate": ("bisect", {"pass_rate_share": 0.55}),
    "adaptive": ("adaptive", {}),
}
BELIEVING: dict[str, tuple[str, dict[str, object]]] = {
    "bisect, k = 8": ("bisect", {}),
    "bisect, k = 8, believing verdicts": ("bisect", {"verdicts": True}),
    "bisect, k = 8, first hit, believing": ("bisect", {"verdicts": True, "first_hit": True}),
    "bisect, k = 4, first hit, believing": (
        "bisect",
        {"verdicts": True, "first_hit": True, "rollouts_per_probe": 4},
    ),
}
"""With a verifier's verdicts at hand."""
LOOP = asyncio.Runner()


@dataclass
class Stand:
    """The traces, whose truth is known, and what serves their rollouts."""

    groups: list[list[Trace]]
    sampler: Sampler
    depth: int
    """Rollouts that the bank holds of each prefix."""
    looked_at: set[str]
    """The traces that count: those that end wrong. All methods take the others at their word."""
    seed: int = 1
    truth_from: str = "abacus"
    """Its own oracle, or the `evidence` of kind truth that the traces carry."""
    truths: dict[str, int | None] = field(default_factory=dict)
    pilot_tokens: int = 0
    """What learning the policy cost, before any trace was labelled."""

    def truth(self, trace: Trace) -> int | None:
        if trace.id not in self.truths:
            found = truth_of(trace, self.truth_from)
            assert found is not None
            self.truths[trace.id] = found.first_wrong
        return self.truths[trace.id]

    def learned(self, how: Method) -> Method:
        """The method as `prmdata label` would run it: with what a pilot shows of the policy."""
        if not looks_first(how):
            return how
        spending = Spending()
        counted = StoredSampler(self.sampler, None, spending)
        settings = RolloutSettings(seed=self.seed)
        groups = [
            [t for t in g if t.correct is not False or t.id in self.looked_at] for g in self.groups
        ]

        async def look() -> Method:
            grader = Grader()
            resources = Resources(counted, grader, spending)
            pilot = draw(groups, how.pilot, self.seed)
            found = await informed(how, pilot, resources, settings, lambda line: None)
            await grader.close()
            return found

        found = LOOP.run(look())
        self.pilot_tokens = spending.tokens
        return found

    def run(self, how: Method) -> list[Trace]:
        async def each() -> list[Trace]:
            grader = Grader()
            settings = RolloutSettings(seed=self.seed)
            made = await asyncio.gather(
                *(
                    apply(how, group, Rollouts(self.sampler, grader, settings))
                    for group in self.groups
                )
            )
            await grader.close()
            return list(itertools.chain(*made))

        return LOOP.run(each())

    def results(self, made: Sequence[Trace]) -> list[Result]:
        found = []
        for trace in made:
            grown = trace.origin.parent is not None
            if trace.id not in self.looked_at and not grown:
                continue
            labels = trace.labels
            if trace.error is not None:
                raise SystemExit(f"{trace.id}: {trace.error}")
            found.append(
                Result(
                    trace.problem.id,
                    self.truth(trace),
                    labels.first_error if labels else None,
                    labels is not None,
                    labels.confidence if labels and labels.examined else None,
                    labels.cost.tokens if labels else 0,
                    labels.cost.rollouts if labels else 0,
                    labels.cost.rounds if labels else 0,
                )
            )
        return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("traces")
    options.add_argument("bank", type=Path)
    options.add_argument("--omega", type=int, default=0, help="problems for omega, on the model")
    options.add_argument("--into", type=Path, help="a README to write the table into")
    options.add_argument("--mark", default="main", help="which of its tables")
    options.add_argument("--chart", type=Path)
    options.add_argument("--verified", action="store_true", help="with arithmetic's verdicts")
    options.add_argument("--truth", default="abacus", help="abacus, or evidence")
    options.add_argument("--part", choices=["tuning", "test"], help="of a bank that is split")
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    stand = laid_out(asked.traces, asked.bank, truth=asked.truth, part=asked.part)
    baselines = BASELINES
    if asked.verified:
        stand.groups = verified(stand.groups)
        baselines = BELIEVING
    settings: dict[str, object] = {"most_per_prefix": min(stand.depth, 24)}
    rows = [Row(name, baseline(stand, *how)) for name, how in baselines.items()]
    if asked.omega:
        rows.append(omega(stand, asked.omega))
    variants = {
        "without siblings": {"siblings": False},
        "without repetition": {"repetition": False},
        "without a pilot": {"pilot": 0},
    }
    rows += [
        Row(f"posterior {name}", run(stand, "posterior", **settings, **changed))
        for name, changed in variants.items()
    ]
    ours = Row("posterior", run(stand, "posterior", **settings))
    pilot = stand.pilot_tokens
    frontier = [
        Row(f"posterior, {p} bits", run(stand, "posterior", bits_per_1000_tokens=p, **settings))
        for p in PRICES
    ]
    text = report(rows, ours, PRICES, frontier, pilot)
    print(text)
    if asked.into:
        write_into(asked.into, asked.mark, text)
    if asked.chart:
        chart(rows, ours, frontier, asked.chart)
    if asked.json:
        everything = {row.name: row.figures() for row in [*rows, ours, *frontier]}
        asked.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def laid_out(
    path: str | Path, bank: Path, *, truth: str = "abacus", part: str | None = None
) -> Stand:
    served = Bank(bank, f"bank:{bank}")
    traces = [trace for trace in prmdata.read(path) if trace.error is None]
    groups = [list(g) for _, g in itertools.groupby(traces, key=lambda t: t.problem.id)]
    if part is not None:
        groups = [group for group in groups if part_of(group[0].problem.id) == part]

    def covered(trace: Trace) -> bool:
        lead = served.template.open_turn(trace.origin.messages, trace.origin.template)
        return all(lead + trace.prefix(t) in served.rows for t in range(1, len(trace.steps)))

    traces = list(itertools.chain(*groups))
    looked_at = {t.id for t in traces if t.correct is False and covered(t)}
    if truth == "evidence":  # people read the wrong traces only, and not all of them
        looked_at = {t.id for t in traces if t.id in looked_at and truth_of(t, truth)}
    missing = sum(trace.correct is False and trace.id not in looked_at for trace in traces)
    if missing:
        print(f"{missing} wrong traces are not in the bank and are passed over")
    return Stand(groups, served, served.depth, looked_at, truth_from=truth)


def part_of(problem: str) -> str:
    """Two fifths of the problems are for tuning, by a hash that was fixed before any."""
    digest = hashlib.blake2b(problem.encode(), digest_size=4).digest()
    return "tuning" if int.from_bytes(digest, "big") % 5 < 2 else "test"


def verified(groups: list[list[Trace]]) -> list[list[Trace]]:
    async def each() -> list[list[Trace]]:
        async with ready(make(VERIFIERS, "arithmetic", {})) as how:

            async def one(trace: Trace) -> Trace:
                return trace.with_evidence(as_evidence("arithmetic", how, await how.verify(trace)))

            return [[await one(trace) for trace in group] for group in groups]

    return LOOP.run(each())


def run(stand: Stand, name: str, **settings: object) -> list[Result]:
    if name == "posterior":
        settings = {"pilot": PILOT, **settings}
    return stand.results(stand.run(stand.learned(method(name, "label", settings))))


def baseline(stand: Stand, name: str, settings: dict[str, object]) -> list[Result]:
    """Methods that only estimate are read at the hard threshold: any hit."""
    if name in ("mc", "adaptive"):
        kept = [[t for t in group if t.id in stand.looked_at] for group in stand.groups]
        covered = replace(stand, groups=[group for group in kept if group])
        valued = covered.run(method(name, "estimate", settings))
        groups = [list(g) for _, g in itertools.groupby(valued, key=lambda t: t.problem.id)]
        return run(replace(covered, groups=groups), "threshold")
    return run(stand, name, **settings)


def omega(stand: Stand, problems: int) -> Row:
    """On the model itself: its tree grows past the bank. What it searched is what counts."""
    some = replace(stand, groups=stand.groups[:problems])

    async def opened() -> Sampler:
        return await open_sampler("abacus")

    some.sampler = LOOP.run(opened())
    made = some.run(method("omega", "label", {"searches": 12}))
    searched = [t for t in made if t.labels and not t.correct]
    some.looked_at = {t.id for t in searched}
    LOOP.run(some.sampler.close())
    return Row(f"omega, 12 searches, {problems} problems", some.results(searched))


if __name__ == "__main__":
    main()
