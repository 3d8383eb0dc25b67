"""Signals of steps held against the truth of abacus: a table, as Markdown.

python measure.py FOLDER: reads FOLDER/METHOD.jsonl, as `make` writes them.

AUC: how well a signal tells steps after which the trace is still right from the others, and the
first wrong step from the right ones. Exact: the share of traces that end wrong of which the first
wrong step is named; how a signal is read is chosen on the problems of one half, and counted on the
other. Intervals: 95 %, problems drawn anew.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prmdata.files import read_traces, readable
from prmdata.records import Cost
from prmdata.truth import truths

METHODS = (
    "mc", "anytime", "gain", "potential", "clusters", "certainty", "contrast", "first-error",
    "faithfulness", "implicit",
)  # fmt: skip
REPLICATES = 400
Numbers = tuple[float | None, ...]


@dataclass(frozen=True)
class Row:
    """One trace under one method."""

    problem: str
    columns: dict[str, Numbers]
    """values, rewards."""
    first: int | None
    """The first wrong step, by the oracle."""
    ends_right: bool
    cost: Cost

    @property
    def tunes(self) -> bool:
        return tunes(self.problem)


def tunes(problem: str) -> bool:
    """Whether a problem is of the half that things are chosen and fitted on."""
    return hashlib.sha256(problem.encode()).digest()[0] % 2 == 0


def rows_of(path: Path, method: str) -> list[Row]:
    truth_of = truths("abacus")
    found = []
    for trace in readable(read_traces(str(path))):
        evidence, truth = trace.evidence_named(method), truth_of(trace)
        if trace.error or evidence is None or truth is None:
            continue
        columns = {"values": evidence.values, "rewards": evidence.rewards}
        columns = {name: row for name, row in columns.items() if any(x is not None for x in row)}
        right = trace.correct is True
        found.append(Row(trace.problem.id, columns, truth.first_wrong, right, evidence.cost))
    return found


def auc(signal: Sequence[float], positive: Sequence[bool]) -> float:
    """The chance that a positive has the larger number; ties count half."""
    x, y = np.asarray(signal, float), np.asarray(positive, bool)
    if not y.any() or y.all():
        return float("nan")
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[inverse]
    ups, downs = y.sum(), (~y).sum()
    return float((ranks[y].sum() - ups * (ups + 1) / 2) / (ups * downs))


def still_right(rows: Iterable[Row], column: str) -> float:
    """Of the steps before the last, which is known to end right or wrong."""
    pairs = [
        (number, row.first is None or step < row.first)
        for row in rows
        for step, number in enumerate(row.columns[column][:-1])
        if number is not None
    ]
    return auc([x for x, _ in pairs], [y for _, y in pairs])


def first_wrong(rows: Iterable[Row], column: str) -> float:
    pairs = [
        (number, step != row.first)
        for row in rows
        for step, number in enumerate(row.columns[column])
        if number is not None and (row.first is None or step <= row.first)
    ]
    return auc([x for x, _ in pairs], [y for _, y in pairs])


def readings(rows: Sequence[Row]) -> list[Callable[[Row], int]]:
    """Ways to name a step: the lowest number, or the first that is not above a threshold."""
    found: list[Callable[[Row], int]] = []
    for column in rows[0].columns:
        numbers = [x for row in rows for x in row.columns.get(column, ()) if x is not None]
        levels = np.unique(np.quantile(numbers, np.linspace(0.02, 0.98, 49)))
        found.append(lambda row, c=column: _lowest(row.columns[c]))
        found += [lambda row, c=column, at=at: _below(row.columns[c], at) for at in levels]
    return found


def _lowest(numbers: Numbers) -> int:
    return min(range(len(numbers)), key=lambda i: np.inf if numbers[i] is None else numbers[i])


def _below(numbers: Numbers, at: float) -> int:
    steps = (i for i, x in enumerate(numbers) if x is not None and x <= at)
    return next(steps, len(numbers) - 1)


def exact(rows: Iterable[Row], read: Callable[[Row], int]) -> float:
    hits = [read(row) == row.first for row in rows if not row.ends_right]
    return float(np.mean(hits)) if hits else float("nan")


def interval(rows: Sequence[Row], figure: Callable[[list[Row]], float]) -> str:
    by_problem: dict[str, list[Row]] = {}
    for row in rows:
        by_problem.setdefault(row.problem, []).append(row)
    groups, chance = list(by_problem.values()), np.random.default_rng(0)
    drawn = [
        figure([row for i in chance.integers(len(groups), size=len(groups)) for row in groups[i]])
        for _ in range(REPLICATES)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return f"{figure(list(rows)):.3f} ({low:.2f}–{high:.2f})"


def line(method: str, rows: list[Row]) -> str:
    tuning, test = [r for r in rows if r.tunes], [r for r in rows if not r.tunes]
    tune = [row for row in tuning if not row.ends_right]
    read = max(readings(tune), key=lambda way: exact(tune, way))
    column = max(rows[0].columns, key=lambda c: abs(still_right(tuning, c) - 0.5))
    named = max(rows[0].columns, key=lambda c: abs(first_wrong(tuning, c) - 0.5))
    n = len(rows)
    return (
        f"| `{method}` | {interval(test, lambda some: still_right(some, column))} "
        f"| {interval(test, lambda some: first_wrong(some, named))} "
        f"| {interval(test, lambda some: exact(some, read))} "
        f"| {sum(r.cost.tokens for r in rows) / n:,.0f} "
        f"| {sum(r.cost.scored for r in rows) / n:,.0f} |"
    )


def table(folder: Path) -> str:
    lines = []
    head = ""
    for method in METHODS:
        path = folder / f"{method}.jsonl"
        if not path.exists():
            continue
        rows = rows_of(path, method)
        test = [row for row in rows if not row.tunes]
        head = head or (
            f"{len(rows)} traces of {len({r.problem for r in rows})} problems; figures on the "
            f"{len(test)} traces of {len({r.problem for r in test})} problems that nothing was "
            f"tuned on, {sum(not r.ends_right for r in test)} of which end wrong. Tokens are means "
            "over all traces."
        )
        lines.append(line(method, rows))
    columns = ("method", "AUC, still right", "AUC, first wrong", "exact", "generated", "read")
    rule = "|".join(["---"] * len(columns))
    return "\n".join([head, "", f"| {' | '.join(columns)} |", f"|{rule}|", *lines])


def into(readme: Path, mark: str, text: str) -> None:
    before, _, rest = readme.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
    _, _, after = rest.partition(f"<!-- end of {mark} -->")
    readme.write_text(
        f"{before}<!-- {mark} -->\n{text}\n<!-- end of {mark} -->{after}", encoding="utf-8"
    )


if __name__ == "__main__":
    made = table(Path(sys.argv[1]))
    print(made)
    if len(sys.argv) > 2:
        into(Path(sys.argv[2]), "signals", made)
