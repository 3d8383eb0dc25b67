"""A policy that needs no weights: it solves abacus stories and slips now and then, by its seed.

It keeps the sampler's contract, so that engines and methods can be tested at any speed, and its
every draw is a pure function of the prefix and the seed.
"""

from __future__ import annotations

import asyncio
import random
import re

from prmdata.abacus import Story, solution, story
from prmdata.abacus.solutions import slip
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Likely, Marked, Rated, Sampling, Scored

TEMPLATE = ChatTemplate("{% for m in messages %}Question: {{ m.content }}\n{% endfor %}")


class Policy:
    spec = "policy"
    fingerprint = "policy-1"
    template = TEMPLATE
    context = 4096

    def __init__(self, seeds: dict[int, int], *, slips: float = 0.15, mends: float = 0.05) -> None:
        """`seeds`: abacus seed → how many of its problems are known."""
        self._stories: dict[str, Story] = {}
        for seed, count in seeds.items():
            for index in range(count):
                told = story(seed, index, 1 + index % 4)
                self._stories[told.question] = told
        self.slips = slips
        self.mends = mends
        """The chance that a wrong number is put right at the next step."""
        self.calls: list[tuple[str, int, int]] = []
        self.delay_s = 0.0
        self.silent = 0
        """Every so many samples, one that ends before it says anything; 0: none."""

    def story_of(self, question: str) -> Story:
        return self._stories[question]

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        self.calls.append((prefix, n, seed))
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        return [self._one(prefix, seed + i) for i in range(n)]

    def _one(self, prefix: str, seed: int) -> Completion:
        prefix = prefix.removeprefix("<bos>")
        question, _, said = prefix.removeprefix("Question: ").partition("\n")
        chance = random.Random(f"{prefix} {seed}")
        if self.silent and said and seed % self.silent == 0:
            return Completion("", 1, "stop")
        if question not in self._stories:
            return Completion(f"I do not know that one {chance.random()}.", 9, "stop")
        told = self._stories[question]
        right = solution(told)
        done = said.count("\n")
        off = 0
        if done and (found := re.findall(r"= (\d+)", said.splitlines()[-1])):
            off = int(found[-1]) - told.nodes[min(done, len(told.nodes)) - 1].c
        lines = []
        for line in right[done:]:
            if off and chance.random() < self.mends:
                off = 0
            if line.startswith("The answer"):
                lines.append(f"The answer is {told.answer + off}.")
                break
            number = int(re.findall(r"= (\d+)", line)[0])
            if chance.random() < self.slips:
                off = slip(number, chance) - number
            lines.append(line.replace(f"= {number}", f"= {number + off}"))
        text = "".join(f"{line}\n" for line in lines)
        return Completion(text, len(text) // 3 + 1, "stop")

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        """As arbitrary as it is reproducible: a token a word, and the space before it."""
        chance = random.Random(f"{prefix} {text}")
        words = list(re.finditer(r"\s*\S+", text))
        logprobs = tuple(-2 * chance.random() for _ in words)
        likeliest: tuple[Likely, ...] = ()
        if top:
            likeliest = tuple(
                ((word[0], p), (" wrong", -1 - chance.random()))
                for word, p in zip(words, logprobs, strict=True)
            )
        return Scored(
            logprobs,
            tuple(word.start() for word in words),
            len((prefix + text).split()),
            top=likeliest,
            entropies=tuple(chance.random() for _ in likeliest),
        )

    async def close(self) -> None:
        pass


class RewardModel(Policy):
    """What it thinks of a step is as arbitrary as it is reproducible, and hangs on what stands
    before."""

    rates = True

    async def rate(self, marked: Marked) -> Rated:
        rows = []
        for mark in marked.marks:
            p = random.Random("".join(marked.pieces[: mark + 1])).random()
            rows.append((1 - p, p))
        return Rated(tuple(rows), len("".join(marked.pieces).split()))
