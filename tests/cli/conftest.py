from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prmdata.labellers import method
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages import generate, label
from prmdata.traces.generate import Generation
from tests.policy import Policy

Done = subprocess.CompletedProcess[str]
TREE = Path(__file__).parents[2]
"""What is tested is the tree that the tests stand in, wherever prmdata is installed from."""


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with all that `abacus:12 -n 4` and labelling it take, for the replay sampler."""
    store = tmp_path_factory.mktemp("recorded")
    policy = Policy({0: 12})

    async def opened(spec: str, options: object) -> Policy:
        return policy

    with pytest.MonkeyPatch.context() as patch:  # the policy has no spec that a user could type
        patch.setattr("prmdata.run.stage.open_sampler", opened)
        options = RunOptions(store=str(store), quiet=True)
        made = ListOutput()
        asyncio.run(
            generate.run_generate(
                generate.Generating("abacus:12", generation=Generation(samples=4)), made, options
            )
        )
        for verb, name in (("estimate", "mc"), ("label", "bisect"), ("label", "posterior")):
            asked = label.Labelling(verb, name, method(name, verb, {}))
            asyncio.run(label.run_labelling(asked, ListOutput(), options, made.traces))
    return str(store)


@pytest.fixture(scope="session")
def warm_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a process that runs commands without their start-up."""
    place = str(tmp_path_factory.mktemp("warm") / "socket")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.warm", place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=TREE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TREE)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    yield place
    process.stdin.close()
    process.wait()
    process.stdout.close()


@pytest.fixture
def surroundings(recorded: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(TREE),
        "PRMDATA_SAMPLER": f"replay:{recorded}",
        "COLUMNS": "100",
    }


@pytest.fixture
def prmdata(warm_process: str, surroundings: dict[str, str]) -> Callable[..., Done]:
    """Runs the command line as a user does, in a process of its own."""

    def run(*words: str, stdin: str | None = None) -> Done:
        return subprocess.run(
            [sys.executable, "-I", "-S", str(TREE / "tests/cli/warm.py"), warm_process, *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=surroundings,
            timeout=120,
        )

    return run


@pytest.fixture
def shell(warm_process: str, surroundings: dict[str, str]) -> Callable[[str], Done]:
    """Runs a line of bash in which `prmdata` is this prmdata."""

    def run(line: str) -> Done:
        program = shlex.join(
            [sys.executable, "-I", "-S", str(TREE / "tests/cli/warm.py"), warm_process]
        )
        define = f'set -o pipefail; prmdata() {{ {program} "$@"; }}; '
        return subprocess.run(
            ["bash", "-c", define + line],
            capture_output=True,
            text=True,
            env=surroundings,
            timeout=120,
        )

    return run
