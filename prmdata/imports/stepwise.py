"""TRL's stepwise supervision (prompt, completions, labels): steps, and whether each is right.

`export --to stepwise` writes it, and many sets on the hub have these columns. Labels are true or 1,
false or 0; -100 says nothing of a step. The rows do not say whose labels they are (`labelled_by`
does in ours), so they are no truth. Of a value model's rows they are outcomes: leave those out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare, list_of, separated, steps_of, text_of
from prmdata.records import Evidence, Labels, Trace

NAME = "stepwise"
MEANS: dict[Any, float | None] = {1: 1.0, 0: 0.0, -100: None}


@dataclass(frozen=True, slots=True)
class Stepwise:
    @classmethod
    def fits(cls, row: Row) -> bool:
        steps, labels = row.get("completions"), row.get("labels")
        return (
            isinstance(row.get("prompt"), str)
            and isinstance(steps, list)
            and isinstance(labels, list)
            and all(isinstance(step, str) for step in steps)
        )

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        texts = steps_of(row, "completions", where)
        given = list_of(row, "labels", where)
        if len(given) != len(texts):
            raise InputError(f"{where}: {len(given)} labels for {len(texts)} completions")
        odd = next((label for label in given if label not in MEANS), None)
        if odd is not None:
            raise InputError(
                f"{where}: the label {odd!r:.40} is none of 1, 0, true, false and -100 (unknown)"
            )
        values = tuple(MEANS[label] for label in given)
        trace = bare(text_of(row, "prompt", where).strip(), None, separated(texts, "\n"), NAME)
        correct = row.get("correct")
        yield replace(
            trace,
            id=str(row.get("trace_id") or ""),
            correct=correct if isinstance(correct, bool) else None,
            evidence=(Evidence(name=NAME, kind="scores", values=values),),
            labels=self._labels(row, values),
        )

    def _labels(self, row: Row, values: tuple[float | None, ...]) -> Labels | None:
        """None where no step is judged, or the first wrong one may stand before those that are."""
        first = values.index(0.0) if 0.0 in values else None
        if None in values[:first]:
            return None
        return Labels(by=str(row.get("labelled_by") or NAME), first_error=first, values=values)
