"""Traces of one problem → pairs of a right and a wrong text with the same beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prmdata.exports.shapes.verdicts import Unexamined, soft_values
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Branch:
    """A trace and where it departs from its siblings; step `None`: it is taken whole."""

    trace: Trace
    step: int | None = None

    @property
    def prefix(self) -> str:
        return "" if self.step is None else self.trace.prefix(self.step)

    @property
    def text(self) -> str:
        """What follows the prefix, without the white space it ends with."""
        whole = self.trace.text if self.step is None else self.trace.steps[self.step].text
        return whole.rstrip()

    @property
    def value(self) -> float | None:
        values = soft_values(self.trace)
        return None if values is None or self.step is None else values[self.step]


@dataclass(frozen=True, slots=True)
class Pair:
    chosen: Branch
    rejected: Branch

    @property
    def texts(self) -> tuple[str, str, str]:
        return self.rejected.prefix, self.chosen.text, self.rejected.text

    @property
    def gap(self) -> float | None:
        """How much more likely the chosen step leads to the answer."""
        right, wrong = self.chosen.value, self.rejected.value
        return None if right is None or wrong is None else right - wrong


def by_step(group: Sequence[Trace], most: int, unexamined: Unexamined) -> Iterator[Pair]:
    """The first wrong step of a trace against right steps that follow exactly the same prefix."""
    wrong = [Branch(t, t.labels.first_error) for t in group if t.labels and _errs(t)]
    beginnings = {branch.prefix for branch in wrong}
    right: dict[str, dict[str, Branch]] = {}
    for trace in group:
        for branch in _right_steps(trace, unexamined):
            if branch.prefix in beginnings:
                right.setdefault(branch.prefix, {}).setdefault(branch.text, branch)
    for branch in wrong:  # a text that is called right here and wrong there is neither
        right.get(branch.prefix, {}).pop(branch.text, None)
    yield from _paired(wrong, lambda branch: list(right.get(branch.prefix, {}).values()), most)


def by_outcome(group: Sequence[Trace], most: int) -> Iterator[Pair]:
    """Whole traces with a right and a wrong answer; a right answer on a wrong step is neither."""
    sound = [Branch(t) for t in group if t.correct is True and t.steps and not _errs(t)]
    wrong = [Branch(t) for t in group if t.correct is False and t.steps]
    yield from _paired(wrong, lambda _: sound, most)


def _paired(
    wrong: Iterable[Branch], partners: Callable[[Branch], Sequence[Branch]], most: int
) -> Iterator[Pair]:
    """Up to `most` pairs for each wrong branch. Partners take turns; no pair comes twice."""
    seen: set[tuple[str, str, str]] = set()
    for turn, branch in enumerate(wrong):
        right = partners(branch)
        for offset in range(min(most, len(right))):
            pair = Pair(right[(turn * most + offset) % len(right)], branch)
            if pair.texts not in seen and pair.chosen.text and pair.rejected.text:
                seen.add(pair.texts)
                yield pair


def _errs(trace: Trace) -> bool:
    return trace.labels is not None and trace.labels.first_error is not None


def _right_steps(trace: Trace, unexamined: Unexamined) -> Iterator[Branch]:
    """The steps before the first wrong one; a wrong answer with no wrong step vouches for none."""
    labels = trace.labels
    if labels is None or (labels.first_error is None and trace.correct is False):
        return
    if labels.examined or unexamined == "keep":
        end = len(trace.steps) if labels.first_error is None else labels.first_error
        yield from (Branch(trace, step) for step in range(end))
