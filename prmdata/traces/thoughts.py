"""Runs of steps with the same verdict, joined into thoughts (TP-GRPO)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prmdata.records import Evidence, Labels, Step, Trace

COLUMNS = ("values", "hits", "rollouts", "verdicts", "notes", "rewards")


def runs(rights: Sequence[bool | None], steps: Sequence[Step]) -> list[tuple[int, int]]:
    """Maximal runs: the first step of each, and the one after its last. A run never goes beyond
    the end of a turn: what answered it is no part of a thought."""
    found: list[tuple[int, int]] = []
    for place, right in enumerate(rights):
        goes_on = place and right == rights[place - 1] and not steps[place - 1].messages
        if goes_on:
            found[-1] = found[-1][0], place + 1
        else:
            found.append((place, place + 1))
    return found


def joined(trace: Trace, places: Sequence[tuple[int, int]]) -> Trace:
    """The same text in fewer steps; of each run, what is known of its last step."""
    last = [end - 1 for _, end in places]
    steps = tuple(
        replace(trace.steps[end - 1], text="".join(step.text for step in trace.steps[start:end]))
        for start, end in places
    )
    evidence = tuple(_of(e, last) for e in trace.evidence)
    labels = trace.labels and _relabelled(trace.labels, places, last)
    return replace(trace, steps=steps, evidence=evidence, labels=labels)


def _of(evidence: Evidence, last: Sequence[int]) -> Evidence:
    columns: dict[str, Any] = {name: getattr(evidence, name) for name in COLUMNS}
    kept: dict[str, Any] = {
        name: tuple(column[i] for i in last) for name, column in columns.items() if column
    }
    return replace(evidence, **kept)


def _relabelled(labels: Labels, places: Sequence[tuple[int, int]], last: Sequence[int]) -> Labels:
    """The first error is in the thought that holds it."""
    values = tuple(labels.values[i] for i in last) if labels.values else ()
    first = labels.first_error
    if first is not None:
        first = next(n for n, (start, end) in enumerate(places) if start <= first < end)
    return replace(labels, first_error=first, values=values)
