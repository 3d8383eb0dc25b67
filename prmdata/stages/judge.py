"""`judge`: traces → traces with what a model says of their steps, as evidence."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prmdata.errors import UsageError
from prmdata.files import Unreadable, count_hint, read_groups, read_traces
from prmdata.judges import Session, Way
from prmdata.judges.asking.judge import Judge
from prmdata.judges.guard.measuring import guarded
from prmdata.judges.prompts import Prompt
from prmdata.labellers.evidence.reading import label_each
from prmdata.labellers.threshold import Threshold
from prmdata.records import Cost, Evidence, Trace
from prmdata.report.score import total
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import Resources, RunOptions, open_resources, run_stage
from prmdata.run.summary import Summary
from prmdata.settings import settings_of
from prmdata.stages.groups import Group, GroupStage, of_shard
from prmdata.tasks import together
from prmdata.truth import truths

MANY_UNPARSED = 0.2
"""A share of what was asked."""


@dataclass(frozen=True, slots=True)
class Judging:
    """Which traces, in which way, by which judge."""

    source: str
    ways: Mapping[str, Way]
    """By the name of their evidence."""
    prompts: Mapping[str, Mapping[str, Prompt]]
    """Of each of these names."""
    judge: str | None = None
    """The spec of a sampler; a run without one is refused."""
    engine: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    limit: int | None = None
    shard: tuple[int, int] | None = None
    template_args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> str:
        if self.judge is None:
            raise UsageError(
                "name a judge: --judge http://localhost:8000/v1, chat:https://…/v1, local:FOLDER "
                "or the like, or set PRMDATA_JUDGE. recipes/train_judge trains a small one"
            )
        return self.judge

    def settings(self) -> dict[str, object]:
        return {
            "judge": "http" if "http" in self.spec.partition("://")[0] else self.spec,
            "engine": dict(self.engine),
            "seed": self.seed,
            "limit": self.limit,
            "shard": self.shard,
            "template_args": dict(self.template_args),
            **{f"with {name}": str(settings_of(way)) for name, way in self.ways.items()},
            **{
                f"prompt {name}": ",".join(p.identity for p in prompts.values())
                for name, prompts in self.prompts.items()
            },
        }

    def inputs(self) -> dict[str, str]:
        return states_of(self.source)

    def groups(self, traces: Iterable[Trace | Unreadable]) -> Iterator[Group]:
        groups: Iterator[Group] = read_groups(traces)
        if self.shard is not None:
            groups = of_shard(groups, *self.shard)
        for number, group in enumerate(groups):
            if self.limit is not None and number >= self.limit:
                return
            yield group


def evidence_names(way: str, chosen: list[str], name: str | None) -> list[str]:
    """What the evidence is called: as the way, and with several prompts as each of them too."""
    base = name or way
    if any(mark in base for mark in "+,"):
        raise UsageError(f"--name {base}: a name of evidence holds no + and no comma")
    if len(chosen) < 2:
        return [base]
    stems = [f"{base}-{prompt.rpartition('/')[2].partition('.')[0]}" for prompt in chosen]
    if len(set(stems)) < len(stems):
        raise UsageError("--prompt: two of these files have one name; evidence is called by it")
    return stems


class JudgeStage(GroupStage):
    name = "judge"

    def __init__(
        self,
        request: Judging,
        resources: Resources,
        traces: Iterable[Trace | Unreadable] | None = None,
    ) -> None:
        self.may_be_empty = request.shard is not None
        self.request, self.resources, self._traces = request, resources, traces
        self.spending = resources.spending
        partial = request.limit is not None or request.shard is not None or traces is not None
        self.total = None if partial else count_hint(request.source)

    def items(self) -> Iterator[Group]:
        given = self._traces if self._traces is not None else read_traces(self.request.source)
        return self.request.groups(given)

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        for name, way in self.request.ways.items():
            traces = await self._judged(traces, name, way)
        return traces

    async def _judged(self, traces: list[Trace], name: str, way: Way) -> list[Trace]:
        return await way.judge(traces, self.session(name))

    def session(self, name: str) -> Session:
        request, sampler = self.request, self.resources.sampler
        return Session(
            functools.partial(Judge, sampler, request.seed, request.template_args),
            request.prompts[name],
            name,
            request.spec,
        )

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        counts["steps"] += 0 if trace.error else len(trace.steps)
        for name in self.request.ways:
            evidence = trace.evidence_named(name)
            if evidence is None or trace.error is not None:
                continue
            for verdict in ("right", "wrong", "unknown"):
                counts[f"verdicts_{verdict}"] += evidence.verdicts.count(verdict)
            counts["traces_with_a_wrong_step"] += "wrong" in evidence.verdicts
            counts["judgements"] += evidence.cost.calls
            counts["judgements_unread"] += evidence.cost.unparsed
            counts["judgements_cut"] += evidence.cost.cut
            counts["prompt_tokens"] += evidence.cost.prompt_tokens
            if "carrier" in evidence.settings:
                counts["no_carrier"] += evidence.settings["carrier"] is None

    def check(self, summary: Summary) -> None:
        unread, asked = summary.special["judgements_unread"], summary.special["judgements"]
        if unread > MANY_UNPARSED * asked:
            summary.warnings.append(
                f"{unread:,} judgements could not be read (asked three times each; "
                f"{summary.special['judgements_cut']:,} answers were cut by the token limit): they "
                "have no vote. Raise --set max_tokens, take another prompt (--prompt), or a judge "
                "that keeps to the form"
            )


async def run_judging(
    request: Judging,
    output: Output,
    options: RunOptions,
    traces: Iterable[Trace | Unreadable] | None = None,
) -> Summary:
    async with open_resources(request.spec, request.engine, "auto", options) as resources:
        output.pin("model", resources.sampler.fingerprint)
        return await run_stage(JudgeStage(request, resources, traces), output, options)


async def guard_run(request: Judging, options: RunOptions, problems: int) -> dict[str, object]:
    """What each way with its prompt lets through, by the name of its evidence."""
    async with open_resources(request.spec, request.engine, "auto", options) as resources:
        stage = JudgeStage(request, resources, [])
        return {
            name: {
                "judge": request.spec,
                **await guarded(way, stage.session(name), problems, request.seed),
            }
            for name, way in request.ways.items()
        }


async def measure_curve(
    request: Judging, options: RunOptions, votes: Sequence[int], truth: str
) -> list[dict[str, object]]:
    """How good the verdicts are with so many votes, and what they cost. More votes begin with the
    samples of fewer, so a store serves those."""
    truth_of = truths(truth)
    groups = [g for g in request.groups(read_traces(request.source)) if isinstance(g, list)]
    rows = []
    async with open_resources(request.spec, request.engine, "auto", options) as resources:
        stage = JudgeStage(request, resources, [])
        for name, way in request.ways.items():
            if "votes" not in settings_of(way):
                raise UsageError(f"--curve: this way of judging has no votes ({name})")
            for count in votes:
                voting = replace(way, votes=count)  # type: ignore[type-var]
                found = await together(*(voting.judge(g, stage.session(name)) for g in groups))
                judged = [trace for group in found for trace in group]
                rows.append({"evidence": name, "votes": count, **_scored(judged, name, truth_of)})
    return rows


def _scored(
    judged: Sequence[Trace], name: str, truth_of: Callable[[Trace], Evidence | None]
) -> dict[str, object]:
    labelled = label_each(judged, Threshold(evidence=name).label)
    figures = total(labelled, truth_of).figures()
    cost = sum((e.cost for t in judged if (e := t.evidence_named(name))), Cost())
    shown = ("traces", "f1", "exact", "exact_on_erroneous", "exact_on_correct")
    intervals = figures["intervals"]
    return {
        **{measure: figures[measure] for measure in shown},
        "judgements": cost.calls,
        "unread": cost.unparsed,
        "tokens": cost.tokens,
        "prompt_tokens": cost.prompt_tokens,
        "intervals": {m: intervals[m] for m in shown if m in intervals},
    }
