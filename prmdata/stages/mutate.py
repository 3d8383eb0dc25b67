"""`mutate`: traces of passing programs → traces that end in one rewritten line, with labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from prmdata.errors import InputError
from prmdata.files import count_hint, read_traces
from prmdata.records import Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.storage.stored import Spending
from prmdata.sandbox import Sandbox
from prmdata.stages.groups import Group, GroupStage, groups_of
from prmdata.verifiers.code.variants import VariantSettings, variants

REASONS = {
    "programs_that_fail": "fail their tests",
    "programs_without_tests": "have no tests that can be run",
    "programs_not_read": "are not Python",
}
"""Why a program gives no lines."""


@dataclass(frozen=True, slots=True)
class Mutating:
    source: str
    variants: VariantSettings = field(default_factory=VariantSettings)
    level: str = "auto"
    """Level of the sandbox."""
    workers: int = 2
    """Programs to run at the same time."""
    shard: tuple[int, int] | None = None

    def settings(self) -> dict[str, object]:
        return {**asdict(self.variants), "level": self.level, "shard": self.shard}

    def inputs(self) -> dict[str, str]:
        return states_of(self.source)


class MutateStage(GroupStage):
    name = "mutate"

    def __init__(self, request: Mutating, box: Sandbox) -> None:
        self.may_be_empty = request.shard is not None
        self.request, self.box, self.spending = request, box, Spending()
        self.total = count_hint(request.source)
        self._programs: Counter[str] = Counter()

    def items(self) -> Iterator[Group]:
        return groups_of(read_traces(self.request.source), self.request.shard)

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        made: list[Trace] = []
        for trace in traces:
            if trace.error is not None:
                made.append(trace)
                continue
            made += await variants(trace, self.box, self.request.variants, self._programs)
        return made

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        if trace.labels is not None:
            wrong = trace.labels.first_error is not None
            counts["lines_wrong" if wrong else "lines_right"] += 1

    def check(self, summary: Summary) -> None:
        counts = self._programs
        summary.special.update({name: counts[name] for name in (*REASONS, "programs")})
        summary.special["lines_without_outcome"] += counts["lines_without_outcome"]
        reasons = [
            f"{counts[name]:,} of {counts['programs']:,} programs {why}"
            for name, why in REASONS.items()
            if counts[name]
        ]
        if not summary.special["lines_wrong"] + summary.special["lines_right"]:
            raise InputError(
                f"no line was written: {'; '.join(reasons) or 'no line can be rewritten'}. mutate "
                "needs traces of programs that pass the tests of their problems"
            )
        summary.warnings += [f"{reason} and gave no lines" for reason in reasons]
        if counts["lines_without_outcome"]:
            summary.warnings.append(
                f"{counts['lines_without_outcome']:,} rewritten lines ran out of time or memory "
                "and were left out"
            )


async def run_mutate(request: Mutating, output: Output, options: RunOptions) -> Summary:
    async with Sandbox(request.level, request.workers) as box:
        output.pin("sandbox", box.level.name)
        return await run_stage(MutateStage(request, box), output, options)
