"""A problem → its traces: sampled in one call, cut into steps, graded, counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from prmdata.errors import UsageError
from prmdata.grading import Grader, answer_rule, canonical, extract_answer
from prmdata.records import AnswerRule, GradeName, Message, Origin, Problem, Step, Tally, Trace
from prmdata.sampler.acting.opening import Environments
from prmdata.sampler.acting.playing import Acting, Episode, Limits, Start
from prmdata.sampler.protocol import SEED_SPACING, Completion, Sampler, Sampling
from prmdata.sampler.rollouts import graded_episode
from prmdata.sampler.seeds import request_seed
from prmdata.sampler.sessions import session
from prmdata.traces.asking import AUTO, asked
from prmdata.traces.asking import check as check_prompt
from prmdata.traces.deciding import chance_of_keeping, decided, waves
from prmdata.traces.pseudo_gold import with_majority
from prmdata.traces.steps import splitter
from prmdata.turns import final_words


@dataclass(frozen=True, slots=True)
class Generation:
    """How traces are sampled."""

    samples: int = 8
    seed: int = 0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    template: Literal["chat", "raw"] = "chat"
    template_args: Mapping[str, Any] = field(default_factory=dict)
    """Given to the chat template, such as `enable_thinking`."""
    prompt: str = AUTO
    """The user's message: `auto`, `boxed`, `plain` or a text with {question} in it."""
    system: str | None = None
    """The system message; `None`: the problem's own, where it has one."""
    few_shot: tuple[Message, ...] = ()
    steps: str = "auto"
    answers: AnswerRule = "last"
    """What is read as a text's answer."""
    cut_is_wrong: bool = False
    keep: tuple[float, float] | None = None
    """Keep problems whose pass rate lies in here, or may: cut traces count as unknown."""
    decide: float | None = None
    """How certain it must be whether all samples would keep a problem, for the rest not to be
    sampled."""
    gold: float | None = None
    """Problems without an answer take the one that at least this share of their traces gives."""

    def __post_init__(self) -> None:
        if not 1 <= self.samples <= SEED_SPACING:
            raise UsageError(f"-n {self.samples}: ask for 1 to {SEED_SPACING:,} traces a problem")
        if self.max_tokens < 1:
            raise UsageError(f"--max-tokens {self.max_tokens}: must be at least 1")
        if not 0 <= self.temperature < math.inf or not 0 < self.top_p <= 1 or self.top_k < 0:
            raise UsageError("sampling needs temperature ≥ 0, 0 < top-p ≤ 1, top-k ≥ 0")
        if self.decide is not None and self.keep is None:
            raise UsageError("--decide says when --keep is certain; give --keep LOW..HIGH too")
        if self.decide is not None and not 0.5 < self.decide <= 1:
            raise UsageError(f"--decide {self.decide:g}: must be above 0.5, at most 1")
        check_prompt(self.prompt)
        answer_rule(self.answers)
        splitter(self.steps)

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.top_k, self.max_tokens, self.stop)

    @property
    def boxes(self) -> bool:
        """Whether `auto` may ask for boxed answers: worked examples show a form of their own, and
        so does a prompt that no chat template wraps."""
        told = "\\boxed" in (self.system or "")
        return self.prompt == AUTO and self.template == "chat" and not self.few_shot and not told

    def messages(self, problem: Problem) -> tuple[Message, ...]:
        question = asked(problem, self.prompt, auto=self.boxes)
        text = self.system or problem.context.get("system")
        system = [{"role": "system", "content": str(text)}] if text else []
        return (*system, *self.few_shot, {"role": "user", "content": question})


async def generate(
    problem: Problem,
    sampler: Sampler,
    grader: Grader,
    how: Generation,
    environments: Environments | None = None,
) -> list[Trace]:
    """The problem's traces, each with the tally of them all."""
    with session(problem.id):
        if environments is not None and environments.asked.spec is not None:
            traces = await act(problem, sampler, grader, how, environments)
        else:
            traces = await write(problem, sampler, grader, how)
    if how.gold is not None:
        traces = await _regraded(problem, traces, grader, how.gold)
    tally = count(traces)
    return [replace(trace, group=tally) for trace in traces]


async def _regraded(
    problem: Problem, traces: list[Trace], grader: Grader, least: float
) -> list[Trace]:
    """The traces, held against the answer that most of them give."""
    named = with_majority(problem, traces, least)
    if named is problem:
        return traces
    found = [replace(trace, problem=named) for trace in traces]
    return [trace if trace.answer is None else await graded(trace, grader) for trace in found]


async def write(problem: Problem, sampler: Sampler, grader: Grader, how: Generation) -> list[Trace]:
    """Traces that are one text."""
    messages = how.messages(problem)
    arguments = sampler.template.dated(how.template_args)
    prompt = sampler.template.open_turn(messages, how.template, arguments)
    seed = request_seed(how.seed, sampler.fingerprint, prompt, how.sampling)
    origin = origin_of(sampler, how, messages, arguments)
    traces: list[Trace] = []
    whole = [(0, how.samples)]  # the same samples, whether in one call or in waves
    for start, size in whole if how.decide is None else waves(how.samples):
        completions = await sampler.complete(prompt, size, how.sampling, seed + start)
        traces += [
            await _trace(problem, number, completion, origin, grader, how)
            for number, completion in enumerate(completions, start)
        ]
        if how.keep and how.decide and decided(traces, how.samples, how.keep, how.decide):
            break
    return traces


async def act(
    problem: Problem,
    sampler: Sampler,
    grader: Grader,
    how: Generation,
    environments: Environments,
) -> list[Trace]:
    """Traces of turns, with what the environment answered."""
    named = environments.asked.record()
    environment = await environments.opened(named)
    messages, tools = how.messages(problem), await environment.tools(problem)
    arguments = sampler.template.dated(how.template_args)
    limits = Limits(named["turns"], named.get("seconds"))
    acting = Acting(sampler, environment, limits, environments.counts)
    start = Start(
        problem=problem,
        prompt=messages,
        tools=tools,
        template=how.template,
        template_args=arguments,
        sampling=how.sampling,
        seed=how.seed,
    )
    origin = origin_of(sampler, how, messages, arguments)
    origin = replace(origin, tools=tools, environment=named)
    episodes = await acting.play(start, how.samples, run_seed=how.seed)
    return [
        await _acted(problem, number, episode, origin, grader, how)
        for number, episode in enumerate(episodes)
    ]


async def _acted(
    problem: Problem,
    number: int,
    episode: Episode,
    origin: Origin,
    grader: Grader,
    how: Generation,
) -> Trace:
    trace = Trace(
        id=f"{problem.id}/{how.seed}-{number}",
        problem=problem,
        steps=episode.steps,
        finish=episode.finish,
        origin=replace(origin, sample=number, tokens=episode.tokens),
    )
    verdict = await graded_episode(episode, problem, origin, grader)
    if verdict is None:
        return replace(trace, correct=False if how.cut_is_wrong else None)
    gradable = bool(problem.golds) or problem.kind == "code" or episode.reward is not None
    grade: GradeName | None = verdict.grade.value if verdict.grade and gradable else None
    correct = verdict.correct if gradable else None
    return replace(trace, answer=verdict.answer, grade=grade, correct=correct, score=verdict.score)


def origin_of(
    sampler: Sampler,
    how: Generation,
    messages: tuple[Message, ...],
    arguments: dict[str, object],
) -> Origin:
    return Origin(
        sampler=sampler.spec,
        model=sampler.fingerprint,
        messages=messages,
        template=how.template,
        template_args=arguments,
        temperature=how.temperature,
        top_p=how.top_p,
        top_k=how.top_k,
        max_tokens=how.max_tokens,
        stop=how.stop,
        seed=how.seed,
        steps=how.steps,
        answers=how.answers,
    )


def kept(traces: Sequence[Trace], how: Generation) -> bool:
    """Whether to keep the problem of these traces: its pass rate lies in the band, or may. Of a
    problem that was decided early: whether all traces would probably keep it."""
    if how.keep is not None and len(traces) < how.samples:
        right = sum(trace.correct is True for trace in traces)
        wrong = sum(trace.correct is False for trace in traces)
        missing = how.samples - len(traces)
        return chance_of_keeping(right, wrong, missing, how.samples, how.keep) >= 0.5
    lowest, highest = pass_rates(traces)
    return how.keep is None or (how.keep[0] <= highest and lowest <= how.keep[1])


def kept_for_certain(tally: Tally, band: tuple[float, float]) -> bool:
    """Whether the pass rate lies in the band however the traces without an outcome would end."""
    highest = (tally.n - tally.wrong) / tally.n
    return band[0] <= tally.right / tally.n and highest <= band[1]


def pass_rates(traces: Sequence[Trace]) -> tuple[float, float]:
    """The lowest and the highest pass rate: traces that were cut, or whose answer could not be
    read or graded, may be right or wrong."""
    right = sum(trace.correct is True for trace in traces)
    wrong = sum(trace.correct is False for trace in traces)
    return right / len(traces), 1 - wrong / len(traces)


async def _trace(
    problem: Problem,
    number: int,
    completion: Completion,
    origin: Origin,
    grader: Grader,
    how: Generation,
) -> Trace:
    trace = Trace(
        id=f"{problem.id}/{how.seed}-{number}",
        problem=problem,
        finish=completion.finish,
        origin=replace(origin, sample=number, tokens=completion.tokens),
    )
    if not completion.text.strip():
        return trace.failed("the sampler returned no text")
    steps = cut_steps(completion.text, how.steps)
    trace = replace(trace, steps=steps)
    if completion.finish == "length":
        return replace(trace, correct=False if how.cut_is_wrong else None)
    return await graded(trace, grader)


async def graded(trace: Trace, grader: Grader) -> Trace:
    problem = trace.problem
    verdict = await grader.grade(final_words(trace), problem, trace.origin.answers or "last")
    gradable = bool(problem.golds) or problem.kind == "code"
    grade: GradeName | None = verdict.grade.value if verdict.grade and gradable else None
    return replace(
        trace,
        answer=verdict.answer,
        grade=grade,
        correct=verdict.correct if gradable else None,
        score=verdict.score,
    )


def cut_steps(text: str, how: str) -> tuple[Step, ...]:
    pieces = splitter(how)(text)
    last = len(pieces) - 1
    return tuple(
        Step(piece, "answer" if i == last and _states_answer(piece) else "thought")
        for i, piece in enumerate(pieces)
    )


def _states_answer(text: str) -> bool:
    return extract_answer(text, answers="marked") is not None


def count(traces: Sequence[Trace]) -> Tally:
    wrong = [trace for trace in traces if trace.correct is False]
    answers = Counter(canonical(t.answer) for t in wrong if t.answer is not None)
    return Tally(
        n=len(traces),
        right=sum(trace.correct is True for trace in traces),
        wrong=len(wrong),
        cut=sum(trace.finish == "length" and trace.correct is None for trace in traces),
        unparsed=sum(trace.grade == "unparsed" for trace in traces),
        timeout=sum(trace.grade == "timeout" for trace in traces),
        wrong_answers=dict(sorted(answers.items(), key=lambda item: (-item[1], item[0]))),
    )
