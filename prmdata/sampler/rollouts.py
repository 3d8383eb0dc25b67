"""What a labelling method sees of sampling: `rollouts.sample(trace, after_step, n)`.

Behind it: the prompt is rendered, the prefix continued token for token, the sample numbers go on
where the last call for this prefix stopped, the answers are graded, and the cost is counted.

Rollouts and traces that end without an outcome (cut by the token limit, with an answer that cannot
be read, or given up in grading) follow one rule (`RolloutSettings.cut`); methods ask `outcome_of`
how a sibling counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from prmdata.errors import ItemError, UsageError
from prmdata.grading import Grade, Grader, Verdict
from prmdata.records import Cost, Message, Origin, Problem, Step, Trace
from prmdata.sampler.acting.opening import Environments
from prmdata.sampler.acting.playing import Acting, Episode, Start
from prmdata.sampler.models.continuation import ends_at_once, joined
from prmdata.sampler.protocol import (
    SEED_SPACING,
    Completion,
    Marked,
    Rated,
    Rates,
    Sampler,
    Sampling,
    Scored,
)
from prmdata.sampler.seeds import request_seed
from prmdata.sampler.sessions import session
from prmdata.turns import chat_until

FORCED = "answer"
"""What keeps answers that were asked for at once apart from rollouts."""
ACTING = ("tool_call", "observation")
"""Kinds of steps."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rollout, graded."""

    hit: bool
    grade: Literal["right", "wrong", "unparsed", "timeout", "cut"]
    answer: str | None
    tokens: int
    text: str
    seed: int = 0
    """What it was drawn with: the same for the same request of a run with the same seed."""
    steps: tuple[Step, ...] = ()
    """Of a rollout that acts: its turns with what answered them."""
    score: float | None = None
    """How good it is, in [0, 1], where its answer or the environment has degrees."""

    @property
    def ended(self) -> bool:
        return self.grade not in NO_OUTCOME


NO_OUTCOME = ("cut", "timeout", "unparsed")


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    seed: int = 0
    """Random seed of the run."""
    temperature: float | None = None
    """This and the next four: `None` keeps what the trace was sampled with, or the defaults of
    `Sampling` where the trace does not say."""
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    system: str | None = None
    """A system message in place of the trace's own; an empty one removes it."""
    template_args: Mapping[str, Any] = field(default_factory=dict)
    """Given to the chat template beside the trace's own, such as `enable_thinking`."""
    cut: Literal["miss", "drop"] = "miss"
    """A rollout or a sibling without a verdict (cut by the token limit, its answer not read, or not
    graded in time) counts as a miss, or does not count."""

    def __post_init__(self) -> None:
        limits = {
            "temperature": (0, math.inf, "at least 0"),
            "top_p": (5e-324, 1, "above 0 and at most 1"),
            "top_k": (0, math.inf, "at least 0 (0: off)"),
            "max_tokens": (1, math.inf, "at least 1"),
        }
        for name, (low, high, words) in limits.items():
            value = getattr(self, name)
            if value is not None and not (low <= value <= high and math.isfinite(value)):
                raise UsageError(f"--{name.replace('_', '-')} {value:g}: must be {words}")


@dataclass(slots=True)
class Rollouts:
    """Rollouts for the traces of one problem. One object a group: it counts what each consumed."""

    sampler: Sampler
    grader: Grader
    settings: RolloutSettings
    reference: Sampler | None = None
    """A second model, for methods that compare two."""
    texts_read: int = 0
    """Texts that were scored."""
    texts_straddling: int = 0
    """Of these, the ones that begin within a token: it was scored whole."""
    environments: Environments = field(default_factory=Environments)
    _next: dict[tuple[str, int], int] = field(default_factory=dict)
    _costs: dict[str, Cost] = field(default_factory=dict)
    _prompts: dict[str, str] = field(default_factory=dict)

    async def sample(self, trace: Trace, after_step: int, n: int) -> list[Outcome]:
        """The next n rollouts from the prefix of `after_step` steps, in sample-number order."""
        if not 0 <= after_step < len(trace.steps):
            raise ValueError(f"a rollout starts after step 0 to {len(trace.steps) - 1}")
        place = (trace.id, after_step)
        first = self._next.get(place, 0)
        if first + n > SEED_SPACING:
            raise ItemError(f"more than {SEED_SPACING} rollouts of one prefix (trace {trace.id})")
        self._next[place] = first + n
        sampling = self._sampling(trace)
        with session(trace.problem.id, trace.id):
            if trace.acts:
                outcomes = await self._acted(trace, after_step, n, first, sampling)
            else:
                outcomes = await self._continued(trace, after_step, n, first, sampling)
        cut = sum(outcome.grade in ("cut", "timeout") for outcome in outcomes)
        unparsed = sum(outcome.grade == "unparsed" for outcome in outcomes)
        tokens = sum(outcome.tokens for outcome in outcomes)
        self._spend(trace, Cost(tokens, n, cut=cut, unparsed=unparsed))
        if self.settings.cut == "drop":
            outcomes = [outcome for outcome in outcomes if outcome.ended]
        return outcomes

    async def _continued(
        self, trace: Trace, after_step: int, n: int, first: int, sampling: Sampling
    ) -> list[Outcome]:
        refuse_acting(trace, after_step)
        prefix = trace.prefix(after_step)
        prompt = self._before(trace, after_step, prefix)
        purpose = "" if after_step else "rollout"  # at the root, `generate` asks the same of it
        base = request_seed(self.settings.seed, self.sampler.fingerprint, prompt, sampling, purpose)
        completions = await self.sampler.complete(prompt, n, sampling, base + first)
        return [
            await self._graded(trace, prefix, completion, sampling, base + number)
            for number, completion in enumerate(completions, first)
        ]

    async def _acted(
        self, trace: Trace, after_step: int, n: int, first: int, sampling: Sampling
    ) -> list[Outcome]:
        """Episodes that go on from the messages of the prefix, the environment included."""
        acting = await self._acting(trace)
        start = self._start(trace, after_step, sampling)
        purpose = "" if after_step else "rollout"
        episodes = await acting.play(start, n, first, self.settings.seed, purpose)
        return [await self._outcome(trace, episode) for episode in episodes]

    async def _acting(self, trace: Trace) -> Acting:
        environment, limits = await self.environments.of(trace)
        return Acting(self.sampler, environment, limits, self.environments.counts)

    def _start(
        self,
        trace: Trace,
        after_step: int,
        sampling: Sampling,
        messages: tuple[Message, ...] = (),
    ) -> Start:
        said, begun = chat_until(trace, after_step)
        origin = trace.origin
        return Start(
            problem=trace.problem,
            prompt=messages or self._messages(trace),
            said=tuple(said),
            begun=begun,
            tools=origin.tools,
            template=origin.template,
            template_args={**origin.template_args, **self.settings.template_args},
            sampling=sampling,
            seed=origin.seed or 0,
        )

    async def _outcome(self, trace: Trace, episode: Episode) -> Outcome:
        verdict = await graded_episode(episode, trace.problem, trace.origin, self.grader)
        grade: Any = "cut" if verdict is None else (verdict.grade or Grade.UNPARSED).value
        return Outcome(
            hit=grade == "right",
            grade=grade,
            answer=verdict.answer if verdict else None,
            tokens=episode.tokens,
            text="".join(step.text for step in episode.steps),
            seed=episode.seed,
            steps=episode.steps,
            score=verdict.score if verdict else None,
        )

    async def log_probs(self, trace: Trace, step: int) -> list[float]:
        """The log-probability of each token of one step (from 0), after the steps before it."""
        if trace.acts:
            before = self.text_before(trace, step)
            return list((await self._read(trace, before, trace.steps[step].text)).logprobs)
        refuse_acting(trace, step + 1)
        through = self._before(trace, step + 1, trace.prefix(step + 1))
        text = trace.steps[step].text
        return list((await self._read(trace, through.removesuffix(text), text)).logprobs)

    async def score(
        self,
        trace: Trace,
        after_step: int,
        text: str,
        *,
        opening: str = "",
        messages: tuple[Message, ...] = (),
        top: int = 0,
        by: Sampler | None = None,
    ) -> Scored:
        """What the model makes of any text after the prefix of `after_step` steps and an opening,
        which is read and not scored.

        `messages` ask something else than the trace was asked; `by` is another model.
        """
        before = self.text_before(trace, after_step, messages) + opening
        return await self._read(trace, before, text, top, by)

    async def score_steps(
        self, trace: Trace, *, messages: tuple[Message, ...] = (), top: int = 0,
        by: Sampler | None = None,
    ) -> Scored:  # fmt: skip
        """What the model makes of the whole trace: all its steps in one reading."""
        whole = self.text_before(trace, len(trace.steps), messages)
        return await self._read(trace, whole.removesuffix(trace.text), trace.text, top, by)

    async def read(self, trace: Trace, prefix: str, text: str, top: int = 0) -> Scored:
        """What the model makes of a text that stands in no prompt of the trace's."""
        return await self._read(trace, prefix, text, top)

    @property
    def rates(self) -> bool:
        """Whether the sampler is a reward model."""
        return isinstance(self.sampler, Rates) and self.sampler.rates

    async def rate(self, trace: Trace, marked: Marked) -> Rated:
        assert isinstance(self.sampler, Rates)
        found = await self.sampler.rate(marked)
        self._spend(trace, Cost(scored=found.read))
        return found

    async def answers(
        self,
        trace: Trace,
        after_step: int,
        n: int,
        *,
        opening: str,
        read: Callable[[str], str | None],
        temperature: float | None,
        max_tokens: int,
    ) -> list[Outcome]:
        """n answers that are forced after a prefix by words that open an answer. `read` gives the
        words that are graded, or `None` for an answer without an end. They are no rollouts: the
        policy did not choose to answer here."""
        prompt = self.text_before(trace, after_step) + opening
        own = self._sampling(trace)
        sampling = replace(
            own,
            temperature=own.temperature if temperature is None else temperature,
            max_tokens=max_tokens,
            stop=("\n",),
        )
        base = request_seed(self.settings.seed, self.sampler.fingerprint, prompt, sampling, FORCED)
        with session(trace.problem.id, trace.id):
            completions = await self.sampler.complete(prompt, n, sampling, base)
        found = [
            await self._answered(trace, read(done.text), done, base + number)
            for number, done in enumerate(completions)
        ]
        self._spend(
            trace,
            Cost(
                sum(done.tokens for done in completions),
                n,
                cut=sum(outcome.grade in ("cut", "timeout") for outcome in found),
                unparsed=sum(outcome.grade == "unparsed" for outcome in found),
            ),
        )
        return found

    async def replies(
        self, trace: Trace, messages: tuple[Message, ...], n: int, max_tokens: int
    ) -> list[str]:
        """What the model says to messages about a trace: no continuation of it, and not graded."""
        arguments = {**trace.origin.template_args, **self.settings.template_args}
        prompt = self.sampler.template.open_turn(messages, "chat", arguments)
        sampling = replace(self._sampling(trace), max_tokens=max_tokens, stop=())
        base = request_seed(self.settings.seed, self.sampler.fingerprint, prompt, sampling)
        completions = await self.sampler.complete(prompt, n, sampling, base)
        tokens = sum(completion.tokens for completion in completions)
        self._spend(trace, Cost(tokens, calls=n))
        return [completion.text for completion in completions]

    async def _answered(
        self, trace: Trace, words: str | None, done: Completion, seed: int
    ) -> Outcome:
        if words is None:
            grade: Literal["cut", "unparsed"] = "cut" if done.finish == "length" else "unparsed"
            return Outcome(False, grade, None, done.tokens, done.text, seed)
        verdict = await self.grader.grade(words, trace.problem, trace.origin.answers or "last")
        read = verdict.grade or Grade.UNPARSED
        return Outcome(read == "right", read.value, verdict.answer, done.tokens, done.text, seed)

    async def _read(
        self, trace: Trace, prefix: str, text: str, top: int = 0, by: Sampler | None = None
    ) -> Scored:
        with session(trace.problem.id, trace.id):
            found = await (by or self.sampler).score(prefix, text, top)
        self._spend(trace, Cost(scored=found.read))
        self.texts_read += 1
        self.texts_straddling += found.straddles
        return found

    def outcome_of(self, trace: Trace) -> bool | None:
        """Whether a trace counts as a hit among the rollouts of its problem, or `None`: it does
        not count. One without an outcome counts as a rollout without one does."""
        if trace.correct is None and self.settings.cut == "miss" and trace.error is None:
            return False if trace.finish == "length" or trace.grade in NO_OUTCOME else None
        return trace.correct

    def cost(self, trace: Trace, rounds: int) -> Cost:
        """What this trace consumed; `rounds` calls of its search had to wait for one another."""
        return replace(self._costs.get(trace.id, Cost()), rounds=rounds)

    async def _graded(
        self, trace: Trace, prefix: str, completion: Completion, sampling: Sampling, seed: int
    ) -> Outcome:
        text, tokens = completion.text, completion.tokens
        if ends_at_once(prefix, text, sampling.stop):
            text = ""
        elif completion.finish == "length":
            return Outcome(False, "cut", None, tokens, text, seed)
        rule = trace.origin.answers or "last"
        verdict = await self.grader.grade(prefix + text, trace.problem, rule)
        grade = verdict.grade or Grade.UNPARSED
        return Outcome(grade == "right", grade.value, verdict.answer, tokens, text, seed)

    def _spend(self, trace: Trace, cost: Cost) -> None:
        self._costs[trace.id] = self._costs.get(trace.id, Cost()) + cost

    def _before(self, trace: Trace, after_step: int, prefix: str) -> str:
        """The exact text that a model continues."""
        prompt = self._prompt(trace)
        imported = trace.origin.model is None
        return joined(prompt, prefix) if imported and after_step else prompt + prefix

    def text_before(self, trace: Trace, after_step: int, messages: tuple[Message, ...] = ()) -> str:
        """The exact text that a model continues after some steps: the prefix in its prompt, or in
        that of other messages."""
        if trace.acts:
            start = self._start(trace, after_step, Sampling(), messages)
            return Acting(self.sampler, None).prompt(start, start.said) + start.begun
        refuse_acting(trace, after_step)
        prefix = trace.prefix(after_step)
        if not messages:
            return self._before(trace, after_step, prefix)
        origin = trace.origin
        arguments = {**origin.template_args, **self.settings.template_args}
        prompt = self.sampler.template.open_turn(messages, origin.template, arguments)
        return joined(prompt, prefix) if after_step else prompt

    def _prompt(self, trace: Trace) -> str:
        if trace.id not in self._prompts:
            origin = trace.origin
            self._prompts[trace.id] = self.sampler.template.open_turn(
                self._messages(trace),
                origin.template,
                {**origin.template_args, **self.settings.template_args},
            )
        return self._prompts[trace.id]

    def _messages(self, trace: Trace) -> tuple[Message, ...]:
        messages = trace.origin.messages or question_only(trace.problem)
        if self.settings.system is None:
            return messages
        others = [message for message in messages if message["role"] != "system"]
        lead = [{"role": "system", "content": self.settings.system}] if self.settings.system else []
        return (*lead, *others)

    def _sampling(self, trace: Trace) -> Sampling:
        """What the trace was sampled with, save where this run says otherwise."""
        chosen = {}
        for name in ("temperature", "top_p", "top_k", "max_tokens", "stop"):
            setting = getattr(self.settings, name)
            value = getattr(trace.origin, name) if setting is None else setting
            if value is not None:
                chosen[name] = value
        return replace(Sampling(), **chosen)


async def graded_episode(
    episode: Episode, problem: Problem, origin: Origin, grader: Grader
) -> Verdict | None:
    """By the environment's reward where it gives one (1 is right), else by the answer; `None`: a
    limit has cut it."""
    if episode.reward is not None:
        right = episode.reward >= 1
        return Verdict(Grade.RIGHT if right else Grade.WRONG, episode.final or None, episode.reward)
    if episode.finish == "length":
        return None
    return await grader.grade(episode.final, problem, origin.answers or "last")


def refuse_acting(trace: Trace, steps: int) -> None:
    """The policy saw calls of tools and their results as messages; joined as text, it never did."""
    acts = next(
        (i for i, s in enumerate(trace.steps[:steps]) if s.messages or s.kind in ACTING), None
    )
    if acts is not None:
        raise ItemError(
            f"trace {trace.id}: step {acts + 1} acts with a tool, and its messages are not known, "
            "so rollouts cannot continue it. Import the chat that it comes from, or label it from "
            "evidence: `prmdata verify`, then `prmdata label --method threshold`"
        )


def question_only(problem: Problem) -> tuple[Message, ...]:
    return ({"role": "user", "content": problem.question},)
