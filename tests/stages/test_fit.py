"""`fit` on the weightless policy: the file, the budget, the refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from prmdata.errors import InputError, OutputError
from prmdata.files import write_traces
from prmdata.labellers.belief.policy import Policy as Learned
from prmdata.labellers.belief.policy import read_policy
from prmdata.records import Trace
from prmdata.run.stage import RunOptions
from prmdata.stages import fit as stage
from prmdata.stages.fit import Fitting, run_fit, write_policy
from tests.labellers.running import run
from tests.policy import Policy


@pytest.fixture
def source(traces: list[Trace], policy: Policy, monkeypatch: pytest.MonkeyPatch) -> str:
    """The policy stands where a sampler is opened: it is no spec that a user could type."""

    async def opened(*_: object) -> Policy:
        return policy

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)
    monkeypatch.setattr(stage, "HALVINGS", 4)
    write_traces("t.jsonl", traces[:60])
    return "t.jsonl"


@pytest.mark.slow
def test_a_budget_is_met_and_the_file_is_read_back(
    source: str, traces: list[Trace], policy: Policy, tmp_path: Path
) -> None:
    told: list[str] = []
    asked = Fitting(source, traces=30, rollouts_per_step=3, tokens_per_trace=500)
    found = asyncio.run(run_fit(asked, RunOptions(quiet=True), told.append))
    write_policy(found, str(tmp_path / "w.json"))
    assert read_policy(str(tmp_path / "w.json")) == found
    assert any("as likely" in line for line in told)
    assert found.bits_per_1000_tokens is not None
    wrong = [t for t in traces[:60] if t.correct is False]
    made = run("posterior", traces[:60], policy, policy=str(tmp_path / "w.json"))
    spent = sum(t.labels.cost.tokens for t in made if t.labels) / len(wrong)
    assert 200 < spent < 700  # four halvings leave a wide step
    again = asyncio.run(run_fit(asked, RunOptions(quiet=True), told.append))
    assert again == found


def test_nothing_to_learn_from_is_said(source: str, traces: list[Trace]) -> None:
    write_traces("right.jsonl", [t for t in traces if t.correct])
    with pytest.raises(InputError, match="nothing to fit"):
        asyncio.run(run_fit(Fitting("right.jsonl"), RunOptions(quiet=True), print))


def test_the_defaults_are_a_policy() -> None:
    assert read_policy(None) == Learned()


def test_a_file_that_cannot_be_replaced_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.json"
    write_policy(Learned(), str(path))
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:  # a disk with no room left, of which tests have none
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        write_policy(Learned(), str(path))
    monkeypatch.undo()
    assert path.read_bytes() == before


@pytest.mark.slow
def test_judged_traces_say_how_far_a_label_may_be_trusted(source: str, traces: list[Trace]) -> None:
    told: list[str] = []
    asked = Fitting(source, traces=20, rollouts_per_step=2, truth="abacus")
    found = asyncio.run(run_fit(asked, RunOptions(quiet=True), told.append))
    assert any("known first errors" in line for line in told)
    assert found.priors[0].turn != Learned().priors[0].turn
    asked = Fitting(source, traces=20, rollouts_per_step=2, truth="evidence")
    with pytest.raises(InputError, match="the first error of none of these traces"):
        asyncio.run(run_fit(asked, RunOptions(quiet=True), told.append))
