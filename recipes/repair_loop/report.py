"""What the arms measured → the table of the README.

python report.py run --into README.md
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1] / "rl_credit"))

import numpy as np
from shares import share, write_into

ARMS = ("start", "right", "repaired", "both")


def read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {
        arm: [
            json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob(f"{arm}-*.json"))
        ]
        for arm in ARMS
    }


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    base = rates(found["right"])
    rows = [
        f"{len(base[0])} held-out problems with 4 samples each; in brackets the 95 % interval, "
        "problems drawn anew. `right` is compared by the seeds that both have.",
        "",
        "| learned from | traces | of problems | pass@1 | less `right` | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for arm in ARMS:
        runs = found[arm]
        own = rates(runs)
        both = min(len(own), len(base))
        less = (own[:both] - base[:both]).tolist()
        gap = "" if arm in ("start", "right") else share(less)
        problems = np.mean([run["problems"] for run in runs])
        name = "nothing (`start`)" if arm == "start" else f"`{arm}`"
        figure = share(own.tolist())
        rows.append(
            f"| {name} | {runs[0]['traces']} | {problems:.0f} | {figure} | {gap} "
            f"| {figure.by_seed} |"
        )
    return "\n".join(rows)


def rates(runs: Sequence[dict[str, Any]]) -> Any:
    return np.array([[right / 4 for right in run["right"]] for run in runs])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    options.add_argument("--into", type=Path, help="a README to write the table into")
    asked = options.parse_args()
    text = table(read(asked.run))
    print(text)
    if asked.into:
        write_into(asked.into, text)


if __name__ == "__main__":
    main()
