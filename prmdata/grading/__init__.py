"""Is this final answer right? Right, wrong, unparsed and timed out are kept apart.

Plain numbers and words are compared here at once; what has to be understood goes to worker
processes that can be killed, and programs go to the sandbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from prmdata.errors import GraderError, UsageError, unknown
from prmdata.grading.exact import canonical, compare
from prmdata.grading.extraction import ANSWER_RULES, extract_answer, last_box
from prmdata.grading.words import answer_in_words, exact_match, f1
from prmdata.grading.workers import Crashed, Pool, Raised, TimedOut
from prmdata.records import AnswerRule, Problem

if TYPE_CHECKING:
    from prmdata.grading.code import CodeGrader

__all__ = [
    "ANSWER_RULES",
    "KINDS",
    "Grade",
    "Grader",
    "Verdict",
    "answer_rule",
    "canonical",
    "compare",
    "extract_answer",
    "gold_of",
]

KINDS = ("math", "choice", "text", "qa")
SYMBOLIC = "prmdata.grading.symbolic:understood"
WALL = 30.0
"""Seconds on the clock per second of processor time that a comparison may take."""
_AUTO = re.compile(r"auto(?:\?f1=(0?\.\d+|1(?:\.0*)?))?")
_ORDERED = re.compile(
    r"\b(?:in|from) (?:ascending|descending|increasing|decreasing|the order|order from|order of"
    r"|chronological|least|greatest|smallest|largest)\b|\border(?:ed)? from\b|\brespectively\b"
    r"|\bordered (?:pair|triple|quadruple|list)\b",
    re.IGNORECASE,
)


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
    score: float | None = None
    """How right it is, in [0, 1], where the kind has degrees: F1 for answers in words."""

    @property
    def correct(self) -> bool | None:
        """None where the answer could not be read, or not be graded in time: that is not wrong."""
        return self.grade is Grade.RIGHT if self.grade in (Grade.RIGHT, Grade.WRONG) else None


@dataclass
class Grader:
    spec: str = "auto"
    """`auto`, `auto?f1=0.8` (words are right from this F1 on), `module:function`, or
    `command: PROGRAM`."""
    timeout_s: float = 2.0
    """Processor time for one comparison (of a program that speaks JSON lines: on the clock)."""
    workers: int = 1

    def __post_init__(self) -> None:
        self._pool: Pool | None = None
        self._custom: Any = None
        self._code: CodeGrader | None = None
        self._f1 = 1.0
        if (auto := _AUTO.fullmatch(self.spec)) is not None:
            self._f1 = float(auto[1] or 1)
            self._pool = Pool(SYMBOLIC, self.workers, self.timeout_s, WALL * self.timeout_s)
            return
        from prmdata.grading.custom import CommandGrader, FunctionGrader

        if self.spec.startswith("command:"):
            command = self.spec.removeprefix("command:")
            self._custom = CommandGrader(command, self.timeout_s)
        elif ":" in self.spec:
            self._custom = FunctionGrader(self.spec, self.timeout_s, self.workers)
        else:
            raise UsageError(
                f"--grader {self.spec}: write auto, auto?f1=0.8, module:function, or "
                "'command: PROGRAM'"
            )

    def grade_now(
        self, text: str, problem: Problem, answers: AnswerRule = "last"
    ) -> Verdict | None:
        """The verdict where it takes no worker; `None`: ask `grade`."""
        kind = problem.kind
        if self._custom is not None or kind == "code":
            return None
        if kind not in KINDS:
            known = ", ".join([*KINDS, "code"])
            raise GraderError(f"answers of kind '{kind}' are not graded (known: {known})")
        answer = _extracted(text, problem, answers)
        golds = problem.golds
        if answer is None or not golds:
            return Verdict(Grade.UNPARSED, answer)
        if kind in ("text", "qa"):
            return self._in_words(answer, golds)
        if kind == "choice":
            letters = [gold.casefold().strip(" ().") for gold in golds]
            same: bool | None = answer.casefold() in letters
        else:
            ordered = _is_ordered(problem)
            found = [compare(answer, gold, ordered=ordered) for gold in golds]
            same = True if True in found else None if None in found else False
        if same is None:
            return None
        return Verdict(Grade.RIGHT if same else Grade.WRONG, answer)

    def _in_words(self, answer: str, golds: tuple[str, ...]) -> Verdict:
        score = f1(answer, golds)
        right = exact_match(answer, golds) or score >= self._f1
        return Verdict(Grade.RIGHT if right else Grade.WRONG, answer, score)

    async def grade(self, text: str, problem: Problem, answers: AnswerRule = "last") -> Verdict:
        if (now := self.grade_now(text, problem, answers)) is not None:
            return now
        if problem.kind == "code":
            return Verdict(await self._of_program(text, problem), None)
        answer = _extracted(text, problem, answers)
        if self._custom is not None:
            fields = msgspec.to_builtins(problem)
            grade = await self._custom.grade(answer, problem.answer or "", fields)
            return Verdict(Grade(grade), answer)
        assert answer is not None
        return Verdict(await self._understood(answer, problem), answer)

    async def _understood(self, answer: str, problem: Problem) -> Grade:
        """The best of what the answer is against each gold one."""
        assert self._pool is not None
        grades = set()
        for gold in problem.golds:
            try:
                found = await self._pool.call((answer, gold, _is_ordered(problem)))
            except (TimedOut, Crashed):
                found = Grade.TIMEOUT
            except Raised:  # the parser gave up on this text
                found = Grade.UNPARSED
            grades.add(Grade(found))
        order = (Grade.RIGHT, Grade.TIMEOUT, Grade.UNPARSED, Grade.WRONG)
        return next(grade for grade in order if grade in grades)

    async def _of_program(self, text: str, problem: Problem) -> Grade | None:
        from prmdata.grading.code import CodeGrader, program_lines

        if self._custom is not None:
            program = "\n".join(program_lines(text, problem.context)[0])
            fields = msgspec.to_builtins(problem)
            return Grade(await self._custom.grade(program, problem.answer or "", fields))
        self._code = self._code or CodeGrader()
        found = await self._code.grade(text, problem.context)
        return Grade(found) if found else None

    async def close(self) -> None:
        for part in (self._pool, self._custom, self._code):
            if part is not None:
                await part.close()


def answer_rule(name: str) -> AnswerRule:
    """The rule of this name."""
    for rule in ANSWER_RULES:
        if rule == name:
            return rule
    raise unknown("rule for answers", name, ANSWER_RULES)


def gold_of(text: str) -> str:
    """The answer of a gold solution: after `####`, in its last box, or the whole text."""
    if "####" in text:
        return text.rpartition("####")[2].strip()
    return (last_box(text) or text).strip()


def _extracted(text: str, problem: Problem, answers: AnswerRule) -> str | None:
    if problem.kind in ("text", "qa"):
        return answer_in_words(text, answers)
    listed = (problem.answer or "").count(",") + 1
    return extract_answer(text, "choice" if problem.kind == "choice" else "math", answers, listed)


def _is_ordered(problem: Problem) -> bool:
    """Whether the question asks for a list in a certain order."""
    return _ORDERED.search(problem.question[-2000:]) is not None
