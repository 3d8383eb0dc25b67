"""The agent that comes with prmdata: it acts with real weights, and the truth of it is known."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prmdata.errors import UsageError
from prmdata.files import read_traces
from prmdata.grading import Grader
from prmdata.records import Problem, Trace
from prmdata.sampler import open_sampler
from prmdata.sampler.acting.opening import Environments, Surroundings
from prmdata.sampler.acting.playing import Acting, Start
from prmdata.sampler.models.folders import AGENT_MODEL
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.traces.generate import Generation, generate
from prmdata.truth import truth_of
from prmdata.worlds import WORLDS

SMALL = 8_000_000
"""Bytes of the model's folder."""
PROBLEMS = [WORLDS["ledger"].problem(4, index) for index in range(12)]


def using(work: Any) -> Any:
    async def run() -> Any:
        sampler = await open_sampler("abacus:agent")
        environments = Environments(Surroundings("worlds"))
        try:
            return await work(sampler, environments)
        finally:
            await environments.close()
            await sampler.close()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def sampled() -> list[Trace]:
    async def work(sampler: Any, environments: Environments) -> list[Trace]:
        how = Generation(samples=4, max_tokens=600)
        found = [generate(p, sampler, Grader(), how, environments) for p in PROBLEMS]
        return [trace for group in await asyncio.gather(*found) for trace in group]

    traces: list[Trace] = using(work)
    return traces


def test_it_is_small() -> None:
    assert sum(file.stat().st_size for file in AGENT_MODEL.iterdir()) < SMALL
    with pytest.raises(UsageError, match="abacus:agent"):
        asyncio.run(open_sampler("abacus:agnet"))


def test_it_uses_both_tools_and_is_right_a_useful_share_of_the_time(sampled: list[Trace]) -> None:
    calls = [call for trace in sampled for step in trace.steps for call in step.calls]
    assert {call["name"] for call in calls} == {"calculator", "lookup"}
    right = sum(bool(trace.correct) for trace in sampled) / len(sampled)
    assert 0.2 < right < 0.8
    assert sum(trace.finish == "length" for trace in sampled) < len(sampled) / 5


def test_right_answers_go_with_right_actions(sampled: list[Trace]) -> None:
    agree = 0
    for trace in sampled:
        truth = truth_of(trace, "worlds")
        assert truth is not None
        agree += (truth.first_wrong is None) == bool(trace.correct)
        if truth.first_wrong is None:
            assert trace.correct
    assert agree > 0.85 * len(sampled)


def test_a_rollout_goes_on_from_what_tools_have_said(sampled: list[Trace]) -> None:
    """From a right prefix it ends right now and then; after a wrong action, next to never."""

    async def work(sampler: Any, environments: Environments) -> tuple[float, float]:
        rollouts = Rollouts(sampler, Grader(), RolloutSettings(), environments=environments)
        before, after = [], []
        for trace in sampled:
            truth = truth_of(trace, "worlds")
            if truth and (first := truth.first_wrong) is not None and len(before) < 32:
                if first + 1 == len(trace.steps):
                    continue
                before += await rollouts.sample(trace, first, 4)
                after += await rollouts.sample(trace, first + 1, 4)
        return tuple(sum(o.hit for o in found) / len(found) for found in (before, after))

    before, after = using(work)
    assert before > after + 0.1


def test_a_prompt_is_cut_into_the_tokens_that_the_model_wrote(sampled: list[Trace]) -> None:
    """Turns and results joined as the template joins them: a prefix of the tokens of the whole."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(AGENT_MODEL / "tokenizer.json"))

    async def work(sampler: Any, environments: Environments) -> None:
        acting = Acting(sampler, None)
        for trace in sampled[:12]:
            start = Start(trace.problem, trace.origin.messages, tools=trace.origin.tools)
            said: list[Any] = []
            text = acting.prompt(start, said)
            for step in trace.steps:
                said += step.messages
                before = text + step.text
                text = acting.prompt(start, said)
                assert text.startswith(before)
                ids = tokenizer.encode(before, add_special_tokens=False).ids
                assert tokenizer.encode(text, add_special_tokens=False).ids[: len(ids)] == ids

    using(work)


def test_the_demo_shows_a_labelled_agent(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "prmdata", "demo", "--agent", "--problems", "3", "-n", "3"]
    done = subprocess.run(
        [*line, "-o", str(tmp_path / "out")], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    labelled = list(read_traces(str(tmp_path / "out" / "labelled.jsonl")))
    assert len(labelled) == 9
    for trace in labelled:
        assert isinstance(trace, Trace)
        assert trace.origin.sampler == "abacus:agent"
    assert "First errors found exactly" in done.stderr + done.stdout or "No trace" in done.stderr


def test_problems_are_those_of_the_world() -> None:
    assert all(isinstance(problem, Problem) for problem in PROBLEMS)
    assert json.dumps(PROBLEMS[0].context)
