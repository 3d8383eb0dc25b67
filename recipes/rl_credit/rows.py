"""Traces with credit → what is learned from them, by way of what `export --to credit` writes."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from learner import Row

import prmdata
from prmdata.credit.contract import NAME
from prmdata.records import Evidence, Trace


def rows_of(traces: Sequence[Trace], tokenizer: Path) -> list[Row]:
    settings = {"tokenizer": str(tokenizer), "spread": "each", "unknown": "zero"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "credit.jsonl"
        prmdata.export(traces, output=str(path), to="credit", settings=settings)
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Row(r["prompt_ids"], r["completion_ids"], r["token_advantages"]) for r in found]


def same_for_all(trace: Trace, advantage: float) -> Trace:
    """The same credit for each of its steps."""
    credit = Evidence(NAME, "scores", rewards=(advantage,) * len(trace.steps))
    return replace(trace, evidence=(*(e for e in trace.evidence if e.name != NAME), credit))


def grouped(traces: Sequence[Trace]) -> list[list[Trace]]:
    """The traces of each problem."""
    return [list(group) for _, group in itertools.groupby(traces, key=lambda t: t.problem.id)]
