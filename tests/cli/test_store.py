"""`prmdata store`: what it counts, checks, joins and deletes."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from prmdata.sampler.protocol import Completion
from prmdata.sampler.storage.store import Store
from tests.sampler.storage.test_store import key
from tests.warm import command


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return command("store", *words, "--store", "s", folder=folder)


def figures(folder: Path, *words: str) -> dict[str, object]:
    done = run(folder, *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two segments of sampler `a`, one of them old, and one of `b`."""
    for first, sampler in ((0, "a"), (8, "a"), (20, "b")):
        store = Store(tmp_path / "s")
        store.put(
            [(key(i), Completion(str(i), 1, "stop")) for i in range(first, first + 10)], sampler
        )
        store.close()
    oldest = min((tmp_path / "s").glob("*.a.jsonl"))
    old = time.time() - 40 * 86_400
    os.utime(oldest, (old, old))
    return tmp_path


def test_stats_count_by_sampler(place: Path) -> None:
    found = figures(place, "stats")
    assert (found["rows"], found["segments"], found["growing"]) == (30, 3, 0)
    samplers = found["samplers"]
    assert isinstance(samplers, dict)
    assert {name: share["rows"] for name, share in samplers.items()} == {"a": 20, "b": 10}
    shown = run(place).stdout
    assert "30 rows" in shown
    assert "SAMPLER" in shown


def test_verify_reads_every_row_and_says_which_is_damaged(place: Path) -> None:
    assert figures(place, "verify")["rows"] == 30
    segment = max((place / "s").glob("*.jsonl"))
    content = bytearray(segment.read_bytes())
    content[-40] ^= 1
    segment.write_bytes(content)
    done = run(place, "verify", "-q")
    assert done.returncode == 1
    assert f"{segment.name}: the rollout store is damaged at byte" in done.stderr
    assert "29 rows in 3 segments" in done.stdout


def test_compact_joins_and_leaves_out_what_is_there_twice(place: Path) -> None:
    found = figures(place, "compact")
    assert (found["segments"], found["rows"], found["repeated"]) == (1, 18, 2)
    assert figures(place, "verify") == {
        "segments": 2, "rows": 28, "torn": 0, "damaged": [], "not_found": 0,
    }  # fmt: skip


def test_drop_takes_what_was_named_and_nothing_else(place: Path) -> None:
    assert figures(place, "drop", "--older-than", "30d", "--dry-run")["rows"] == 10
    assert figures(place, "stats")["rows"] == 30
    assert figures(place, "drop", "--older-than", "30d")["rows"] == 10
    running = Store(place / "s")
    running.put([(key(99), Completion("new", 1, "stop"))], "b")
    dropped = figures(place, "drop", "--sampler", "b")
    assert (dropped["rows"], dropped["in_use"]) == (10, 1)
    assert running.get(key(99)) is not None
    running.close()
    store = Store(place / "s")
    assert [i for i in range(100) if store.get(key(i))] == [*range(8, 18), 99]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["drop"], "drop what?"),
        (["drop", "--sampler", "c"], "it has: a, b"),
        (["drop", "--older-than", "soon"], "write a duration"),
        (["stats", "--dry-run"], "belong to `prmdata store drop`"),
    ],
)
def test_what_cannot_be_meant_is_refused(place: Path, words: list[str], message: str) -> None:
    done = run(place, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert figures(place, "stats")["rows"] == 30


@pytest.mark.parametrize("action", ["stats", "verify", "compact", "drop --older-than 1s"])
def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, action: str) -> None:
    done = run(tmp_path, *action.split())
    assert done.returncode == 2
    assert "s: there is no such folder" in done.stderr
    assert list(tmp_path.iterdir()) == []
