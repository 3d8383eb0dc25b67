"""Scores of the held-out traces → what each reward model is worth, as a table and a chart.

python report.py run --into README.md --chart chart.svg
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from figures import READINGS, Figure, Group, Scores, chosen_by, faults, without_models
from labels import LABELS

import prmdata

MAIN = {name: "last" if name == "outcome" else "min" for name in LABELS}
"""The reading in the first column."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    options.add_argument("--scores", default="scores", help="which scores of the run")
    options.add_argument("--into", type=Path, help="a README to write the tables into")
    options.add_argument("--chart", type=Path)
    asked = options.parse_args()
    traces = prmdata.read(asked.run / "held.parquet")
    groups = [list(g) for _, g in itertools.groupby(traces, key=lambda t: t.problem.id)]
    runs = {name: scores_of(asked.run / asked.scores, name) for name in LABELS}
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
        write_into(asked.into, asked.scores, text)
    if asked.chart:
        chart(plain, {name: rows[MAIN[name]] for name, rows in chosen.items()}, asked.chart)


def scores_of(folder: Path, name: str) -> list[Scores]:
    """One for each seed."""
    paths = sorted(folder.glob(f"{name}-*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


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
        fault = "" if name == "outcome" else f"{found[name]} ({found[name].range})"
        exact = "" if name == "outcome" else f"{known['exact']:.3f}"
        lines.append(
            f"| {name} | {exact} | {known['tokens']:,.0f} | {main_row} ({main_row.range}) "
            f"| {' | '.join(others)} | {fault} |"
        )
    return "\n".join(lines)


def write_into(page: Path, mark: str, text: str) -> None:
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
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
