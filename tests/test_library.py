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
        "estimate", "export", "generate", "label", "publish", "read", "reward", "score", "write",
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
