"""The short form of `make soak`: a few trials of each kind, under a fixed seed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_nothing_is_lost_doubled_silent_or_hung() -> None:
    words = [sys.executable, "-m", "tests.soak", "0", "1", "10"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^(\S.*?) {2,}(\d+)$", done.stdout, re.MULTILINE))
    assert int(counts["trials"]) >= 3
    faults = ("lost", "doubled", "silent", "hung", "tracebacks", "unexpected ends")
    assert [counts[name] for name in faults] == ["0"] * len(faults)
