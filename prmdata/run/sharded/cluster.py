"""A Ray cluster that runs the parts of a job: each is a task, and is tried again elsewhere when its
worker or its node dies.

Ray carries no data: parts are read from and written to a file system that all nodes see, and the
calls to the model are in the store, so what a dead node had finished is not done again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prmdata.durations import spell
from prmdata.errors import OutputError, PrmdataError, UsageError
from prmdata.files import paths
from prmdata.run.sharded.parts import Finished, Job, run_part
from prmdata.version import VERSION

RETRIES = 50
PROBE_S = 120.0
APART_S = 60.0
"""Clocks that differ by more are mentioned."""
POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node says of itself."""

    host: str
    version: str | None
    """`None`: prmdata cannot be imported there."""
    reason: str
    place: bool
    """Whether it sees the folder of this run."""
    clock: float


class Cluster:
    """The cluster at `RAY_ADDRESS`, else the one that runs on this machine, else a new one here."""

    def __init__(self, say: Callable[[str], None]) -> None:
        if importlib.util.find_spec("ray") is None:
            raise UsageError("--engine ray needs Ray: pip install 'prmdata[ray]'")
        import ray

        self._ray, self._say = ray, say
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            ray.init(address=os.environ.get("RAY_ADDRESS") or "auto", **quiet)
        except ConnectionError as error:
            if os.environ.get("RAY_ADDRESS"):
                raise UsageError(f"no Ray cluster answers at RAY_ADDRESS ({error})") from None
            # Else it writes a token that keeps other nodes from joining a later cluster.
            os.environ.setdefault("RAY_AUTH_MODE", "disabled")
            ray.init(include_dashboard=False, **quiet)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def cpus(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def gpus(self) -> int:
        return int(self._ray.cluster_resources().get("GPU", 0))

    def check(self, job: Job) -> None:
        """Every node has this version of prmdata and sees the files; clocks are compared."""
        token = Path(job.place) / f".prmdata-ray-{os.getpid()}"
        shared = None if paths.is_remote(job.target) else str(token)
        if shared:
            token.touch()
        try:
            seen = self._probed(shared)
        finally:
            token.unlink(missing_ok=True)
        now = time.time()
        for one in seen:
            if one.version is None:
                raise UsageError(
                    f"node {one.host} cannot run prmdata ({one.reason}): install prmdata[ray] "
                    f"{VERSION} there, or take the node out of the cluster"
                )
            if one.version != VERSION:
                raise UsageError(
                    f"node {one.host} has prmdata {one.version}, this one {VERSION}: install the "
                    "same on all nodes"
                )
            if not one.place:
                raise UsageError(
                    f"node {one.host} does not see {job.place}: start from a folder on a file "
                    "system that all nodes share, or name input, output and store by URLs"
                )
            if abs(one.clock - now) > APART_S:
                apart = spell(abs(one.clock - now))
                self._say(
                    f"the clock of node {one.host} is {apart} off; no result depends on it, but "
                    "ages in `prmdata store stats` do"
                )

    def _probed(self, shared: str | None) -> list[Seen]:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        def look(host: str) -> tuple[str, str | None, str, bool, float]:
            """Sent as a whole, since a node may have no prmdata to look it up in."""
            import os
            import time

            found, reason = None, ""
            try:
                from prmdata.run.sharded import parts  # noqa: F401
                from prmdata.version import VERSION as THERE

                found = THERE
            except Exception as error:  # noqa: BLE001  whatever it is, the driver says it
                reason = f"{type(error).__name__}: {error}"
            sees = shared is None or os.path.exists(shared)  # noqa: PTH110
            return host, found, reason, sees, time.time()

        task = self._ray.remote(num_cpus=0, max_retries=2)(look)
        nodes = [node for node in self._ray.nodes() if node["Alive"] and _works(node)]
        asked = [
            task.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})")
            for node in nodes
        ]
        ready, late = self._ray.wait(asked, num_returns=len(asked), timeout=PROBE_S)
        if late:
            raise UsageError(f"{len(late)} of {len(asked)} nodes do not answer; see `ray status`")
        found = []
        for answer in ready:
            with contextlib.suppress(self._ray.exceptions.RayError):  # it died meanwhile
                found.append(Seen(*self._ray.get(answer)))
        return found

    def run(
        self, job: Job, gpus: int, progress: Callable[[Mapping[int, int]], None]
    ) -> Iterator[Finished]:
        """All parts, as they are finished."""
        board = self._board()

        def one(job: Job, number: int, board: Any) -> Finished:
            return run_part(job, number, lambda done: board.note.remote(number, done))

        task = self._ray.remote(num_cpus=1, num_gpus=gpus, max_retries=RETRIES)(one)
        shared = self._ray.put(job)
        left = [task.remote(shared, number, board) for number in range(1, job.count + 1)]
        try:
            while left:
                ready, left = self._ray.wait(left, num_returns=1, timeout=POLL_S)
                for answer in ready:
                    yield self._answer(answer)
                with contextlib.suppress(self._ray.exceptions.RayError):
                    progress(self._ray.get(board.counts.remote(), timeout=POLL_S * 5))
        finally:
            for answer in left:
                self._ray.cancel(answer)
            if left:
                self._ray.wait(left, num_returns=len(left), timeout=15)

    def _answer(self, answer: object) -> Finished:
        try:
            done: Finished = self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
            raise OutputError(
                f"a part died {RETRIES} times ({type(error).__name__}: {reason}); see `ray status` "
                "and the logs of its node. Finished parts are kept: the same command goes on"
            ) from None
        return done

    def _board(self) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        class Board:
            """How many traces each part has done."""

            def __init__(self) -> None:
                self.done: dict[int, int] = {}

            def note(self, number: int, done: int) -> None:
                self.done[number] = done

            def counts(self) -> dict[int, int]:
                return self.done

        here = self._ray.get_runtime_context().get_node_id()
        where = NodeAffinitySchedulingStrategy(here, soft=True)
        return (
            self._ray.remote(num_cpus=0, max_restarts=-1)(Board)
            .options(scheduling_strategy=where)
            .remote()
        )


def _works(node: Mapping[str, Any]) -> bool:
    return bool(node["Resources"].get("CPU"))


def first_failure(finished: list[Finished]) -> PrmdataError | None:
    """The failure to raise, which names the node and the part."""
    failed = [one for one in finished if one.error is not None]
    if not failed:
        return None
    one = min(failed, key=lambda one: one.number)
    error = one.error
    assert error is not None
    more = f" ({len(failed) - 1:,} further parts failed too)" if len(failed) > 1 else ""
    kept = len(finished) - len(failed)
    return type(error)(
        f"part {one.number} of {len(finished)}, on node {one.node}: {error}{more}\n{kept:,} parts "
        "are finished and kept; the same command goes on with the others"
    )
