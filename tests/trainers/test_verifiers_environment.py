"""A taskset of verifiers as an environment: sampled, continued from any step, scored by its own."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from prmdata.environments import is_harmless
from prmdata.errors import ItemError, UsageError
from prmdata.grading import Grader
from prmdata.problems import problems
from prmdata.records import Problem, Trace
from prmdata.sampler.acting.opening import Environments, Surroundings
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.traces.generate import Generation, generate
from tests.agent import Agent
from tests.trainers.exports import needs

ASKED = Surroundings("verifiers")


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The taskset is a module beside the user's files."""
    here = Path(__file__).parent
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [*sys.path, str(here)])


class Customer(Agent):
    """Rings up the numbers of the question, one a turn; now and then another one."""

    def __init__(self, slips: float = 0.0, tool: str = "till_ring") -> None:
        super().__init__(slips=slips)
        self.tool = tool

    def _one(self, prefix: str, seed: int, sampling: Sampling) -> Completion:
        chance = random.Random(f"{prefix} {seed}")
        amounts = re.findall(r"\d+", re.findall(r"Ring up (\d.*?) cents", prefix)[0])
        results = re.findall(r"<tool_response>\n(.*?)\n</tool_response>", prefix, re.DOTALL)
        if len(results) == len(amounts):
            return Completion(f"It is {results[-1]}.", 5, "stop")
        cents = int(amounts[len(results)]) + (chance.random() < self.slips)
        call = json.dumps({"name": self.tool, "arguments": {"cents": cents}})
        return Completion(f"Next.\n<tool_call>\n{call}\n</tool_call>", 9, "stop")


def acted(work: Callable[[Environments], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        environments = Environments(ASKED)
        try:
            return await work(environments)
        finally:
            await environments.close()

    return asyncio.run(run())


def sampled(sampler: Customer, problem: Problem, n: int = 1) -> list[Trace]:
    how = Generation(samples=n, max_tokens=400)
    made: list[Trace] = acted(lambda e: generate(problem, sampler, Grader(), how, e))
    return made


class TestVerifiers:
    pytestmark = needs("verifiers.v1")

    def test_its_tasks_are_problems(self) -> None:
        tasks = list(problems("verifiers:till?limit=4"))
        assert [task.id for task in tasks if isinstance(task, Problem)] == [
            f"till-{n}" for n in range(4)
        ]
        with pytest.raises(UsageError, match="write verifiers:TASKSET"):
            list(problems("verifiers:till?level=3"))

    def test_a_trace_is_answered_by_its_tools_and_scored_by_its_rewards(self) -> None:
        [task] = problems("verifiers:till?limit=1")
        assert isinstance(task, Problem)
        [trace] = sampled(Customer(), task)
        assert [step.observation for step in trace.steps[:3]] == [
            "1 cents", "21 cents", "321 cents",
        ]  # fmt: skip
        names = [tool["function"]["name"] for tool in trace.origin.tools]
        assert names == ["till_empty", "till_ring"]
        assert (trace.score, trace.correct) == (1.0, True)

    def test_rollouts_go_on_with_the_state_of_the_prefix(self) -> None:
        [task] = problems("verifiers:till?limit=1")
        assert isinstance(task, Problem)
        trace = sampled(Customer(), task)[0]
        wrong = sampled(Customer(slips=1.0), task)[0]
        assert (wrong.score, wrong.correct) == (0.0, False)

        async def work(environments: Environments) -> list[float | None]:
            rollouts = Rollouts(Customer(), Grader(), RolloutSettings(), environments=environments)
            found = [*await rollouts.sample(trace, 2, 2), *await rollouts.sample(wrong, 1, 2)]
            return [outcome.score for outcome in found]

        assert acted(work) == [1.0, 1.0, 0.0, 0.0]

    def test_what_a_tool_raises_is_told_to_the_model(self) -> None:
        [task] = problems("verifiers:till?limit=1")
        assert isinstance(task, Problem)
        [trace] = sampled(Customer(tool="till_empty"), task)
        assert "it is locked" in str(trace.steps[0].observation)

    def test_a_task_that_needs_a_runtime_is_refused(self) -> None:
        tasks = list(problems("verifiers:till"))
        assert isinstance(tasks[4], Problem)
        with pytest.raises(ItemError, match="needs a runtime"):
            sampled(Customer(), tasks[4])


def test_a_taskset_that_a_file_names_is_not_run_by_itself() -> None:
    assert not is_harmless("verifiers")
