"""Runs the demo and writes what it says into the README: `make docs`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"(?<=<!-- demo -->\n).*?(?=<!-- end of demo -->)", re.DOTALL)
PROGRESS = re.compile(r"^\w+: [\d,]+(/[\d,]+)? \w+ · ")


def block(commands: str, shown: str) -> str:
    """What a terminal holds in the end: progress is gone by then."""
    told = [line for line in commands.splitlines() if not PROGRESS.match(line)]
    lines = [*told, *shown.rstrip().splitlines()]
    return "".join(f"    {line}".rstrip() + "\n" for line in lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [sys.executable, "-m", "prmdata", "demo"],
            cwd=place,
            env={**os.environ, "COLUMNS": "84"},
            capture_output=True,
            text=True,
            check=True,
        )
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda _: block(done.stderr, done.stdout), text), encoding="utf-8")


if __name__ == "__main__":
    main()
