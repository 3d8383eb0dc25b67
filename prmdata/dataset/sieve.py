"""What a selection takes out of the traces as they pass, with what it has to remember for it."""

from __future__ import annotations

from collections import Counter

from prmdata.dataset.contamination import Contamination
from prmdata.dataset.near_duplicates import NearDuplicates
from prmdata.dataset.selection import Selection
from prmdata.records import Problem, Trace


class Sieve:
    def __init__(self, selection: Selection) -> None:
        self._chosen = selection
        self._contamination = (
            Contamination.of(selection.contamination, selection.contamination_words)
            if selection.contamination
            else None
        )
        self._near_duplicates = (
            None if selection.near_duplicates is None else NearDuplicates(selection.near_duplicates)
        )
        self._problems: dict[int, str | None] = {}
        """Hash of a problem's id → why its traces are left out."""
        self._taken: Counter[int] = Counter()
        self._at: str = ""
        self._texts: set[int] = set()
        """What was taken of the problem that is passing; its traces stand together."""
        self.removed: list[dict[str, object]] = []
        """The problems left out, each with what it repeats."""

    def against(self, trace: Trace) -> str | None:
        """Why this trace is not taken."""
        reason = (
            self._chosen.against(trace) or self._problem(trace.problem) or self._repeated(trace)
        )
        if reason is not None or self._chosen.per_problem is None:
            return reason
        problem = hash(trace.problem.id)
        self._taken[problem] += 1
        if self._taken[problem] > self._chosen.per_problem:
            return f"more than {self._chosen.per_problem} of a problem"
        return None

    def exempts(self, trace: Trace) -> bool:
        return self._chosen.exempts(trace)

    def _problem(self, problem: Problem) -> str | None:
        if self._contamination is None and self._near_duplicates is None:
            return None
        key = hash(problem.id)
        if key not in self._problems:
            self._problems[key] = self._judged(problem)
        return self._problems[key]

    def _judged(self, problem: Problem) -> str | None:
        if self._contamination is not None:
            overlap = self._contamination.overlap(problem.question)
            if overlap is not None:
                found = {"in": overlap.where, "words": overlap.words}
                self.removed.append({"problem": problem.id, **found})
                return "in a benchmark"
        if self._near_duplicates is not None:
            earlier = self._near_duplicates.earlier(problem.id, problem.question)
            if earlier is not None:
                self.removed.append({"problem": problem.id, "nearly": earlier})
                return "nearly an earlier problem"
        return None

    def _repeated(self, trace: Trace) -> str | None:
        if self._chosen.distinct is None:
            return None
        if trace.problem.id != self._at:
            self._at, self._texts = trace.problem.id, set()
        first = trace.labels.first_error if trace.labels else None
        whole = self._chosen.distinct == "text" or first is None
        said = hash((trace.text if whole else trace.prefix((first or 0) + 1)).rstrip())
        if said in self._texts:
            return "said before" if whole else "said before, up to the first wrong step"
        self._texts.add(said)
        return None
