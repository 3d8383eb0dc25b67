"""A Ray cluster of three nodes on one machine, whose parts can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prmdata.serving.processes import Process, table

ROOT = Path(__file__).parents[3]


def environment() -> dict[str, str]:
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_DEDUP_LOGS": "0"}
    short = {"RAY_health_check_failure_threshold": "3", "RAY_health_check_period_ms": "1000"}
    return {**os.environ, "PYTHONPATH": str(ROOT), **quiet, **short}


@dataclass
class Cluster:
    port: int
    place: str
    nodes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        where = (
            [
                "--head",
                f"--port={self.port}",
                f"--temp-dir={self.place}",
                "--include-dashboard=false",
            ]
            if name == "head"
            else [f"--address={self.address}"]
        )
        words = [sys.executable, "-m", "ray.scripts.scripts", "start", *where, "--num-cpus=1"]
        words += ["--block", "--object-store-memory=80000000"]
        self.nodes[name] = subprocess.Popen(
            words,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait(self, count: int, limit_s: float = 600.0) -> None:
        """Until so many nodes are alive."""
        script = (
            "import ray, logging; ray.init(address='auto', logging_level=logging.ERROR);"
            "print(sum(n['Alive'] for n in ray.nodes()))"
        )
        env = {**environment(), "RAY_ADDRESS": self.address}
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            words = [sys.executable, "-c", script]
            done = subprocess.run(words, env=env, capture_output=True, text=True)
            if done.stdout.strip() and int(done.stdout.split()[-1]) >= count:
                return
            time.sleep(1)
        raise TimeoutError(f"no cluster of {count} nodes within {limit_s:.0f} s")

    def processes(self, name: str) -> list[Process]:
        """All that a node has started."""
        living = table()
        own = {self.nodes[name].pid}
        while more := {p.pid for p in living.values() if p.parent in own} - own:
            own |= more
        return [living[pid] for pid in own if pid in living]

    def workers(self) -> list[int]:
        """Processes that run a part just now."""
        found = []
        for name in self.nodes:
            for process in self.processes(name):
                with contextlib.suppress(OSError):
                    title = Path(f"/proc/{process.pid}/cmdline").read_bytes()
                    if title.startswith(b"ray::") and b"one" in title:
                        found.append(process.pid)
        return found

    def kill(self, name: str) -> None:
        for process in self.processes(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.nodes.pop(name).wait()


@contextlib.contextmanager
def three_nodes() -> Iterator[Cluster]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as place:
        cluster = Cluster(port, place)
        try:
            cluster.start("head")
            cluster.wait(1)
            for count, name in ((2, "one"), (3, "two")):  # at once they take each other's sockets
                cluster.start(name)
                cluster.wait(count)
            yield cluster
        finally:
            for name in list(cluster.nodes):
                cluster.kill(name)
