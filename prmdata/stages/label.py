"""`estimate` and `label`: traces → traces with evidence, or with labels."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from prmdata.errors import UsageError
from prmdata.files import Unreadable, count_hint, read_groups, read_traces
from prmdata.grading import Grader
from prmdata.labellers import Method
from prmdata.labellers.contract import Verb
from prmdata.labellers.evidence.reading import names_in, speaks, with_decision
from prmdata.records import Cost, Trace
from prmdata.run.manifest import input_state
from prmdata.run.output import Output
from prmdata.run.stage import Resources, RunOptions, open_resources
from prmdata.sampler.models.fingerprint import other_weights
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.settings import settings_of
from prmdata.stages.generate import MANY_CUT, MANY_UNPARSED, sampler_setting
from prmdata.stages.groups import Group, of_shard, run_groups

SPOKE = "evidence "
"""In a summary, before the name of evidence: the traces of which it says something."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """Which traces, by which method, with which sampler."""

    verb: Verb
    name: str
    method: Method
    source: str | None = None
    """A path or `-`; `None`: the library hands over traces."""
    limit: int | None = None
    """Problems, not traces."""
    shard: tuple[int, int] | None = None
    sampler: str = "abacus"
    engine: Mapping[str, str] = field(default_factory=dict)
    grader: str = "auto"
    rollouts: RolloutSettings = RolloutSettings()

    @property
    def samples(self) -> bool:
        return "sampler" in self.method.needs

    def groups(self, traces: Iterable[Trace | Unreadable]) -> Iterator[Group]:
        groups: Iterator[Group] = read_groups(traces)
        if self.shard is not None:
            groups = of_shard(groups, *self.shard)
        return itertools.islice(groups, self.limit)

    def inputs(self) -> dict[str, str]:
        return {} if self.source is None else {self.source: input_state(self.source)}

    def settings(self) -> dict[str, Any]:
        sampling = {
            "sampler": sampler_setting(self.sampler),
            "engine": dict(self.engine),
            "grader": self.grader,
            "rollouts": msgspec.to_builtins(self.rollouts),
        }
        return {
            "method": self.name,
            **{f"set {name}": value for name, value in settings_of(self.method).items()},
            "limit": self.limit,
            "shard": self.shard,
            **(sampling if self.samples else {}),
        }


async def run_labelling(
    asked: Labelling,
    output: Output,
    options: RunOptions,
    traces: Iterable[Trace | Unreadable] | None = None,
) -> dict[str, Any]:
    total = None
    if traces is None:
        assert asked.source is not None
        traces = read_traces(asked.source)
        total = count_hint(asked.source) if asked.limit is None and asked.shard is None else None
    groups = asked.groups(traces)
    if not asked.samples:
        resources = Resources(NoSampler(), Grader("auto"))
        return await _run(asked, groups, output, options, resources, total)
    async with open_resources(asked.sampler, asked.engine, asked.grader, options) as resources:
        output.pin("model", resources.sampler.fingerprint)
        return await _run(asked, groups, output, options, resources, total)


async def _run(
    asked: Labelling,
    groups: Iterator[Group],
    output: Output,
    options: RunOptions,
    resources: Resources,
    total: int | None,
) -> dict[str, Any]:
    async def work(group: list[Trace]) -> list[Trace]:
        rollouts = Rollouts(resources.sampler, resources.grader, asked.rollouts)
        return await apply(asked.method, group, rollouts)

    def tally(trace: Trace, counts: Counter[str]) -> None:
        if asked.samples:
            _count_sampling(trace, asked, resources.sampler.fingerprint, counts)
        if "evidence" in asked.method.needs and trace.labels is not None:
            for name in names_in(str(trace.labels.settings["evidence"])):
                found = trace.evidence_named(name)
                counts[SPOKE + name] += found is not None and speaks(found)

    return await run_groups(
        asked.verb,
        groups,
        work,
        output,
        options,
        spending=resources.spending,
        total=total,
        tally=tally,
    )


def _count_sampling(trace: Trace, asked: Labelling, fingerprint: str, counts: Counter[str]) -> None:
    written_by, origin, settings = trace.origin.model, trace.origin, asked.rollouts
    if written_by and other_weights(written_by, fingerprint):
        counts["of_another_model"] += 1
    counts["temperature_assumed"] += origin.temperature is settings.temperature is None
    counts["max_tokens_assumed"] += origin.max_tokens is settings.max_tokens is None
    evidence = trace.evidence_named(asked.name)
    if evidence is not None:
        counts["rollouts"] += evidence.cost.rollouts
        counts["rollouts_cut"] += evidence.cost.cut
        counts["rollouts_unparsed"] += evidence.cost.unparsed


def evidence_read(summary: Mapping[str, Any]) -> dict[str, int]:
    """What labels were decided from → the number of traces of which it says something."""
    return {key.removeprefix(SPOKE): n for key, n in summary.items() if key.startswith(SPOKE)}


def warnings(summary: Mapping[str, Any]) -> list[str]:
    """What a reader of these labels or values should know before using them."""
    found = [
        f"{name} says nothing of any step of these traces: the labels do not rest on it"
        for name, spoke in evidence_read(summary).items()
        if not spoke
    ]
    cut, rollouts = summary.get("rollouts_cut", 0), summary.get("rollouts", 0)
    if cut > MANY_CUT * rollouts:
        found.append(
            f"{cut:,} of {rollouts:,} rollouts were cut by the token limit and have no outcome: "
            "raise --max-tokens, or, where the model thinks first, try --template-arg "
            "enable_thinking=false; by default they count as misses, with --cut drop not at all"
        )
    unparsed = summary.get("rollouts_unparsed", 0)
    if unparsed > MANY_UNPARSED * rollouts:
        found.append(
            f"the answers of {unparsed:,} of {rollouts:,} rollouts could not be read: where the "
            "traces were read by a strict rule (--answers), import or generate them by another; "
            "by default these rollouts count as misses, with --cut drop not at all"
        )
    assumed = {
        "--temperature": (summary.get("temperature_assumed", 0), f"{Sampling().temperature:g}"),
        "--max-tokens": (summary.get("max_tokens_assumed", 0), f"{Sampling().max_tokens:,}"),
    }
    found += [
        f"{count:,} traces do not say how they were sampled: their rollouts took {option} {value}; "
        f"give {option} to choose another"
        for option, (count, value) in assumed.items()
        if count
    ]
    return found


async def apply(method: Method, group: list[Trace], rollouts: Rollouts) -> list[Trace]:
    """The method over the traces that are sound, with the truth put out of its sight."""
    sound = [_without_truth(trace) for trace in group if trace.error is None]
    truths = {t.id: [e for e in t.evidence if e.kind == "truth"] for t in group}
    made = await method.apply(sound, rollouts) if sound else []
    if method.verb == "label":
        made = [with_decision(trace) for trace in made]
    made = [replace(trace, evidence=(*trace.evidence, *truths.get(trace.id, ()))) for trace in made]
    return made + [trace for trace in group if trace.error is not None]


def _without_truth(trace: Trace) -> Trace:
    kept = tuple(e for e in trace.evidence if e.kind != "truth")
    return trace if len(kept) == len(trace.evidence) else replace(trace, evidence=kept)


def forecast(asked: Labelling) -> tuple[int, Cost]:
    """How many traces, and about what they will cost, before anything is spent."""
    assert asked.source is not None
    traces, cost = 0, Cost()
    for group in asked.groups(read_traces(asked.source)):
        for trace in [] if isinstance(group, Unreadable) else group:
            traces += 1
            cost += asked.method.forecast(trace)
    return traces, cost


class NoSampler:
    """In the place of a sampler for methods that say they need none."""

    spec = fingerprint = "none"
    template = ChatTemplate(None)
    context = 0

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        raise UsageError("this method asks for rollouts but does not say that it needs a sampler")

    async def score(self, prefix: str, text: str) -> list[float]:
        raise UsageError("this method asks for scores but does not say that it needs a sampler")

    async def close(self) -> None:
        pass
