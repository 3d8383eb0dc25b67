"""What `Rollouts` sends to a sampler, and how it counts what comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest

from prmdata.errors import ItemError, UsageError
from prmdata.grading import Grader
from prmdata.labellers.omega import Omega
from prmdata.labellers.prefix_tree import PrefixTree
from prmdata.records import Origin, Problem, Step, Trace
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from tests.labellers.running import run
from tests.policy import Policy

TEMPLATE = ChatTemplate(
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "assistant:{% if thinking %}<think>\n{% endif %}"
)
PROBLEM = Problem("p", "3 + 4?", "7")
TRACE = Trace(
    "t",
    PROBLEM,
    (Step("<think>\n3 + 4 = 7\n</think>\n\n"), Step("The answer is 7.\n\n"), Step("So 7.")),
    answer="7",
    correct=True,
    finish="stop",
)
SAMPLED = replace(TRACE, origin=Origin(model="m", template_args={"thinking": True}))


@dataclass
class Recorder:
    """A sampler that always writes the same, and remembers what it was asked."""

    text: str = "The answer is 7."
    finish: Literal["stop", "length"] = "stop"
    asked: list[tuple[str, Sampling]] = field(default_factory=list)
    spec: str = "recorder"
    fingerprint: str = "m"
    template: ChatTemplate = TEMPLATE
    context: int = 4096

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        self.asked.append((prefix, sampling))
        return [Completion(self.text, 5, self.finish)] * n

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        self.asked.append((prefix, Sampling()))
        return Scored((-1.0,), (0,), 9)

    async def close(self) -> None:
        pass


def sample(sampler: Recorder, trace: Trace, after_step: int, **settings: object) -> Rollouts:
    rollouts = Rollouts(sampler, Grader(), RolloutSettings(**settings))  # type: ignore[arg-type]
    asyncio.run(rollouts.sample(trace, after_step, 4))
    return rollouts


def test_an_imported_thought_is_opened_once_and_a_sampled_one_is_left_as_it_was() -> None:
    for trace, begins in ((TRACE, "assistant:<think>\n3"), (SAMPLED, "<think>\n<think>\n3")):
        sampler = Recorder()
        sample(sampler, trace, 1, template_args={"thinking": True})
        assert begins in sampler.asked[0][0]
        asyncio.run(
            Rollouts(
                sampler, Grader(), RolloutSettings(template_args={"thinking": True})
            ).log_probs(trace, 1)
        )
        assert sampler.asked[1][0] == sampler.asked[0][0]


def test_what_the_command_says_stands_over_what_the_trace_was_sampled_with() -> None:
    sampler = Recorder()
    origin = Origin(
        messages=({"role": "system", "content": "Be brief."}, {"role": "user", "content": "3?"}),
        temperature=0.6,
        top_p=0.9,
        stop=("\n\nQ",),
        template_args={"thinking": True},
    )
    trace = replace(TRACE, origin=origin)
    sample(sampler, trace, 0)
    sample(sampler, trace, 0, system="Think.", top_p=0.5, stop=(), template_args={"thinking": 0})
    sample(sampler, trace, 0, system="")
    (first, as_sampled), (second, as_told), (third, _) = sampler.asked
    assert first == "system: Be brief.\nuser: 3?\nassistant:<think>\n"
    assert second == "system: Think.\nuser: 3?\nassistant:"
    assert third == "user: 3?\nassistant:<think>\n"
    assert as_sampled == Sampling(temperature=0.6, top_p=0.9, stop=("\n\nQ",))
    assert as_told == Sampling(temperature=0.6, top_p=0.5)


@pytest.mark.parametrize(
    "settings",
    [{"top_p": 0.0}, {"top_p": 1.5}, {"top_k": -1}, {"max_tokens": 0}, {"temperature": -1}],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="must be"):
        RolloutSettings(**settings)  # type: ignore[arg-type]


def test_a_stop_string_that_begins_in_the_prefix_ends_the_rollout() -> None:
    """Else the answer to the next question would be graded."""
    sampler = Recorder("Question: 5 + 5?\nThe answer is 10.")
    for stop, answer, text in ((("\n\nQuestion:",), "7", ""), ((), "10", sampler.text)):
        rollouts = Rollouts(sampler, Grader(), RolloutSettings(stop=stop))
        (outcome,) = asyncio.run(rollouts.sample(TRACE, 2, 1))
        assert (outcome.answer, outcome.text) == (answer, text)


def test_rollouts_and_siblings_without_an_outcome_follow_one_rule() -> None:
    cut = replace(TRACE, id="cut", correct=None, finish="length")
    for rule, counted, value in (("miss", 4, False), ("drop", 0, None)):
        sampler = Recorder(finish="length")
        rollouts = Rollouts(sampler, Grader(), RolloutSettings(cut=rule))  # type: ignore[arg-type]
        outcomes = asyncio.run(rollouts.sample(TRACE, 1, 4))
        assert len(outcomes) == counted
        assert not any(outcome.hit for outcome in outcomes)
        assert rollouts.cost(TRACE, 1).cut == rollouts.cost(TRACE, 1).rollouts == 4
        assert rollouts.outcome_of(cut) is value
        made = asyncio.run(PrefixTree().apply([TRACE, cut], rollouts))
        assert made[0].evidence[0].values[0] == (0.5 if rule == "miss" else 1.0)
        for grade in ("unparsed", "timeout"):
            assert rollouts.outcome_of(replace(TRACE, correct=None, grade=grade)) is value  # type: ignore[arg-type]
    ungraded = replace(TRACE, correct=None)
    assert rollouts.outcome_of(ungraded) is None
    assert rollouts.outcome_of(replace(cut, correct=False)) is False  # so `generate` decided


def test_a_branch_that_was_cut_is_neither_right_nor_wrong_and_is_not_searched() -> None:
    wrong = replace(TRACE, id="wrong", correct=False, answer="8")
    rollouts = Rollouts(Recorder("And on", finish="length"), Grader(), RolloutSettings())
    made = asyncio.run(Omega(rollouts_per_probe=2).apply([TRACE, wrong], rollouts))
    assert [trace.id for trace in made] == ["t", "wrong"]
    assert made[1].labels is not None
    assert made[1].labels.cost.cut == 2


def acting(trace: Trace) -> Trace:
    call = Step('{"name": "calc"}', "tool_call", tool={"name": "calc"})
    return replace(
        trace, steps=(Step("I ask."), call, Step("7", "observation", result="7"), *trace.steps)
    )


def test_a_prefix_that_acts_with_tools_is_not_continued(traces: list[Trace]) -> None:
    async def ask(after: int) -> int:
        rollouts = Rollouts(Policy({0: 60}), Grader(), RolloutSettings())  # type: ignore[arg-type]
        return len(await rollouts.sample(acting(traces[0]), after, 2))

    assert asyncio.run(ask(1)) == 2  # nothing was asked of a tool yet
    for after in (2, 3):
        with pytest.raises(ItemError, match="step 2 acts with a tool"):
            asyncio.run(ask(after))


def test_its_log_probabilities_are_not_taken_either(traces: list[Trace]) -> None:
    rollouts = Rollouts(Policy({0: 60}), Grader(), RolloutSettings())  # type: ignore[arg-type]
    with pytest.raises(ItemError, match="acts with a tool"):
        asyncio.run(rollouts.log_probs(acting(traces[0]), 1))


@pytest.mark.parametrize("method", ["mc", "bisect", "posterior", "omega"])
def test_methods_fail_for_traces_that_act_and_say_why(traces: list[Trace], method: str) -> None:
    made = run(method, [acting(trace) for trace in traces[:4]], Policy({0: 60}))
    searched = [t for t in made if t.labels is None or t.labels.examined]
    assert searched
    assert all("acts with a tool" in (trace.error or "") for trace in searched)
