"""`generate`: problems → traces."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable
from prmdata.problems import HEAD, is_path, problems, size_hint
from prmdata.records import Problem, Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import Resources, RunOptions, Stage, open_resources, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.acting.opening import Environments, Surroundings
from prmdata.stages.groups import of_shard
from prmdata.stages.sampling import sampler_setting, spec_of, suited
from prmdata.traces.asking import asks_for_box
from prmdata.traces.generate import Generation, generate, kept, kept_for_certain
from prmdata.traces.pseudo_gold import is_pseudo

MANY_UNPARSED = 0.05
MANY_CUT = 0.2
"""A share of the traces."""


@dataclass(frozen=True, slots=True)
class Generating:
    """Which problems, and what samples and grades them."""

    source: str
    layout: str | None = None
    fields: Mapping[str, str] | None = None
    limit: int | None = None
    shard: tuple[int, int] | None = None
    sampler: str | None = None
    """`None`: the embedded model, for abacus problems only."""
    engine: Mapping[str, str] | None = None
    grader: str = "auto"
    generation: Generation = field(default_factory=Generation)
    surroundings: Surroundings = field(default_factory=Surroundings)
    """What answers traces that act; no environment: traces are texts."""

    def problems(self) -> Iterator[Problem | Unreadable]:
        found = problems(self.source, layout=self.layout, fields=self.fields)
        found = itertools.islice(found, self.limit)
        return found if self.shard is None else of_shard(found, *self.shard)

    def inputs(self) -> dict[str, str]:
        """The files among the sources, with their state."""
        return states_of(self.source) if is_path(self.source) else {}

    def settings(self) -> dict[str, object]:
        return {
            "source": self.source,
            "layout": self.layout,
            "fields": dict(self.fields or {}),
            "limit": self.limit,
            "shard": self.shard,
            "sampler": sampler_setting(self.sampler),
            "engine": dict(self.engine or {}),
            "grader": self.grader,
            **asdict(self.generation),
            **self.surroundings.pinned(),
        }

    def total(self) -> int | None:
        """How many problems there are, where that is cheap to know."""
        if self.shard is not None:
            return None
        count = size_hint(self.source)
        return count if self.limit is None or count is None else min(count, self.limit)


class GenerateStage(Stage[Problem | Unreadable]):
    name = "generate"
    unit = "problems"

    def __init__(self, request: Generating, resources: Resources) -> None:
        self.may_be_empty = request.shard is not None
        self.request, self.resources = request, resources
        self.spending = resources.spending
        self.total = request.total()
        self._dropped: Counter[str] = Counter()
        """Traces of problems outside `--keep`."""
        self._saved = 0
        """Samples that `--decide` did without."""

    def items(self) -> Iterator[Problem | Unreadable]:
        return self._warned(suited(self.request.problems(), self.request.sampler))

    async def work(self, item: Problem | Unreadable) -> list[Trace]:
        if isinstance(item, Unreadable):
            return [item.as_trace()]
        how = self.request.generation
        resources = self.resources
        traces = await generate(
            item, resources.sampler, resources.grader, how, resources.environments
        )
        self._saved += how.samples - len(traces)
        if kept(traces, how):
            return traces
        self._dropped["traces"] += len(traces)
        self._dropped["cut"] += sum(trace.finish == "length" for trace in traces)
        return []

    def failed(self, item: Problem | Unreadable, reason: str) -> list[Trace]:
        if isinstance(item, Unreadable):
            return [item.as_trace()]
        seed = self.request.generation.seed
        return [Trace(id=f"{item.id}/{seed}-failed", problem=item, error=reason)]

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        """Count the problems that `--keep` has kept only because some traces have no outcome."""
        how = self.request.generation
        counts["asked_to_box"] += how.boxes and asks_for_box(trace.problem)
        counts["pseudo_gold"] += is_pseudo(trace.problem)
        keep = self.request.generation.keep
        if keep is not None and trace.group is not None and trace.origin.sample == 0:
            counts["kept_uncertain"] += not kept_for_certain(trace.group, keep)

    def check(self, summary: Summary) -> None:
        keep = self.request.generation.keep
        none_left = summary.outside == summary.problems and self.request.shard is None
        if keep is not None and none_left:
            advice = advice_on_cuts(self._dropped["cut"], self._dropped["traces"])
            raise InputError(
                f"no problem has a pass rate within --keep {keep[0]}..{keep[1]}; "
                + (advice or "widen it, or sample more traces per problem (-n)")
            )
        inside = summary.problems - summary.outside
        if self.request.generation.decide is not None:
            summary.special["samples_saved"] = self._saved
        count_acting(self.resources.environments, summary)
        advices = (
            advice_on_cuts(summary.cut, summary.traces),
            advice_on_unparsed(summary),
            advice_on_keep(summary.special["kept_uncertain"], inside),
        )
        summary.warnings += [advice for advice in advices if advice]
        if pseudo := summary.special["pseudo_gold"]:
            summary.warnings.append(
                f"{pseudo:,} traces are graded against the majority's answer (--gold), which is "
                "not always right"
            )

    def _warned(self, found: Iterator[Problem | Unreadable]) -> Iterator[Problem | Unreadable]:
        """The same problems, with a warning where none of the first ones has an answer."""
        head = list(itertools.islice(found, HEAD))
        problems = [problem for problem in head if isinstance(problem, Problem)]
        if problems and not any(p.answer is not None or p.kind == "code" for p in problems):
            columns = ", ".join(list(problems[0].meta)[:20]) or "none"
            self.warn(
                f"none of the first {len(problems):,} problems has an answer, so no trace can be "
                "graded; name the column of the answers with --fields answer=COLUMN (columns not "
                f"read: {columns})"
            )
        yield from head
        yield from found


async def run_generate(request: Generating, output: Output, options: RunOptions) -> Summary:
    if request.generation.decide is not None and request.surroundings.spec is not None:
        raise UsageError("--decide is for traces that are texts; leave it out with --environment")
    spec = spec_of(request.sampler)
    async with open_resources(
        spec, request.engine or {}, request.grader, options, request.surroundings
    ) as resources:
        output.pin("model", resources.sampler.fingerprint)
        return await run_stage(GenerateStage(request, resources), output, options)


def count_acting(environments: Environments, summary: Summary) -> None:
    """What environments were asked in this run, and what became of odd turns."""
    counts = environments.counts
    summary.special.update(counts)
    calls = counts["tool_calls"]
    told = {
        "unreadable_calls": "calls of tools could not be read; the model was told so",
        "faulty_calls": "calls named no tool or lacked arguments; the model was told so",
        "observations_cut": "answers of tools were cut (--observation)",
        "ended_by_turns": "episodes were cut by the limit of turns (--turns)",
        "ended_by_tokens": "episodes were cut by the limit of tokens between turns (--max-tokens)",
        "ended_by_time": "episodes were cut by the limit of time (--episode-time)",
        "ended_by_context": "episodes were cut because the next turn did not fit the context",
    }
    summary.warnings += [
        f"{counts[name]:,} {text}" + (f", beside {calls:,} calls" if "calls" in name else "")
        for name, text in told.items()
        if counts[name]
    ]


def advice_on_keep(uncertain: int, problems: int) -> str | None:
    """What to say of problems whose pass rate depends on traces without an outcome."""
    if not uncertain:
        return None
    return (
        f"{uncertain:,} of the {problems:,} problems kept may lie outside --keep: it depends on "
        "traces that were cut or whose answer could not be read, which count as neither right "
        "nor wrong"
    )


def advice_on_unparsed(summary: Summary) -> str | None:
    """What to try where many answers could not be read."""
    unparsed = summary.unparsed
    graded = summary.right + summary.wrong + unparsed
    if unparsed <= MANY_UNPARSED * graded:
        return None
    reason = (
        "none was found: try --answers last, or ask for \\boxed{} in the prompt"
        if 2 * summary.without_answer >= unparsed
        else "they are not expressions: look at `answer` where `grade` is unparsed"
    )
    return (
        f"{unparsed:,} of {graded:,} answers ({unparsed / graded:.0%}) could not be read, most of "
        f"them because {reason}"
    )


def advice_on_cuts(cut: int, traces: int) -> str | None:
    """What to try where many traces were cut: those have no outcome, and nothing labels them."""
    if cut <= MANY_CUT * traces:
        return None
    return (
        f"{cut:,} of {traces:,} traces are cut by the token limit: raise --max-tokens, or, where "
        "the model thinks first, try --template-arg enable_thinking=false"
    )
