"""Segments with an index on disk, and many small ones that become one."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from prmdata.errors import StoreError
from prmdata.sampler.protocol import Completion
from prmdata.sampler.storage import compaction
from prmdata.sampler.storage.compaction import compact_all, due
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.table import PAGE, ROW, Table, index_of
from prmdata.sampler.storage.writers import Writer
from tests.sampler.storage.test_store import key


@pytest.fixture(autouse=True)
def indexes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prmdata.sampler.storage.store.INDEX_BYTES", 1)


def rows_of(numbers: range) -> list[tuple[str, Completion]]:
    return [(key(i), Completion(f"text {i}", i, "stop")) for i in numbers]


def written(folder: Path, *parts: range, sampler: str = "") -> dict[str, Completion]:
    """A closed segment a part."""
    for part in parts:
        store = Store(folder)
        store.put(rows_of(part), sampler)
        store.close()
    return {k: done for part in parts for k, done in rows_of(part)}


def names(folder: Path, ending: str) -> list[str]:
    return sorted(path.name for path in folder.glob(f"*.{ending}"))


def found(store: Store, rows: dict[str, Completion]) -> dict[str, Completion | None]:
    return {k: store.get(k) for k in rows}


@pytest.mark.parametrize("count", [1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE + 17])
def test_a_table_finds_what_is_in_it_and_nothing_else(tmp_path: Path, count: int) -> None:
    draw = random.Random(count)
    hashes = np.array(sorted(draw.randrange(1 << 64) for _ in range(count)), dtype=np.uint64)
    offsets = np.arange(count, dtype=np.uint64) * np.uint64(7)
    Table.write(tmp_path / "t.index", hashes, offsets, 1234)
    assert Table.open(tmp_path / "t.index", 1235) is None
    table = Table.open(tmp_path / "t.index", 1234)
    assert table is not None
    file = os.open(tmp_path / "t.index", os.O_RDONLY)
    assert [table.find(file, int(h)) for h in hashes] == [7 * i for i in range(count)]
    near = [int(h) + step for h in hashes for step in (-1, 1) if 0 <= int(h) + step < 1 << 64]
    assert {table.find(file, h) for h in near} == {None}
    os.close(file)


def test_a_closed_segment_is_opened_by_its_index_and_its_rows_are_not_read(tmp_path: Path) -> None:
    rows = written(tmp_path, range(1000))
    assert len(names(tmp_path, "index")) == 1
    (segment,) = tmp_path.glob("*.jsonl")
    content = segment.read_bytes()
    first = content.index(b"\n") + 1
    segment.write_bytes(b"#" * (first - 1) + content[first - 1 :])  # none of them read: no error
    store = Store(tmp_path)
    assert len(store) == 1000
    assert len(store._memory) == 0
    rows.pop(key(0))
    assert found(store, rows) == rows
    with pytest.raises(StoreError, match="is damaged at byte 0"):
        store.get(key(0))


def test_a_segment_of_a_killed_process_gets_its_index_from_the_next_reader(tmp_path: Path) -> None:
    rows = written(tmp_path, range(500))
    (segment,) = tmp_path.glob("*.jsonl")
    index_of(segment).unlink()
    with segment.open("ab") as file:
        file.write(b'{"k":"torn')
    assert found(Store(tmp_path), rows) == rows
    assert index_of(segment).exists()
    again = Store(tmp_path)
    assert len(again._memory) == 0
    assert found(again, rows) == rows


def test_no_flipped_bit_of_an_index_loses_a_row(tmp_path: Path) -> None:
    rows = written(tmp_path, range(600))
    (path,) = tmp_path.glob("*.index")
    whole = path.read_bytes()
    for bit in random.Random(5).sample(range(8 * len(whole)), 60):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        store = Store(tmp_path)
        assert found(store, rows) == rows
        store.close()


def test_an_index_of_a_folder_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    rows = written(tmp_path, range(600))
    (path,) = tmp_path.glob("*.index")
    content = bytearray(path.read_bytes())
    content[64 + 3 * ROW.itemsize] ^= 1
    path.unlink()
    path.mkdir()  # root may write anything, except a file where a folder is
    assert found(Store(tmp_path), rows) == rows


def test_a_long_segment_ends_and_another_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prmdata.sampler.storage.store.ROLL_BYTES", 5000)
    monkeypatch.setattr(compaction, "MANY", 1000)
    store = Store(tmp_path)
    rows = dict(rows_of(range(300)))
    for item in rows.items():
        store.put([item])
    assert len(names(tmp_path, "jsonl")) > 5
    assert len(store._memory) < 100
    assert found(store, rows) == rows
    store.close()
    assert found(Store(tmp_path), rows) == rows


def test_many_small_segments_become_one_when_a_store_closes(tmp_path: Path) -> None:
    rows = written(tmp_path, *(range(i * 10, i * 10 + 12) for i in range(20)))
    assert len(names(tmp_path, "jsonl")) < compaction.MANY
    store = Store(tmp_path)
    assert found(store, rows) == rows
    assert len(names(tmp_path, "part")) == 0


def test_only_small_ones_are_joined_again_and_again() -> None:
    class Sized:
        def __init__(self, size: int) -> None:
            self.size = size

        def stat(self) -> os.stat_result:
            return os.stat_result((0,) * 6 + (self.size,) + (0,) * 3)

        def __lt__(self, other: Sized) -> bool:
            return False

    def sizes(*given: int) -> list[int]:
        return [path.size for path in due([Sized(size) for size in given])]  # type: ignore[misc]

    assert sizes(*[1000] * 8) == [1000] * 8
    assert sizes(*[1000] * 7) == []
    assert sizes(*[1 << 20] * 8) == []  # none is small beside another
    assert sizes(*[60_000] * 8, 1 << 18, 1 << 27) == [60_000] * 8 + [1 << 18]


def test_readers_that_run_follow_a_compaction(tmp_path: Path) -> None:
    rows = written(tmp_path, range(20), range(15, 40), range(40, 41), sampler="f")
    reading = Store(tmp_path)
    some = dict(itertools.islice(rows.items(), 5))
    assert found(reading, some) == some
    done = compact_all(tmp_path)
    assert (done.segments, done.rows, done.repeated) == (2, 41, 5)
    assert len(names(tmp_path, "jsonl")) == len(names(tmp_path, "index")) == 1
    reading._segments.close()  # the files it had open
    reading._segments._open.clear()
    assert found(reading, rows) == rows
    assert found(Store(tmp_path), rows) == rows


def test_samplers_are_kept_apart(tmp_path: Path) -> None:
    written(tmp_path, range(10), sampler="one")
    written(tmp_path, range(10, 20), sampler="one")
    written(tmp_path, range(20, 30), sampler="two")
    written(tmp_path, range(30, 40))
    compact_all(tmp_path)
    segments = sorted(tmp_path.glob("*.jsonl"))
    assert sorted(Writer.of(path).sampler for path in segments) == ["", "one", "two"]


def test_what_a_process_writes_is_left_alone(tmp_path: Path) -> None:
    written(tmp_path, range(10), range(10, 20))
    running = Store(tmp_path)
    running.put(rows_of(range(20, 30)))
    assert compact_all(tmp_path).rows == 20
    running.put(rows_of(range(30, 31)))
    running.close()
    assert found(Store(tmp_path), dict(rows_of(range(31)))) == dict(rows_of(range(31)))


def test_segments_of_other_machines_are_left_alone_for_a_day(tmp_path: Path) -> None:
    written(tmp_path, range(5))
    (own,) = tmp_path.glob("*.jsonl")
    foreign = tmp_path / "00000000000000000001-0000abcd-17.jsonl"
    shutil.copy(own, foreign)
    assert compaction.at_rest(tmp_path) == [own]
    assert set(compaction.at_rest(tmp_path, foreign=True)) == {own, foreign}
    old = time.time() - 2 * compaction.FOREIGN_S
    os.utime(foreign, (old, old))
    assert set(compaction.at_rest(tmp_path)) == {own, foreign}


def test_damage_is_never_compacted_away(tmp_path: Path) -> None:
    written(tmp_path, range(10), range(10, 20))
    segment = min(tmp_path.glob("*.jsonl"))
    content = bytearray(segment.read_bytes())
    content[100] ^= 4
    segment.write_bytes(content)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.jsonl")}
    with pytest.raises(StoreError, match=f"{segment.name}.*damaged"):
        compact_all(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.jsonl")} == before
    assert names(tmp_path, "part") == []


DYING = """
import os, sys
from pathlib import Path
from prmdata.sampler.storage import compaction

calls = 0
def dying(wrapped):
    def call(*given, **named):
        global calls
        calls += 1
        if calls > int(sys.argv[2]):
            os._exit(9)
        return wrapped(*given, **named)
    return call

for place, name in [(os, "fsync"), (os, "utime"), (Path, "replace"), (Path, "unlink")]:
    setattr(place, name, dying(getattr(place, name)))
compaction.compact_all(Path(sys.argv[1]))
"""


def test_a_compaction_that_dies_loses_nothing_wherever_it_dies(tmp_path: Path) -> None:
    rows = written(tmp_path / "whole", range(30), range(25, 60), range(60, 70))
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    for moment in range(20):
        folder = tmp_path / str(moment)
        shutil.copytree(tmp_path / "whole", folder)
        words = [sys.executable, "-c", DYING, str(folder), str(moment)]
        died = subprocess.run(words, env=env).returncode
        assert died in (0, 9)
        store = Store(folder)
        assert found(store, rows) == rows
        store.close()
        assert compact_all(folder).bytes_before >= 0
        assert names(folder, "part") == []
        assert len(names(folder, "jsonl")) == 1
        if died == 0:
            break
    assert 5 < moment < 19
