"""`credit`: the rewards or values of steps → credit for each step, as evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from prmdata.credit.contract import (
    NAME,
    Fitted,
    Form,
    NoSignal,
    Series,
    Signal,
    outcome_advantages,
    signal_of,
)
from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable, count_hint, paths, read_traces
from prmdata.records import Evidence, Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.storage.stored import Spending
from prmdata.settings import settings_of
from prmdata.stages.groups import Group, GroupStage, groups_of


@dataclass(frozen=True, slots=True)
class Crediting:
    source: str
    name: str
    form: Form
    shard: tuple[int, int] | None = None

    def settings(self) -> dict[str, object]:
        return {"form": self.name, **settings_of(self.form), "shard": self.shard}

    def inputs(self) -> Mapping[str, str]:
        return states_of(self.source)


class CreditStage(GroupStage):
    name = "credit"

    def __init__(self, request: Crediting) -> None:
        self.may_be_empty = request.shard is not None
        self.request, self.form, self.spending = request, request.form, Spending()
        self.total = count_hint(request.source)
        self._without: Counter[str] = Counter()
        """Traces that got no credit, by reason."""

    def items(self) -> Iterator[Group]:
        if isinstance(self.form, Fitted):
            self.form = self.form.fitted(self._signals())
        return groups_of(read_traces(self.request.source), self.request.shard)

    def _signals(self) -> Iterator[Signal]:
        """Every signal in the input, in a reading of its own."""
        if paths.is_stream(self.request.source):
            raise UsageError(
                f"--form {self.request.name} reads its input twice; write it to a file first (-o)"
            )
        for trace in read_traces(self.request.source):
            if not isinstance(trace, Unreadable) and trace.error is None:
                try:
                    yield signal_of(trace, self.form.evidence, self.form.prefers)
                except NoSignal:
                    continue

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        made, without = credited(traces, self.request.name, self.form)
        self._without += without
        return made

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        credit = trace.evidence_named(NAME)
        if trace.error is not None or credit is None:
            counts["traces_without_credit"] += trace.error is None
            return
        counts["steps"] += len(trace.steps)
        counts["steps_without_credit"] += credit.rewards.count(None)
        counts[f"credit_from {credit.settings['of']}"] += 1

    def check(self, summary: Summary) -> None:
        reasons = [f"{count:,} {reason}" for reason, count in self._without.most_common()]
        if summary.special["traces_without_credit"] == summary.traces - summary.failed:
            raise InputError(
                f"no trace has rewards or values to take credit from ({'; '.join(reasons)}); "
                "run estimate (mc, rollout-tree …) or label first, or name them with "
                "--set evidence=NAME"
            )
        if reasons:
            summary.warnings.append(f"traces left without credit: {'; '.join(reasons)}")
        if unknown := summary.special["steps_without_credit"]:
            summary.warnings.append(
                f"{unknown:,} of {summary.special['steps']:,} steps have no credit, because a "
                "reward or value that it needs is unknown"
            )


async def run_credit(request: Crediting, output: Output, options: RunOptions) -> Summary:
    return await run_stage(CreditStage(request), output, options)


def credited(traces: Sequence[Trace], name: str, form: Form) -> tuple[list[Trace], Counter[str]]:
    """The traces of a problem, with credit where they have a signal; why others have none."""
    without: Counter[str] = Counter()
    signals: dict[str, Signal] = {}
    for trace in traces:
        try:
            if trace.error is None:
                signals[trace.id] = signal_of(trace, form.evidence, form.prefers)
        except NoSignal as reason:
            without[str(reason)] += 1
    sound = [trace for trace in traces if trace.id in signals]
    series = form.apply(sound, [signals[trace.id] for trace in sound])
    outcomes = outcome_advantages(sound) if form.outcome else [0.0] * len(sound)
    made = {
        trace.id: _evidence(name, form, trace, signals[trace.id], credit, outcome)
        for trace, credit, outcome in zip(sound, series, outcomes, strict=True)
    }
    return [_with(trace, made.get(trace.id)) for trace in traces], without


def _with(trace: Trace, credit: Evidence | None) -> Trace:
    """The trace with its new credit; an older one never stays in its place."""
    if credit is not None:
        return trace.with_evidence(credit)
    return replace(trace, evidence=tuple(e for e in trace.evidence if e.name != NAME))


def _evidence(
    name: str, form: Form, trace: Trace, signal: Signal, credit: Series, outcome: float | None
) -> Evidence:
    before = trace.evidence_named(NAME) if signal.of == NAME else None
    source = {"of": signal.of, "kind": signal.kind}
    if before is not None:
        source = {key: before.settings.get(key, value) for key, value in source.items()}
    extra = None if outcome is None else form.outcome * outcome
    rewards = tuple(None if c is None or extra is None else c + extra for c in credit)
    settings = {**source, "form": name, **settings_of(form)}
    return Evidence(NAME, "scores", rewards=rewards, settings=settings)
