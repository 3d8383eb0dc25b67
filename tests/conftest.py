"""What tests share: traces made by the weightless policy, and a place of their own to run in."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.abacus import solution
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


@pytest.fixture(autouse=True, scope="module")
def files_are_closed() -> Iterator[None]:
    """What a module opens it closes: a suite that runs in one process has some thousand files."""
    before = sum(1 for _ in Path("/dev/fd").iterdir())
    yield
    assert sum(1 for _ in Path("/dev/fd").iterdir()) < before + 100


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


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Its address, and the folder that holds its repositories."""
    folder = tmp_path / "hub"
    words = [sys.executable, "-m", "tests.stages.hub", str(folder)]
    tree = Path(__file__).parent.parent
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tree)
    assert server.stdout is not None
    yield server.stdout.readline().strip(), folder
    server.terminate()
    server.wait()
    server.stdout.close()


async def _sampled(policy: Policy, problems: int, samples: int) -> list[Trace]:
    grader = Grader()
    found: list[Trace] = []
    for problem in abacus.read(f"{problems}", lambda rows: rows):
        told = policy.story_of(problem.question)
        worked = {"solution": "".join(f"{line}\n" for line in solution(told))}
        problem = replace(problem, context=worked)
        found += await generate(problem, policy, grader, Generation(samples=samples))
    await grader.close()
    return found
