"""Policies with a known truth, whose knobs are what real policies differ in.

A world is a Markov chain over solution states that speaks in text: every step names its state, so
that a prefix can be continued from its text alone, as with a model. Labelling methods never read
it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from prmdata.records import Origin, Problem, Step, Tally, Trace
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling, Scored

TEMPLATE = ChatTemplate("{% for m in messages %}{{ m.content }}\n{% endfor %}")
TOKENS = 12
"""Tokens of one step."""


@dataclass(frozen=True)
class World:
    name: str
    steps: int = 9
    slip: float = 0.09
    """Chance of an error at a right step; problems differ around it."""
    unlike: float = 0.9
    """Deviation of the problems' log-odds of a slip."""
    recover: float = 0.003
    """Chance at every later step that a rollout finds its way back to the right answer."""
    luck: float = 0.0
    """Chance that a wrong solution ends in the right answer: choice questions."""
    detour: float = 0.0
    """Chance at a right step of a turn that is right, and after which slips are the rule."""
    crux: float = 0.0
    """Chance of an error at one step of every problem."""
    habit: float = 0.4
    """Share of errors at a step that are the problem's usual one and end in its usual wrong
    answer."""
    verbatim: float = 0.0
    """Share of steps that are written word for word as others write them."""
    correct: float = 0.0
    """Chance at every step that a wrong solution is noticed and put right, in the trace itself
    too."""
    wrong_gold: float = 0.0
    """Share of problems whose reference answer is wrong."""
    author: float | None = None
    """Chance of a slip of another, stronger model that wrote the traces; none: the policy did."""
    samples: int = 8
    """Traces of a problem."""
    rate: float | None = None
    """Pass rate that every problem has about; replaces `slip`."""

    def problems(self, count: int, seed: int) -> Iterator[Problem]:
        for index in range(count):
            name = f"{self.name}-{seed}-{index}"
            gold = "0"
            if _chance(name, "gold").random() < self.wrong_gold:
                gold = "999"
            yield Problem(name, f"Problem {name}", gold)


@dataclass
class State:
    """`right`, `turned` (right, on a detour) or `wrong`, with the answer that it leads to."""

    side: str = "right"
    answer: int = 0


class WorldPolicy:
    """The sampler of a world."""

    spec = "world"
    template = TEMPLATE
    context = 1 << 20

    def __init__(self, world: World, *, author: bool = False) -> None:
        self.world, self.author = world, author
        self.fingerprint = f"{world.name}{'author' if author else 'policy'}-1"

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        return [self.one(prefix, seed + i) for i in range(n)]

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise NotImplementedError("worlds have no probabilities")

    async def close(self) -> None:
        pass

    def one(self, prompt: str, seed: int) -> Completion:
        question, _, written = prompt.partition("\n")
        name = question.removeprefix("Problem ")
        chance = _chance(name, written, str(seed))
        state, done = read(written), written.count("\n")
        lines = []
        for step in range(done, self.world.steps):
            state = self._step(name, step, state, chance)
            lines.append(self._line(step, state, chance))
        answer = state.answer
        if state.side == "wrong" and chance.random() < self.world.luck:
            answer = 0
        lines.append(f"The answer is {answer}.")
        return Completion("".join(lines), TOKENS * len(lines), "stop")

    def _slip(self, name: str, step: int) -> float:
        world = self.world
        mean = world.author if self.author and world.author is not None else world.slip
        if world.rate is not None:
            mean = 1 - world.rate ** (1 / world.steps)
        if world.crux:
            at = _chance(name, "crux").randrange(1, world.steps - 1)
            return world.crux if step == at else mean / 3
        odds = mean / (1 - mean) * 2.718281828 ** (world.unlike * _chance(name, "hard").gauss(0, 1))
        odds *= 2.718281828 ** (0.6 * _chance(name, "step", str(step)).gauss(0, 1))
        return odds / (1 + odds)

    def _step(self, name: str, step: int, state: State, chance: random.Random) -> State:
        world = self.world
        slip = self._slip(name, step)
        if state.side == "turned":
            slip = max(slip, 0.5)
        if state.side == "wrong":
            if chance.random() < world.recover + world.correct:
                return State()
            if chance.random() < slip / 2:
                return State("wrong", self._answer(name, step, chance))
            return state
        if chance.random() < slip:
            return State("wrong", self._answer(name, step, chance))
        if state.side == "right" and chance.random() < world.detour:
            return State("turned")
        return state

    def _answer(self, name: str, step: int, chance: random.Random) -> int:
        if chance.random() < self.world.habit:
            return 1 + _chance(name, "habit", str(step)).randrange(3)
        return 10 + chance.randrange(400)

    def _line(self, step: int, state: State, chance: random.Random) -> str:
        words = "" if chance.random() < self.world.verbatim else f" {chance.randrange(10**9)}"
        return f"{step} {state.side} {state.answer}{words}\n"


def read(written: str) -> State:
    lines = written.splitlines()
    if not lines:
        return State()
    _, side, answer, *_ = lines[-1].split()
    return State(side, int(answer))


def traces(world: World, problems: int, seed: int = 0) -> list[list[Trace]]:
    """Groups of traces by their author, graded by the reference answers."""
    policy = WorldPolicy(world, author=world.author is not None)
    groups = []
    for problem in world.problems(problems, seed):
        completions = [policy.one(f"{problem.question}\n", 1000 + i) for i in range(world.samples)]
        right = [c.text.endswith(f"The answer is {problem.answer}.") for c in completions]
        wrong: dict[str, int] = {}
        for completion, hit in zip(completions, right, strict=True):
            if not hit:
                answer = completion.text.rsplit(" ", 1)[1].rstrip(".")
                wrong[answer] = wrong.get(answer, 0) + 1
        tally = Tally(len(right), sum(right), len(right) - sum(right), wrong_answers=wrong)
        groups.append(
            [
                Trace(
                    f"{problem.id}/{i}",
                    problem,
                    tuple(Step(line) for line in completion.text.splitlines(keepends=True)),
                    completion.text.rsplit(" ", 1)[1].rstrip("."),
                    hit,
                    "right" if hit else "wrong",
                    "stop",
                    Origin(
                        messages=({"role": "user", "content": problem.question},),
                        model=policy.fingerprint,
                        temperature=1.0,
                        tokens=completion.tokens,
                    ),
                    tally,
                )
                for i, (completion, hit) in enumerate(zip(completions, right, strict=True))
            ]
        )
    return groups


def first_error(trace: Trace) -> int | None:
    """Index of the first wrong step."""
    sides = [step.text.split()[1] for step in trace.steps[:-1]]
    return next((i for i, side in enumerate(sides) if side == "wrong"), None)


def fatal_error(trace: Trace) -> int | None:
    """Index of the wrong step that was never put right."""
    sides = [step.text.split()[1] for step in trace.steps[:-1]]
    if not sides or sides[-1] != "wrong":
        return None
    return len(sides) - next((n for n, s in enumerate(reversed(sides)) if s != "wrong"), len(sides))


def _chance(*words: str) -> random.Random:
    digest = hashlib.blake2b("\x1f".join(words).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))


WORLDS = (
    World("neutral"),
    World("verbatim", verbatim=0.8),
    World("diffuse", habit=0.0),
    World("habitual", habit=0.9),
    World("recovering", recover=0.03),
    World("recovering-much", recover=0.1),
    World("choice-of-4", luck=0.25),
    World("yes-no", luck=0.5),
    World("detours", detour=0.06, slip=0.05),
    World("crux", crux=0.85),
    World("long", steps=30, slip=0.03),
    World("hard", rate=1 / 64),
    World("strong-author", slip=0.25, author=0.06),
    World("no-siblings", samples=1),
    World("wrong-gold", wrong_gold=0.1),
    World("self-correcting", steps=40, slip=0.06, correct=0.25, recover=0.0),
)
