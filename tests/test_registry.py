"""A package beside this one adds a method, a format and a source, by entry points alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PLUG = '''
"""Says that every first step is wrong."""
from dataclasses import dataclass, replace
from prmdata.exports.stepwise import Stepwise
from prmdata.records import Cost, Labels, Problem

@dataclass(frozen=True, slots=True)
class Gloomy:
    verb = "label"
    needs = ()
    depth: int = 0
    async def apply(self, group, rollouts):
        return [replace(t, labels=Labels("gloomy", self.depth)) for t in group]
    def forecast(self, trace):
        return Cost()

def few(rest, from_rows):
    return iter([Problem(f"few-{i}", "1 + 1?", "2") for i in range(int(rest))])

source = (few, "few:COUNT  the same question, a few times")
'''
POINTS = """[prmdata.labellers]
gloomy = plug:Gloomy
[prmdata.formats]
again = plug:Stepwise
[prmdata.sources]
few = plug:source
"""


def test_entry_points_are_found(tmp_path: Path) -> None:
    (tmp_path / "plug.py").write_text(PLUG)
    info = tmp_path / "plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)

    def prmdata(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "prmdata", *words],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )

    methods = " ".join(prmdata("methods").stdout.split())
    assert "gloomy" in methods
    assert "Says that every first step is wrong." in methods
    assert "again" in prmdata("formats").stdout
    assert "few:COUNT" in prmdata("sources").stdout
    made = prmdata(
        *[
            "generate",
            "few:3",
            "-n",
            "1",
            "-o",
            "t.jsonl",
            "--max-tokens",
            "20",
            "--sampler",
            "abacus",
        ]
    )
    assert made.returncode == 0, made.stderr
    labelled = prmdata("label", "t.jsonl", "--method", "gloomy", "-o", "l.jsonl")
    assert labelled.returncode == 0, labelled.stderr
    exported = prmdata("export", "l.jsonl", "--to", "again", "-o", "e.jsonl")
    assert exported.returncode == 0, exported.stderr
    assert '"labelled_by":"gloomy"' in Path("e.jsonl").read_text()

    (info / "entry_points.txt").write_text("[prmdata.labellers]\ngloomy = plug:Missing\n")
    broken = prmdata("methods")
    assert broken.returncode == 2
    assert "the plug-in 'gloomy' of plug cannot be loaded (module 'plug' has no" in broken.stderr
    assert "Traceback" not in broken.stderr
