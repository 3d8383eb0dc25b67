"""What every trial stands in: a healthy and a hostile server, and how a run without faults ends."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pyarrow.parquet

from tests.bench.kill import asked, keys_in
from tests.sampler.endpoint.test_sampler import tell
from tests.sampler.test_contract import served
from tests.soak.processes import start

FILES = ("t.jsonl", "v.jsonl", "l.jsonl", "set")


@dataclass
class World:
    place: Path
    healthy: str
    hostile: str
    whole: dict[str, str] = field(default_factory=dict)
    """File → what stands in it after a run that nothing disturbed."""
    seconds: float = 1.0
    """That such a run takes."""

    def stages(self, urls: str) -> list[list[str]]:
        sampler = ["--sampler", urls, "--concurrency", "4", "--give-up", "5s"]
        sampler += ["--engine-arg", "timeout_s=2"]
        return [
            ["generate", "abacus:6", "-n", "4", "-o", "t.jsonl", "-q", *sampler],
            ["verify", "t.jsonl", "-o", "v.jsonl", "-q"],
            ["label", "v.jsonl", "--method", "bisect", "-o", "l.jsonl", "-q", *sampler],
            ["export", "l.jsonl", "-o", "set", "-q"],
        ]

    def folder(self, name: str) -> Path:
        place = self.place / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for url in (self.healthy, self.hostile):
            tell(url, "/reset")
        return place

    def calls(self) -> list[list]:
        found: list[list] = tell(self.healthy, "/calls")["calls"]
        return [call for call in found if call[0] != "<bos>1"]

    def lost(self, folder: Path) -> int:
        """Files that are not what they are without faults."""
        return sum(contents(folder / name) != self.whole[name] for name in FILES)


class Paid:
    """Counts calls that were made again although their answers had been stored."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        self._stored: set[str] = set()
        self._seen = 0
        self.doubled = 0

    def look(self) -> None:
        """After each run, whatever became of it."""
        calls = self._world.calls()
        made = asked(self._folder, calls[self._seen :])
        self.doubled += sum(key in self._stored for key in made)
        self._seen = len(calls)
        self._stored = set(keys_in(self._folder))


def contents(path: Path) -> str:
    """What a file or dataset says, whichever server said it and in whatever order."""
    if path.is_dir():
        parts = sorted(path.rglob("*.parquet"))
        rows = [row for part in parts for row in pyarrow.parquet.read_table(part).to_pylist()]
    elif path.exists():
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    else:
        return "nothing"
    for row in rows:
        if isinstance(row.get("origin"), dict):
            row["origin"]["sampler"] = "served"
        row.pop("stream", None)
    return "\n".join(sorted(json.dumps(row, sort_keys=True) for row in rows))


@contextmanager
def world(place: Path) -> Iterator[World]:
    import time

    with served("policy-slow") as healthy, served("policy") as hostile:
        found = World(place, healthy, hostile)
        calm = found.folder("calm")
        began = time.monotonic()
        for words in found.stages(healthy):
            process = start(calm, words)
            assert process.finish() == 0, process.said
        found.seconds = time.monotonic() - began
        found.whole = {name: contents(calm / name) for name in FILES}
        yield found


def moments(random: Random, count: int, seconds: float) -> list[float]:
    return [random.uniform(0.02, seconds) for _ in range(count)]


Counts = Counter[str]
