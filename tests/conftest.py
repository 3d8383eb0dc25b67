"""What tests share: traces made by the weightless policy, and a place of their own to run in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from prmdata.grading import Grader
from prmdata.problems import abacus
from prmdata.records import Trace
from prmdata.traces.generate import Generation, generate
from tests.policy import Policy


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores and run folders of one test never meet those of another."""
    monkeypatch.chdir(tmp_path)
    for name in ("PRMDATA_SAMPLER", "PRMDATA_STORE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return Policy({0: 60})


@pytest.fixture(scope="session")
def traces(policy: Policy) -> list[Trace]:
    """Forty problems, four traces each, some right and some wrong."""
    return asyncio.run(_sampled(policy, 40, 4))


@pytest.fixture
def sample_traces(policy: Policy) -> Callable[[int, int], list[Trace]]:
    return lambda problems, samples: asyncio.run(_sampled(policy, problems, samples))


async def _sampled(policy: Policy, problems: int, samples: int) -> list[Trace]:
    grader = Grader()
    found: list[Trace] = []
    for problem in abacus.read(f"{problems}", lambda rows: rows):
        found += await generate(problem, policy, grader, Generation(samples=samples))
    await grader.close()
    return found
