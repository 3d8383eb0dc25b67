"""Traces, two readings of them, and the store with their rollouts → the files in `data/`.

python freeze.py traces.jsonl first.jsonl second.jsonl decided.jsonl store --rollouts 16
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import prmdata
from prmdata.grading import Grader
from prmdata.records import Evidence, Trace, Verdict
from prmdata.traces.generate import count, graded

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "compare_methods"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("traces", "first", "second", "decided", "store"):
        options.add_argument(name, type=Path)
    options.add_argument("--rollouts", type=int, default=16)
    asked = options.parse_args()
    first, second, decided = map(readings, (asked.first, asked.second, asked.decided))
    agreed = {name: place for name, place in first.items() if second[name] == place}
    assert decided.keys() == first.keys() - agreed.keys(), "decide exactly what they differ on"
    print(f"{len(agreed)} of {len(first)} readings agree")
    traces = asyncio.run(regraded(list(prmdata.read(asked.traces)), {**agreed, **decided}))
    bank(traces, asked.store, asked.rollouts)


def readings(path: Path) -> dict[str, int]:
    """Trace id → its first wrong step, from 1; 0: none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["first_error"] for row in map(json.loads, lines)}


async def regraded(traces: list[Trace], truth: dict[str, int]) -> list[Trace]:
    """The problems that were read, graded and counted as today, with the readers' truth."""
    grader = Grader()
    made = []
    for _, group in itertools.groupby(traces, key=lambda trace: trace.problem.id):
        several = list(group)
        if not any(trace.id in truth for trace in several):
            continue
        several = [
            await graded(replace(t, correct=None, grade=None, answer=None), grader)
            if t.finish == "stop"
            else t
            for t in several
        ]
        tally = count(several)
        made += [with_truth(replace(t, group=tally), truth.get(t.id)) for t in several]
    await grader.close()
    return made


def with_truth(trace: Trace, place: int | None) -> Trace:
    if place is None or trace.correct is not False:
        return trace
    verdicts: list[Verdict | None] = [
        "right" if step < place or place == 0 else "wrong" if step == place else None
        for step in range(1, len(trace.steps) + 1)
    ]
    return trace.with_evidence(Evidence("readers", "truth", verdicts=tuple(verdicts)))


def bank(traces: list[Trace], store: Path, rollouts: int) -> None:
    from pack import found, sampling

    from prmdata.sampler.bank import write_bank
    from prmdata.sampler.replay import Replay
    from prmdata.sampler.storage.store import SamplerCard, Store

    replay = Replay(f"replay:{store}", Store(store))
    read = [trace for trace in traces if trace.evidence]
    rows = list(found(replay, read, rollouts))
    card = SamplerCard("served", replay.fingerprint, replay.template, replay.context)
    write_bank(HERE / "data" / "rollouts.parquet", card, sampling(read[0]), rows)
    covered = {prefix for prefix, _ in rows}

    def is_covered(trace: Trace) -> bool:
        lead = replay.template.open_turn(trace.origin.messages, trace.origin.template)
        return all(lead + trace.prefix(t) in covered for t in range(1, len(trace.steps)))

    problems = {t.problem.id for t in read if is_covered(t)}
    prmdata.write(HERE / "data" / "traces.parquet", [t for t in traces if t.problem.id in problems])
    wrong = [t for t in read if is_covered(t)]
    print(f"{len(wrong)} traces of {len(problems)} problems, {len(rows):,} prefixes")


if __name__ == "__main__":
    main()
