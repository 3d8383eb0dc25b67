from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FAKE = Path(__file__).parent / "fake"
ROOT = Path(__file__).parent.parent.parent
Serve = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts `prmdata serve …` in an interpreter whose vLLM is the fake one."""
    begun: list[subprocess.Popen[str]] = []

    def run(*words: str, mode: str = "", **environment: str) -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(FAKE), str(ROOT)])
        asked = {"PYTHONPATH": paths, "FAKE_VLLM": mode, **environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "prmdata", "serve", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **asked},
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    run("--stop", "-q").communicate(timeout=60)
