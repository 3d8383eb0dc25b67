"""What a stage stands on is put away, also where it cannot be set up."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from prmdata.errors import OutputError, StoreError, UsageError
from prmdata.labellers import method
from prmdata.records import Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions, open_resources
from prmdata.run.summary import Summary
from prmdata.sampler.storage.store import Store
from prmdata.stages.label import Labelling, run_labelling
from tests.policy import Policy

OPTIONS = RunOptions(store="store", quiet=True)


class Held(Policy):
    """Knows whether it is open."""

    open = 0

    async def close(self) -> None:
        self.open -= 1


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """The policy stands where a sampler is opened: it is no spec that a user could type."""
    held = Held({0: 1})

    async def opened(*_: object) -> Held:
        held.open += 1
        return held

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)
    return held


async def at(grader: str = "auto") -> None:
    async with open_resources("policy", {}, grader, OPTIONS) as resources:
        assert resources.sampler.fingerprint == "policy-1"


def test_a_wrong_grader_leaves_no_sampler_open(held: Held) -> None:
    with pytest.raises(UsageError, match="--grader nonsense"):
        asyncio.run(at("nonsense"))
    assert held.open == 0


def test_a_damaged_store_leaves_no_sampler_open(held: Held) -> None:
    Path("store").mkdir()
    Path("store/1.jsonl").write_text("{}\n")
    with pytest.raises(StoreError, match="damaged"):
        asyncio.run(at())
    assert held.open == 0


def test_a_store_that_does_not_close_leaves_no_sampler_open(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk may fill up at the last sync; tests have none that does."""

    def full(self: Store) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Store, "close", full)
    with pytest.raises(OSError, match="No space"):
        asyncio.run(at())
    assert held.open == 0


def test_a_target_that_cannot_be_finished_is_no_complete_run(
    traces: list[Trace],
) -> None:
    """A disk may fill up as the last file is written."""

    class Full(ListOutput):
        def finish(self, summary: Mapping[str, Any]) -> None:
            raise OutputError("full")

    reported: list[Summary] = []
    options = RunOptions(store=None, quiet=True, report=reported.append)
    request = Labelling("label", "outcome", method("outcome", "estimate", {}))
    with pytest.raises(OutputError, match="full"):
        asyncio.run(run_labelling(request, Full(), options, traces[:4]))
    assert [summary.ending for summary in reported] == ["failed"]
    assert reported[0].traces == 4
