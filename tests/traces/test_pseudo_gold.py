"""The majority's answer in the place of a gold one: never silently."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from prmdata.dataset.provenance import Provenance
from prmdata.errors import UsageError
from prmdata.grading import Grader
from prmdata.problems import abacus
from prmdata.records import Problem, Trace
from prmdata.report.stats import Counts
from prmdata.traces.generate import Generation, generate
from prmdata.traces.pseudo_gold import is_pseudo, parse_gold, with_majority
from tests.policy import Policy

PROBLEM = Problem("p", "?")


def answering(*answers: str | None) -> list[Trace]:
    return [Trace(str(i), PROBLEM, answer=answer) for i, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("answers", "least", "gold"),
    [
        (("7", "7.0", "8", None), 0.6, ("7", "majority 0.67")),
        (("7", "7.0", "8", None), 0.7, None),
        (("7", "8"), 0.5, None),
        ((None, None), 0.0, None),
    ],
)
def test_the_majority_must_be_clear(
    answers: tuple[str | None, ...], least: float, gold: tuple[str, str] | None
) -> None:
    named = with_majority(PROBLEM, answering(*answers), least)
    found = (named.answer, named.meta.get("gold")) if is_pseudo(named) else None
    assert found == gold
    known = replace(PROBLEM, answer="9")
    assert with_majority(known, answering(*answers), 0.0) is known


def test_problems_without_answers_are_graded_and_counted(policy: Policy) -> None:
    """The error of such labels is that of the pseudo-gold: where it is the true answer, none."""

    async def made(gold: float | None) -> list[Trace]:
        grader, found = Grader(), list[Trace]()
        for problem in abacus.read("12", lambda rows: rows):
            blind = problem if gold is None else replace(problem, answer=None)
            found += await generate(blind, policy, grader, Generation(samples=6, gold=gold))
        await grader.close()
        return found

    true, pseudo = asyncio.run(made(None)), asyncio.run(made(0.5))
    same = wrong = 0
    for one, other in zip(true, pseudo, strict=True):
        assert one.steps == other.steps
        if other.problem.answer is None:
            assert other.correct is None
        elif other.problem.answer == one.problem.answer:
            same += 1
            assert (other.correct, other.group.right) == (one.correct, one.group.right)  # type: ignore[union-attr]
        else:
            wrong += 1
    assert same > 20
    counts, provenance = Counts(), Provenance()
    for trace in pseudo:
        counts.add(trace)
        provenance.note(trace)
    assert counts.of["with pseudo-gold"] == provenance.pseudo_gold == same + wrong
    assert any("Pseudo-gold" in line for line in provenance.lines())


@pytest.mark.parametrize("text", ["majority:2", "median", "majority:x", "majority:-1"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write majority or majority:SHARE"):
        parse_gold(text)
