"""What a bare installation has: neither torch nor more megabytes than we promise.

FRESH/bin/python -m tests.installed FRESH
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

MOST_MB = 400
"""Of files as they are installed, without the bytecode that Python adds."""


def megabytes(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.suffix != ".pyc" and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


if __name__ == "__main__":
    size = megabytes(Path(sys.argv[1]))
    print(f"{size:,.0f} MB installed")
    if size > MOST_MB:
        raise SystemExit(f"more than {MOST_MB} MB")
    if importlib.util.find_spec("torch") is not None:
        raise SystemExit("torch was installed")
