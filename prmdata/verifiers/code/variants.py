"""A trace of a program that passes its tests → traces that end in one rewritten line (PRLCoder).

Each is the trace up to a step and that step with one line mutated or refactored. The whole program
with that line is run on the tests: where they fail, the line is a wrong one, and where they pass, a
right one, whatever the rewriting was meant to do.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace

from prmdata.grading.suite import Outcome, suite_of
from prmdata.records import Evidence, Labels, Step, Trace, Verdict
from prmdata.sandbox import Sandbox
from prmdata.tasks import together
from prmdata.verifiers.code.listing import Listing, listing_of
from prmdata.verifiers.code.rewrites import Kind, Rewrite, rewrites

METHOD = "mutate"


@dataclass(frozen=True, slots=True)
class VariantSettings:
    mutations: int = 3
    """Mutated lines to write per line of a program."""
    refactorings: int = 2
    """Refactored lines to write per line of a program."""
    lines: int = 100
    """Lines to rewrite in one program at most; in a longer one, a random choice of them."""
    deadline_s: float = 2.0
    """Seconds for all tests on one program; a line that takes longer is left out."""
    seed: int = 0

    @property
    def counts(self) -> dict[Kind, int]:
        return {"mutation": self.mutations, "refactoring": self.refactorings}


async def variants(
    trace: Trace, box: Sandbox, settings: VariantSettings, counts: Counter[str]
) -> list[Trace]:
    """What was left out is counted: `programs_…` that gave nothing, `lines_without_outcome`."""
    counts["programs"] += 1
    listing = listing_of(trace)
    suite = suite_of(trace.problem.context)
    if listing is None or suite is None:
        counts["programs_not_read" if listing is None else "programs_without_tests"] += 1
        return []

    async def outcome(program: str) -> Outcome:
        return await suite.outcome(program, box, settings.deadline_s)

    if await outcome(listing.program) != "pass":
        counts["programs_that_fail"] += 1
        return []
    seed = f"{settings.seed}:{trace.id}"
    # In a thread, so that a long program does not hold up the loop.
    drawn = await asyncio.to_thread(
        rewrites, listing.program, listing.tree, seed, settings.counts, settings.lines
    )
    places = [
        (rewrite, place)
        for rewrite in drawn
        if (place := _place(trace, listing, rewrite)) is not None
    ]
    lines = listing.program.split("\n")
    outcomes = await together(*(outcome(rewrite.applied(lines)) for rewrite, _ in places))
    counts["lines_without_outcome"] += outcomes.count("unknown")
    numbers: Counter[int] = Counter()
    made = []
    for (rewrite, place), found in zip(places, outcomes, strict=True):
        numbers[place.step] += 1  # also of what is left out, so that ids depend on no deadline
        if found != "unknown":
            made.append(_variant(trace, rewrite, place, found, numbers[place.step]))
    return made


@dataclass(frozen=True, slots=True)
class _Place:
    step: int
    start: int
    """Of the line, in the text of its step."""
    end: int


def _place(trace: Trace, listing: Listing, rewrite: Rewrite) -> _Place | None:
    """Where the line stands; None where it is the problem's, or begins in an earlier step."""
    step = listing.owner[rewrite.line - 1]
    if step < 0:
        return None
    prompted = sum(owner < 0 for owner in listing.owner)
    written = trace.text.split("\n")[: rewrite.line - prompted]
    end = sum(map(len, written)) + len(written) - 1
    before = len(trace.prefix(step))
    start = end - len(written[-1])
    return None if start < before else _Place(step, start - before, end - before)


def _variant(trace: Trace, rewrite: Rewrite, place: _Place, outcome: Outcome, number: int) -> Trace:
    right = outcome == "pass"
    at = trace.steps[place.step]
    text = at.text[: place.start] + rewrite.text + at.text[place.end :]
    steps: tuple[Step, ...] = (*trace.steps[: place.step], replace(at, text=text))
    before: list[Verdict] = ["right"] * place.step
    truth = Evidence(
        "tests",
        "truth",
        verdicts=(*before, "right" if right else "wrong"),
        notes=(*[None] * place.step, rewrite.kind),
    )
    labels = Labels(
        METHOD,
        first_error=None if right else place.step,
        values=(*([1.0] * place.step), 1.0 if right else 0.0),
        settings={"rewriting": rewrite.kind, "change": rewrite.change},
    )
    return replace(
        trace,
        id=f"{trace.id}.{place.step}-{METHOD}-{number}",
        steps=steps,
        answer=None,
        correct=None,
        grade=None,
        finish=None,
        origin=replace(trace.origin, parent=(trace.id, place.step), tokens=None),
        evidence=(truth,),
        labels=labels,
    )
