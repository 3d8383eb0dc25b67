"""Traces of one problem with rewards or values on their steps."""

from __future__ import annotations

from collections.abc import Sequence

from prmdata.credit import FORMS, Form
from prmdata.credit.contract import Series, signal_of
from prmdata.records import Evidence, Problem, Step, Tally, Trace
from prmdata.registry import make

PROBLEM = Problem("p", "What is 3 + 4 * 2?", "11")


def paid(
    *rewards: float | None,
    steps: Sequence[str] = (),
    name: int = 0,
    correct: bool | None = True,
    group: Tally | None = None,
) -> Trace:
    texts = steps or [f"step {place}\n" for place in range(len(rewards))]
    trace = Trace(f"p/{name}", PROBLEM, tuple(map(Step, texts)), "11", correct, group=group)
    return trace.with_evidence(Evidence("paid", "scores", rewards=rewards))


def valued(*values: float | None, name: int = 0, group: Tally | None = None) -> Trace:
    trace = paid(*[None] * len(values), name=name, group=group)
    return Trace(
        trace.id, PROBLEM, trace.steps, correct=True, group=group,
        evidence=(Evidence("mc", "rollouts", values=values),),
    )  # fmt: skip


def form(name: str, **settings: object) -> Form:
    return make(FORMS, name, settings)


def credit(how: Form, *group: Trace) -> list[Series]:
    return how.apply(group, [signal_of(t, how.evidence, how.prefers) for t in group])
