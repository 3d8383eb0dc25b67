from __future__ import annotations

import asyncio
import shlex
import subprocess
from collections.abc import Callable

import pytest

from prmdata.labellers import method
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages import generate, label
from prmdata.traces.generate import Generation
from tests.policy import Policy
from tests.warm import TREE, command, program

Done = subprocess.CompletedProcess[str]


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


@pytest.fixture
def surroundings(recorded: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(TREE),
        "PRMDATA_SAMPLER": f"replay:{recorded}",
        "COLUMNS": "100",
    }


@pytest.fixture
def prmdata(surroundings: dict[str, str]) -> Callable[..., Done]:
    """Runs the command line as a user does, in a process of its own."""

    def run(*words: str, stdin: str | None = None) -> Done:
        return command(*words, given=stdin, env=surroundings)

    return run


@pytest.fixture
def shell(surroundings: dict[str, str]) -> Callable[[str], Done]:
    """Runs a line of bash in which `prmdata` is this prmdata."""

    def run(line: str) -> Done:
        define = f'set -o pipefail; prmdata() {{ {shlex.join(program())} "$@"; }}; '
        return subprocess.run(
            ["bash", "-c", define + line],
            capture_output=True,
            text=True,
            env=surroundings,
            timeout=120,
        )

    return run
