"""Scores of the held-out traces → what each reward model is worth, as a table and a chart.

python report.py run --into README.md --chart chart.svg
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from labels import LABELS, first_error

import prmdata
from prmdata.records import Trace

READINGS: dict[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "mean": fmean,
    "last": lambda steps: steps[-1],
}
"""How the scores of a trace's steps become one."""
MAIN = {name: "last" if name == "outcome" else "min" for name in LABELS}
RESAMPLED = 2000
WRONG_BELOW = 0.5
Scores = dict[str, list[float]]
Group = Sequence[Trace]


@dataclass(frozen=True)
class Figure:
    mean: float
    half: float
    """Half of the 95 % interval, drawing problems anew."""
    seeds: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.half:.3f}"

    @property
    def range(self) -> str:
        return f"{min(self.seeds):.3f}–{max(self.seeds):.3f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    options.add_argument("--into", type=Path, help="a README to write the tables into")
    options.add_argument("--chart", type=Path)
    asked = options.parse_args()
    traces = prmdata.read(asked.run / "held.parquet")
    groups = [list(g) for _, g in itertools.groupby(traces, key=lambda t: t.problem.id)]
    runs = {name: scores_of(asked.run / "scores", name) for name in LABELS}
    plain = without_models(groups)
    chosen = {
        name: {how: chosen_by(groups, seeds, READINGS[how]) for how in READINGS}
        for name, seeds in runs.items()
        if seeds
    }
    found = {name: faults(groups, seeds) for name, seeds in runs.items() if seeds}
    counts = json.loads((asked.run / "labels" / "counts.json").read_text(encoding="utf-8"))
    text = table(groups, runs, plain, chosen, found, counts)
    print(text)
    if asked.into:
        write_into(asked.into, text)
    if asked.chart:
        chart(plain, {name: rows[MAIN[name]] for name, rows in chosen.items()}, asked.chart)


def scores_of(folder: Path, name: str) -> list[Scores]:
    """One for each seed."""
    paths = sorted(folder.glob(f"{name}-*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def without_models(groups: Sequence[Group]) -> dict[str, Figure]:
    return {
        "pass@1": mean([fmean(map(right, group)) for group in groups]),
        "majority": mean([majority(group) for group in groups]),
        "pass@n": mean([float(any(map(right, group))) for group in groups]),
    }


def right(trace: Trace) -> bool:
    return trace.correct is True


def majority(group: Group) -> float:
    """Whether the most frequent answer is right; answers that are as frequent share the chance."""
    votes = Counter(trace.answer for trace in group if trace.answer is not None)
    most = max(votes.values(), default=0)
    first = {answer for answer, n in votes.items() if n == most}
    return fmean([any(t.answer == a and right(t) for t in group) for a in first] or [0])


def chosen_by(
    groups: Sequence[Group], seeds: Sequence[Scores], reading: Callable[[Sequence[float]], float]
) -> Figure:
    """The share of problems on which the trace with the highest score is right."""
    shares = [[best(group, scores, reading) for group in groups] for scores in seeds]
    overall = mean([fmean(of_problem) for of_problem in zip(*shares, strict=True)])
    return Figure(overall.mean, overall.half, tuple(map(fmean, shares)))


def best(group: Group, scores: Scores, reading: Callable[[Sequence[float]], float]) -> float:
    read = [reading(scores[trace.id]) for trace in group]
    return fmean(right(t) for t, value in zip(group, read, strict=True) if value == max(read))


def faults(groups: Sequence[Group], seeds: Sequence[Scores]) -> Figure:
    """ProcessBench's F1: the harmonic mean of what is exact among faulty and faultless traces."""
    truths = {trace.id: first_error(trace) for group in groups for trace in group}
    tallies = np.array(
        [[tally([(truths[t.id], said(s[t.id])) for t in group]) for group in groups] for s in seeds]
    )
    chance = np.random.default_rng(0)
    size = len(groups)
    drawn = [chance.integers(size, size=size) for _ in range(RESAMPLED)]
    again = [fmean(f1(one[ids].sum(0)) for one in tallies) for ids in drawn]
    each = tuple(f1(one.sum(0)) for one in tallies)
    return Figure(fmean(each), half_width(again), each)


def said(steps: Sequence[float]) -> int | None:
    return next((i for i, p in enumerate(steps) if p < WRONG_BELOW), None)


def tally(pairs: Sequence[tuple[int | None, int | None]]) -> list[int]:
    faulty = [truth == found for truth, found in pairs if truth is not None]
    faultless = [found is None for truth, found in pairs if truth is None]
    return [sum(faulty), len(faulty), sum(faultless), len(faultless)]


def f1(counts: Sequence[int]) -> float:
    exact, faulty, clean, faultless = map(float, counts)
    shares = exact / max(faulty, 1), clean / max(faultless, 1)
    return 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0.0


def mean(values: Sequence[float]) -> Figure:
    chance = np.random.default_rng(0)
    drawn = chance.integers(len(values), size=(RESAMPLED, len(values)))
    return Figure(fmean(values), half_width(np.asarray(values)[drawn].mean(1)))


def half_width(values: Sequence[float]) -> float:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(high - low) / 2


def table(
    groups: Sequence[Group],
    runs: dict[str, list[Scores]],
    plain: dict[str, Figure],
    chosen: dict[str, dict[str, Figure]],
    found: dict[str, Figure],
    counts: dict[str, dict[str, float]],
) -> str:
    n = len(groups[0])
    seeds = sorted({len(some) for some in runs.values() if some})
    traces = f"{sum(map(len, groups)):,} traces"
    lines = [
        f"{len(groups):,} held-out problems with {n} samples each, {traces}; "
        f"seeds: {' or '.join(map(str, seeds))}; {counts['truth']['traces']:,} traces to learn "
        "from. ± is half of the 95 % interval (problems drawn anew); in brackets the seeds' range.",
        "",
        f"pass@1 {plain['pass@1']} · majority@{n} {plain['majority']} · pass@{n} {plain['pass@n']}",
        "",
        f"| labels | exact | tokens a trace | best of {n} | by min | by mean | by last | F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in chosen.items():
        main_row, known = rows[MAIN[name]], counts[name]
        others = [f"{rows[how].mean:.3f}" for how in READINGS]
        if name == "outcome":
            others = ["", "", others[-1]]
        fault = "" if name == "outcome" else f"{found[name]} ({found[name].range})"
        exact = "" if name == "outcome" else f"{known['exact']:.3f}"
        lines.append(
            f"| {name} | {exact} | {known['tokens']:,.0f} | {main_row} ({main_row.range}) "
            f"| {' | '.join(others)} | {fault} |"
        )
    return "\n".join(lines)


def write_into(page: Path, text: str) -> None:
    begin, end = "<!-- figures -->", "<!-- end of figures -->"
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


def chart(plain: dict[str, Figure], chosen: dict[str, Figure], path: Path) -> None:
    from matplotlib import rcParams
    from matplotlib.figure import Figure as Drawing

    rcParams["svg.hashsalt"] = "prmdata"
    drawing = Drawing(figsize=(6.5, 3.6), layout="constrained")
    axes = drawing.add_subplot()
    for name, style in (("pass@1", ":"), ("majority", "--"), ("pass@n", "-")):
        axes.axhline(plain[name].mean, color="0.5", linestyle=style, linewidth=1, label=name)
    axes.errorbar(
        list(chosen),
        [figure.mean for figure in chosen.values()],
        [figure.half for figure in chosen.values()],
        fmt="o",
        capsize=4,
        color="tab:blue",
        label="best of n by the model",
    )
    axes.set(ylabel="share of problems solved", xlabel="labels that the reward model learned from")
    axes.grid(axis="y", color="0.92")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    drawing.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
