"""How good exported labels are: measured on traces that carry their truth, or as a score says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from prmdata.errors import InputError
from prmdata.records import Trace
from prmdata.report.score import Score
from prmdata.truth import truth_of


@dataclass(slots=True)
class Accuracy:
    """Without the values of steps, since traces may be many: `prmdata score` has their figures."""

    score: Score = field(default_factory=lambda: Score(with_values=False))

    def note(self, trace: Trace) -> None:
        truth = truth_of(trace, "evidence") if trace.labels and not trace.error else None
        if truth is not None:
            self.score.add(trace, truth)

    def figures(self) -> dict[str, object]:
        if not self.score.labelled:
            return {}
        return {
            k: v
            for k, v in self.score.figures(intervals=False).items()
            if v is not None and v != {}
        }


def read_score(file: str) -> dict[str, object]:
    """What `prmdata score --json` printed."""
    try:
        figures = msgspec.json.decode(Path(file).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{file}: {error}; --score takes what `score --json` printed") from None
    if not isinstance(figures, dict) or not figures.get("labelled"):
        raise InputError(
            f"{file}: holds no score of labels; make it with `prmdata score LABELLED --json > FILE`"
        )
    return figures
