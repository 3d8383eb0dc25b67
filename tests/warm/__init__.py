"""The command line without its start-up: a process that has imported everything forks for each command.

What runs is a process of its own, with the files, folder, environment and words of the one that
asks; only the imports were done before. `test_the_program_starts_by_itself` starts it the slow way.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

TREE = Path(__file__).parents[2]


def command(
    *words: str,
    given: str | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """`prmdata WORD…`, as a user runs it."""
    return subprocess.run(
        [*program(), *words],
        input=given,
        capture_output=True,
        text=True,
        env=env,
        cwd=folder,
        timeout=600,
    )


def program() -> list[str]:
    """What stands for `prmdata` on a command line."""
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("client.py")), started()]


@functools.cache
def started() -> str:
    """The socket of a process that forks, one for all tests of this process."""
    folder = tempfile.mkdtemp(prefix="warm-")
    place = f"{folder}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm.process", place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=TREE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TREE)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()

    def end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return place
