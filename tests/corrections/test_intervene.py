"""Interventions that the oracle writes lift the rate of right answers; leaks and others do not pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from prmdata.abacus import solution, story
from prmdata.corrections.proposals import leak_in, proposal_in, states
from prmdata.records import Trace
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.truth import truth_of
from tests.corrections.cases import corrected, method
from tests.policy import Policy

Reply = Callable[[str], str]


class Asked(Policy):
    """The policy; where it is shown a reference solution, it replies as it is told to."""

    def __init__(self, reply: Reply) -> None:
        super().__init__({0: 60}, mends=0.0)
        self.reply = reply

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        if "## Reference solution" in prefix:
            return [Completion(self.reply(prefix), 20, "stop")] * n
        return await super().complete(prefix, n, sampling, seed)


@pytest.fixture
def wrong(traces: list[Trace]) -> list[Trace]:
    """Wrong traces that err before their last computation, with reference solutions."""
    found = []
    for trace in traces:
        truth = truth_of(trace, "abacus")
        first = truth.first_wrong if truth else None
        if trace.correct is False and first is not None and first < len(trace.steps) - 2:
            index = int(trace.problem.id.split("-")[2])
            told = solution(story(0, index, int(trace.problem.id.split("-")[3])))
            problem = replace(trace.problem, context={"solution": "\n".join(told)})
            found.append(replace(trace, problem=problem))
    return found[:20]


def replying(traces: list[Trace], text: Callable[[Trace, int], str]) -> Asked:
    """A step in the place of each trace's first error."""
    replies = {}
    for trace in traces:
        truth = truth_of(trace, "abacus")
        assert truth is not None
        first = truth.first_wrong
        assert first is not None
        steps = "\n".join(f"Step {n}: {s.text.strip()}" for n, s in enumerate(trace.steps, 1))
        replies[steps] = (
            f"Thinking.\n<step>{first + 1}</step><replacement>{text(trace, first)}</replacement>"
        )
    return Asked(lambda asked: replies[asked.partition("## Student's solution\n")[2].rstrip("\n")])


def total(made: list[Trace], name: str) -> tuple[int, int]:
    pairs: list[Any] = [
        evidence.settings[name]
        for trace in made
        if (evidence := trace.evidence_named("intervene")) and name in evidence.settings
    ]
    return sum(hits for hits, _ in pairs), sum(tried for _, tried in pairs)


def oracle(trace: Trace, first: int) -> str:
    return str(trace.problem.context["solution"]).splitlines()[first]


def test_the_oracles_step_lifts_the_rate_to_that_of_right_prefixes(wrong: list[Trace]) -> None:
    made = corrected(method("intervene", attempts=16), wrong, replying(wrong, oracle))
    hits, tried = total(made, "right_with_it")
    after_wrong, _ = total(made, "right_after_wrong")
    assert tried == 16 * len(wrong)
    assert after_wrong < hits / 3
    expected = sum(_rate(trace, 64) for trace in wrong) / len(wrong)
    deviation = (expected * (1 - expected) / tried) ** 0.5
    assert hits / tried == pytest.approx(expected, abs=3 * deviation)


def _rate(trace: Trace, n: int) -> float:
    """How often right prefixes end right: the oracle's, drawn apart from the command."""
    truth = truth_of(trace, "abacus")
    assert truth is not None
    assert truth.first_wrong is not None
    first = truth.first_wrong
    policy = Policy({0: 60}, mends=0.0)
    said = f"Question: {trace.problem.question}\n{trace.prefix(first)}{oracle(trace, first)}\n"
    texts = [policy._one(said, 7000 + seed).text for seed in range(n)]
    return sum(text.rstrip(".\n").endswith(f" {trace.problem.answer}") for text in texts) / n


def test_what_is_kept_is_a_right_trace_through_the_new_step(wrong: list[Trace]) -> None:
    made = corrected(method("intervene"), wrong, replying(wrong, oracle))
    kept = [trace for trace in made if trace.origin.parent is not None]
    assert len(kept) > 10
    parents = {trace.id: trace for trace in wrong}
    for trace in kept:
        assert trace.origin.parent is not None
        name, step = trace.origin.parent
        assert trace.correct
        assert trace.prefix(step) == parents[name].prefix(step)
        assert trace.steps[step].text == oracle(parents[name], step) + "\n"
        assert trace.labels is not None
        assert trace.labels.settings == {"step": step}


def test_another_wrong_step_is_not_kept(wrong: list[Trace]) -> None:
    def worse(trace: Trace, first: int) -> str:
        return oracle(trace, first).replace("= ", "= 9")

    made = corrected(method("intervene"), wrong, replying(wrong, worse))
    hits, _ = total(made, "right_with_it")
    assert hits == 0
    assert [trace.id for trace in made] == [trace.id for trace in wrong]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("I think step 2 is wrong.", "not read"),
        ("<step>99</step><replacement>x</replacement>", "not read"),
        ("<step>1</step><replacement>  </replacement>", "not read"),
        ("<step>" + "9" * 5000 + "</step><replacement>x</replacement>", "not read"),
    ],
)
def test_babble_is_counted_and_not_tried(wrong: list[Trace], reply: str, reason: str) -> None:
    policy = Asked(lambda asked: reply)
    (made,) = corrected(method("intervene"), wrong[:1], policy)
    evidence = made.evidence_named("intervene")
    assert evidence is not None
    assert evidence.settings["refused"] == {reason: 1}
    assert evidence.cost.calls == 1
    assert len(policy.calls) == 0


def test_leaks(wrong: list[Trace]) -> None:
    trace = wrong[0]
    reference = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    gold = trace.problem.answer

    def leak(text: str) -> str | None:
        proposal = proposal_in(f"<step>1</step><replacement>{text}</replacement>", trace)
        assert proposal is not None
        return leak_in(proposal, trace, reference)

    assert leak(f"So the answer is {gold}.") == "states the answer"
    assert leak(f"So it is {gold}5 or 1{gold}.") is None
    assert leak("Well, " + reference.title()) == "copies the reference"
    assert leak(" ".join(reference.split()[:12])) is None
    assert not states("half of 12.5 is 6", "12")
    assert states("It is 12.", "12")


def test_without_a_reference_nothing_is_asked(traces: list[Trace]) -> None:
    policy = Policy({0: 60})
    wrong = [trace for trace in traces if trace.correct is False][:3]
    given = [replace(trace, problem=replace(trace.problem, context={})) for trace in wrong]
    assert corrected(method("intervene"), given, policy) == given
    assert policy.calls == []
