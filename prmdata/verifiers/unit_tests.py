"""Finds the lines of a program that its tests show right or wrong, by changing one at a time.

This is fault localisation by mutation. Where the program passes, a line whose change makes a test
fail matters, and is right. Where it fails, a line that one small change repairs is wrong: the tests
cannot tell which of several such lines was meant otherwise. Of all other lines nothing is known.
PRLCoder labels the changed lines themselves; `prmdata mutate` writes those.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from prmdata.grading.suite import Suite, suite_of
from prmdata.records import Trace
from prmdata.sandbox import Sandbox
from prmdata.settings import Count, Positive, settings_of
from prmdata.tasks import together
from prmdata.verifiers.code.listing import Listing, listing_of
from prmdata.verifiers.code.mutations import Mutant, mutants
from prmdata.verifiers.contract import Finding, Ready


@dataclass(frozen=True, slots=True)
class UnitTests:
    """Runs the problem's tests on the program with one line changed at a time."""

    deadline_s: Positive = 2.0
    """Processor time, in seconds, for all tests on one program; what takes longer has failed."""
    mutants_per_line: Count = 12
    """Changes to try on one line at most."""
    mutants: Count = 300
    """Changed programs to try for one trace at most."""
    level: str = "auto"
    """Level of the sandbox; `auto` is the strongest that holds here."""
    workers: Count = 2
    """Programs to run at the same time."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Ready]:
        async with Sandbox(self.level, self.workers) as box:

            async def verify(trace: Trace) -> list[Finding]:
                return await self.check(trace, box)

            yield Ready(verify, {**settings_of(self), "sandbox": box.level.name})

    async def check(self, trace: Trace, box: Sandbox) -> list[Finding]:
        findings = [Finding("unknown")] * len(trace.steps)
        listing = listing_of(trace)
        suite = suite_of(trace.problem.context)
        if listing is None or suite is None:
            return findings
        passes = await suite.outcome(listing.program, box, self.deadline_s) == "pass"
        by_step: dict[int, list[tuple[Mutant, bool]]] = defaultdict(list)
        for mutant, passed in await self._tried(listing, suite, box):
            by_step[listing.owner[mutant.line - 1]].append((mutant, passed))
        for step, tried in by_step.items():
            findings[step] = _mattering(tried) if passes else _repaired(tried)
        return findings

    async def _tried(
        self, listing: Listing, suite: Suite, box: Sandbox
    ) -> list[tuple[Mutant, bool]]:
        """Mutants of the trace's own lines, each with whether it passes."""
        ours = (
            mutant
            for mutant in mutants(listing.tree, self.mutants_per_line)
            if listing.owner[mutant.line - 1] >= 0
        )
        chosen = list(itertools.islice(ours, self.mutants))
        runs = (suite.outcome(mutant.program, box, self.deadline_s) for mutant in chosen)
        outcomes = await together(*runs)
        return [(m, outcome == "pass") for m, outcome in zip(chosen, outcomes, strict=True)]


def _mattering(tried: Sequence[tuple[Mutant, bool]]) -> Finding:
    """Of a program that passes."""
    survivors = [mutant for mutant, passed in tried if passed]
    note = f"no test notices {_listed(survivors)}" if survivors else None
    return Finding("unknown" if len(survivors) == len(tried) else "right", note)


def _repaired(tried: Sequence[tuple[Mutant, bool]]) -> Finding:
    """Of a program that fails."""
    repairs = [mutant for mutant, passed in tried if passed]
    return (
        Finding("wrong", f"the tests pass with {_listed(repairs)}")
        if repairs
        else Finding("unknown")
    )


def _listed(changes: Sequence[Mutant]) -> str:
    shown = "; ".join(" ".join(mutant.change.split())[:80] for mutant in changes[:3])
    return shown if len(changes) <= 3 else f"{shown}; and {len(changes) - 3} more"
