"""`fit`: a pilot of traces → what `posterior` may believe of their policy, and its price."""

from __future__ import annotations

import asyncio
import functools
import itertools
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from prmdata.errors import GraderError, InputError, ItemError
from prmdata.files import Unreadable, read_groups, read_traces
from prmdata.files.paths import writing
from prmdata.labellers.belief.auditing import Judged, heeding
from prmdata.labellers.belief.fitting import learn
from prmdata.labellers.belief.observations import Observations
from prmdata.labellers.belief.policy import Policy
from prmdata.labellers.belief.signals import Curve, Known, fit_curves, signals_of
from prmdata.labellers.posterior import Posterior, already_seen, rollout_of
from prmdata.records import Evidence, Trace
from prmdata.run.stage import Resources, RunOptions, open_resources
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.sampling import spec_of, suited
from prmdata.tasks import together
from prmdata.truth import first_error_known, truths

T = TypeVar("T")
Group = list[Trace]
PRICES = (0.01, 10.0)
"""Bits per 1,000 tokens, between which the price is looked for."""
HALVINGS = 7


@dataclass(frozen=True, slots=True)
class Fitting:
    source: str
    traces: int = 200
    """Traces with a wrong answer to learn from."""
    rollouts_per_step: int = 4
    tokens_per_trace: int | None = None
    """The token budget to find a price for."""
    sampler: str | None = None
    """`None`: the embedded model, for abacus problems only."""
    engine: Mapping[str, str] = field(default_factory=dict)
    grader: str = "auto"
    rollouts: RolloutSettings = RolloutSettings()
    truth: str | None = None
    """Where the first wrong steps are known: then it is also learned what signals are worth, and
    how far the step that reads wrong stands from the step where rollouts cease to succeed."""


async def run_fit(request: Fitting, options: RunOptions, report: Callable[[str], None]) -> Policy:
    problems = list(_pilot(request))
    if not problems:
        raise InputError(
            f"{request.source}: holds no trace with a wrong answer; there is nothing to fit"
        )
    curves = _curves(request, report) if request.truth else ()
    if not request.rollouts_per_step:
        return Policy(curves=curves)
    async with open_resources(
        spec_of(request.sampler), request.engine, request.grader, options
    ) as resources:
        pairs = await _each(problems, options, lambda group: _seen(group, request, resources))
        seen = [[found for _, found in pair] for pair in pairs]
        report(
            f"fit: {sum(map(len, seen)):,} traces of {len(problems):,} problems, "
            f"{resources.spending.tokens:,} tokens"
        )
        policy = await asyncio.to_thread(learn, seen, lambda line: report(f"fit: {line}"))
        if policy == Policy():
            report(
                "fit: held-out traces are no more likely under the fit than under the default, "
                "which is written; a larger pilot may tell more (--traces)"
            )
        policy = replace(policy, curves=curves)
        if request.truth is not None:
            policy = await _read_by_people(policy, list(itertools.chain(*pairs)), request, report)
        if request.tokens_per_trace is None:
            return policy
        return await _priced(policy, problems, request, options, resources, report)


def _curves(request: Fitting, report: Callable[[str], None]) -> tuple[Curve, ...]:
    """What signals are worth, from all traces with a wrong answer whose first error is known."""
    assert request.truth is not None
    truth_of = truths(request.truth)
    problems: list[list[Known]] = []
    for group in read_groups(read_traces(request.source)):
        if isinstance(group, Unreadable):
            continue
        rows = [_known(trace, truth_of(trace)) for trace in _wrong(group)]
        problems.append([row for row in rows if row is not None])
    traces = sum(map(len, problems))
    if not traces and request.rollouts_per_step:
        return ()
    if not traces:
        raise InputError(
            f"{request.source}: no trace with a wrong answer has both a known first error (--truth "
            f"{request.truth}) and signals, such as those of `prmdata estimate --method certainty`"
        )
    return fit_curves(problems, lambda line: report(f"fit: {line}"))


def _known(trace: Trace, truth: Evidence | None) -> Known | None:
    signals = tuple(signal for signal, _ in signals_of(trace))
    if truth is None or not signals or not first_error_known(truth):
        return None
    first_f = np.zeros(len(trace.steps) + 1)
    first = truth.first_wrong
    first_f[len(trace.steps) if first is None else first] = 1.0
    return signals, first_f


def write_policy(policy: Policy, path: str) -> None:
    with writing(path):
        part = Path(f"{path}.part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(policy)) + b"\n")
        part.replace(path)


def _pilot(request: Fitting) -> Iterator[Group]:
    """The first problems that hold as many wrong traces as were asked for."""
    count = 0
    for group in suited(read_groups(read_traces(request.source)), request.sampler):
        if isinstance(group, Unreadable) or count >= request.traces:
            continue
        wrong = len(_wrong(group))
        if wrong:
            count += wrong
            yield [trace for trace in group if trace.error is None]


def _wrong(group: Sequence[Trace]) -> list[Trace]:
    return [t for t in group if t.error is None and t.correct is False and t.steps]


async def _each(
    problems: Sequence[Group], options: RunOptions, work: Callable[[Group], Awaitable[T]]
) -> list[T]:
    """The work on every problem, as many at a time as the run allows."""
    room = asyncio.Semaphore(options.concurrency)

    async def limited(group: Group) -> T:
        async with room:
            return await work(group)

    return await together(*map(limited, problems))


async def _read_by_people(
    policy: Policy,
    pairs: Sequence[tuple[Trace, Observations]],
    request: Fitting,
    report: Callable[[str], None],
) -> Policy:
    """The policy with what known first errors say of its reading."""
    assert request.truth is not None
    truth_of = truths(request.truth)
    known = ((seen, truth_of(trace)) for trace, seen in pairs)
    judged = [Judged(seen, t.first_wrong) for seen, t in known if t and first_error_known(t)]
    if not judged:
        raise InputError(f"--truth {request.truth}: tells the first error of none of these traces")
    policy = await asyncio.to_thread(heeding, policy, judged)
    prior = policy.priors[0]
    report(
        f"fit: {len(judged):,} known first errors: {prior.turn:.0%} come after the policy is lost "
        f"(were its chance nil before), {prior.slow:.1%} before"
    )
    return policy


async def _seen(
    group: Group, request: Fitting, resources: Resources
) -> list[tuple[Trace, Observations]]:
    """Rollouts from every prefix of the problem's wrong traces."""
    rollouts = Rollouts(
        resources.sampler, resources.grader, request.rollouts, environments=resources.environments
    )

    async def sampled(trace: Trace) -> tuple[Trace, Observations] | None:
        seen = already_seen(trace, group, resources.sampler.fingerprint)
        prefixes = range(1, len(trace.steps))
        try:
            drawn = await together(
                *(rollouts.sample(trace, t, request.rollouts_per_step) for t in prefixes)
            )
        except (ItemError, GraderError):
            return None
        for start, outcomes in zip(prefixes, drawn, strict=True):
            for outcome in outcomes:
                seen.add(rollout_of(trace, start, outcome.text, outcome.answer, hit=outcome.hit))
        return trace, seen

    return [pair for pair in await together(*map(sampled, _wrong(group))) if pair is not None]


async def _priced(
    policy: Policy,
    problems: Sequence[Group],
    request: Fitting,
    options: RunOptions,
    resources: Resources,
    report: Callable[[str], None],
) -> Policy:
    """The policy with the price at which the pilot's searches take the tokens requested."""
    assert request.tokens_per_trace is not None
    low, high = map(math.log, PRICES)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        priced = replace(policy, bits_per_1000_tokens=math.exp(middle))
        work = functools.partial(_searched, priced, request, resources)
        tokens = list(itertools.chain(*await _each(problems, options, work)))
        spent = sum(tokens) / max(len(tokens), 1)
        report(f"fit: {math.exp(middle):.3g} bits per 1,000 tokens: {spent:,.0f} tokens a trace")
        if spent > request.tokens_per_trace:
            low = middle
        else:
            high = middle
    return replace(policy, bits_per_1000_tokens=float(f"{math.exp(high):.4g}"))


async def _searched(
    policy: Policy, request: Fitting, resources: Resources, group: Group
) -> list[int]:
    """The tokens that each wrong trace's search took."""
    rollouts = Rollouts(
        resources.sampler, resources.grader, request.rollouts, environments=resources.environments
    )
    made = await Posterior().label(group, rollouts, policy)
    return [t.labels.cost.tokens for t in made if t.labels and t.labels.examined]
