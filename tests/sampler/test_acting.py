"""Traces that act: sampled, continued from any step, replayed and resumed to the same bytes."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from prmdata.environments.contract import Reply
from prmdata.errors import ItemError
from prmdata.files import codec
from prmdata.grading import Grader
from prmdata.labellers import method
from prmdata.records import Message, Problem, Trace
from prmdata.sampler.acting.opening import Environments, Surroundings
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.stored import StoredSampler
from prmdata.stages.label import apply
from prmdata.traces.generate import Generation, generate
from tests.agent import Agent, problem

SIX = Generation(samples=6, max_tokens=400)
CALCULATOR = Surroundings("calculator")
ECHO = Path(__file__).parent / "echo.py"


def sampled(
    sampler: Any,
    asked: Surroundings = CALCULATOR,
    store: Path | None = None,
    how: Generation = SIX,
) -> tuple[list[Trace], Environments]:
    async def run() -> tuple[list[Trace], Environments]:
        kept = Store(store) if store else None
        environments = Environments(asked, kept)
        stored = StoredSampler(sampler, kept)
        try:
            made = await generate(problem(1), stored, Grader(), how, environments)
            return made, environments
        finally:
            await environments.close()
            if kept:
                kept.close()

    return asyncio.run(run())


def rolled(
    sampler: Any, trace: Trace, after: int, n: int, asked: Surroundings | None = None
) -> Any:
    async def run() -> Any:
        environments = Environments(asked)
        rollouts = Rollouts(sampler, Grader(), RolloutSettings(), environments=environments)
        try:
            return await rollouts.sample(trace, after, n)
        finally:
            await environments.close()

    return asyncio.run(run())


def test_a_trace_takes_turns_with_its_environment_and_is_graded() -> None:
    traces, environments = sampled(Agent())
    assert {trace.correct for trace in traces} == {True, False}
    right = next(trace for trace in traces if trace.correct)
    assert [step.kind for step in right.steps] == ["tool_call"] * 3 + ["answer"]
    assert right.steps[0].messages[1]["role"] == "tool"
    assert right.steps[0].calls[0]["id"] == right.steps[0].messages[1]["tool_call_id"]
    assert right.origin.environment["spec"] == "calculator"
    assert environments.counts["environment_calls"] > 0


def test_the_prompt_of_a_turn_is_what_was_sampled_before_it_byte_for_byte() -> None:
    """With a template that writes calls as the model did, nothing is tokenized otherwise."""
    agent = Agent()
    traces, _ = sampled(agent, how=Generation(samples=1, max_tokens=400))
    prompts = [prefix for prefix, _, _ in agent.calls]
    assert len(prompts) == 4
    for earlier, step, later in zip(prompts, traces[0].steps, prompts[1:], strict=False):
        assert later.startswith(earlier + step.text + "<|im_end|>\n")


class Forced:
    """Says what a trace said."""

    spec = fingerprint = "forced"
    context = 1 << 20

    def __init__(self, trace: Trace) -> None:
        self.template = Agent.template
        self._texts = [step.text for step in trace.steps]

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        return [Completion(self._texts[prefix.count("<tool_response>")], 5, "stop")] * n


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_rollout_forced_to_the_traces_own_calls_has_its_observations(after: int) -> None:
    traces, _ = sampled(Agent())
    for trace in traces:
        (outcome,) = rolled(Forced(trace), trace, after, 1)
        assert outcome.steps == trace.steps[after:]
        assert outcome.hit == trace.correct


def test_rollouts_differ_from_the_trace_and_from_one_another() -> None:
    traces, _ = sampled(Agent(slips=0.5))
    agent = Agent(slips=0.5)
    outcomes = rolled(agent, traces[0], 1, 24)
    assert len({outcome.text for outcome in outcomes}) > 3
    seeds = [seed + i for _, n, seed in agent.calls for i in range(n)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    "name",
    [
        "mc",
        "bisect",
        "posterior",
        "rollout-tree",
        "value-tree",
        "omega",
        "next-step",
        "prefix-tree",
    ],
)
def test_every_rollout_method_takes_acting_traces(name: str) -> None:
    traces, _ = sampled(Agent())
    from prmdata.labellers import LABELLERS

    verb = LABELLERS[name].verb
    settings = {"simulations": 6} if name == "value-tree" else {}

    async def run() -> list[Trace]:
        environments = Environments()
        rollouts = Rollouts(Agent(), Grader(), RolloutSettings(), environments=environments)  # type: ignore[arg-type]
        try:
            return await apply(method(name, verb, settings), traces, rollouts)
        finally:
            await environments.close()

    made = asyncio.run(run())
    assert [trace.error for trace in made] == [None] * len(made)
    for trace in made:
        assert trace.acts
        codec.checked(trace, "here")


def test_bisect_finds_the_first_wrong_call() -> None:
    traces, _ = sampled(Agent(slips=0.3), how=Generation(samples=12, max_tokens=400))

    async def run() -> list[Trace]:
        environments = Environments()
        rollouts = Rollouts(Agent(slips=0), Grader(), RolloutSettings(), environments=environments)  # type: ignore[arg-type]
        try:
            return await apply(method("bisect", "label", {}), traces, rollouts)
        finally:
            await environments.close()

    wrong = [trace for trace in asyncio.run(run()) if trace.correct is False]
    assert wrong
    for trace in wrong:
        clean, _ = sampled(Agent(slips=0), how=Generation(samples=1, max_tokens=400))
        texts = [step.text for step in clean[0].steps]
        first = next(i for i, step in enumerate(trace.steps) if step.text != texts[i])
        assert trace.labels is not None
        assert trace.labels.first_error == first


def test_what_an_environment_said_is_never_asked_again(tmp_path: Path) -> None:
    first, asked = sampled(Agent(), store=tmp_path / "store")
    again, served = sampled(Agent(), store=tmp_path / "store")
    assert [codec.encode(trace) for trace in first] == [codec.encode(trace) for trace in again]
    assert asked.counts["environment_calls"] > 0
    assert served.counts["environment_calls"] == 0


# ---------------------------------------------------------------------------- what goes wrong


class Odd:
    """An environment as bad as one likes."""

    identity, speaks, replays = "odd", False, False

    def __init__(
        self, text: str = "", failure: Exception | None = None, lies: bool = False
    ) -> None:
        self.text, self.failure, self.replays = text, failure, lies
        self.asked = 0

    async def tools(self, problem: Problem) -> Sequence[Any]:
        return [{"type": "function", "function": {"name": "calculator", "parameters": {}}}]

    def key(self, problem: Problem, chat: Sequence[Message]) -> Any:
        return list(chat)

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        self.asked += 1
        if self.failure:
            raise self.failure
        text = f"{self.text}{self.asked}" if self.replays else self.text
        return Reply(({"role": "tool", "tool_call_id": None, "content": text},))


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Any:
    def put(environment: Odd) -> Surroundings:
        class Opened:
            @contextlib.asynccontextmanager
            async def opened(self) -> AsyncIterator[Odd]:
                yield environment

        monkeypatch.setattr(
            "prmdata.sampler.acting.opening.environment", lambda spec, settings: Opened()
        )
        return Surroundings("calculator")

    return put


def test_a_call_of_an_unknown_tool_is_answered_so() -> None:
    text = '<tool_call>\n{"name": "rm", "arguments": {"path": "/"}}\n</tool_call>'
    traces, environments = sampled(Agent(odd=text), how=Generation(samples=1, max_tokens=60))
    assert "there is no tool 'rm'; the tools are: calculator" in str(traces[0].steps[0].observation)
    assert environments.counts["faulty_calls"] > 0


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            '<tool_call>\n{"name": "calculator", "arguments": "{broken"}\n</tool_call>',
            "not a JSON object",
        ),
        (
            '<tool_call>\n{"name": "calculator", "arguments": {}}\n</tool_call>',
            "missing: expression",
        ),
        ("<tool_call>\ncalculator(3 + 4)\n</tool_call>", "could not be read"),
        ("<tool_call>", "could not be read"),
        (
            '<tool_call>{"name": "calculator", "arguments": {"expression": "9**9**9**9"}}</tool_call>',
            "too large",
        ),
    ],
)
def test_a_call_that_cannot_be_read_or_carried_out_is_answered_so(text: str, answer: str) -> None:
    traces, _ = sampled(Agent(odd=text), how=Generation(samples=1, max_tokens=60))
    assert answer in str(traces[0].steps[0].observation)


def test_an_endless_loop_of_calls_is_cut_and_counted() -> None:
    text = '<tool_call>\n{"name": "nothing", "arguments": {}}\n</tool_call>'

    class Stubborn(Agent):
        def _one(self, prefix: str, seed: int, sampling: Sampling) -> Completion:
            return Completion(text, 3, "stop")

    asked = Surroundings("calculator", turns=5)
    traces, environments = sampled(Stubborn(), asked, how=Generation(samples=2, max_tokens=400))
    assert [len(trace.steps) for trace in traces] == [5, 5]
    assert [trace.finish for trace in traces] == ["length", "length"]
    assert [trace.correct for trace in traces] == [None, None]
    assert environments.counts["ended_by_turns"] == 2
    by_tokens, environments = sampled(Stubborn(), how=Generation(samples=1, max_tokens=7))
    assert len(by_tokens[0].steps) == 3
    assert environments.counts["ended_by_tokens"] == 1


def test_an_episode_that_takes_too_long_is_cut_and_counted() -> None:
    class Slow(Agent):
        async def complete(
            self, prefix: str, n: int, sampling: Sampling, seed: int
        ) -> list[Completion]:
            await asyncio.sleep(0.05)
            return await super().complete(prefix, n, sampling, seed)

    asked = Surroundings("calculator", seconds=0.08)
    traces, environments = sampled(Slow(), asked)
    assert [len(trace.steps) for trace in traces] == [
        2
    ] * 6  # of four; the second was begun in time
    assert [(trace.finish, trace.correct) for trace in traces] == [("length", None)] * 6
    assert environments.counts["ended_by_time"] == 6
    assert traces[0].origin.environment["seconds"] == 0.08
    outcomes = rolled(Slow(), traces[0], 0, 3)  # the trace's own limit, where none is asked
    assert [outcome.grade for outcome in outcomes] == ["cut"] * 3
    longer = rolled(Slow(), traces[0], 0, 3, Surroundings("calculator", seconds=60))
    assert all(outcome.ended for outcome in longer)


def test_an_answer_of_10_megabytes_is_cut_and_says_so(odd: Any, tmp_path: Path) -> None:
    environment = Odd("x" * 10_000_000)
    traces, environments = sampled(
        Agent(), odd(environment), tmp_path / "store", Generation(samples=1, max_tokens=100)
    )
    assert len(str(traces[0].steps[0].observation)) < 21_000
    assert "9,980,000 characters more" in str(traces[0].steps[0].observation)
    assert environments.counts["observations_cut"] > 0
    assert sum(file.stat().st_size for file in (tmp_path / "store").iterdir()) < 1_000_000


def test_terminal_codes_in_an_answer_reach_no_terminal(odd: Any) -> None:
    from rich.console import Console

    from prmdata.report.show import render

    traces, _ = sampled(Agent(), odd(Odd("\x1b[2J\x1b]0;owned\x07")), how=Generation(samples=1))
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(render(traces[0]))
    assert "\x1b]0" not in console.export_text()


def test_an_environment_that_answers_otherwise_than_it_did_is_found_out(odd: Any) -> None:
    asked = odd(Odd("value ", lies=True))
    traces, _ = sampled(Agent(odd="The answer is 3."), asked, how=Generation(samples=1))
    acting, _ = sampled(Agent(), asked, how=Generation(samples=1, max_tokens=400))
    with pytest.raises(ItemError, match="answers a call of this trace otherwise"):
        rolled(Agent(), acting[0], 2, 1, asked)
    assert traces[0].finish == "stop"


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("die", "ended"),
        ("hang", "took longer"),
        ("garbage", "not JSON"),
        ("rude", "as 'assistant'"),
    ],
)
def test_a_program_that_dies_hangs_or_babbles_fails_the_item(mode: str, reason: str) -> None:
    settings = {"timeout_s": 1.0, "start_s": 5.0, "workers": 1}
    asked = Surroundings(f"command:{sys.executable} {ECHO} {mode}", settings)
    with pytest.raises(ItemError, match=reason):
        sampled(Agent(), asked, how=Generation(samples=1))


def test_a_program_is_an_environment_with_a_reward() -> None:
    asked = Surroundings(f"command:{sys.executable} {ECHO} good", {"workers": 1})
    traces, _ = sampled(Agent(), asked, how=Generation(samples=3, max_tokens=400))
    assert {trace.score for trace in traces} == {0.25}
    assert [trace.correct for trace in traces] == [False] * 3
    outcomes = rolled(Agent(), traces[0], 2, 2, asked)
    assert [outcome.score for outcome in outcomes] == [0.25] * 2


def test_what_a_file_names_is_not_run_by_itself() -> None:
    asked = Surroundings(f"command:{sys.executable} {ECHO} good", {"workers": 1})
    traces, _ = sampled(Agent(), asked, how=Generation(samples=1, max_tokens=400))
    with pytest.raises(ItemError, match="if you trust it, repeat it: --environment"):
        rolled(Agent(), traces[0], 1, 1)


def test_a_trace_that_ends_in_a_call_is_answered_before_it_goes_on() -> None:
    """Its prefix is what an environment is asked about first."""
    from dataclasses import replace

    traces, _ = sampled(Agent(slips=0), how=Generation(samples=1, max_tokens=400))
    whole = traces[0]
    unanswered = replace(whole.steps[0], messages=whole.steps[0].messages[:1])
    trace = replace(whole, steps=(unanswered, whole.steps[1]))
    (outcome,) = rolled(Agent(slips=0), trace, 1, 1)
    assert outcome.hit
    assert len(outcome.steps) == 3


def test_a_chat_without_tools_needs_no_environment() -> None:
    from dataclasses import replace

    from prmdata.turns import steps_of

    class Parrot(Agent):
        def _one(self, prefix: str, seed: int, sampling: Sampling) -> Completion:
            return Completion(f"The answer is {prefix.count('user')}.", 4, "stop")

    traces, _ = sampled(Agent(), how=Generation(samples=1))
    chat = steps_of(
        [
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": "Go on."},
            {"role": "assistant", "content": "The answer is 2."},
        ]
    )
    trace = replace(
        traces[0],
        problem=replace(traces[0].problem, answer="2"),
        steps=chat,
        origin=replace(traces[0].origin, tools=(), environment={}),
    )
    (outcome,) = rolled(Parrot(), trace, 1, 1)
    assert outcome.hit
