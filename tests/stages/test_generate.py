"""`generate` says what it does not know."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.generate import Generating, advice_on_keep, run_generate
from prmdata.traces.generate import Generation


def test_problems_kept_because_of_cut_traces_are_counted() -> None:
    how = Generation(samples=4, max_tokens=12, keep=(0.1, 0.9))
    options = RunOptions(quiet=True, store=None)
    summary = asyncio.run(
        run_generate(Generating("abacus:4", generation=how), ListOutput(), options)
    )
    assert summary.cut > 0
    assert summary.special["kept_uncertain"] == summary.problems - summary.outside > 0
    assert any("4 of the 4 problems kept" in warning for warning in summary.warnings)
    assert advice_on_keep(0, 4) is None


def test_it_is_said_at_once_where_no_problem_has_an_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{"question": f"{i} + 1?", "gold": i + 1} for i in range(3)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    how, output = Generation(samples=1, max_tokens=2), ListOutput()
    for fields in (None, {"answer": "gold"}):
        options = RunOptions(store=None)
        request = Generating("p.jsonl", generation=how, fields=fields, sampler="abacus")
        asyncio.run(run_generate(request, output, options))
        told = capsys.readouterr().err
        assert ("none of the first 3 problems has an answer" in told) == (fields is None)
        assert ("columns not read: gold" in told) == (fields is None)
