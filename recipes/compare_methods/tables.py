"""Labelled traces beside the truth → figures, with intervals, as a table and a chart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prmdata.report.calibration import calibration_error

RESAMPLED = 1000


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


def table(rows: Sequence[Row], ours: Row, frontier: Sequence[Row] = ()) -> Iterator[str]:
    results = ours.results
    wrong = sum(r.truth is not None for r in results)
    yield (
        f"{len(results):,} traces of {len({r.problem for r in results})} problems, {wrong:,} of "
        "them with a wrong step. Tokens, rollouts and rounds are means over all of them; ± is the "
        "95 % interval."
    )
    yield ""
    beside = (" `posterior` at this F1 | fewer tokens |", "---|---|") if frontier else ("", "")
    yield f"| method | F1 | exact on wrong | ECE | tokens | rollouts | rounds |{beside[0]}"
    yield f"|---|---|---|---|---|---|---|{beside[1]}"
    for row in [*rows, ours]:
        figures = row.figures()
        ece = figures["ece"]
        exact = [r for r in row.results if r.truth is not None]
        line = (
            f"| {row.name} | {figures['f1']:.3f} ± {interval(row.results, f1):.3f} "
            f"| {figures['exact_on_erroneous']:.3f} ± "
            f"{interval(exact, lambda rs: share(r.exact for r in rs)):.3f} "
            f"| {'' if ece is None else f'{ece:.3f}'} "
            f"| {figures['tokens']:,.0f} | {figures['rollouts']:.1f} | {figures['rounds']:.1f} |"
        )
        if frontier:
            needed = None if row is ours else tokens_at(frontier, f1(row.results))
            ratio = f"{figures['tokens'] / needed:.1f} ×" if needed else ""  # type: ignore[operator]
            line += f" {'' if needed is None else f'{needed:,.0f}'} | {ratio} |"
        yield line


def report(
    rows: Sequence[Row],
    ours: Row,
    prices: Sequence[float],
    frontier: Sequence[Row],
    bound: Sequence[Row],
) -> str:
    lines = [*table(rows, ours, frontier)]
    lines += ["", "The frontier of `posterior` over its price, and the bound:", ""]
    lines += [
        "| bits per 1,000 tokens | F1 | exact on wrong | ECE | tokens | bound: F1 | tokens |",
        "|---|---|---|---|---|---|---|",
    ]
    for price, row, other in zip(prices, frontier, bound, strict=True):
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
