from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import re
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata import library
from prmdata.cli import COMMANDS
from prmdata.records import Trace
from tests.judges.chat_server import ChatServer, chatting
from tests.policy import Policy

RECORDS = {
    "Cost",
    "Evidence",
    "Labels",
    "Origin",
    "PrmdataError",
    "Problem",
    "Step",
    "Tally",
    "Trace",
}
ELSEWHERE = {"demo", "doctor", "methods", "formats", "sources", "serve", "store"}
"""Commands about prmdata itself, or that run until they are stopped."""


def test_every_stage_of_the_command_line_is_a_function() -> None:
    stages = {
        command.__name__.rstrip("_")
        for commands in COMMANDS.values()
        for command in commands
        if command.__name__ not in ELSEWHERE
    }
    called = {name.rstrip("_") for name in library.__all__}
    assert stages - called == {"audit"}
    assert called - stages == {"audit_sample", "publish", "read", "write"}


def test_the_public_surface() -> None:
    assert prmdata.__all__ == sorted(prmdata.__all__)
    assert library.__all__ == sorted(library.__all__)
    assert set(prmdata.__all__) == {*RECORDS, *library.__all__, "reward"}
    assert {*prmdata.__all__, "__version__"} == set(dir(prmdata))
    for name in prmdata.__all__:
        assert getattr(prmdata, name).__doc__ is not None
    with pytest.raises(AttributeError):
        prmdata.nothing  # noqa: B018


@pytest.mark.parametrize("name", library.__all__)
def test_a_function_says_what_it_does_and_what_it_takes(name: str) -> None:
    function = getattr(library, name)
    types = typing.get_type_hints(function)
    signature = inspect.signature(function)
    assert set(types) == {*signature.parameters, "return"}
    assert (function.__doc__ or "").split("\n")[0].strip().endswith((".", ":", "of", "after"))
    if "how" in signature.parameters:
        assert "`how`: fields" in (function.__doc__ or "")


def test_no_part_of_the_package_hides_a_function() -> None:
    for name in library.__all__:
        assert importlib.util.find_spec(f"prmdata.{name}") is None, name


@pytest.fixture
def with_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages are what is tested here; the embedded model has tests of its own."""

    async def opened(spec: str, options: object) -> Policy:
        return Policy({0: 20})

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)


@pytest.mark.usefixtures("with_policy")
def test_the_example_in_the_docstring_runs(tmp_path: Path) -> None:
    lines = [line[4:] for line in (library.__doc__ or "").splitlines() if line.startswith("    ")]
    assert any("prmdata.label(" in line for line in lines)
    exec("\n".join(lines), {})
    assert (tmp_path / "dataset" / "data" / "train-00000-of-00001.parquet").exists()


@pytest.mark.usefixtures("with_policy")
def test_stages_as_functions() -> None:
    traces = prmdata.generate("abacus:6", samples=3, seed=1)
    assert len(traces) == 18
    assert {t.origin.seed for t in traces} == {1}
    valued = prmdata.estimate(traces, settings={"rollouts_per_step": 2})
    assert all(t.evidence[0].name == "mc" for t in valued)
    labelled = prmdata.label(valued, method="threshold")
    figures = prmdata.score(labelled, truth="abacus")
    assert figures["labelled"] == 18
    prmdata.write("t.parquet", labelled)
    assert list(prmdata.read("t.parquet")) == labelled


@pytest.mark.usefixtures("with_policy")
def test_they_work_where_a_loop_is_running() -> None:
    async def notebook() -> int:
        return len(prmdata.generate("abacus:2", samples=1))

    assert asyncio.run(notebook()) == 2


@pytest.mark.usefixtures("with_policy")
def test_their_errors_are_the_same() -> None:
    with pytest.raises(prmdata.PrmdataError, match=re.escape("did you mean 'bisect'")):
        prmdata.label(prmdata.generate("abacus:1", samples=1), method="bisekt")


@pytest.mark.usefixtures("with_policy")
def test_verdicts_counts_and_text_without_a_file() -> None:
    traces = prmdata.generate("abacus:4", samples=2)
    checked = prmdata.verify(traces, tools=["arithmetic", "algebra"])
    assert [e.name for e in checked[0].evidence] == ["arithmetic", "algebra"]
    assert prmdata.stats(checked)["traces"] == 8
    assert "Step 1" in prmdata.show(checked[0], width=80)
    drawn = prmdata.audit_sample(checked, 3, seed=1)
    assert len({trace.id for trace in drawn}) == 3
    with pytest.raises(prmdata.PrmdataError, match="one after another"):
        prmdata.verify(traces, tools=["arithmetic", "algebra"], settings={"strict": True})


@pytest.mark.slow
@pytest.mark.usefixtures("with_policy")
def test_a_policy_is_fitted_and_read(tmp_path: Path) -> None:
    traces = prmdata.generate("abacus:12", samples=4)
    prmdata.fit(traces, output=tmp_path / "policy.json", pilot=8)
    labelled = prmdata.label(traces, settings={"policy": str(tmp_path / "policy.json")})
    assert any(trace.labels and trace.labels.first_error is not None for trace in labelled)


def test_rows_are_problems_answers_and_traces() -> None:
    rows = [{"question": "1 + 1?", "response": "1 + 1 = 2.\nThe answer is 2.", "answer": "2"}]
    graded = prmdata.grade(rows)
    assert graded[0]["correct"] is True
    columns = {"question": "question", "response": "response", "answer": "answer"}
    [trace] = prmdata.import_(rows, fields=columns)
    assert (trace.problem.question, trace.correct) == ("1 + 1?", True)


@pytest.mark.usefixtures("with_policy")
def test_rows_are_asked_and_progress_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prmdata.run.progress.FIRST_SECONDS", 0.0)
    rows = [{"question": "Ada has 3 plums and buys 4. How many?", "answer": "7"}] * 2
    rows[1] = {"question": "Ada has 5 plums and buys 4. How many?", "answer": "9"}
    made = prmdata.generate(rows, sampler="abacus", samples=2, progress=True)
    assert [trace.problem.answer for trace in made] == ["7", "7", "9", "9"]
    assert "generate" in capsys.readouterr().err
    prmdata.generate(rows, sampler="abacus", samples=1)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("with_policy")
def test_from_values_to_credit_and_thoughts(traces: list[Trace]) -> None:
    valued = prmdata.estimate(traces[:24], settings={"rollouts_per_step": 4}, seed=3, max_tokens=99)
    credited = prmdata.credit_(valued, form="min", settings={"outcome": 1.0})
    assert {e.name for t in credited for e in t.evidence} == {"mc", "credit"}
    thought = prmdata.thoughts(prmdata.label(valued, method="threshold"))
    assert [t.id for t in thought] == [t.id for t in traces[:24]]
    assert sum(len(t.steps) for t in thought) < sum(len(t.steps) for t in traces[:24])
    prmdata.write("valued.jsonl", valued)
    assert prmdata.credit_("valued.jsonl", form="min", settings={"outcome": 1.0}) == credited


@pytest.mark.usefixtures("with_policy")
def test_truth_and_what_would_have_been_right(traces: list[Trace]) -> None:
    known = prmdata.truth_(traces[:32])
    assert all(trace.evidence_named("abacus") for trace in known)
    labelled = prmdata.label(known, method="bisect")
    assert prmdata.score(labelled) == prmdata.score(labelled, truth="abacus")
    repaired = prmdata.repair(labelled, settings={"attempts": 4}, temperature=0.9)
    assert len(repaired) > len(labelled)
    tried = prmdata.intervene(labelled, teacher="abacus")
    assert any(trace.evidence_named("intervene") for trace in tried)


def test_traces_are_chosen_and_joined(traces: list[Trace]) -> None:
    chosen = prmdata.choose(traces, n=5, target=0.5)
    assert len({trace.problem.id for trace in chosen}) == 5
    assert len(prmdata.choose(traces, rollouts=2)) == len(traces) // 2
    halves = traces[80:], traces[:80]
    assert {t.id for t in prmdata.merge(*halves)} == {t.id for t in traces}
    prmdata.write("half.jsonl", halves[0])
    assert prmdata.merge("half.jsonl", halves[1]) == prmdata.merge(*halves)


def test_a_trace_is_shown_as_html_and_many_on_a_page(traces: list[Trace], tmp_path: Path) -> None:
    hostile = replace(traces[0], problem=replace(traces[0].problem, question="<script>1</script>"))
    page = prmdata.show(hostile, html=True)
    assert page.startswith("<pre>")
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    prmdata.report_(traces[:8], output=tmp_path / "report.html", truth="abacus")
    assert "<!doctype html>" in (tmp_path / "report.html").read_text().lower()


def all_right(body: dict[str, Any]) -> str:
    count = body["messages"][-1]["content"].count("</step_")
    return "\n".join(json.dumps({"step": n + 1, "verdict": "right"}) for n in range(count))


def test_a_model_judges(traces: list[Trace], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(prmdata.PrmdataError, match="name a judge"):
        prmdata.judge(traces[:2])
    with chatting(ChatServer(all_right)) as server:
        monkeypatch.setenv("PRMDATA_JUDGE", server.url)
        judged = prmdata.judge(traces[:4], name="clerk")
    assert all(trace.evidence_named("clerk") for trace in judged)


def test_options_are_the_records_own() -> None:
    with pytest.raises(TypeError, match="tempurature"):
        prmdata.label([], tempurature=1.0)
