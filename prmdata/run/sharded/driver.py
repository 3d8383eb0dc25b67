"""`--engine ray`: a run as parts on a cluster, its progress in one place, its target whole."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prmdata.errors import Interrupted, UsageError
from prmdata.files import paths
from prmdata.run.manifest import run_folder
from prmdata.run.progress import Progress
from prmdata.run.sharded.cluster import Cluster, first_failure
from prmdata.run.sharded.parts import Finished, Job, Request, Work, join, remove_parts
from prmdata.run.stage import RunOptions
from prmdata.run.summary import Summary
from prmdata.run.target import FileOutput
from prmdata.sampler.storage.stored import Spending
from prmdata.terminal import say

PARTS_A_CPU = 4
MOST_PARTS = 4096
CARRIED = ("PRMDATA_API_KEY", "OPENAI_API_KEY", "SSL_CERT_FILE", "HF_TOKEN", "HF_HOME")


def _nothing(summary: Summary) -> None:
    """Nodes report to nobody: the driver does."""


@dataclass(frozen=True, slots=True)
class Sharding:
    stage: str
    request: Request
    work: Work
    target: str
    options: RunOptions
    parts: int | None = None
    overwrite: bool = False

    def run(self) -> Summary | None:
        """The whole run; `None` where the target is up to date."""
        self._check()
        request, target = self.request, self.target
        output = FileOutput(
            target, self.stage, request.settings(), request.inputs(), overwrite=self.overwrite
        )
        with contextlib.closing(output):
            if output.up_to_date:
                return None
            started = time.monotonic()
            with Cluster(self._say) as cluster:
                gpus = _gpus(request)
                job = self._job(cluster, gpus)
                if self.overwrite:
                    remove_parts(job)
                cluster.check(job)
                finished = self._finished(cluster, job, gpus)
            failure = first_failure(finished)
            if failure is not None:
                raise failure
            summary = join(job, output, finished, time.monotonic() - started)
        self.options.report(summary)
        return summary

    def _check(self) -> None:
        if self.request.shard is not None:
            raise UsageError("--engine ray makes its own shards: leave --shard out")
        ends = [self.target, *self.request.inputs()]
        if "-" in ends or any(paths.is_stream(end) for end in ends):
            raise UsageError("--engine ray reads and writes files: name the input and -o")

    def _job(self, cluster: Cluster, gpus: int) -> Job:
        count = self.parts or _begun(self.target) or _count(cluster, gpus)
        budget = self.options.max_tokens_total
        options = replace(
            self.options,
            quiet=True,
            report=_nothing,
            max_tokens_total=None if budget is None else max(1, budget // count),
        )
        carried = {name: os.environ[name] for name in CARRIED if name in os.environ}
        place = str(Path.cwd())
        return Job(self.stage, self.request, self.work, options, self.target, count, place, carried)

    def _finished(self, cluster: Cluster, job: Job, gpus: int) -> list[Finished]:
        finished: list[Finished] = []
        show = not self.options.quiet
        progress = Progress(self.stage, Spending(), show=show, verbose=self.options.verbose)
        if show:
            say(f"{self.stage}: {job.count:,} parts on {cluster.cpus():,} CPUs")

        def note(done: Mapping[int, int]) -> None:
            progress.unit = f"traces, {len(finished):,} of {job.count:,} parts"
            progress.done = sum(done.values())
            progress.refresh()

        with progress, _interrupts():
            try:
                for one in cluster.run(job, gpus, note):
                    finished.append(one)
            except KeyboardInterrupt:
                raise Interrupted("stopped; run the same command again to go on") from None
        return finished

    def _say(self, line: str) -> None:
        if not self.options.quiet:
            say(f"{self.stage}: {line}")


def _begun(target: str) -> int | None:
    """Into how many parts an earlier try has divided the run."""
    if paths.is_remote(target):
        return None
    found = run_folder(target).glob("parts-of-*")
    counts = [int(match[1]) for path in found if (match := re.search(r"-of-(\d+)$", path.name))]
    return max(counts, default=None)


def _count(cluster: Cluster, gpus: int) -> int:
    """A replica loads its model once; otherwise small parts, so that a dead node costs little."""
    if gpus:
        return max(1, cluster.gpus() // gpus)
    return min(MOST_PARTS, PARTS_A_CPU * cluster.cpus())


def _gpus(request: Request) -> int:
    """GPUs of each worker, where it loads vLLM itself."""
    sampler = getattr(request, "sampler", None) or ""
    if not sampler.startswith("vllm:"):
        return 0
    engine: Mapping[str, Any] = getattr(request, "engine", None) or {}
    return int(engine.get("tensor_parallel_size", 1)) * int(engine.get("pipeline_parallel_size", 1))


@contextlib.contextmanager
def _interrupts() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does."""

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
