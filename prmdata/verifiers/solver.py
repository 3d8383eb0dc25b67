"""Steps that write a linear or integer program → whether it can be the right one (StepORLM).

What is written so far is solved by HiGHS, in a process that can be killed. A step is wrong where
no solution is left, where the optimum has already passed the reference's (further constraints can
only take it further), or where the last step that writes leaves another optimum.
"""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from prmdata.errors import UsageError
from prmdata.grading.workers import Crashed, Pool, Raised, TimedOut
from prmdata.records import Trace
from prmdata.settings import Amount, Count, Positive, settings_of
from prmdata.verifiers.contract import Finding, Ready
from prmdata.verifiers.optimization.programs import LinearProgram

_LONGEST = 50_000


@dataclass(frozen=True, slots=True)
class Solver:
    """Solves the linear or integer program that a trace has written so far in the LP format."""

    tolerance: Amount = 1e-4
    """How far the optimum may be from the reference, relatively or absolutely."""
    timeout_s: Positive = 5.0
    """For one solution; what takes longer is unknown."""
    workers: Count = 2

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
        reference = _number(trace.problem.answer)
        program = LinearProgram()
        solutions: dict[int, Solution] = {}
        for index, step in enumerate(trace.steps):
            if len(step.text) <= _LONGEST and program.add(step.text) and program.is_whole:
                solutions[index] = await _solution(program, pool)
        findings = [Finding("unknown")] * len(trace.steps)
        ends = {found.bounds[0]: found.bounds for found in solutions.values()}
        for index, found in solutions.items():
            if index == max(solutions):
                findings[index] = self._at_last(found, reference)
            elif found.bounds == ends[found.bounds[0]]:
                findings[index] = self._so_far(found, reference)
        return findings

    def _so_far(self, found: Solution, reference: float | None) -> Finding:
        if found.status == "infeasible":
            return Finding("wrong", "the program has no solution")
        if found.status != "optimal" or reference is None:
            return Finding("unknown")
        passed = found.optimum < reference if found.maximize else found.optimum > reference
        if passed and not self._close(found.optimum, reference):
            return Finding("wrong", f"its optimum is {found.optimum:g} already, not {reference:g}")
        return Finding("unknown")

    def _at_last(self, found: Solution, reference: float | None) -> Finding:
        if found.status == "unbounded":
            return Finding("wrong", "the program has no bound")
        if found.status != "optimal" or reference is None:
            return self._so_far(found, reference)
        if self._close(found.optimum, reference):
            return Finding("right")
        return Finding("wrong", f"its optimum is {found.optimum:g}, not {reference:g}")

    def _close(self, optimum: float, reference: float) -> bool:
        return abs(optimum - reference) <= self.tolerance * max(1.0, abs(reference))


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
