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
        pairs = [(r.confidence, r.exact) for r in self.results if r.confidence is not None]
        surest = sorted(pairs, key=lambda pair: -pair[0])[: len(pairs) // 2]
        return {
            "traces": len(self.results),
            "exact": exact(self.results),
            "confidence": mean(c for c, _ in pairs) if pairs else None,
            "ece": calibration_error(pairs),
            "surest_half": share(e for _, e in surest) if surest else None,
            "tokens": mean(r.tokens for r in self.results),
            "rollouts": mean(r.rollouts for r in self.results),
            "rounds": mean(r.rounds for r in self.results),
        }


def exact(results: Sequence[Result]) -> float:
    return share(r.exact for r in results)


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
    """Tokens at which a frontier is exact so often: between its points in the log of tokens."""
    points = sorted((mean(r.tokens for r in row.results), exact(row.results)) for row in frontier)
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
    yield (
        f"{len(ours.results):,} traces that end wrong, of "
        f"{len({r.problem for r in ours.results})} problems. Confidence, tokens, rollouts and "
        "rounds are means; ± is half of the 95 % interval."
    )
    yield ""
    beside = (" `posterior`, as exact | fewer tokens |", "---|---|") if frontier else ("", "")
    yield (
        "| method | exact | confidence | ECE | surest half | tokens | rollouts | rounds |"
        + beside[0]
    )
    yield f"|---|---|---|---|---|---|---|---|{beside[1]}"
    for row in [*rows, ours]:
        figures = row.figures()
        sure = (figures[name] for name in ("confidence", "ece", "surest_half"))
        line = (
            f"| {row.name} | {figures['exact']:.3f} ± {interval(row.results, exact):.3f} | "
            + " | ".join("" if figure is None else f"{figure:.3f}" for figure in sure)
            + f" | {figures['tokens']:,.0f} | {figures['rollouts']:.1f} | {figures['rounds']:.1f} |"
        )
        if frontier:
            own = row.name.startswith("posterior")
            needed = None if own else tokens_at(frontier, exact(row.results))
            ratio = f"{figures['tokens'] / needed:.1f} ×" if needed else ""  # type: ignore[operator]
            shown = "" if own else "never" if needed is None else f"{needed:,.0f}"
            line += f" {shown} | {ratio} |"
        yield line


def report(
    rows: Sequence[Row],
    ours: Row,
    prices: Sequence[float],
    frontier: Sequence[Row],
    pilot_tokens: int,
) -> str:
    lines = [*table(rows, ours, frontier)]
    lines += ["", "The frontier of `posterior` over its price:", ""]
    lines += [
        "| bits per 1,000 tokens | exact | confidence | ECE | surest half | tokens |",
        "|---|---|---|---|---|---|",
    ]
    for price, row in zip(prices, frontier, strict=True):
        figures = row.figures()
        lines.append(
            f"| {price:g} | {figures['exact']:.3f} | {figures['confidence']:.3f} "
            f"| {figures['ece']:.3f} | {figures['surest_half']:.3f} | {figures['tokens']:,.0f} |"
        )
    eight = next(row for row in rows if row.name == "bisect, k = 8")
    lines += [""]
    for part in (0.5, 0.7):
        budget = part * mean(r.tokens for r in eight.results)
        within = [row for row in [ours, *frontier] if mean(r.tokens for r in row.results) <= budget]
        gained = max(exact(row.results) for row in within) - exact(eight.results)
        lines.append(
            f"- With {part:.0%} of the tokens of `bisect` k = 8 the exact share is {gained:+.3f} "
            "against it."
        )
    lines.append(
        f"- Learning the policy took {pilot_tokens:,} tokens once; the search of the traces that "
        "were looked at finds them in the store."
    )
    return "\n".join(lines)


def write_into(page: Path, mark: str, text: str) -> None:
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


def chart(rows: Sequence[Row], ours: Row, frontier: Sequence[Row], path: Path) -> None:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "prmdata"
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()

    def points(some: Sequence[Row]) -> tuple[list[float], list[float]]:
        found = sorted((mean(r.tokens for r in row.results), exact(row.results)) for row in some)
        return [t for t, _ in found], [f for _, f in found]

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
            (tokens, 0.74 - 0.012 * number),
            ha="center",
            fontsize=7,
            arrowprops={"arrowstyle": "-", "color": "0.8", "linewidth": 0.6},
        )
    axes.set(
        xscale="log",
        xlim=(15, 15_000),
        ylim=(0.6, 1.0),
        xlabel="generated tokens per trace that ends wrong",
        ylabel="first error exact, traces that end wrong",
    )
    axes.grid(color="0.92")
    axes.legend(loc="upper left", fontsize=8)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
