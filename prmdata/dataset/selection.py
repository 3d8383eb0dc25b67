"""What any format can be asked to take, and in which split a problem belongs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from prmdata.dataset.contamination import file_name
from prmdata.errors import UsageError
from prmdata.labellers.evidence.solving import solving_of
from prmdata.labellers.evidence.step_verdicts import rights, step_error
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Selection:
    min_confidence: float | None = None
    """Of labels that were found by looking. A trace taken at its word has no confidence: whether it
    is written is the format's `unexamined` setting, and it is counted apart."""
    per_problem: int | None = None
    split: tuple[tuple[str, float], ...] = ()
    """Names and shares. A problem is in one split with all its traces."""
    shuffle: int | None = None
    max_steps: int | None = None
    max_characters: int | None = None
    """Of the question and the trace together."""
    max_step_error: float | None = None
    """The largest share of wrong steps among those judged; a trace that nobody judged passes only
    if its answer is right."""
    max_after_solved: int | None = None
    """The most steps after the one with which the answer was held; evidence must say which."""
    overturned: bool = True
    """Whether traces are taken that held the right answer and end wrong."""
    distinct: str | None = None
    """Of a problem's traces that say the same, in all (text) or up to the first wrong step
    (labelled), take one."""
    near_duplicates: float | None = None
    """Problems this similar to an earlier one are left out."""
    contamination: tuple[str, ...] = ()
    """Benchmark files whose problems are left out."""
    contamination_words: int = 13
    balance: int | None = None
    """A seed: as many right rows as wrong ones are taken, in each split."""

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise UsageError(f"min-confidence {self.min_confidence}: must lie between 0 and 1")
        if self.max_step_error is not None and not 0 <= self.max_step_error <= 1:
            raise UsageError(f"max-step-error {self.max_step_error}: must lie between 0 and 1")
        for name in ("per_problem", "max_steps", "max_characters", "contamination_words"):
            most = getattr(self, name)
            if most is not None and most < 1:
                raise UsageError(f"{name.replace('_', '-')} {most}: must be at least 1")
        if self.near_duplicates is not None and not 0 < self.near_duplicates <= 1:
            raise UsageError(f"near-duplicates {self.near_duplicates}: must be above 0, at most 1")
        if self.distinct not in (None, "text", "labelled"):
            raise UsageError(f"distinct {self.distinct}: must be text or labelled")

    def against(self, trace: Trace) -> str | None:
        """Why this trace is not taken, as far as it alone can say."""
        labels = trace.labels
        if self.min_confidence is not None and labels is not None and labels.examined:
            if labels.confidence is None:
                return "no confidence known"
            if labels.confidence < self.min_confidence:
                return f"confidence below {self.min_confidence:g}"
        if self.max_steps is not None and len(trace.steps) > self.max_steps:
            return f"longer than {self.max_steps} steps"
        if self.max_characters is not None:
            length = len(trace.problem.question) + sum(len(step.text) for step in trace.steps)
            if length > self.max_characters:
                return f"longer than {self.max_characters} characters"
        if self.max_after_solved is not None or not self.overturned:
            return self._solved(trace) or self._step_error(trace)
        return self._step_error(trace)

    def _solved(self, trace: Trace) -> str | None:
        solving, most = solving_of(trace), self.max_after_solved
        if solving is None:
            return "not known where it was solved"
        if most is not None and solving.after > most:
            return f"more than {most} step{'s' * (most != 1)} after it was solved"
        if solving.overturned and not self.overturned:
            return "held the answer and overturned it"
        return None

    def _step_error(self, trace: Trace) -> str | None:
        if self.max_step_error is not None:
            wrong = step_error(rights(trace))
            if wrong is None and trace.correct is not True:
                return "step error unknown"
            if wrong is not None and wrong > self.max_step_error:
                return f"more than {self.max_step_error:g} of the steps wrong"
        return None

    def exempts(self, trace: Trace) -> bool:
        """Whether it is taken without a confidence, though one is asked for: at its word."""
        labels = trace.labels
        return self.min_confidence is not None and labels is not None and labels.at_its_word

    def told(self) -> list[str]:
        """For the card: what was left out that a reader of the dataset should know of."""
        files = ", ".join(f"`{file_name(file)}`" for file in self.contamination)
        return [
            f"Problems left out: {what}"
            for said, what in (
                (
                    files,
                    f"whose question has {self.contamination_words} words in a row from one of "
                    f"{files} (or is one of theirs that has fewer words)",
                ),
                (
                    self.near_duplicates,
                    f"whose question is {self.near_duplicates} or more like an earlier one's "
                    "(Jaccard similarity of runs of three words)",
                ),
            )
            if said
        ]

    @property
    def splits(self) -> list[str]:
        return [name for name, _ in self.split] or ["train"]

    def split_of(self, problem: str) -> str:
        """By a hash of the problem's id: the same in every run, whatever else is exported."""
        if len(self.split) < 2:
            return self.splits[0]
        digest = hashlib.sha256(f"split {problem}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        for name, share in self.split:
            if place < share:
                return name
            place -= share
        return self.splits[-1]


def parse_split(text: str) -> tuple[tuple[str, float], ...]:
    """`train=0.9,test=0.1`."""
    found: dict[str, float] = {}
    for word in text.split(","):
        name, _, share = (part.strip() for part in word.partition("="))
        if not name.isidentifier() or name in found:
            raise UsageError(f"--split {text}: '{name}' is no name for a split, or comes twice")
        try:
            found[name] = float(share)
        except ValueError:
            raise UsageError(f"--split {text}: write it as train=0.9,test=0.1") from None
    if not all(0 < share <= 1 for share in found.values()) or not math.isclose(
        sum(found.values()), 1, abs_tol=1e-6
    ):
        raise UsageError(f"--split {text}: the shares must be above 0 and add up to 1")
    return tuple(found.items())
