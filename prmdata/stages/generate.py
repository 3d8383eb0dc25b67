"""`generate`: problems → traces."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable
from prmdata.problems import HEAD, is_path, problems
from prmdata.records import Problem, Trace
from prmdata.run.engine import Job
from prmdata.run.manifest import input_state
from prmdata.run.output import Output
from prmdata.run.progress import say
from prmdata.run.stage import Resources, RunOptions, open_resources, run_stage
from prmdata.stages.groups import of_shard
from prmdata.traces.generate import Generation, generate, kept, kept_for_certain

MANY_UNPARSED = 0.05
MANY_CUT = 0.2
"""A share of the traces."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which problems, and what samples and grades them."""

    source: str
    layout: str | None = None
    fields: Mapping[str, str] | None = None
    limit: int | None = None
    shard: tuple[int, int] | None = None
    sampler: str = "abacus"
    engine: Mapping[str, str] | None = None
    grader: str = "auto"

    def problems(self) -> Iterator[Problem | Unreadable]:
        found = problems(self.source, layout=self.layout, fields=self.fields)
        if self.shard is not None:
            found = of_shard(found, *self.shard)
        return itertools.islice(found, self.limit)

    def inputs(self) -> dict[str, str]:
        """The files among the sources, with their state."""
        return {self.source: input_state(self.source)} if is_path(self.source) else {}

    def settings(self, how: Generation) -> dict[str, Any]:
        return {
            "source": self.source,
            "layout": self.layout,
            "fields": dict(self.fields or {}),
            "limit": self.limit,
            "shard": self.shard,
            "sampler": sampler_setting(self.sampler),
            "engine": dict(self.engine or {}),
            "grader": self.grader,
            **asdict(how),
        }


async def run_generate(
    asked: Asked, how: Generation, output: Output, options: RunOptions
) -> dict[str, Any]:
    outside: Counter[str] = Counter()

    def check(summary: Mapping[str, Any]) -> None:
        if how.keep is None or summary["outside"] < summary["problems"]:
            return
        advice = told_of_cuts(outside["cut"], outside["traces"])
        raise InputError(
            f"no problem has a pass rate within --keep {how.keep[0]}..{how.keep[1]}; "
            + (advice or "widen it, or take more traces a problem (-n)")
        )

    async with open_resources(
        asked.sampler, asked.engine or {}, asked.grader, options
    ) as resources:
        output.pin("model", resources.sampler.fingerprint)
        return await run_stage(
            "generate",
            _job(asked, how, resources, outside, options),
            lambda item: item,
            output,
            options,
            spending=resources.spending,
            total=_total(asked),
            unit="problems",
            tally=_uncertain(how),
            check=check,
        )


def _uncertain(how: Generation) -> Callable[[Trace, Counter[str]], None]:
    """Counts the problems that `--keep` has kept only because some traces have no outcome."""

    def tally(trace: Trace, counts: Counter[str]) -> None:
        if how.keep is None or trace.group is None or trace.origin.sample != 0:
            return
        counts["kept_uncertain"] += not kept_for_certain(trace.group, how.keep)

    return tally


def advice_on_keep(uncertain: int, problems: int) -> str | None:
    """What to say of problems whose pass rate hangs on traces without an outcome."""
    if not uncertain:
        return None
    return (
        f"{uncertain:,} of the {problems:,} problems kept may lie outside --keep: it hangs on "
        "traces that were cut or whose answer could not be read, which count as neither right "
        "nor wrong"
    )


def told_of_cuts(cut: int, traces: int) -> str | None:
    """What to try where many traces were cut: those have no outcome, and nothing labels them."""
    if cut <= MANY_CUT * traces:
        return None
    return (
        f"{cut:,} of {traces:,} traces are cut by the token limit: raise --max-tokens, or, where "
        "the model thinks first, try --template-arg enable_thinking=false"
    )


def _job(
    asked: Asked,
    how: Generation,
    resources: Resources,
    outside: Counter[str],
    options: RunOptions,
) -> Job[Problem | Unreadable]:
    """`outside` counts the traces that are not kept."""

    async def work(item: Problem | Unreadable) -> list[Trace]:
        if isinstance(item, Unreadable):
            return [item.as_trace()]
        traces = await generate(item, resources.sampler, resources.grader, how)
        if kept(traces, how):
            return traces
        outside["traces"] += len(traces)
        outside["cut"] += sum(trace.finish == "length" for trace in traces)
        return []

    def failed(item: Problem | Unreadable, reason: str) -> list[Trace]:
        if isinstance(item, Unreadable):
            return [item.as_trace()]
        return [Trace(id=f"{item.id}/{how.seed}-failed", problem=item, error=reason)]

    found = asked.problems()
    return Job(found if options.quiet else _warned(found), work, failed)


def _warned(found: Iterable[Problem | Unreadable]) -> Iterator[Problem | Unreadable]:
    """The same problems; it is said beforehand where none of the first ones has an answer."""
    found = iter(found)
    head = list(itertools.islice(found, HEAD))
    problems = [problem for problem in head if isinstance(problem, Problem)]
    if problems and not any(p.answer is not None or p.kind == "code" for p in problems):
        columns = ", ".join(list(problems[0].meta)[:20]) or "none"
        say(
            f"generate: none of the first {len(problems):,} problems has an answer, so no trace "
            "can be graded; name the column of the answers with --fields answer=COLUMN (columns "
            f"not read: {columns})"
        )
    yield from head
    yield from found


def _total(asked: Asked) -> int | None:
    kind, _, rest = asked.source.partition(":")
    count = rest.partition("?")[0]
    known = int(count) if kind == "abacus" and count.isdecimal() else None
    if known is None or asked.shard is not None:
        return asked.limit if asked.shard is None else None
    return min(known, asked.limit) if asked.limit is not None else known


def parse_shard(text: str) -> tuple[int, int]:
    """`2/8`: the second of eight."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--shard {text}: write it as i/n with i from 1 to n")
    return int(index), int(count)


def sampler_setting(spec: str) -> str:
    """A served model may move to another address between two tries; its fingerprint is pinned."""
    return "http" if spec.startswith(("http://", "https://")) else spec
