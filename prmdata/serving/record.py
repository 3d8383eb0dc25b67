"""What is known of a server after the command that started it has ended: one file a port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from prmdata.serving.processes import Process, belonging, table

PLACE = Path(".prmdata") / "servers"


@dataclass(frozen=True, slots=True)
class Record:
    model: str
    url: str
    port: int
    pid: int
    started: str
    """As the system tells it: a number that another process has by now is not this one."""
    log: str
    ready: bool = False

    @property
    def path(self) -> Path:
        return PLACE / f"{self.port}.json"

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self) + b"\n")
        part.replace(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def processes(self) -> list[Process]:
        """Those of this server that live."""
        return belonging(self.pid, self.started, table())

    @property
    def state(self) -> str:
        leader = any(process.pid == self.pid for process in self.processes())
        return ("running" if self.ready else "starting") if leader else "gone"


def recorded(port: int | None = None) -> Iterator[Record]:
    """The servers that were started from this folder; a file that is torn tells of none."""
    for path in sorted(PLACE.glob("*.json")):
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Record)
        except (msgspec.DecodeError, OSError):
            path.unlink(missing_ok=True)
            continue
        if port in (None, found.port):
            yield found
