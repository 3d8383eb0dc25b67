"""What signals are worth, from the command's side: learned with truth, read by labels, paid for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import InputError
from prmdata.files import write_traces
from prmdata.labellers import method
from prmdata.records import Cost, Evidence, Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.fit import Fitting, run_fit, write_policy
from prmdata.stages.label import Labelling, run_labelling
from prmdata.truth import truth_of
from tests.labellers.running import run
from tests.policy import Policy


@pytest.fixture
def read(traces: list[Trace]) -> list[Trace]:
    """Traces with a signal that is low at the first wrong step, and their truth."""
    found = []
    for trace in traces:
        truth = truth_of(trace, "abacus")
        assert truth is not None
        first = truth.first_wrong
        numbers = tuple(-5.0 if i == first else -0.1 * (i % 3) for i in range(len(trace.steps)))
        signal = Evidence(
            "certainty", "scores", rewards=numbers, settings={"measure": "nll"},
            cost=Cost(scored=100),
        )  # fmt: skip
        found.append(replace(trace, evidence=(signal, truth)))
    return found


def fitted(traces: list[Trace], folder: Path) -> str:
    write_traces(str(folder / "read.jsonl"), traces)
    asked = Fitting(str(folder / "read.jsonl"), rollouts_per_step=0, truth="evidence")
    policy = asyncio.run(run_fit(asked, RunOptions(store=None), lambda line: None))
    assert [curve.name for curve in policy.curves] == ["certainty nll"]
    write_policy(policy, str(folder / "policy.json"))
    return str(folder / "policy.json")


@pytest.mark.slow
def test_labels_read_a_fitted_signal_and_count_what_it_cost(
    read: list[Trace], tmp_path: Path
) -> None:
    policy = fitted(read, tmp_path)
    plain = run("posterior", read, Policy({0: 60}))
    told = run("posterior", read, Policy({0: 60}), policy=policy)
    exact = {}
    for name, made in (("plain", plain), ("told", told)):
        wrong = [t for t in made if t.correct is False]
        firsts = [truth_of(t, "abacus") for t in wrong]
        exact[name] = sum(
            t.labels.first_error == truth.first_wrong  # type: ignore[union-attr]
            for t, truth in zip(wrong, firsts, strict=True)
        )
        cost = sum((t.labels.cost for t in wrong), Cost())  # type: ignore[union-attr]
        exact[f"{name} rollouts"] = cost.rollouts
        assert cost.scored == (100 * len(wrong) if name == "told" else 0)
    assert exact["told"] >= exact["plain"]
    assert exact["told rollouts"] < 0.6 * exact["plain rollouts"]


def test_without_a_policy_it_is_said_that_signals_are_not_read(
    read: list[Trace], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def opened(*_: object) -> Policy:
        return Policy({0: 60})

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)
    asked = Labelling("label", "posterior", method("posterior", "label", {}))
    options = RunOptions(quiet=True, store=None)
    summary = asyncio.run(run_labelling(asked, ListOutput(), options, read[:8]))
    assert any("prmdata fit --truth" in warning for warning in summary.warnings)


def test_truth_without_signals_is_refused(traces: list[Trace], tmp_path: Path) -> None:
    write_traces(str(tmp_path / "t.jsonl"), traces)
    asked = Fitting(str(tmp_path / "t.jsonl"), rollouts_per_step=0, truth="abacus")
    with pytest.raises(InputError, match="and signals"):
        asyncio.run(run_fit(asked, RunOptions(store=None), lambda line: None))
