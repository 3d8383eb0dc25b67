"""`choose`: traces → those of the problems that are worth training on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from prmdata.dataset.choosing import By, Known, best, known, near, paired
from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable, count_hint, paths, read_groups, read_traces
from prmdata.records import Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.storage.stored import Spending
from prmdata.stages.groups import Group, GroupStage


@dataclass(frozen=True, slots=True)
class Choosing:
    source: str
    n: int | None = None
    """Problems; `None`: all of them."""
    target: float | None = None
    pairs: bool = False
    rollouts: int | None = None
    """Traces of each problem; `None`: all of them."""
    by: By = "variance"
    discount: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.pairs and self.target is not None:
            raise UsageError("--pairs and --target choose problems in two ways; give one of them")
        if self.n is not None and self.target is None and not self.pairs:
            raise UsageError("--n counts problems chosen by --target or --pairs; give one of them")
        if self.target is None and not self.pairs and self.rollouts is None:
            raise UsageError("say how to choose: --target RATE, --pairs or --rollouts M")
        if self.target is not None and self.n is None:
            raise UsageError("--target needs the number of problems: --n N")

    def settings(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if name != "source"}

    def inputs(self) -> Mapping[str, str]:
        return states_of(self.source)


class ChooseStage(GroupStage):
    name = "choose"

    def __init__(self, request: Choosing) -> None:
        self.request, self.spending = request, Spending()
        self.total = count_hint(request.source)
        self._chosen: dict[str, str | None] | None = None
        """Problem → its partner; `None`: every problem."""
        self._counts: Counter[str] = Counter()

    def items(self) -> Iterator[Group]:
        if self.request.pairs or self.request.target is not None:
            self._chosen = self._choice()
        return read_groups(read_traces(self.request.source))

    def _choice(self) -> dict[str, str | None]:
        request = self.request
        if paths.is_stream(request.source):
            raise UsageError("choose reads its input twice; write it to a file first (-o)")
        groups = read_groups(read_traces(request.source))
        found = [self._known(group) for group in groups if not isinstance(group, Unreadable)]
        graded = [problem for problem in found if problem.rate is not None]
        self._counts["ungraded"] = len(found) - len(graded)
        if request.target is not None:
            assert request.n is not None
            return dict.fromkeys(near(graded, request.target, request.n, request.seed))
        pairs = paired(graded, request.n or len(graded))
        if not pairs:
            raise InputError(
                "no problem that is rarely solved (pass rate above 0, at most .25) has a partner "
                "of its topic that mostly is (.75 or more, below 1); sample more traces per problem"
            )
        return {a: b for pair in pairs for a, b in (pair, pair[::-1])}

    def _known(self, group: list[Trace]) -> Known:
        return known(group, self.request.discount)

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        problem = traces[0].problem.id
        if self._chosen is not None and problem not in self._chosen:
            return []
        self._counts["problems"] += 1
        sound = [trace for trace in traces if trace.error is None]
        kept = traces
        if self.request.rollouts is not None:
            kept = best(sound, self.request.rollouts, self.request.by)
        partner = self._chosen.get(problem) if self._chosen else None
        return [_beside(trace, partner) for trace in kept] if partner else kept

    def check(self, summary: Summary) -> None:
        summary.special["problems_chosen"] = self._counts["problems"]
        if ungraded := self._counts["ungraded"]:
            summary.warnings.append(
                f"{ungraded:,} problems have no graded trace, so no pass rate, and were not chosen"
            )
        short = self.request.n is not None and self._counts["problems"] < self.request.n
        if short:
            summary.warnings.append(
                f"{self._counts['problems']:,} problems were found, not {self.request.n:,}"
            )


def _beside(trace: Trace, partner: str) -> Trace:
    """The trace, whose problem names the one that it is paired with."""
    meta = {**trace.problem.meta, "partner": partner}
    return replace(trace, problem=replace(trace.problem, meta=meta))


async def run_choose(request: Choosing, output: Output, options: RunOptions) -> Summary:
    return await run_stage(ChooseStage(request), output, options)
