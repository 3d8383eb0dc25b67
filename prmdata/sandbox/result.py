"""What one run did, read from a worker's answer without trusting the code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from prmdata.sandbox.worker import Lost, Worker

Exit = Literal["ok", "error", "timeout", "memory", "killed"]


@dataclass(frozen=True, slots=True)
class Result:
    """What one run did. It is the code's own account: compare it with what you expect.

    Each stream is cut at a mebibyte; what a killed run had not flushed is lost.
    """

    stdout: str
    stderr: str
    exit: Exit
    """`ok`: it ran to its end. `killed`: a signal, or a limit other than time and memory."""

    value: Any
    """The last expression's value where that is plain data (tuples are lists), or None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Request:
    code: str
    deadline_s: float
    """On the clock."""
    memory_mb: int
    stdin: str = ""
    cpu_s: float | None = None
    """Processor time; by default a second more than the clock gives."""

    def message(self) -> dict[str, object]:
        return {**asdict(self), "cpu_s": self.cpu_s or self.deadline_s + 1}


async def run_in(
    worker: Worker, request: Request, tests: dict[str, object] | None = None
) -> Result:
    """A worker that is lost on a run costs that run; the next one starts it again."""
    try:
        answer = await worker.run(request.message(), tests)
    except Lost:
        lost = "the process that runs code was lost"
        return Result("", lost, "killed", None, request.deadline_s)
    how, value = _reported(answer["how"], answer["report"])
    return Result(answer["stdout"], answer["stderr"], how, value, answer["seconds"])


def _reported(how: Exit, report: str) -> tuple[Exit, object]:
    """Exit status 0 without a whole report, as after `os._exit(0)`, is no good end."""
    if how != "ok":
        return how, None
    try:
        return how, json.loads(report)
    except (ValueError, RecursionError):
        return "error", None
