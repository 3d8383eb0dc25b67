from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

import prmdata
from prmdata import library
from tests.policy import Policy


def test_the_public_surface() -> None:
    assert prmdata.__all__ == sorted(prmdata.__all__)
    assert set(prmdata.__all__) == {
        "Cost", "Evidence", "Labels", "Origin", "PrmdataError", "Problem", "Step", "Tally", "Trace",
        "audit_sample", "estimate", "export", "fit", "generate", "grade", "import_", "label",
        "mutate", "publish", "read", "reward", "score", "show", "stats", "verify", "write",
    }  # fmt: skip
    assert {*prmdata.__all__, "__version__"} == set(dir(prmdata))
    for name in prmdata.__all__:
        assert getattr(prmdata, name).__doc__ is not None
    with pytest.raises(AttributeError):
        prmdata.nothing  # noqa: B018


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
