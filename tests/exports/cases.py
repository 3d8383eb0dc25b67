"""Traces that the formats' tests share: one problem, wrong and right, as labellers leave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets

import prmdata.abacus
from prmdata.exports import FORMATS
from prmdata.records import Evidence, Labels, Problem, Step, Trace
from prmdata.registry import make
from prmdata.stages.export import Exporting, run_export

MODEL = Path(prmdata.abacus.__file__).parent / "model"
PROBLEM = Problem("p", "What is 3 + 4 * 2?", "11")


def trace(name: str, *steps: str, correct: bool | None, labels: Labels | None = None) -> Trace:
    answer = steps[-1].rstrip(".\n").rsplit(" ", 1)[-1]
    return Trace(
        f"p/{name}", PROBLEM, tuple(map(Step, steps)), answer, correct, finish="stop", labels=labels
    )


WRONG = trace(
    "0", "4 * 2 = 8\n", "3 + 8 = 12\n\n", "It is 12.\n",
    correct=False, labels=Labels("bisect", 1, (1.0, 0.0, 0.0), 0.8),
)  # fmt: skip
RIGHT = trace(
    "1", "4 * 2 = 8\n", "3 + 8 = 11\n", "It is 11.\n",
    correct=True, labels=Labels("bisect", None, (1.0, 1.0, 1.0)),
)  # fmt: skip
TRUSTED = replace(RIGHT, id="p/2", labels=Labels("bisect", None, examined=False))
JUDGED = WRONG.with_evidence(
    Evidence(
        "critique",
        "verdicts",
        verdicts=("right", "wrong", "wrong"),
        notes=("Four twos are eight.", "Three and eight are eleven.", None),
    )
)


def exported(
    where: Path,
    name: str,
    traces: Sequence[Trace],
    settings: dict[str, Any] | None = None,
    target: str = "dataset",
) -> tuple[datasets.Dataset, dict[str, Any]]:
    """The dataset as `datasets` loads it, and the summary."""
    asked = Exporting(name, make(FORMATS, name, settings or {}))
    counts = run_export(asked, str(where / target), traces=traces, overwrite=True)
    assert counts is not None
    loaded = datasets.load_dataset(str(where / target), cache_dir=str(where / "cache"))
    return loaded["train"], counts
