"""What `posterior` learns of a policy before it labels: from files, streams and within a budget."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable

import pytest

from prmdata.errors import BudgetReached
from prmdata.labellers import method
from prmdata.records import Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.run.summary import Summary
from prmdata.stages.label import Labelling, run_labelling
from prmdata.stages.pilot import opening
from tests.policy import Policy


@pytest.fixture(autouse=True)
def the_policy_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def opened(*_: object) -> Policy:
        return Policy({0: 60})

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)  # no spec names this policy


@pytest.fixture
def some(traces: list[Trace]) -> list[Trace]:
    """The first problems, with 30 wrong traces or a few more."""
    by_problem = [list(g) for _, g in itertools.groupby(traces, key=lambda t: t.problem.id)]
    return list(itertools.chain(*opening(by_problem, 30)))


def labelled(
    traces: Iterable[Trace], limit: int | None = None, **settings: object
) -> tuple[list[Trace], list[Summary]]:
    output, summaries = ListOutput(), list[Summary]()
    how = Labelling("label", "posterior", method("posterior", "label", settings))
    options = RunOptions(quiet=True, store=None, max_tokens_total=limit, report=summaries.append)
    try:
        asyncio.run(run_labelling(how, output, options, traces))
    except BudgetReached:
        assert limit is not None
    return sorted(output.traces, key=lambda t: t.id), summaries


def beliefs(traces: Iterable[Trace]) -> list[object]:
    return [(t.id, t.labels and t.labels.values) for t in traces]


def test_a_stream_teaches_what_a_file_teaches(some: list[Trace]) -> None:
    assert 30 <= sum(not t.correct for t in some) < 60
    (file, _), (stream, _) = labelled(some), labelled(iter(some))
    assert beliefs(file) == beliefs(stream)
    assert len(file) == len(some)
    untaught, _ = labelled(some, pilot=0)
    assert beliefs(file) != beliefs(untaught)


def test_of_a_longer_stream_the_first_problems_are_looked_at(some: list[Trace]) -> None:
    read = 0

    def counted() -> Iterable[Trace]:
        nonlocal read
        for trace in some:
            read += 1
            yield trace

    by_problem = (list(g) for _, g in itertools.groupby(counted(), key=lambda t: t.problem.id))
    head = list(itertools.chain(*opening(by_problem, 10)))
    assert 10 <= sum(not t.correct for t in head) < 10 + 8
    assert read <= len(head) + 1


def test_from_too_few_nothing_is_learned(some: list[Trace]) -> None:
    few = some[:20]
    assert 0 < sum(not t.correct for t in few) < 30
    assert beliefs(labelled(few)[0]) == beliefs(labelled(few, pilot=0)[0])


def test_a_budget_that_ends_while_learning_ends_the_run(some: list[Trace]) -> None:
    made, (summary,) = labelled(some, limit=500)
    assert not made
    assert summary.ending == "over budget"
    assert 500 <= summary.tokens_spent < 1000
    whole, (spent,) = labelled(some, limit=1_000_000)
    assert spent.ending == "complete"
    assert len(whole) == len(some)
