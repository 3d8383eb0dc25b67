"""`--engine ray` on three nodes: drivers, workers, nodes and servers are killed meanwhile.

The output is the single machine's, line for line, and what was paid twice was in flight at a kill.
`KILLS=60 python -m pytest tests/run/sharded/test_ray.py -m ray -s` prints the counts.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.run.sharded.cluster import Cluster, environment, three_nodes
from tests.sampler.endpoint.test_sampler import tell

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.timeout(3000),
]
ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("KILLS", "6"))
IN_FLIGHT = 3 * 8 * 4 * 8
"""Workers, problems of each, traces of each problem, rollouts of a probe: samples under way."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with three_nodes() as made:
        yield made


class Servers:
    """Two, each at a port of its own, whose calls are kept across their deaths."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, int]] = Counter()
        self.ports = [0, 0]
        self.running: list[subprocess.Popen[str]] = [self._start(0) for _ in range(2)]
        self.urls = [self._address(process) for process in self.running]
        self.ports = [int(url.rpartition(":")[2].split("/")[0]) for url in self.urls]

    def kill(self, number: int) -> None:
        self._note(number)
        self.running[number].kill()
        self.running[number].communicate()
        self.running[number] = self._start(self.ports[number])
        self._address(self.running[number])

    def close(self) -> None:
        for number, process in enumerate(self.running):
            self._note(number)
            process.kill()
            process.communicate()
        self.running = []

    def _note(self, number: int) -> None:
        self.calls.update(map(tuple, tell(self.urls[number], "/calls")["calls"]))

    @staticmethod
    def _start(port: int) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.sampler.server", "policy-slow", str(port)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    @staticmethod
    def _address(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    made.close()


def prmdata(place: Path, cluster: Cluster | None, *words: str) -> subprocess.Popen[str]:
    address = {"RAY_ADDRESS": cluster.address} if cluster else {}
    return subprocess.Popen(
        [sys.executable, "-m", "prmdata", *words],
        cwd=place,
        env={**environment(), **address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> None:
    _, said = process.communicate(timeout=1500)
    assert process.returncode == 0, said


def lines(path: Path) -> list[str]:
    return sorted(path.read_text().splitlines())


def test_kills_of_all_kinds_lose_and_double_nothing(
    cluster: Cluster, servers: Servers, tmp_path: Path
) -> None:
    draw = Random(int(os.environ.get("SEED", "1")))
    sampler, problems = ",".join(servers.urls), 40 * KILLS
    words = ["generate", f"abacus:{problems}", "-n", "4", "--sampler", sampler, "-q"]
    finished(prmdata(tmp_path, None, *words, "-o", "t.jsonl", "--store", "none"))
    words = ["label", "t.jsonl", "--method", "bisect", "--sampler", sampler, "--concurrency", "8"]
    finished(prmdata(tmp_path, None, *words, "-q", "-o", "one.jsonl", "--store", "none"))
    for url in servers.urls:
        tell(url, "/reset", {})
    words += ["--engine", "ray", "-o", "many.jsonl", "--give-up", "5m"]
    driver = prmdata(tmp_path, cluster, *words)
    kills: Counter[str] = Counter()
    while driver.poll() is None and kills.total() < KILLS:
        time.sleep(draw.uniform(1.0, 5.0))
        kind = draw.choice(["driver", "worker", "worker", "node", "server"])
        if driver.poll() is not None:
            break
        if kind == "driver":
            driver.kill()
            driver.communicate()
            driver = prmdata(tmp_path, cluster, *words)
        elif kind == "worker":
            running = cluster.workers()
            if not running:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.kill(draw.choice(running), signal.SIGKILL)
        elif kind == "node":
            name = draw.choice(["one", "two"])
            cluster.kill(name)
            cluster.start(name)
        else:
            servers.kill(draw.randrange(2))
        kills[kind] += 1
    finished(driver)
    servers.close()
    twice = sum(count - 1 for count in servers.calls.values())
    print(json.dumps({"kills": kills, "calls": len(servers.calls), "paid twice": twice}))
    made, ids = lines(tmp_path / "many.jsonl"), Counter()
    ids.update(json.loads(line)["id"] for line in made)
    assert len(ids) == len(made) == 4 * problems
    assert made == lines(tmp_path / "one.jsonl")
    assert kills.total() > 0
    assert twice <= IN_FLIGHT * kills.total()


def test_two_drivers_do_not_write_one_output(cluster: Cluster, tmp_path: Path) -> None:
    finished(prmdata(tmp_path, None, "generate", "abacus:4", "-n", "2", "-q", "-o", "t.jsonl"))
    words = ["verify", "t.jsonl", "--engine", "ray", "--parts", "2", "-o", "v.jsonl"]
    first, second = prmdata(tmp_path, cluster, *words), prmdata(tmp_path, cluster, *words)
    said = [process.communicate(timeout=600)[1] for process in (first, second)]
    codes = sorted([first.returncode, second.returncode])
    assert codes in ([0, 0], [0, 1])  # one after the other, or at once
    if codes == [0, 1]:
        assert any("another prmdata run is writing it now" in line for line in said)
    finished(prmdata(tmp_path, None, "verify", "t.jsonl", "-q", "-o", "one.jsonl"))
    assert lines(tmp_path / "v.jsonl") == lines(tmp_path / "one.jsonl")


def test_a_node_that_cannot_write_is_named_and_nothing_is_lost(
    cluster: Cluster, tmp_path: Path
) -> None:
    finished(prmdata(tmp_path, None, "generate", "abacus:6", "-n", "2", "-q", "-o", "t.jsonl"))
    words = ["verify", "t.jsonl", "--engine", "ray", "--parts", "3", "-o", "v.jsonl"]
    blocked = tmp_path / ".prmdata/v.jsonl/parts-of-3/.prmdata/part-00002.jsonl"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the part's folder should be")  # as a full disk, for root too
    process = prmdata(tmp_path, cluster, *words)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 1
    assert "part 2 of 3, on node" in said
    assert "2 parts are finished and kept" in said
    blocked.unlink()
    finished(prmdata(tmp_path, cluster, *words))
    finished(prmdata(tmp_path, None, "verify", "t.jsonl", "-q", "-o", "one.jsonl"))
    assert lines(tmp_path / "v.jsonl") == lines(tmp_path / "one.jsonl")
