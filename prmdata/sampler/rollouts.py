"""What a labelling method sees of sampling: `rollouts.sample(trace, after_step, n)`.

Behind it: the prompt is rendered, the prefix continued token for token, the sample numbers go on
where the last call for this prefix stopped, the answers are graded, and the price is kept.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from prmdata.errors import ItemError, UsageError
from prmdata.grading import Grade, Grader
from prmdata.records import Cost, Message, Problem, Trace
from prmdata.sampler.protocol import SEED_SPACING, Sampler, Sampling

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


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    seed: int = 0
    """Of the run."""
    temperature: float | None = None
    """This and the next four: `None` keeps what the trace was sampled with."""
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    cut: Literal["miss", "drop"] = "miss"
    """A rollout that the token limit cuts counts as a miss, or is passed over."""

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0 <= self.temperature < math.inf:
            raise UsageError(f"--temperature {self.temperature:g}: must be at least 0")


@dataclass(slots=True)
class Rollouts:
    """Rollouts for the traces of one problem. One object a group: it counts what each consumed."""

    sampler: Sampler
    grader: Grader
    settings: RolloutSettings
    _next: dict[tuple[str, int], int] = field(default_factory=dict)
    _costs: dict[str, Cost] = field(default_factory=dict)
    _prompts: dict[str, str] = field(default_factory=dict)

    async def sample(self, trace: Trace, after_step: int, n: int) -> list[Outcome]:
        """The next n rollouts from the prefix of `after_step` steps, in sample-number order."""
        if not 0 <= after_step < len(trace.steps):
            raise ValueError(f"a rollout starts after step 0 to {len(trace.steps) - 1}")
        refuse_acting(trace, after_step)
        place = (trace.id, after_step)
        first = self._next.get(place, 0)
        if first + n > SEED_SPACING:
            raise ItemError(f"more than {SEED_SPACING} rollouts of one prefix (trace {trace.id})")
        self._next[place] = first + n
        prefix = trace.prefix(after_step)
        prompt = self._prompt(trace) + prefix
        sampling = self._sampling(trace)
        seed = request_seed(self.settings.seed, self.sampler.fingerprint, prompt, sampling)
        completions = await self.sampler.complete(prompt, n, sampling, seed + first)
        outcomes = [
            await self._graded(trace.problem, prefix, c.text, c.finish, c.tokens)
            for c in completions
        ]
        self._spend(trace, Cost(sum(c.tokens for c in completions), n))
        if self.settings.cut == "drop":
            outcomes = [outcome for outcome in outcomes if outcome.grade != "cut"]
        return outcomes

    async def log_probs(self, trace: Trace, step: int) -> list[float]:
        """The log-probability of each token of one step (from 0), after the steps before it."""
        refuse_acting(trace, step + 1)
        prompt = self._prompt(trace) + trace.prefix(step)
        return await self.sampler.score(prompt, trace.steps[step].text)

    def cost(self, trace: Trace, rounds: int) -> Cost:
        """What this trace consumed; `rounds` calls of its search had to wait for one another."""
        return replace(self._costs.get(trace.id, Cost()), rounds=rounds)

    async def _graded(
        self, problem: Problem, prefix: str, text: str, finish: str, tokens: int
    ) -> Outcome:
        if finish == "length":
            return Outcome(False, "cut", None, tokens, text)
        verdict = self.grader.grade_now(prefix + text, problem.answer, problem.kind)
        if verdict is None:
            verdict = await self.grader.grade(
                prefix + text, problem.answer, problem.kind, msgspec.to_builtins(problem)
            )
        grade = verdict.grade or Grade.UNPARSED
        return Outcome(grade == "right", grade.value, verdict.answer, tokens, text)

    def _spend(self, trace: Trace, cost: Cost) -> None:
        self._costs[trace.id] = self._costs.get(trace.id, Cost()) + cost

    def _prompt(self, trace: Trace) -> str:
        if trace.id not in self._prompts:
            origin = trace.origin
            messages = origin.messages or question_only(trace.problem)
            self._prompts[trace.id] = self.sampler.template.open_turn(
                messages, origin.template, origin.template_args
            )
        return self._prompts[trace.id]

    def _sampling(self, trace: Trace) -> Sampling:
        """What the trace was sampled with, save where this run says otherwise."""
        chosen = {}
        for name in ("temperature", "top_p", "top_k", "max_tokens", "stop"):
            asked = getattr(self.settings, name)
            value = getattr(trace.origin, name) if asked is None else asked
            if value is not None:
                chosen[name] = value
        return replace(Sampling(), **chosen)


def refuse_acting(trace: Trace, steps: int) -> None:
    """The policy saw calls of tools and their results as messages; joined as text, it never did."""
    acts = next((i for i, s in enumerate(trace.steps[:steps]) if s.kind in ACTING), None)
    if acts is not None:
        raise ItemError(
            f"trace {trace.id}: step {acts + 1} is a {trace.steps[acts].kind.replace('_', ' ')}; "
            "rollouts cannot continue traces that act with tools. Label them from evidence "
            "instead: `prmdata verify`, then `prmdata label --method threshold`"
        )


def question_only(problem: Problem) -> tuple[Message, ...]:
    return ({"role": "user", "content": problem.question},)


def request_seed(run_seed: int, fingerprint: str, prompt: str, sampling: Sampling) -> int:
    """The base seed of all samples of one prompt: spaced, so that neighbours never overlap."""
    asked = msgspec.json.encode([run_seed, fingerprint, prompt, sampling])
    number = int.from_bytes(hashlib.blake2b(asked, digest_size=8).digest(), "big")
    return (number >> 1) // SEED_SPACING * SEED_SPACING
