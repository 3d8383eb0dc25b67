"""Every method on the same traces and the same rollouts: accuracy, price, and what it buys.

python compare.py traces.jsonl bank.parquet --into README.md --mark main --chart chart.svg
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from bound import Bound

import prmdata
from prmdata.grading import Grader
from prmdata.labellers import Method, method
from prmdata.records import Trace
from prmdata.report.score import calibration_error
from prmdata.report.truth import first_wrong, truth_of
from prmdata.sampler import open_sampler
from prmdata.sampler.bank import Bank
from prmdata.sampler.protocol import Sampler
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from prmdata.verifiers import verifier
from prmdata.verifiers.contract import as_evidence

PRICES = (8.0, 5.0, 3.5, 2.5, 1.8, 1.3, 1.0, 0.7, 0.5, 0.35, 0.25, 0.18)
"""Bits per 1,000 tokens, for the frontier of `posterior` and of the bound."""
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
RESAMPLED = 1000
LOOP = asyncio.Runner()


@dataclass(frozen=True)
class Result:
    """One labelled trace beside the truth."""

    problem: str
    truth: int | None
    said: int | None
    decided: bool
    confidence: float | None
    tokens: int
    rollouts: int
    rounds: int

    @property
    def exact(self) -> bool:
        return self.decided and self.said == self.truth


@dataclass(frozen=True)
class Row:
    name: str
    results: list[Result]

    def figures(self) -> dict[str, float | None]:
        with_confidence = [(r.confidence, r.exact) for r in self.results if r.confidence]
        return {
            "traces": len(self.results),
            "f1": f1(self.results),
            "exact": share(r.exact for r in self.results),
            "exact_on_erroneous": share(r.exact for r in self.results if r.truth is not None),
            "ece": calibration_error(with_confidence),
            "tokens": mean(r.tokens for r in self.results),
            "rollouts": mean(r.rollouts for r in self.results),
            "rounds": mean(r.rounds for r in self.results),
        }


@dataclass
class Stand:
    """The traces, whose truth is known, and what serves their rollouts."""

    groups: list[list[Trace]]
    sampler: Sampler
    depth: int
    """Rollouts that the bank holds of each prefix."""
    looked_at: set[str]
    """The traces that count: every wrong one, and the right ones that the bank covers."""
    seed: int = 1
    truths: dict[str, int | None] = field(default_factory=dict)

    def truth(self, trace: Trace) -> int | None:
        if trace.id not in self.truths:
            found = truth_of(trace, "abacus")
            assert found is not None
            self.truths[trace.id] = first_wrong(found)
        return self.truths[trace.id]

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
            grader.close()
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
    options.add_argument("--world", help="what `prmdata fit` measured")
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    stand = laid_out(asked.traces, asked.bank)
    baselines = BASELINES
    if asked.verified:
        stand.groups = verified(stand.groups)
        baselines = BELIEVING
    settings: dict[str, object] = {"most_rollouts": min(stand.depth, 96), "world": asked.world}
    rows = [Row(name, baseline(stand, *how)) for name, how in baselines.items()]
    if asked.omega:
        rows.append(omega(stand, asked.omega))
    frontier = [
        Row(f"posterior, {p} bits", run(stand, "posterior", bits_per_1000_tokens=p, **settings))
        for p in PRICES
    ]
    ours = Row("posterior", run(stand, "posterior", **settings))
    values = true_values(stand)
    bounds = [
        Bound(
            bits_per_1000_tokens=p,
            most_rollouts=min(stand.depth, 96),
            truths=stand.truths,
            values=values,
        )
        for p in PRICES
    ]
    bound = [
        Row(f"bound, {b.bits_per_1000_tokens} bits", stand.results(stand.run(b))) for b in bounds
    ]
    text = report(rows, ours, frontier, bound)
    print(text)
    if asked.into:
        write_into(asked.into, asked.mark, text)
    if asked.chart:
        chart(rows, ours, frontier, bound, asked.chart)
    if asked.json:
        everything = {row.name: row.figures() for row in [*rows, ours, *frontier, *bound]}
        asked.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def laid_out(path: str | Path, bank: Path) -> Stand:
    served = Bank(bank, f"bank:{bank}")
    traces = [trace for trace in prmdata.read(path) if trace.error is None]
    groups = [list(g) for _, g in itertools.groupby(traces, key=lambda t: t.problem.id)]

    def covered(trace: Trace) -> bool:
        lead = served.template.open_turn(trace.origin.messages, trace.origin.template)
        return all(lead + trace.prefix(t) in served.rows for t in range(1, len(trace.steps)))

    looked_at = {trace.id for trace in traces if covered(trace)}
    missing = sum(trace.correct is False and trace.id not in looked_at for trace in traces)
    if missing:
        print(f"{missing} wrong traces are not in the bank and are passed over")
    return Stand(groups, served, served.depth, looked_at)


def verified(groups: list[list[Trace]]) -> list[list[Trace]]:
    how = verifier("arithmetic", {})

    async def each(trace: Trace) -> Trace:
        return trace.with_evidence(as_evidence("arithmetic", how, await how.verify(trace)))

    async def all_of(group: list[Trace]) -> list[Trace]:
        return [await each(trace) for trace in group]

    return [LOOP.run(all_of(group)) for group in groups]


def run(stand: Stand, name: str, **settings: object) -> list[Result]:
    return stand.results(stand.run(method(name, "label", settings)))


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
    right = [t for t in made if t.correct and t.id in stand.looked_at]
    some.looked_at |= {t.id for t in right}
    LOOP.run(some.sampler.close())
    return Row(f"omega, 12 searches, {problems} problems", some.results(searched + right))


def true_values(stand: Stand) -> dict[str, list[float]]:
    """The share of hits after every step of the wrong traces, from all rollouts of the bank."""
    wrong = [[t for t in g if not t.correct and t.id in stand.looked_at] for g in stand.groups]
    some = replace(stand, groups=[group for group in wrong if group])
    valued = some.run(method("mc", "estimate", {"rollouts_per_step": stand.depth}))
    return {trace.id: [v or 0.0 for v in trace.evidence[-1].values] for trace in valued}


def f1(results: Sequence[Result]) -> float:
    wrong = share(r.exact for r in results if r.truth is not None)
    right = share(r.exact for r in results if r.truth is None)
    return 2 * wrong * right / (wrong + right) if wrong + right else 0.0


def share(flags: object) -> float:
    return mean(map(float, flags))  # type: ignore[call-overload]


def mean(values: object) -> float:
    found = list(values)  # type: ignore[call-overload]
    return sum(found) / len(found) if found else 0.0


def interval(results: Sequence[Result], figure: Callable[[Sequence[Result]], float]) -> float:
    """Half the width of the 95 % interval, drawing problems anew."""
    problems: dict[str, list[Result]] = {}
    for result in results:
        problems.setdefault(result.problem, []).append(result)
    groups = list(problems.values())
    chance = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLED):
        drawn = chance.integers(len(groups), size=len(groups))
        values.append(figure([r for i in drawn for r in groups[i]]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(high - low) / 2


def tokens_at(frontier: Sequence[Row], target: float) -> float | None:
    """Tokens at which a frontier reaches an F1: between its points in the log of tokens."""
    points = sorted((mean(r.tokens for r in row.results), f1(row.results)) for row in frontier)
    best: list[tuple[float, float]] = []
    for tokens, reached in points:
        if not best or reached > best[-1][1]:
            best.append((tokens, reached))
    if target > best[-1][1]:
        return None
    if target <= best[0][1]:
        return best[0][0]
    for (t0, a0), (t1, a1) in itertools.pairwise(best):
        if a0 < target <= a1:
            at = (target - a0) / (a1 - a0)
            return math.exp(math.log(t0) * (1 - at) + math.log(t1) * at)
    raise AssertionError("a target between the ends is between two points")


def report(rows: Sequence[Row], ours: Row, frontier: Sequence[Row], bound: Sequence[Row]) -> str:
    results = ours.results
    wrong = sum(r.truth is not None for r in results)
    lines = [
        f"{len(results):,} traces of {len({r.problem for r in results})} problems, {wrong:,} of "
        "them with a wrong step. Tokens, rollouts and rounds are means over all of them; ± is the "
        "95 % interval.",
        "",
        "| method | F1 | exact on wrong | ECE | tokens | rollouts | rounds "
        "| `posterior` at this F1 | fewer tokens |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in [*rows, ours]:
        figures = row.figures()
        own = row is ours
        needed = None if own else tokens_at(frontier, f1(row.results))
        ratio = f"{figures['tokens'] / needed:.1f} ×" if needed else ""  # type: ignore[operator]
        ece = figures["ece"]
        exact = [r for r in row.results if r.truth is not None]
        lines.append(
            f"| {row.name} | {figures['f1']:.3f} ± {interval(row.results, f1):.3f} "
            f"| {figures['exact_on_erroneous']:.3f} ± "
            f"{interval(exact, lambda rs: share(r.exact for r in rs)):.3f} "
            f"| {'' if ece is None else f'{ece:.3f}'} "
            f"| {figures['tokens']:,.0f} | {figures['rollouts']:.1f} | {figures['rounds']:.1f} "
            f"| {'' if needed is None else f'{needed:,.0f}'} | {ratio} |"
        )
    lines += ["", "The frontier of `posterior` over its price, and the bound:", ""]
    lines += [
        "| bits per 1,000 tokens | F1 | exact on wrong | ECE | tokens | bound: F1 | tokens |",
        "|---|---|---|---|---|---|---|",
    ]
    for price, row, other in zip(PRICES, frontier, bound, strict=True):
        figures, theirs = row.figures(), other.figures()
        lines.append(
            f"| {price:g} | {figures['f1']:.3f} | {figures['exact_on_erroneous']:.3f} "
            f"| {figures['ece']:.3f} | {figures['tokens']:,.0f} "
            f"| {theirs['f1']:.3f} | {theirs['tokens']:,.0f} |"
        )
    eight = next(row for row in rows if row.name == "bisect, k = 8")
    budget = 0.7 * mean(r.tokens for r in eight.results)
    within = [row for row in [ours, *frontier] if mean(r.tokens for r in row.results) <= budget]
    most = max(share(r.exact for r in row.results) for row in within)
    gained = most - share(r.exact for r in eight.results)
    ends = tokens_at(bound, f1(ours.results))
    lines += [
        "",
        f"- With 70 % of the tokens of `bisect` k = 8 the exact share is {gained:+.3f} against it.",
        "- The search that knows the true hit rates takes "
        + (
            f"{ends:,.0f} tokens for the F1 of `posterior`'s defaults: they take "
            f"{mean(r.tokens for r in ours.results) / ends:.2f} times as many."
            if ends
            else "more tokens than were tried for the F1 of `posterior`'s defaults."
        ),
    ]
    return "\n".join(lines)


def write_into(page: Path, mark: str, text: str) -> None:
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


def chart(
    rows: Sequence[Row], ours: Row, frontier: Sequence[Row], bound: Sequence[Row], path: Path
) -> None:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "prmdata"
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()

    def points(some: Sequence[Row]) -> tuple[list[float], list[float]]:
        found = sorted((mean(r.tokens for r in row.results), f1(row.results)) for row in some)
        return [t for t, _ in found], [f for _, f in found]

    axes.plot(*points(bound), color="0.6", linestyle=":", label="told the true hit rates")
    axes.plot(*points(frontier), color="tab:blue", marker=".", label="posterior, by price")
    axes.plot(
        *points([ours]),
        color="tab:blue",
        marker="*",
        markersize=14,
        linestyle="none",
        label="posterior, defaults",
    )
    placed = sorted((points([row]), row.name) for row in rows)
    for number, (((tokens,), (reached,)), name) in enumerate(placed):
        axes.plot([tokens], [reached], marker="o", linestyle="none", color="tab:orange")
        axes.annotate(
            name,
            (tokens, reached),
            (tokens, 0.84 - 0.013 * number),
            ha="center",
            fontsize=7,
            arrowprops={"arrowstyle": "-", "color": "0.8", "linewidth": 0.6},
        )
    axes.set(
        xscale="log",
        xlim=(15, 15_000),
        ylim=(0.7, 0.98),
        xlabel="generated tokens per trace",
        ylabel="F1 of the first error",
    )
    axes.grid(color="0.92")
    axes.legend(loc="upper left", fontsize=8)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
