"""The frozen bank of a real model: its files, its readings, and its split."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import prmdata
from prmdata.sampler.bank import Bank

ROOT = Path(__file__).parents[2]
DATA = ROOT / "recipes" / "real_bank" / "data"


def test_the_files_are_the_frozen_ones() -> None:
    lines = (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 6
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == digest, name


def test_two_readers_name_the_same_step_almost_always_and_a_third_decides_the_rest() -> None:
    first, second, decided = (
        {
            row["id"]: row["first_error"]
            for row in map(json.loads, (DATA / f"{name}.jsonl").read_text("utf-8").splitlines())
        }
        for name in ("first", "second", "decided")
    )
    apart = {name for name in first if first[name] != second[name]}
    assert (len(first), len(apart)) == (175, 5)
    assert decided.keys() == apart
    truths = {
        trace.id: trace.evidence_named("readers").first_wrong  # type: ignore[union-attr]
        for trace in prmdata.read(DATA / "traces.parquet")
        if trace.evidence_named("readers")
    }
    for name, place in truths.items():
        assert place == decided.get(name, first[name]) - 1


def test_every_prefix_of_the_traces_that_count_has_its_rollouts() -> None:
    bank = Bank(DATA / "rollouts.parquet", "bank")
    assert bank.depth == 16
    covered = 0
    for trace in prmdata.read(DATA / "traces.parquet"):
        lead = bank.template.open_turn(trace.origin.messages, trace.origin.template)
        if trace.evidence_named("readers"):
            prefixes = [lead + trace.prefix(t) in bank.rows for t in range(1, len(trace.steps))]
            covered += all(prefixes)
    assert covered == 123
