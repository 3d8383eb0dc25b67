"""`posterior` with and without `certainty` as evidence: a table, as Markdown.

python labels.py FOLDER README.md: reads FOLDER/certainty.jsonl. What its numbers are worth is
learned on the problems of one half, with their truth; the other half is labelled.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from measure import into, tunes

import prmdata
from prmdata.files import read_traces, readable, write_traces
from prmdata.records import Trace

PRICES = (0.06, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Bits per 1,000 tokens."""


def split(folder: Path) -> tuple[list[Trace], list[Trace]]:
    traces = list(readable(read_traces(str(folder / "certainty.jsonl"))))
    return (
        [trace for trace in traces if tunes(trace.problem.id)],
        [trace for trace in traces if not tunes(trace.problem.id)],
    )


def fitted(folder: Path, traces: list[Trace]) -> Path:
    source, policy = folder / "half.jsonl", folder / "policy.json"
    write_traces(str(source), traces)
    words = ["fit", str(source), "--truth", "abacus", "--rollouts-per-step", "0", "-o", str(policy)]
    subprocess.run([sys.executable, "-m", "prmdata", *words], check=True)
    return policy


def labelled(folder: Path, traces: list[Trace], **settings: Any) -> dict[str, Any]:
    made = prmdata.label(traces, settings=settings, store=str(folder / "store"))
    return prmdata.score(made, truth="abacus")


def row(name: str, price: float, found: dict[str, Any], wrong: int) -> str:
    low, high = found["intervals"]["f1"]
    generated, read = found["tokens"] / wrong, found["scored"] / wrong
    return (
        f"| {name} | {price:g} | {found['f1']:.3f} ({low:.2f}–{high:.2f}) | {found['ece']:.3f} "
        f"| {generated:,.0f} | {read:,.0f} | {generated + read:,.0f} |"
    )


def table(folder: Path) -> str:
    half, test = split(folder)
    policy = str(fitted(folder, half))
    wrong = sum(trace.correct is False for trace in test)
    problems = len({trace.problem.id for trace in test})
    head = (
        f"{len(test)} traces of {problems} problems, {wrong} of which end wrong. Tokens a search."
    )
    columns = "| evidence | price | F1 | ECE | generated | read | together |"
    lines = [
        row(name, price, labelled(folder, test, bits_per_1000_tokens=price, **more), wrong)
        for name, more in (("none", {}), ("certainty", {"policy": policy}))
        for price in PRICES
    ]
    return "\n".join([head, "", columns, "|---|---|---|---|---|---|---|", *lines])


if __name__ == "__main__":
    made = table(Path(sys.argv[1]))
    print(made)
    if len(sys.argv) > 2:
        into(Path(sys.argv[2]), "labels", made)
