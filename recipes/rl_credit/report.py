"""What the runs measured → the table of the README.

python report.py run --into README.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from shares import share, write_into

ARMS = ("outcome", "steps")


def read(folder: Path) -> dict[str, dict[int, list[dict[str, Any]]]]:
    """What was measured, by arm and seed."""
    found: dict[str, dict[int, list[dict[str, Any]]]] = {arm: {} for arm in ARMS}
    for path in sorted(folder.glob("*-*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if lines:
            found[lines[0]["arm"]][lines[0]["seed"]] = lines
    return found


def at(lines: Sequence[dict[str, Any]], step: int) -> dict[str, Any]:
    """Nothing where it was not measured."""
    return next((line for line in lines if line["step"] == step), {})


def rates(line: dict[str, Any]) -> list[float]:
    return [right / line["of"] for right in line["right"]]


def table(found: dict[str, dict[int, list[dict[str, Any]]]]) -> str:
    seeds = sorted(set(found["outcome"]) & set(found["steps"]))
    some = found["outcome"][seeds[0]][0]
    rows = [
        f"{len(some['right'])} held-out problems with {some['of']} samples each; in brackets the "
        "95 % interval, problems drawn anew.",
        "",
        "| step | seeds | outcome | steps | steps − outcome | by seed: outcome | steps |",
        "|---|---|---|---|---|---|---|",
    ]
    for step in sorted({line["step"] for seed in seeds for line in found["steps"][seed]}):
        here = [seed for seed in seeds if all(at(found[arm][seed], step) for arm in ARMS)]
        if not here:
            continue
        told = {arm: [rates(at(found[arm][seed], step)) for seed in here] for arm in ARMS}
        gap = np.array(told["steps"]) - np.array(told["outcome"])
        own = {arm: share(told[arm]) for arm in ARMS}
        rows.append(
            f"| {step} | {len(here)} | {own['outcome']} | {own['steps']} | {share(gap.tolist())} "
            f"| {own['outcome'].by_seed} | {own['steps'].by_seed} |"
        )
    last = found["steps"][seeds[0]][-1]
    rows += [
        "",
        f"Tokens of {last['step']} steps: {last['sampled']:,} of traces, and {last['spent']:,} of "
        "labels in `steps`.",
    ]
    return "\n".join(rows)


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
