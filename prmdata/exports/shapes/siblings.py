"""Traces of one problem → pairs of a right and a wrong text with the same beginning."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prmdata.exports.contract import LeftOut
from prmdata.exports.shapes.turns import with_answers
from prmdata.exports.shapes.verdicts import Unexamined, measuring, soft_values
from prmdata.grading import canonical
from prmdata.intervals import wilson
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Branch:
    """A trace and where it departs from its siblings; step `None`: it is taken whole."""

    trace: Trace
    step: int | None = None
    counts: tuple[float, int | None] | None = None
    """A value that evidence gives the step, and the rollouts behind it where they are known."""

    @property
    def prefix(self) -> str:
        if self.step is None:
            return ""
        if self.trace.acts:  # what tools answered is part of it
            return "\n".join(map(with_answers, self.trace.steps[: self.step]))
        return self.trace.prefix(self.step)

    @property
    def text(self) -> str:
        """What follows the prefix, without the white space it ends with."""
        whole = self.trace.text if self.step is None else self.trace.steps[self.step].text
        return whole.rstrip()

    @property
    def value(self) -> float | None:
        if self.counts is not None:
            return self.counts[0]
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


DEVIATIONS = 1.96
"""To each side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class ByValue:
    """Which two steps after the same text make a pair."""

    evidence: str | None
    min_gap: float
    min_rollouts: int
    sure: bool

    def takes(self, better: Branch, worse: Branch) -> bool:
        gap = Pair(better, worse).gap
        if gap is None or gap <= 0 or gap < self.min_gap:
            return False
        sides = [side.counts for side in (better, worse) if side.counts is not None]
        counted = [(value, count) for value, count in sides if count is not None]
        if any(count < self.min_rollouts for _, count in counted):
            return False
        if not self.sure or len(counted) < 2:
            return True
        high, low = (wilson(value * count, count, DEVIATIONS) for value, count in counted)
        return high[0] > low[1]


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


def by_agreement(group: Sequence[Trace], most: int) -> Iterator[Pair]:
    """Traces whose answer several models give, against traces whose answer one alone gives. The
    gold answer is not looked at."""
    models: dict[str, set[str]] = {}
    ended = [trace for trace in group if _ended(trace) and trace.answer is not None]
    for trace in ended:
        models.setdefault(_answer(trace), set()).add(trace.origin.model or "")
    agreed = [Branch(t) for t in ended if len(models[_answer(t)]) > 1]
    alone = [Branch(t) for t in ended if len(models[_answer(t)]) == 1]
    yield from _paired(alone, lambda _: agreed, most)


def by_model(group: Sequence[Trace], better: str, most: int) -> Iterator[Pair]:
    """Traces of the better model against those of the others, whatever their answers."""
    ended = [trace for trace in group if _ended(trace)]
    ours = [Branch(trace) for trace in ended if _by(trace, better)]
    others = [Branch(trace) for trace in ended if not _by(trace, better)]
    yield from _paired(others, lambda _: ours, most)


def _ended(trace: Trace) -> bool:
    return bool(trace.steps) and trace.finish != "length"


def _answer(trace: Trace) -> str:
    return canonical(trace.answer or "")


def _by(trace: Trace, name: str) -> bool:
    return name in (trace.origin.sampler, trace.origin.model)


def by_value(group: Sequence[Trace], choice: ByValue, most: int) -> Iterator[Pair]:
    """Steps with the same text before them, the better against the worse, widest gaps first."""
    nodes: dict[str, dict[str, Branch]] = {}
    for trace in group:
        for branch in _valued_steps(trace, choice):
            known = nodes.setdefault(branch.prefix, {}).setdefault(branch.text, branch)
            if _rollouts(branch) > _rollouts(known):
                nodes[branch.prefix][branch.text] = branch
    for steps in nodes.values():
        ranked = sorted(steps.values(), key=lambda branch: -(branch.value or 0))
        pairs = [Pair(a, b) for a, b in itertools.combinations(ranked, 2) if choice.takes(a, b)]
        pairs.sort(key=lambda pair: -(pair.gap or 0))
        yield from pairs[:most]


def _valued_steps(trace: Trace, choice: ByValue) -> Iterator[Branch]:
    try:
        evidence = measuring(trace, choice.evidence)
    except LeftOut:
        return
    values = evidence.values if evidence else ()
    counts = evidence.rollouts if evidence and evidence.rollouts else (None,) * len(values)
    for step, (value, count) in enumerate(zip(values, counts, strict=True)):
        if value is not None and trace.steps[step].text.strip():
            yield Branch(trace, step, (value, count))


def _rollouts(branch: Branch) -> int:
    return (branch.counts[1] or 0) if branch.counts else 0


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
