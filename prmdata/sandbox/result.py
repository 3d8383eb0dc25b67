"""What one run did, read from a worker's answer without trusting the code."""

from __future__ import annotations

import json
from dataclasses import dataclass
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


async def run_in(
    worker: Worker, code: str, stdin: str, deadline_s: float, memory_mb: int
) -> Result:
    """A worker that is lost on a run costs that run; the next one starts it again."""
    request = {
        "code": code,
        "stdin": stdin,
        "deadline_s": deadline_s,
        "memory_mb": memory_mb,
    }
    try:
        answer = await worker.run(request)
    except Lost:
        return Result("", "the process that runs code was lost", "killed", None, deadline_s)
    how, value = _reported(answer["how"], answer["report"])
    return Result(answer["stdout"], answer["stderr"], how, value, answer["seconds"])


def _reported(how: Exit, report: str) -> tuple[Exit, Any]:
    """Exit status 0 without a whole report, as after `os._exit(0)`, is no good end."""
    if how != "ok":
        return how, None
    try:
        return how, json.loads(report)
    except (ValueError, RecursionError):
        return "error", None
