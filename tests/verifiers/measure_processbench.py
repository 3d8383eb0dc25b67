"""Arithmetic and algebra on ProcessBench's GSM8K part: what they call wrong, and the first errors.

    python -m tests.verifiers.measure_processbench FOLDER [tune|test|all] [arithmetic|algebra]

FOLDER holds `processbench_gsm8k.jsonl`. Problems fall into a tuning and a test part by a hash of
their text: look at the verdicts of the first, at the figures of the second. A step called wrong is
a hit where people marked their first error, may be right after it, and is a false alarm before it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prmdata.intervals import wilson
from prmdata.verifiers.algebra import Algebra
from prmdata.verifiers.arithmetic import Arithmetic
from prmdata.verifiers.contract import Finding


def rows(folder: Path, part: str) -> Iterator[dict[str, Any]]:
    with (folder / "processbench_gsm8k.jsonl").open() as file:
        for row in map(json.loads, file):
            odd = hashlib.sha256(row["problem"].encode()).digest()[0] % 2 == 1
            if part in ("all", "test" if odd else "tune"):
                yield row


def findings(name: str, row: dict[str, Any]) -> list[Finding]:
    if name == "arithmetic":
        return Arithmetic().check(row["steps"])
    return Algebra().check(row["problem"], row["steps"])


def place(index: int, first_error: int) -> str:
    if first_error < 0:
        return "in a right trace"
    return "hit" if index == first_error else "after it" if index > first_error else "before it"


def measure(name: str, folder: Path, part: str) -> None:
    counts: Counter[str] = Counter()
    started = time.process_time()
    for row in rows(folder, part):
        counts["steps"] += len(row["steps"])
        counts["errors"] += row["label"] >= 0
        for index, found in enumerate(findings(name, row)):
            if found.verdict == "wrong":
                at = place(index, row["label"])
                counts[at] += 1
                if part != "test":
                    step = " ".join(row["steps"][index].split())
                    print(f"{at}: {row['id']} step {index}: {found.note}\n    {step[:300]}")
    called = sum(counts[at] for at in ("hit", "after it", "before it", "in a right trace"))
    false = counts["before it"] + counts["in a right trace"]
    low, high = wilson(counts["hit"], counts["errors"], 1.96)
    print(
        f"{name}, {part}: {called} steps called wrong, {false} before the first error or in a "
        f"right trace; first errors {counts['hit']} of {counts['errors']} "
        f"(95 % {low:.3f} to {high:.3f}); "
        f"{counts['steps'] / (time.process_time() - started):,.0f} steps/s"
    )


if __name__ == "__main__":
    folder, *chosen = sys.argv[1:]
    for name in chosen[1:] or ("arithmetic", "algebra"):
        measure(name, Path(folder), chosen[0] if chosen else "all")
