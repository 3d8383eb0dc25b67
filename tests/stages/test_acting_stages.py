"""Acting traces through the stages: a killed run ends in the same bytes and pays for nothing twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from prmdata.labellers import method
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.sampler.acting.opening import Surroundings
from prmdata.stages.generate import Generating, run_generate
from prmdata.stages.label import Labelling, run_labelling
from prmdata.traces.generate import Generation
from tests.agent import Agent, problem


def questions(folder: Path, count: int) -> str:
    path = folder / "questions.jsonl"
    rows = [problem(i) for i in range(count)]
    path.write_text(
        "".join(
            json.dumps({"id": p.id, "question": p.question, "answer": p.answer}) + "\n"
            for p in rows
        )
    )
    return str(path)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    agent = Agent()

    async def opened(spec: str, options: object) -> Agent:
        return agent

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)
    return agent


def made(
    source: str, store: str | None, asked: Surroundings | None
) -> tuple[ListOutput, dict[str, int]]:
    output = ListOutput()
    request = Generating(
        source, sampler="abacus", generation=Generation(samples=3, max_tokens=400),
        surroundings=asked or Surroundings("calculator"),
    )  # fmt: skip
    summary = asyncio.run(run_generate(request, output, RunOptions(store=store, quiet=True)))
    return output, summary.as_dict()


def test_generate_and_label_pass_on_what_answers(agent: Agent, tmp_path: Path) -> None:
    output, counts = made(questions(tmp_path, 4), str(tmp_path / "store"), None)
    assert len(output.traces) == 12
    assert counts["tool_calls"] == 36
    labelled = ListOutput()
    asked = Labelling("label", "bisect", method("bisect", "label", {}), sampler="abacus")
    options = RunOptions(store=str(tmp_path / "store"), quiet=True)
    summary = asyncio.run(run_labelling(asked, labelled, options, output.traces))
    assert summary.labelled == 12
    assert summary.failed == 0


def test_a_second_run_asks_neither_the_model_nor_the_environment(
    agent: Agent, tmp_path: Path
) -> None:
    source, store = questions(tmp_path, 4), str(tmp_path / "store")
    first, _ = made(source, store, None)
    agent.calls.clear()
    second, counts = made(source, store, None)
    assert first.traces == second.traces
    assert agent.calls == []
    assert counts.get("environment_calls", 0) == 0


def test_odd_turns_are_counted_and_said(agent: Agent, tmp_path: Path) -> None:
    agent.odd = "<tool_call>\nnonsense\n</tool_call>"
    _, counts = made(questions(tmp_path, 2), None, Surroundings("calculator", turns=4))
    assert counts["unreadable_calls"] > 0
    assert counts["ended_by_turns"] > 0
    warnings = " ".join(counts["warnings"])  # type: ignore[arg-type]
    assert "could not be read" in warnings
    assert "limit of turns" in warnings


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_one_that_was_not() -> None:
    from tests.bench.kill_acting import compare

    figures = compare(kills=3)
    assert figures["kills"] >= 2
    assert figures["outputs that are the same"] == figures["outputs"] >= 2
    assert figures["rows stored twice"] == 0
