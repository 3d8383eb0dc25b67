"""A user's own grader: `module:function`, or `command: PROGRAM` that speaks JSON lines."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from prmdata.errors import GraderError
from prmdata.grading.program import Ended, Program, TookTooLong
from prmdata.grading.workers import Crashed, Pool, Raised, TimedOut

GRADES = ("right", "wrong", "unparsed")
START_S = 60.0
"""What the first answer of a program may take longer."""


class FunctionGrader:
    """`function(answer, gold, problem)` in a worker; it returns a bool or a grade."""

    def __init__(self, target: str, timeout_s: float, workers: int) -> None:
        self._pool = Pool(target, workers, timeout_s)

    async def grade(self, answer: str | None, gold: str, problem: Mapping[str, object]) -> str:
        try:
            said = await self._pool.call((answer, gold, dict(problem)))
        except TimedOut:
            return "timeout"
        except Crashed:
            raise GraderError(
                f"grader {self._pool.target} crashed on the answer {answer!r:.80}"
            ) from None
        except Raised as error:
            raise GraderError(
                f"grader {self._pool.target} raised {error} on the answer {answer!r:.80}"
            ) from None
        if isinstance(said, bool):
            return "right" if said else "wrong"
        if said not in GRADES:
            raise GraderError(
                f"grader {self._pool.target} answered {said!r:.80}, which is neither a bool nor "
                f"one of {', '.join(GRADES)}"
            )
        return str(said)

    async def close(self) -> None:
        await self._pool.close()


class CommandGrader:
    """A long-lived program: a JSON line {answer, gold, problem} in, {grade} out."""

    def __init__(self, command: str, timeout_s: float) -> None:
        self._program = Program(command, START_S)
        self._timeout_s = timeout_s

    async def grade(self, answer: str | None, gold: str, problem: Mapping[str, object]) -> str:
        asked = msgspec.json.encode({"answer": answer, "gold": gold, "problem": dict(problem)})
        try:
            return await self._program.ask(asked, self._timeout_s, _read)
        except TookTooLong:
            return "timeout"
        except Ended as error:
            raise GraderError(f"the grader {error} (asked about {answer!r:.80})") from None

    async def close(self) -> None:
        await self._program.close()


def _read(line: bytes) -> str:
    try:
        grade = msgspec.json.decode(line)["grade"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        grade = None
    if grade not in GRADES:
        raise Ended(
            f'answered {line[:80]!r}; it must answer {{"grade": "right" | "wrong" | "unparsed"}}'
        )
    return str(grade)
