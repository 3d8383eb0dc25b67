"""What labelling methods may ask of rollouts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from prmdata.errors import ItemError
from prmdata.grading import Grader
from prmdata.records import Step, Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from tests.labellers.running import run
from tests.policy import Policy


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
        with pytest.raises(ItemError, match="step 2 is a tool call"):
            asyncio.run(ask(after))


def test_its_log_probabilities_are_not_taken_either(traces: list[Trace]) -> None:
    rollouts = Rollouts(Policy({0: 60}), Grader(), RolloutSettings())  # type: ignore[arg-type]
    with pytest.raises(ItemError, match="act with tools"):
        asyncio.run(rollouts.log_probs(acting(traces[0]), 1))


@pytest.mark.parametrize("method", ["mc", "bisect", "posterior", "omega"])
def test_methods_fail_for_traces_that_act_and_say_why(traces: list[Trace], method: str) -> None:
    made = run(method, [acting(trace) for trace in traces[:4]], Policy({0: 60}))
    searched = [t for t in made if t.labels is None or t.labels.examined]
    assert searched
    assert all("act with tools" in (trace.error or "") for trace in searched)
