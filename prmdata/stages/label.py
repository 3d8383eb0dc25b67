"""`estimate` and `label`: traces → traces with evidence, or with labels."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from prmdata.errors import UsageError
from prmdata.files import Unreadable, count_hint, read_traces
from prmdata.files.paths import is_stream
from prmdata.grading import Grader
from prmdata.labellers import Method
from prmdata.labellers.belief.signals import signals_of
from prmdata.labellers.contract import Learns, Verb
from prmdata.labellers.evidence.reading import names_in, speaks, with_decision
from prmdata.records import Cost, Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import Resources, RunOptions, open_resources, run_stage
from prmdata.run.summary import SPOKE, Summary
from prmdata.sampler.acting.opening import Surroundings
from prmdata.sampler.models.fingerprint import other_weights
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Rates, Sampler, Sampling, Scored, Unsure
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.settings import settings_of
from prmdata.stages.generate import MANY_CUT, MANY_UNPARSED, count_acting
from prmdata.stages.groups import Group, GroupStage, groups_of
from prmdata.stages.panel import pooled, pools
from prmdata.stages.pilot import draw, informed, looks_first, opening
from prmdata.stages.sampling import sampler_setting, spec_of, suited
from prmdata.terminal import say


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
    sampler: str | None = None
    """`None`: the embedded model, for abacus problems only."""
    reference: str | None = None
    """A second model, for methods that compare two."""
    engine: Mapping[str, str] = field(default_factory=dict)
    grader: str = "auto"
    rollouts: RolloutSettings = RolloutSettings()
    surroundings: Surroundings = field(default_factory=Surroundings)

    @property
    def samples(self) -> bool:
        return "sampler" in self.method.needs

    def groups(self, traces: Iterable[Trace | Unreadable]) -> Iterator[Group]:
        groups = groups_of(traces, self.shard, self.limit)
        return suited(groups, self.sampler) if self.samples else groups

    def total(self) -> int | None:
        """How many traces there are, where that is cheap to know."""
        if self.source is None or self.limit is not None or self.shard is not None:
            return None
        return count_hint(self.source)

    def inputs(self) -> dict[str, str]:
        return {} if self.source is None else states_of(self.source)

    def settings(self) -> dict[str, object]:
        sampling = {
            "sampler": sampler_setting(self.sampler),
            **({"reference": sampler_setting(self.reference)} if self.reference else {}),
            "engine": dict(self.engine),
            "grader": self.grader,
            "rollouts": msgspec.to_builtins(self.rollouts),
            **self.surroundings.pinned(),
        }
        return {
            "method": self.name,
            **{f"set {name}": value for name, value in settings_of(self.method).items()},
            "limit": self.limit,
            "shard": self.shard,
            **(sampling if self.samples else {}),
        }


class LabelStage(GroupStage):
    def __init__(
        self,
        request: Labelling,
        resources: Resources,
        traces: Iterable[Trace | Unreadable],
        method: Method | None = None,
    ) -> None:
        self.may_be_empty = request.shard is not None
        self.name = request.verb
        self.request, self.resources, self._traces = request, resources, traces
        self.method = method or request.method
        self.spending = resources.spending
        self.total = request.total()
        self.texts_read = self.texts_straddling = 0
        """Texts that were scored in this run, and those that began within a token."""
        self.unread_signals = getattr(request.method, "policy", "") is None
        """Whether it is `posterior` without a file that says what signals are worth."""
        self._pilot: list[list[Trace]] = []
        self._learning: asyncio.Task[Method] | None = None

    def items(self) -> Iterator[Group]:
        groups = self.request.groups(self._traces)
        if isinstance(self.method, Learns) and looks_first(self.method):
            wanted, seed = self.method.pilot, self.request.rollouts.seed
            if rereadable := again(self.request, self._traces):
                whole = replace(self.request, shard=None)  # all shards learn the same
                self._pilot = draw(whole.groups(rereadable()), wanted, seed)
            else:
                first = list(opening(groups, wanted))
                self._pilot = draw(first, wanted, seed)
                groups = itertools.chain(first, groups)
        yield from groups

    async def _informed(self) -> Method:
        """The method, once it has learned what it wants to know of the policy."""
        if not looks_first(self.method):
            return self.method
        if self._learning is None:
            learning = informed(
                self.method, self._pilot, self.resources, self.request.rollouts, self.tell
            )
            self._learning = asyncio.create_task(learning)
        return await asyncio.shield(self._learning)

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        resources = self.resources
        rollouts = Rollouts(
            resources.sampler,
            resources.grader,
            self.request.rollouts,
            reference=resources.reference,
            environments=resources.environments,
        )
        made = await apply(await self._informed(), traces, rollouts)
        self.texts_read += rollouts.texts_read
        self.texts_straddling += rollouts.texts_straddling
        return made

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        if "ratings" in self.request.method.needs:
            self._count_ratings(trace, counts)
        elif self.request.samples:
            self._count_sampling(trace, counts)
        if self.unread_signals:
            counts["signals_unread"] += bool(signals_of(trace))
        if "evidence" in self.request.method.needs and trace.labels is not None:
            for name in names_in(str(trace.labels.settings["evidence"])):
                evidence = trace.evidence_named(name)
                counts[SPOKE + name] += evidence is not None and speaks(evidence)

    def _count_ratings(self, trace: Trace, counts: Counter[str]) -> None:
        """A reward model is another than the policy, and what a trace was sampled with is nothing
        to it."""
        evidence = trace.evidence_named(self.request.name)
        if evidence is not None:
            counts["scored"] += evidence.cost.scored
            counts["unrated"] += sum(value is None for value in evidence.values)

    def _count_sampling(self, trace: Trace, counts: Counter[str]) -> None:
        model, origin, settings = trace.origin.model, trace.origin, self.request.rollouts
        if model and other_weights(model, self.resources.sampler.fingerprint):
            counts["of_another_model"] += 1
        counts["temperature_assumed"] += origin.temperature is settings.temperature is None
        counts["max_tokens_assumed"] += origin.max_tokens is settings.max_tokens is None
        evidence = trace.evidence_named(self.request.name)
        if evidence is not None:
            counts["rollouts"] += evidence.cost.rollouts
            counts["rollouts_cut"] += evidence.cost.cut
            counts["rollouts_unparsed"] += evidence.cost.unparsed
            counts["scored"] += evidence.cost.scored

    def check(self, summary: Summary) -> None:
        summary.warnings += warnings(summary)
        count_acting(self.resources.environments, summary)
        if unread := summary.special["signals_unread"]:
            summary.warnings.append(
                f"{unread:,} traces carry signals, such as those of certainty, that are not read: "
                "learn what they are worth with prmdata fit --truth, and give --set policy=FILE"
            )
        if unrated := summary.special["unrated"]:
            summary.warnings.append(
                f"{unrated:,} steps have no value: neither of the two words is among the "
                "likeliest after them; is this a reward model, and are its words --set words=…?"
            )
        if self.texts_straddling:
            summary.warnings.append(
                f"{self.texts_straddling:,} of {self.texts_read:,} texts that were scored begin "
                "within a token of what stands before them, and were scored with it"
            )


async def run_labelling(
    request: Labelling,
    output: Output,
    options: RunOptions,
    traces: Iterable[Trace | Unreadable] | None = None,
) -> Summary:
    """Label the given traces, or those of the request's source."""
    if traces is None:
        assert request.source is not None
        traces = read_traces(request.source)
    if not request.samples:
        resources = Resources(NoSampler(), Grader("auto"))
        method = request.method
        if pools(method):
            method = pooled(method, again(request, traces), _reporter(request.verb, options))
        return await run_stage(LabelStage(request, resources, traces, method), output, options)
    spec = spec_of(request.sampler)
    if "reference" in request.method.needs and request.reference is None:
        raise UsageError(f"{request.name} compares two models: name the second with --reference")
    async with open_resources(
        spec, request.engine, request.grader, options, request.surroundings, request.reference
    ) as resources:
        output.pin("model", resources.sampler.fingerprint)
        if resources.reference is not None:
            output.pin("reference_model", resources.reference.fingerprint)
        await _check_reading(request, resources)
        return await run_stage(LabelStage(request, resources, traces), output, options)


async def _check_reading(request: Labelling, resources: Resources) -> None:
    """What cannot score given text, or can do nothing else, is named before anything is paid."""
    needs, sampler = request.method.needs, resources.sampler
    rates = isinstance(sampler, Rates) and sampler.rates
    if "ratings" in needs and request.sampler is None:
        raise UsageError(
            f"{request.name} asks a reward model: name it with --sampler prm:http://HOST/v1"
        )
    if rates and "ratings" not in needs:
        raise UsageError(
            f"{sampler.spec} is a reward model: it is for `prmdata estimate --method prm`"
        )
    if "scores" in needs or ("ratings" in needs and not rates):
        await _check_scoring(resources)


async def _check_scoring(resources: Resources) -> None:
    samplers: list[Sampler | None] = [resources.sampler, resources.reference]
    for sampler in samplers:
        if sampler is not None and isinstance(sampler, Unsure):
            await sampler.check_scoring()


def again(
    request: Labelling, traces: Iterable[Trace | Unreadable]
) -> Callable[[], Iterable[Trace | Unreadable]] | None:
    """How the traces are read a second time; nothing for a stream."""
    source = request.source
    if source is not None:
        return None if is_stream(source) else lambda: read_traces(source)
    return (lambda: traces) if isinstance(traces, Sequence) else None


def _reporter(verb: Verb, options: RunOptions) -> Callable[[str], None]:
    return lambda line: None if options.quiet else say(f"{verb}: {line}")


def warnings(summary: Summary) -> list[str]:
    """What a reader of these labels or values should know before using them."""
    found = [
        f"{name} says nothing of any step of these traces: the labels do not rest on it"
        for name, spoke in summary.evidence_read().items()
        if not spoke
    ]
    cut, rollouts = summary.special["rollouts_cut"], summary.special["rollouts"]
    if cut > MANY_CUT * rollouts:
        found.append(
            f"{cut:,} of {rollouts:,} rollouts were cut by the token limit and have no outcome: "
            "raise --max-tokens, or, where the model thinks first, try --template-arg "
            "enable_thinking=false; by default they count as misses, with --cut drop not at all"
        )
    unparsed = summary.special["rollouts_unparsed"]
    if unparsed > MANY_UNPARSED * rollouts:
        found.append(
            f"the answers of {unparsed:,} of {rollouts:,} rollouts could not be read: where the "
            "traces were read by a strict rule (--answers), import or generate them by another; "
            "by default these rollouts count as misses, with --cut drop not at all"
        )
    assumed = {
        "--temperature": (summary.special["temperature_assumed"], f"{Sampling().temperature:g}"),
        "--max-tokens": (summary.special["max_tokens_assumed"], f"{Sampling().max_tokens:,}"),
    }
    found += [
        f"{count:,} traces do not say how they were sampled: their rollouts took {option} {value}; "
        f"give {option} to choose another"
        for option, (count, value) in assumed.items()
        if count
    ]
    return found + summary.trust.warnings()


async def apply(method: Method, group: list[Trace], rollouts: Rollouts) -> list[Trace]:
    """Apply the method to the sound traces, with the truth hidden from it."""
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


def forecast(request: Labelling) -> tuple[int, Cost]:
    """How many traces, and about what they will cost, before anything is spent."""
    assert request.source is not None
    traces, cost = 0, Cost()
    for group in request.groups(read_traces(request.source)):
        for trace in [] if isinstance(group, Unreadable) else group:
            traces += 1
            cost += request.method.forecast(trace)
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

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise UsageError("this method asks for scores but does not say that it needs a sampler")

    async def close(self) -> None:
        pass
