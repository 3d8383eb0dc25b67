"""Every attack, at every level this machine has, as root and as a normal user."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prmdata.sandbox import LEVELS
from tests.sandbox.attacker import BOMBS

ROOT = Path(__file__).parents[2]
NOBODY = 65534
USERS = ["root", "nobody"] if os.getuid() == 0 else ["self"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


def run_as(user: str, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if user == "nobody" else {}
    return subprocess.run(
        [python, "-B", *arguments],
        cwd=ROOT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )


@functools.cache
def python_for(user: str) -> str:
    """Root's own interpreter may lie where nobody else can reach it."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            if run_as(user, python, "-c", "import tests.sandbox.attacker").returncode == 0:
                return python
        except OSError:
            continue
    pytest.skip(f"no Python of 3.11 or later that {user} can run together with this folder")


@functools.cache
def verdicts(level: str, user: str) -> dict[str, str]:
    told = run_as(user, python_for(user), "-m", "tests.sandbox.attacker", level)
    assert told.returncode == 0, told.stderr
    found: dict[str, str] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize("attack", BOMBS)
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    "level",
    [pytest.param(v, marks=[] if v == "full" else pytest.mark.slow) for v in LEVELS],
)
def test_an_attack_is_stopped(level: str, user: str, attack: str) -> None:
    found = verdicts(level, user)
    if "refused" in found:
        pytest.skip(f"{level} as {user}: {found['refused']}")
    assert found[attack] == ""
