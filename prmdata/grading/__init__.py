"""Is this final answer right? Right, wrong, unparsed and timed out are kept apart.

Plain numbers and text are compared here at once; what has to be understood goes to worker
processes that can be killed, and programs go to the sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from prmdata.errors import GraderError, UsageError
from prmdata.grading.exact import canonical, compare
from prmdata.grading.extraction import extract_answer
from prmdata.grading.workers import Crashed, Pool, Raised, TimedOut

if TYPE_CHECKING:
    from prmdata.grading.code import CodeGrader

__all__ = ["KINDS", "Grade", "Grader", "Verdict", "canonical", "compare", "extract_answer"]

KINDS = ("math", "choice", "text")
SYMBOLIC = "prmdata.grading.symbolic:understood"


class Grade(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    UNPARSED = "unparsed"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Verdict:
    grade: Grade | None
    """None: there is nothing to grade it by."""
    answer: str | None
    """As extracted from the text; None for a program."""


@dataclass
class Grader:
    spec: str = "auto"
    """`auto`, `module:function`, or `command: PROGRAM`."""
    timeout_s: float = 1.0
    workers: int = 1

    def __post_init__(self) -> None:
        self._pool: Pool | None = None
        self._custom: Any = None
        self._code: CodeGrader | None = None
        if self.spec == "auto":
            self._pool = Pool(SYMBOLIC, self.workers, self.timeout_s)
            return
        from prmdata.grading.custom import CommandGrader, FunctionGrader

        if self.spec.startswith("command:"):
            command = self.spec.removeprefix("command:")
            self._custom = CommandGrader(command, self.timeout_s)
        elif ":" in self.spec:
            self._custom = FunctionGrader(self.spec, self.timeout_s, self.workers)
        else:
            raise UsageError(
                f"--grader {self.spec}: write auto, module:function, or 'command: PROGRAM'"
            )

    def grade_now(self, text: str, gold: str | None, kind: str = "math") -> Verdict | None:
        """The verdict where it takes no worker; `None`: ask `grade`."""
        if self._custom is not None or kind == "code":
            return None
        if kind not in KINDS:
            known = ", ".join([*KINDS, "code"])
            raise GraderError(f"answers of kind '{kind}' are not graded (known: {known})")
        answer = text.strip() if kind == "text" else extract_answer(text, kind)
        if kind == "text" and (said := extract_answer(text)) is not None:
            answer = said
        if answer is None or gold is None:
            return Verdict(Grade.UNPARSED, answer)
        same = answer.casefold() == gold.casefold().strip() if kind != "math" else None
        if kind == "math":
            same = compare(answer, gold)
        if same is None:
            return None
        return Verdict(Grade.RIGHT if same else Grade.WRONG, answer)

    async def grade(
        self,
        text: str,
        gold: str | None,
        kind: str = "math",
        problem: Mapping[str, Any] | None = None,
    ) -> Verdict:
        if (now := self.grade_now(text, gold, kind)) is not None:
            return now
        if kind == "code":
            return Verdict(await self._of_program(text, gold, problem or {}), None)
        answer = extract_answer(text, kind if kind in KINDS else "math")
        if self._custom is not None:
            grade = await self._custom.grade(answer, gold or "", problem or {})
            return Verdict(Grade(grade), answer)
        assert self._pool is not None
        try:
            return Verdict(Grade(await self._pool.call((answer, gold))), answer)
        except (TimedOut, Crashed):
            return Verdict(Grade.TIMEOUT, answer)
        except Raised:  # the parser gave up on this text
            return Verdict(Grade.UNPARSED, answer)

    async def _of_program(
        self, text: str, gold: str | None, problem: Mapping[str, Any]
    ) -> Grade | None:
        from prmdata.grading.code import CodeGrader, program_lines

        context = problem.get("context") or {}
        if self._custom is not None:
            program = "\n".join(program_lines(text, context)[0])
            return Grade(await self._custom.grade(program, gold or "", problem))
        self._code = self._code or CodeGrader()
        found = await self._code.grade(text, context)
        return Grade(found) if found else None

    async def close(self) -> None:
        for part in (self._pool, self._custom, self._code):
            if part is not None:
                await part.close()
