"""Solves the linear or integer program that steps write, and compares the optimum (StepORLM).

What is written so far is solved by HiGHS, in a process that can be killed. A program is wrong where
no solution is left, where its optimum has already passed the reference's (further constraints can
only take it further), or where it ends with another optimum. Which step is wrong is another
question: a step is called wrong only where no earlier step can be at fault, or where the problem's
own program (`program` in its context) refutes it; else the finding is a note on an unknown step.
"""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prmdata.errors import UsageError
from prmdata.grading.workers import Crashed, Pool, Raised, TimedOut
from prmdata.records import Trace
from prmdata.settings import Amount, Count, Positive, settings_of
from prmdata.verifiers.contract import Finding, Ready
from prmdata.verifiers.optimization.programs import LinearProgram

_LONGEST = 50_000
NO_SOLUTION = "the program has no solution"


@dataclass(frozen=True, slots=True)
class Solver:
    """Solves the linear or integer program that a trace has written so far in the LP format."""

    tolerance: Amount = 1e-4
    """Relative error of the optimum, or absolute error below 1, that still counts as right."""
    timeout_s: Positive = 5.0
    """Seconds to solve one program; what takes longer is unknown."""
    workers: Count = 2
    """Programs to solve at the same time."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Ready]:
        if importlib.util.find_spec("highspy") is None:
            raise UsageError("the verifier solver needs HiGHS: pip install 'prmdata[solver]'")
        pool = Pool("prmdata.verifiers.solver:solved", self.workers, self.timeout_s)

        async def verify(trace: Trace) -> list[Finding]:
            return await self.check(trace, pool)

        try:
            yield Ready(verify, settings_of(self))
        finally:
            await pool.close()

    async def check(self, trace: Trace, pool: Pool) -> list[Finding]:
        modelling = Modelling.of(trace)
        reference = _number(trace.problem.answer)
        findings = [Finding("unknown")] * len(trace.steps)
        for index, complaint in (await self._complaints(modelling, reference, pool)).items():
            if complaint is None:
                findings[index] = Finding("right")
            elif await _is_to_blame(modelling, index, complaint, pool):
                findings[index] = Finding("wrong", complaint)
            else:
                findings[index] = Finding("unknown", f"{complaint}: by this step or one before it")
        for index, complaint in (await self._against(modelling, trace, pool)).items():
            findings[index] = Finding("wrong", complaint)
        return findings

    async def _complaints(
        self, modelling: Modelling, reference: float | None, pool: Pool
    ) -> dict[int, str | None]:
        """What speaks against the program after a step; None where it has the right optimum."""
        solutions: dict[int, Solution] = {}
        for index in modelling.pieces:
            program = modelling.program(index)
            if program.is_whole:
                solutions[index] = await _solution(program, pool)
        ends = {found.bounds[0]: found.bounds for found in solutions.values()}
        complaints: dict[int, str | None] = {}
        for index, found in solutions.items():
            if index == max(solutions):
                if found.status == "optimal" and self._is_close(found.optimum, reference):
                    complaints[index] = None
                elif complaint := self._at_last(found, reference):
                    complaints[index] = complaint
            elif found.bounds != ends[found.bounds[0]]:
                continue  # bounds that are written later may let more through
            elif complaint := self._so_far(found, reference):
                complaints[index] = complaint
        return complaints

    def _so_far(self, found: Solution, reference: float | None) -> str | None:
        if found.status == "infeasible":
            return NO_SOLUTION
        if found.status != "optimal" or reference is None:
            return None
        passed = found.optimum < reference if found.maximize else found.optimum > reference
        if passed and not self._is_close(found.optimum, reference):
            return f"the optimum is {found.optimum:g} already, not {reference:g}"
        return None

    def _at_last(self, found: Solution, reference: float | None) -> str | None:
        if found.status == "unbounded":
            return "the program has no bound"
        if found.status != "optimal" or reference is None:
            return self._so_far(found, reference)
        return f"the optimum is {found.optimum:g}, not {reference:g}"

    async def _against(self, modelling: Modelling, trace: Trace, pool: Pool) -> dict[int, str]:
        """Steps that the problem's own program refutes, where its context has one.

        Each is tried alone on it, so that no other step's error is laid on this one: its objective
        under the reference's constraints, or its constraints beside them.
        """
        reference = LinearProgram()
        if not reference.add(f"```lp\n{trace.problem.context.get('program') or ''}\n```"):
            return {}
        if not reference.is_whole:
            return {}
        best = await _solution(reference, pool)
        refuted = {}
        for index, piece in modelling.pieces.items():
            if best.status != "optimal" or not piece.names <= reference.names:
                continue
            tried = reference.under(piece) if "objective" in piece.sections else reference
            found = await _solution(tried.joined(piece.constraints), pool)
            if found.status == "optimal" and not self._is_close(found.optimum, best.optimum):
                refuted[index] = (
                    f"with it, the reference's optimum is {found.optimum:g}, not {best.optimum:g}"
                )
            elif found.status == "infeasible":
                refuted[index] = "with it, the reference has no solution"
        return refuted

    def _is_close(self, optimum: float, reference: float | None) -> bool:
        if reference is None:
            return False
        return abs(optimum - reference) <= self.tolerance * max(1.0, abs(reference))


async def _is_to_blame(modelling: Modelling, index: int, complaint: str, pool: Pool) -> bool:
    """Whether the error is in this step, and cannot be in one before it.

    A program of several steps whose optimum is off may owe that to any of them: an earlier bound
    too wide, an objective with a wrong factor. That it has no solution is this step's doing where
    leaving out any one earlier step does not bring a solution back.
    """
    earlier = modelling.earlier(index)
    if not earlier:
        return True
    if complaint != NO_SOLUTION:
        return False
    for other in earlier:
        left = await _solution(modelling.program(index, without=other), pool)
        if left.status != "infeasible":
            return False
    return True


@dataclass(frozen=True, slots=True)
class Modelling:
    """What each step writes of the program, by the step's number."""

    pieces: Mapping[int, LinearProgram]

    @classmethod
    def of(cls, trace: Trace) -> Modelling:
        pieces = {}
        for index, step in enumerate(trace.steps):
            piece = LinearProgram()
            if len(step.text) <= _LONGEST and piece.add(step.text):
                pieces[index] = piece
        return cls(pieces)

    def program(self, last: int, without: int | None = None) -> LinearProgram:
        """As it stands after a step; without the constraints of another step."""
        program = LinearProgram()
        for index, piece in self.pieces.items():
            if index <= last:
                program = program.joined(piece.objective if index == without else piece)
        return program

    def earlier(self, index: int) -> list[int]:
        """The steps before it that write what it goes on with."""
        begun = max(
            (at for at, piece in self.pieces.items() if at <= index and piece.begun), default=0
        )
        return [at for at in self.pieces if begun <= at < index]


@dataclass(frozen=True, slots=True)
class Solution:
    status: str
    """optimal, infeasible, unbounded or unknown."""
    optimum: float
    maximize: bool
    bounds: tuple[int, int]


async def _solution(program: LinearProgram, pool: Pool) -> Solution:
    try:
        status, optimum = await pool.call((program.text(), pool.timeout_s))
    except (TimedOut, Crashed, Raised):
        status, optimum = "unknown", 0.0
    return Solution(str(status), float(optimum), program.maximize, program.bounds)


def _number(answer: str | None) -> float | None:
    try:
        return float((answer or "").replace(",", "").replace("$", ""))
    except ValueError:
        return None


def warm_up() -> None:
    """In the worker: the import, before the first deadline runs."""
    import highspy  # noqa: F401


def solved(text: str, seconds: float) -> tuple[str, float]:
    """The worker's side: the status, and the optimum where there is one."""
    import highspy

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("time_limit", seconds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written.lp"
        path.write_text(text, encoding="utf-8")
        read = highs.readModel(str(path))
    if read != highspy.HighsStatus.kOk or not highs.getNumCol():
        return "unknown", 0.0
    highs.run()
    statuses = {
        highspy.HighsModelStatus.kOptimal: "optimal",
        highspy.HighsModelStatus.kInfeasible: "infeasible",
        highspy.HighsModelStatus.kUnbounded: "unbounded",
    }
    return statuses.get(highs.getModelStatus(), "unknown"), highs.getObjectiveValue()
